import type { BytesColumn, DecimalColumn, FloatColumn, IntegerColumn } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { ColumnProfile, Moments, QuantileSketch } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import { addHashes, emptyDistinct } from "./distinct.ts";
import type { HashWords } from "./hash.ts";
import { hashPairs, hashQuads, hashSpan } from "./hash.ts";
import { TopAccumulator, emptyTop } from "./heavy-hitters.ts";
import { emptyMoments, momentsOf } from "./moments.ts";
import { emptyQuantiles, quantilesOf } from "./quantiles.ts";
import { expandCounts, sortNumbers } from "./sort-numbers.ts";
import type { LeafColumn } from "./value-text.ts";
import { cutAt, unscaledAt, valueText } from "./value-text.ts";

/** What a leaf field's profile is of. */
function profileKind(field: Field): ColumnProfile["kind"] {
  switch (field.type.kind) {
    case "boolean":
    case "binary":
    case "json":
      return field.type.kind;
    case "string":
      return "text";
    case "date":
    case "time":
    case "timestamp":
      return "time";
    default:
      return "number";
  }
}

/** The profile of a leaf field without cells. */
export function emptyColumnProfile(field: Field): ColumnProfile {
  const kind = profileKind(field);
  const numeric = kind === "number" || kind === "time";
  return {
    path: field.path,
    kind,
    count: 0,
    nulls: 0,
    missing: 0,
    min: null,
    max: null,
    moments: numeric ? emptyMoments : null,
    quantiles: numeric ? emptyQuantiles : null,
    distinct: emptyDistinct(),
    top: kind === "json" ? null : emptyTop,
    lengths: kind === "text" || kind === "binary" ? emptyMoments : null,
    nan: 0,
  };
}

/** Values hashed at a time: their hashes stay in the first-level cache. */
const chunkLength = 1024;
const words = new Uint32Array(4 * chunkLength);
const wordNumbers = new Float64Array(words.buffer);
const hashes: HashWords = { high: new Uint32Array(chunkLength), low: new Uint32Array(chunkLength) };
/** What moments and quantiles are of: a column's finite numbers, or lengths. Scratch of the longest batch so far. */
let numbers = new Float64Array(16 * chunkLength);

/** The profile of the given rows of one leaf column. Invalid cells are not counted: their rows never pass. */
export function profileColumn(column: LeafColumn, rows: Uint32Array): ColumnProfile {
  const empty = emptyColumnProfile(column.field);
  const picked = pickValues(column, rows);
  const { registers } = empty.distinct;
  const top = empty.top === null ? null : new TopAccumulator();
  if (numbers.length < picked.rows.length) numbers = new Float64Array(picked.rows.length);
  let measured = 0;
  for (let from = 0; from < picked.rows.length; from += chunkLength) {
    const chunk = picked.rows.subarray(from, from + chunkLength);
    measured += hashChunk(column, chunk, measured);
    addHashes(registers, hashes, chunk.length);
    top?.add(hashes, chunk, chunk.length);
  }
  const moments = momentsOf(numbers, measured);
  const extremes = findExtremes(column, picked.rows);
  return {
    ...empty,
    count: picked.rows.length + picked.nan + picked.nulls + picked.missing,
    nulls: picked.nulls,
    missing: picked.missing,
    min: extremes === null ? null : valueText(column, extremes.min),
    max: extremes === null ? null : valueText(column, extremes.max),
    moments: empty.moments === null ? null : moments,
    quantiles: empty.quantiles === null ? null : profileQuantiles(column, top, moments),
    top: top?.finish((row) => valueText(column, row)) ?? null,
    lengths: empty.lengths === null ? null : moments,
    nan: picked.nan,
  };
}

/** Orders `numbers` the cheapest way: from the distinct values if they are few and finite, else by sorting. */
function profileQuantiles(column: LeafColumn, top: TopAccumulator | null, moments: Moments): QuantileSketch {
  const exact = top?.exactCounts() ?? null;
  const distinct = exact === null ? null : Float64Array.from(exact.origins, (row) => numberAt(column, row));
  if (exact !== null && distinct !== null && distinct.every(Number.isFinite)) expandCounts(distinct, exact.counts, numbers);
  else sortNumbers(numbers, moments.count, moments.min, moments.max);
  return quantilesOf(numbers.subarray(0, moments.count));
}

/** A numeric cell as moments take it: times in seconds, zero without its sign. */
function numberAt(column: LeafColumn, row: number): number {
  if (column.kind === "bytes") return NaN;
  const value = (column.values[row] as number) + 0;
  const type = column.field.type.kind;
  return type === "date" ? value * 86_400 : type === "time" || type === "timestamp" ? value / 1e6 : value;
}

interface Picked {
  /** Rows that have a value that is a value: not NaN. */
  readonly rows: Uint32Array;
  readonly nulls: number;
  readonly missing: number;
  readonly nan: number;
}

function pickValues(column: LeafColumn, rows: Uint32Array): Picked {
  const { state } = column;
  const values = column.kind === "float" ? column.values : null;
  const picked = new Uint32Array(rows.length);
  let count = 0;
  let nulls = 0;
  let missing = 0;
  let nan = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const cell = state[row];
    if (cell === Cell.value) {
      if (values !== null && Number.isNaN(values[row])) nan++;
      else picked[count++] = row;
    } else if (cell === Cell.null) nulls++;
    else if (cell === Cell.missing) missing++;
  }
  return { rows: picked.subarray(0, count), nulls, missing, nan };
}

/** Fills `hashes` for a chunk, and `numbers` from `at` on with its finite numbers or lengths; answers how many of those. */
function hashChunk(column: LeafColumn, rows: Uint32Array, at: number): number {
  switch (column.kind) {
    case "boolean":
      for (let i = 0; i < rows.length; i++) {
        words[2 * i] = column.values[rows[i] as number] as number;
        words[2 * i + 1] = 0;
      }
      hashPairs(words, rows.length, hashes);
      return 0;
    case "float":
      return hashFloats(column, rows, at);
    case "integer":
      return hashIntegers(column, rows, at);
    case "decimal":
      return hashDecimals(column, rows, at);
    default:
      return hashBytes(column, rows, at);
  }
}

function hashFloats(column: FloatColumn, rows: Uint32Array, at: number): number {
  let finite = 0;
  for (let i = 0; i < rows.length; i++) {
    // Adding 0 makes -0 the same value as 0.
    const value = (column.values[rows[i] as number] as number) + 0;
    wordNumbers[i] = value;
    numbers[at + finite] = value;
    if (Number.isFinite(value)) finite++;
  }
  hashPairs(words, rows.length, hashes);
  return finite;
}

function hashIntegers(column: IntegerColumn, rows: Uint32Array, at: number): number {
  const { exact, values, field } = column;
  const exactWords = new Uint32Array(exact.buffer, exact.byteOffset, 2 * exact.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    words[2 * i] = exactWords[2 * row] as number;
    words[2 * i + 1] = exactWords[2 * row + 1] as number;
    numbers[at + i] = (values[row] as number) + 0;
  }
  hashPairs(words, rows.length, hashes);
  const end = at + rows.length;
  if (field.type.kind === "date") for (let i = at; i < end; i++) numbers[i] = (numbers[i] as number) * 86_400;
  else if (field.type.kind === "time" || field.type.kind === "timestamp") {
    for (let i = at; i < end; i++) numbers[i] = (numbers[i] as number) / 1e6;
  }
  return rows.length;
}

function hashDecimals(column: DecimalColumn, rows: Uint32Array, at: number): number {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    for (let word = 0; word < 4; word++) words[4 * i + word] = column.unscaled[4 * row + word] as number;
    numbers[at + i] = (column.values[row] as number) + 0;
  }
  hashQuads(words, rows.length, hashes);
  return rows.length;
}

function hashBytes(column: BytesColumn, rows: Uint32Array, at: number): number {
  const { bytes, starts, lengths } = column;
  const inBytes = column.field.type.kind === "binary";
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const points = hashSpan(bytes, starts[row] as number, lengths[row] as number, hashes, i);
    numbers[at + i] = inBytes ? (lengths[row] as number) : points;
  }
  return rows.length;
}

/** The rows that hold the smallest and the largest value; null where there is no order, or no value. */
function findExtremes(column: LeafColumn, rows: Uint32Array): { min: number; max: number } | null {
  if (rows.length === 0) return null;
  if (column.kind === "bytes") {
    return column.field.type.kind === "json" ? null : findSpanExtremes(column, rows);
  }
  const { values } = column;
  let min = rows[0] as number;
  let max = min;
  for (const row of rows) {
    if ((values[row] as number) < (values[min] as number)) min = row;
    if ((values[row] as number) > (values[max] as number)) max = row;
  }
  if (column.kind === "boolean" || column.kind === "float") return { min, max };
  return { min: breakTie(column, rows, min, -1n), max: breakTie(column, rows, max, 1n) };
}

/** Among rows whose nearest double is that of `best`, the one with the smallest (sign -1) or largest exact value. */
function breakTie(column: IntegerColumn | DecimalColumn, rows: Uint32Array, best: number, sign: bigint): number {
  const double = column.values[best] as number;
  if (column.kind === "integer" && Math.abs(double) < 2 ** 53) return best;
  const exactAt = (row: number): bigint => sign * (column.kind === "integer" ? (column.exact[row] as bigint) : unscaledAt(column, row));
  let found = best;
  let exact = exactAt(best);
  for (const row of rows) {
    if (column.values[row] !== double) continue;
    const candidate = exactAt(row);
    if (candidate > exact) {
      found = row;
      exact = candidate;
    }
  }
  return found;
}

function findSpanExtremes(column: BytesColumn, rows: Uint32Array): { min: number; max: number } {
  let min = rows[0] as number;
  let max = min;
  for (const row of rows) {
    if (compareSpans(column, row, min) < 0) min = row;
    else if (compareSpans(column, row, max) > 0) max = row;
  }
  return { min, max };
}

/** Bytewise, over the part that a profile keeps: UTF-8's order is the order of code points. */
function compareSpans(column: BytesColumn, a: number, b: number): number {
  const { bytes, starts, lengths } = column;
  const startA = starts[a] as number;
  const startB = starts[b] as number;
  const length = Math.min(lengths[a] as number, lengths[b] as number, 256);
  for (let i = 0; i < length; i++) {
    const difference = (bytes[startA + i] as number) - (bytes[startB + i] as number);
    if (difference !== 0) return difference;
  }
  const keptA = cutAt(bytes, startA, startA + (lengths[a] as number)) - startA;
  const keptB = cutAt(bytes, startB, startB + (lengths[b] as number)) - startB;
  return keptA - keptB;
}
