import type { Field } from "../core/schema.ts";
import type { ColumnState } from "./column-state.ts";
import { denseRange, Head } from "./column-state.ts";
import { addHash } from "./distinct.ts";
import { hashValue, isLess } from "./value-words.ts";

/** How far below a multiple of `denseRange` the dense numbers begin, so that small negative numbers go with small positive ones. */
export const denseBelow = 512;

/** Sets the dense numbers to those around a column's first value. */
export function placeDense(head: Uint32Array, low: number, high: number): void {
  const shifted = (low + denseBelow) >>> 0;
  head[Head.based] = 1;
  head[Head.block] = shifted & -denseRange;
  head[Head.block + 1] = high + (shifted < denseBelow ? 1 : 0);
}

/** Where a whole number is counted among the dense ones; -1: it is none of them. */
export function denseAt(head: Uint32Array, low: number, high: number): number {
  const shifted = (low + denseBelow) >>> 0;
  if (((shifted ^ (head[Head.block] as number)) & -denseRange) !== 0) return -1;
  if (((high + (shifted < denseBelow ? 1 : 0)) | 0) !== ((head[Head.block + 1] as number) | 0)) return -1;
  return shifted & (denseRange - 1);
}

/** The words of the dense numbers that came, ascending, and how often each did. */
export interface DenseEntries {
  readonly words: Uint32Array;
  readonly counts: Uint32Array;
}

/** The dense numbers that came. */
export function denseEntries({ head, dense }: ColumnState): DenseEntries {
  let size = 0;
  for (let at = 0; at < dense.length; at++) if (dense[at] !== 0) size++;
  const words = new Uint32Array(2 * size);
  const counts = new Uint32Array(size);
  const [low, high] = [head[Head.block] as number, head[Head.block + 1] as number];
  let to = 0;
  for (let at = 0; at < dense.length; at++) {
    const count = dense[at] as number;
    if (count === 0) continue;
    const shifted = low + at;
    words[2 * to] = shifted - denseBelow;
    words[2 * to + 1] = high - (shifted < denseBelow ? 1 : 0);
    counts[to++] = count;
  }
  return { words, counts };
}

const hash = new Uint32Array(4);

/** Adds the dense numbers to a state's distinct values and extremes, which know only the others before; more than once changes nothing. */
export function settleDense(state: ColumnState, field: Field): void {
  const { head, registers } = state;
  const { words, counts } = denseEntries(state);
  const size = counts.length;
  if (size === 0) return;
  for (let i = 0; i < size; i++) {
    hashValue(field.type, words[2 * i] as number, words[2 * i + 1] as number, hash);
    addHash(registers, hash);
  }
  const first = head[Head.ordered] === 0;
  head[Head.ordered] = 1;
  const place = (at: number, from: number): void => head.set(words.subarray(2 * from, 2 * from + 2), at);
  const wordsOf = (at: number): [number, number] => [head[at] as number, head[at + 1] as number];
  const below = (a: [number, number], b: [number, number]): boolean => isLess(field.type, ...a, ...b);
  if (first || below([words[0] as number, words[1] as number], wordsOf(Head.least))) place(Head.least, 0);
  if (first || below(wordsOf(Head.most), [words[2 * size - 2] as number, words[2 * size - 1] as number])) place(Head.most, size - 1);
}
