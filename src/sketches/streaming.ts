import type { BooleanColumn, DecimalColumn, FloatColumn, IntegerColumn } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import type { Moments } from "../core/profile.ts";
import type { ColumnState } from "./column-state.ts";
import { Head } from "./column-state.ts";
import { purge } from "./count-table.ts";
import type { CountedNumbers } from "./counted-numbers.ts";
import { entryLengths, entryNumbers, sortCounted } from "./counted-numbers.ts";
import { denseAt } from "./dense-counts.ts";
import { countedMoments, mergeMoments, momentsOf } from "./moments.ts";
import { addCounted, compress } from "./quantiles.ts";
import { openBlock, sampleNumbers } from "./sampler.ts";

/** Whether a column's values are numbers: then it has moments and quantiles of them. */
export function isNumeric(field: Field): boolean {
  switch (field.type.kind) {
    case "boolean":
    case "string":
    case "binary":
    case "uuid":
    case "json":
      return false;
    default:
      return true;
  }
}

/**
 * From here on the table can't hold every value: what it counted so far becomes moments and quantiles, and it drops what is rare. Values that follow
 * are added to the three side by side.
 */
export function startStreaming(state: ColumnState, field: Field): void {
  const { head } = state;
  head[Head.streaming] = 1;
  if (isNumeric(field)) {
    const counted = entryNumbers(state, field);
    storeMoments(state, countedMoments(counted));
    startSampler(state, counted);
  } else {
    storeMoments(state, countedMoments(entryLengths(state)));
  }
  purge(state);
}

function startSampler(state: ColumnState, counted: CountedNumbers): void {
  const sorted = sortCounted(counted);
  addCounted(state.quantiles, sorted.values, sorted.counts);
  compress(state.quantiles);
  const seen = counted.counts.reduce((sum, count) => sum + count, 0);
  state.head[Head.seen] = seen;
  openBlock(state, seen);
}

let scratch = new Float64Array(4096);

/** Adds the finite numbers of the rows from the `from`th on to the moments and quantiles of a column that streams. */
export function addStreamed(
  state: ColumnState,
  column: FloatColumn | IntegerColumn | DecimalColumn,
  rows: Uint32Array,
  from: number,
): void {
  if (scratch.length < rows.length) scratch = new Float64Array(rows.length);
  const { factor, divisor } = unitOf(column.field);
  // What is dense is counted exactly, and joins at the end.
  const words = state.dense.length > 0 ? wordsOf(column) : null;
  let count = 0;
  for (let i = from; i < rows.length; i++) {
    const row = rows[i] as number;
    if (
      column.state[row] !== Cell.value ||
      (words !== null && denseAt(state.head, words.words[words.stride * row] as number, words.words[words.stride * row + 1] as number) >= 0)
    )
      continue;
    const value = (((column.values[row] as number) + 0) * factor) / divisor;
    scratch[count] = value;
    if (Number.isFinite(value)) count++;
  }
  addMoments(state, scratch, count);
  sampleNumbers(state, scratch, count);
}

/** The words of a column's whole values, two of which tell a value, every `stride` of them; null for floats. */
export function wordsOf(
  column: BooleanColumn | FloatColumn | IntegerColumn | DecimalColumn,
): { readonly words: Uint32Array; readonly stride: number } | null {
  if (column.kind === "integer") {
    return { words: new Uint32Array(column.exact.buffer, column.exact.byteOffset, 2 * column.exact.length), stride: 2 };
  }
  return column.kind === "decimal" ? { words: column.unscaled, stride: 4 } : null;
}

/** How a column's double becomes the number that moments and quantiles take: times in seconds. */
export function unitOf(field: Field): { readonly factor: number; readonly divisor: number } {
  const { type } = field;
  const micros = type.kind === "time" || (type.kind === "timestamp" && type.unit === "micros");
  return { factor: type.kind === "date" ? 86_400 : 1, divisor: micros ? 1e6 : type.kind === "timestamp" ? 1e9 : 1 };
}

/** Adds a run of numbers to the moments of a column that streams. */
export function addMoments(state: ColumnState, numbers: Float64Array, count: number): void {
  storeMoments(state, mergeMoments(momentsIn(state), momentsOf(numbers, count)));
}

/** The moments kept in a state's head. */
export function momentsIn(state: ColumnState): Moments {
  const { doubles } = state;
  const at = (place: number): number => doubles[place] as number;
  return { count: at(Head.count), mean: at(Head.mean), m2: at(Head.m2), min: at(Head.min), max: at(Head.max) };
}

function storeMoments(state: ColumnState, moments: Moments): void {
  const { doubles } = state;
  doubles[Head.count] = moments.count;
  doubles[Head.mean] = moments.mean;
  doubles[Head.m2] = moments.m2;
  doubles[Head.min] = moments.min;
  doubles[Head.max] = moments.max;
}
