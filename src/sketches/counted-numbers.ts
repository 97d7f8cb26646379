import type { Field } from "../core/schema.ts";
import type { ColumnState } from "./column-state.ts";
import { Head } from "./column-state.ts";
import type { DenseEntries } from "./dense-counts.ts";
import { decimalText, narrowDigitsMax, numberOf } from "./value-words.ts";

/** Numbers, each with how often it came. */
export interface CountedNumbers {
  readonly values: Float64Array;
  readonly counts: Uint32Array;
}

/** Whether a field's values are decimals that need more than 8 bytes. */
export function isWideDecimal(field: Field): boolean {
  return field.type.kind === "decimal" && field.type.precision > narrowDigitsMax;
}

/** The finite numbers in a state's table, in its order. */
export function entryNumbers(state: ColumnState, field: Field): CountedNumbers {
  const { head, keys, counts } = state;
  const size = head[Head.size] as number;
  const values = new Float64Array(size);
  const chosen = new Uint32Array(size);
  const wide = isWideDecimal(field);
  let kept = 0;
  for (let entry = 0; entry < size; entry++) {
    const value = wide ? wideNumber(state, field, entry) : numberOf(field.type, keys[2 * entry] as number, keys[2 * entry + 1] as number);
    if (!Number.isFinite(value)) continue;
    values[kept] = value;
    chosen[kept++] = counts[entry] as number;
  }
  return { values: values.subarray(0, kept), counts: chosen.subarray(0, kept) };
}

/** Dense entries as numbers, ascending. */
export function denseNumbers(field: Field, { words, counts }: DenseEntries): CountedNumbers {
  const values = new Float64Array(counts.length);
  for (let i = 0; i < values.length; i++) values[i] = numberOf(field.type, words[2 * i] as number, words[2 * i + 1] as number);
  return { values, counts };
}

/** Both, one after the other. */
export function joinCounted(a: CountedNumbers, b: CountedNumbers): CountedNumbers {
  const values = new Float64Array(a.values.length + b.values.length);
  const counts = new Uint32Array(values.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  counts.set(a.counts);
  counts.set(b.counts, a.values.length);
  return { values, counts };
}

/** The lengths of the texts in a state's table, in its order. */
export function entryLengths(state: ColumnState): CountedNumbers {
  const size = state.head[Head.size] as number;
  return { values: Float64Array.from(state.points.subarray(0, size)), counts: state.counts.slice(0, size) };
}

/** The kept bytes of an entry. */
export function entryBytes(state: ColumnState, entry: number): Uint8Array {
  const span = state.spans[entry] as number;
  return state.store.subarray(span >>> 16, (span >>> 16) + (span & 0xffff));
}

/** The unscaled value of a wide decimal's 16 bytes. */
export function wideValue(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return (view.getBigInt64(8, true) << 64n) | view.getBigUint64(0, true);
}

function wideNumber(state: ColumnState, field: Field, entry: number): number {
  return Number(decimalText(wideValue(entryBytes(state, entry)), field.type.kind === "decimal" ? field.type.scale : 0));
}

/** The same, ascending; a merge sort of indexes, since sorting with a comparison costs several times as much. */
export function sortCounted({ values, counts }: CountedNumbers): CountedNumbers {
  const size = values.length;
  let from = new Uint32Array(size);
  for (let i = 0; i < size; i++) from[i] = i;
  let to = new Uint32Array(size);
  for (let width = 1; width < size; width *= 2) {
    for (let start = 0; start < size; start += 2 * width)
      mergeRuns(values, from, to, start, Math.min(start + width, size), Math.min(start + 2 * width, size));
    [from, to] = [to, from];
  }
  const sorted = { values: new Float64Array(size), counts: new Uint32Array(size) };
  for (let i = 0; i < size; i++) {
    sorted.values[i] = values[from[i] as number] as number;
    sorted.counts[i] = counts[from[i] as number] as number;
  }
  return sorted;
}

function mergeRuns(values: Float64Array, from: Uint32Array, to: Uint32Array, start: number, middle: number, end: number): void {
  let i = start;
  let j = middle;
  for (let at = start; at < end; at++) {
    const takeFirst = j >= end || (i < middle && (values[from[i] as number] as number) <= (values[from[j] as number] as number));
    to[at] = from[takeFirst ? i++ : j++] as number;
  }
}
