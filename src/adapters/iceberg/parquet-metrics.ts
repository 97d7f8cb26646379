import type { BooleanColumn, BytesColumn, DecimalColumn, FloatColumn, IntegerColumn } from "../../core/column.ts";
import { Cell } from "../../core/column.ts";
import type { IcebergField } from "../../core/table-schema.ts";
import type { ColumnParts, Part } from "./parquet-arrow.ts";
import { childParts, isFull } from "./parquet-arrow.ts";
import * as bound from "../../parquet/bounds.ts";
import { fieldsOf } from "./parquet-fields.ts";
import { timeText } from "../../core/civil.ts";

/** The extremes of one leaf over all row groups, exact; `upper` of bytes is the whole value, cut when the file is finished. */
interface Range<T> {
  lower: T;
  upper: T;
}

type LeafRange =
  | { readonly kind: "boolean" | "int" | "float" | "double" | "time"; range: Range<number> | null }
  | { readonly kind: "long"; range: Range<bigint> | null }
  | { readonly kind: "decimal"; range: Range<bigint> | null }
  | { readonly kind: "string" | "binary"; range: Range<Uint8Array> | null };

interface Leaf {
  nulls: number;
  nans: number;
  readonly extremes: LeafRange;
}

/** What a manifest says of a file's values, besides what its footer holds. */
export interface ValueMetrics {
  readonly nullValueCounts: Map<number, number>;
  readonly nanValueCounts: Map<number, number>;
  readonly lowerBounds: Map<number, Uint8Array>;
  readonly upperBounds: Map<number, Uint8Array>;
}

/**
 * Null counts, NaN counts and bounds of the leaves outside of lists and maps (Iceberg's scans prune by no others), from the columns themselves.
 * Source: https://iceberg.apache.org/spec/#manifests (data_file), and appendix D for the bounds' bytes.
 */
export class MetricsTally {
  private readonly leaves = new Map<number, Leaf>();

  add(columns: readonly ColumnParts[]): void {
    for (const { field, parts } of columns) this.addField(field, parts);
  }

  finish(): ValueMetrics {
    const metrics: ValueMetrics = { nullValueCounts: new Map(), nanValueCounts: new Map(), lowerBounds: new Map(), upperBounds: new Map() };
    for (const [id, { nulls, nans, extremes }] of this.leaves) {
      metrics.nullValueCounts.set(id, nulls);
      if (extremes.kind === "float" || extremes.kind === "double") metrics.nanValueCounts.set(id, nans);
      const { lower, upper } = boundsOf(extremes);
      if (lower !== null) metrics.lowerBounds.set(id, lower);
      if (upper !== null && nans === 0) metrics.upperBounds.set(id, upper);
    }
    return metrics;
  }

  private addField(field: IcebergField, parts: readonly Part[]): void {
    const { column } = parts[0] as Part;
    if (column.kind === "list") return;
    if (column.kind === "struct") {
      const structs = parts as readonly Part<typeof column>[];
      for (const { field: child, index } of fieldsOf(field, column)) {
        this.addField(
          child,
          childParts(structs, (struct) => struct.children[index] as typeof column),
        );
      }
      return;
    }
    let leaf = this.leaves.get(field.id);
    if (leaf === undefined) {
      leaf = { nulls: 0, nans: 0, extremes: { kind: rangeKind(column.field.type.kind), range: null } as LeafRange };
      this.leaves.set(field.id, leaf);
    }
    for (const part of parts) addPart(leaf, part);
  }
}

function rangeKind(kind: string): LeafRange["kind"] {
  switch (kind) {
    case "boolean":
    case "float":
    case "double":
    case "decimal":
    case "time":
    case "binary":
    case "long":
      return kind;
    case "timestamp":
      return "long";
    case "int":
    case "date":
      return "int";
    case "string":
    case "json":
      return "string";
    default:
      throw new Error(`${kind} has no bounds`);
  }
}

function addPart(leaf: Leaf, part: Part): void {
  const rows = valueRows(part);
  leaf.nulls += part.rows.length - rows.length;
  if (rows.length === 0) return;
  const { extremes } = leaf;
  const { column } = part;
  switch (column.kind) {
    case "boolean":
      widen(extremes as { range: Range<number> | null }, booleanRange(column, rows));
      return;
    case "float":
      addFloats(leaf, column, rows);
      return;
    case "integer": {
      const range = integerRange(column, rows);
      if (extremes.kind === "long") widen(extremes, range);
      else widen(extremes as { range: Range<number> | null }, { lower: Number(range.lower), upper: Number(range.upper) });
      return;
    }
    case "decimal":
      widen(extremes as { range: Range<bigint> | null }, decimalRange(column, rows));
      return;
    case "bytes":
      widenBytes(extremes as { range: Range<Uint8Array> | null }, column, rows);
      return;
    default:
      throw new Error(`a ${column.kind} has no bounds`);
  }
}

/** The rows of a part that hold a value; the part's own array where all do. */
function valueRows(part: Part): Uint32Array {
  const { column, rows, present } = part;
  if (isFull(part)) return rows;
  const { state } = column;
  let count = 0;
  for (let k = 0; k < rows.length; k++) if (state[rows[k] as number] === Cell.value && (present === null || present[k] === 1)) count++;
  const out = new Uint32Array(count);
  let i = 0;
  for (let k = 0; k < rows.length; k++) {
    if (state[rows[k] as number] === Cell.value && (present === null || present[k] === 1)) out[i++] = rows[k] as number;
  }
  return out;
}

function widen<T extends number | bigint>(extremes: { range: Range<T> | null }, other: Range<T>): void {
  const { range } = extremes;
  if (range === null) extremes.range = other;
  else {
    if (other.lower < range.lower) range.lower = other.lower;
    if (other.upper > range.upper) range.upper = other.upper;
  }
}

function booleanRange({ values }: BooleanColumn, rows: Uint32Array): Range<number> {
  let trues = 0;
  for (let k = 0; k < rows.length; k++) trues += values[rows[k] as number] as number;
  return { lower: trues === rows.length ? 1 : 0, upper: trues === 0 ? 0 : 1 };
}

function addFloats(leaf: Leaf, { values }: FloatColumn, rows: Uint32Array): void {
  let lower = Number.POSITIVE_INFINITY;
  let upper = Number.NEGATIVE_INFINITY;
  let nans = 0;
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k] as number] as number;
    if (value < lower) lower = value;
    if (value > upper) upper = value;
    if (Number.isNaN(value)) nans++;
  }
  leaf.nans += nans;
  if (nans < rows.length) widen(leaf.extremes as { range: Range<number> | null }, { lower, upper });
}

/** Doubles order as the integers do, except that large neighbours share one: only those are compared exactly. */
function integerRange({ values, exact }: IntegerColumn, rows: Uint32Array): Range<bigint> {
  let low = rows[0] as number;
  let high = low;
  for (let k = 1; k < rows.length; k++) {
    const row = rows[k] as number;
    const value = values[row] as number;
    const lowest = values[low] as number;
    const highest = values[high] as number;
    const isLarge = value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER;
    if (value < lowest || (isLarge && value === lowest && (exact[row] as bigint) < (exact[low] as bigint))) low = row;
    if (value > highest || (isLarge && value === highest && (exact[row] as bigint) > (exact[high] as bigint))) high = row;
  }
  return { lower: exact[low] as bigint, upper: exact[high] as bigint };
}

function decimalRange({ unscaled }: DecimalColumn, rows: Uint32Array): Range<bigint> {
  let low = rows[0] as number;
  let high = low;
  for (let k = 1; k < rows.length; k++) {
    const row = rows[k] as number;
    if (compareDecimals(unscaled, row, low) < 0) low = row;
    else if (compareDecimals(unscaled, row, high) > 0) high = row;
  }
  return { lower: bound.decimalAt(unscaled, low), upper: bound.decimalAt(unscaled, high) };
}

function compareDecimals(words: Uint32Array, a: number, b: number): number {
  const top = ((words[a * 4 + 3] as number) | 0) - ((words[b * 4 + 3] as number) | 0);
  if (top !== 0) return top;
  for (let word = 2; word >= 0; word--) {
    const difference = (words[a * 4 + word] as number) - (words[b * 4 + word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function widenBytes(extremes: { range: Range<Uint8Array> | null }, { bytes, starts, lengths }: BytesColumn, rows: Uint32Array): void {
  let low = rows[0] as number;
  let high = low;
  const compare = (a: number, b: number): number => {
    const lengthA = lengths[a] as number;
    const lengthB = lengths[b] as number;
    const startA = starts[a] as number;
    const startB = starts[b] as number;
    const shorter = lengthA < lengthB ? lengthA : lengthB;
    for (let i = 0; i < shorter; i++) {
      const difference = (bytes[startA + i] as number) - (bytes[startB + i] as number);
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  };
  for (let k = 1; k < rows.length; k++) {
    const row = rows[k] as number;
    // Constant columns have all their values in one place.
    if (starts[row] === starts[low] && lengths[row] === lengths[low]) continue;
    if (compare(row, low) < 0) low = row;
    else if (compare(row, high) > 0) high = row;
  }
  // Copies, and short ones: neither a slab nor a 50 MB value is kept alive for a bound.
  const copy = (row: number): Uint8Array => {
    const start = starts[row] as number;
    return bytes.slice(start, start + Math.min(lengths[row] as number, bound.boundBytesKept));
  };
  const lower = copy(low);
  const upper = copy(high);
  const { range } = extremes;
  if (range === null) extremes.range = { lower, upper };
  else {
    if (Buffer.compare(lower, range.lower) < 0) range.lower = lower;
    if (Buffer.compare(upper, range.upper) > 0) range.upper = upper;
  }
}

function boundsOf(extremes: LeafRange): { lower: Uint8Array | null; upper: Uint8Array | null } {
  if (extremes.range === null) return { lower: null, upper: null };
  const both = <T>({ lower, upper }: Range<T>, serialise: (value: T) => Uint8Array) => ({
    lower: serialise(lower),
    upper: serialise(upper),
  });
  switch (extremes.kind) {
    case "boolean":
      return both(extremes.range, (value) => Uint8Array.of(value));
    case "int":
      return both(extremes.range, bound.ofInt);
    case "long":
      return both(extremes.range, bound.ofLong);
    case "decimal":
      return both(extremes.range, bound.ofDecimal);
    case "time":
      return both(extremes.range, (value) => Buffer.from(timeText(value)));
    case "float":
    case "double": {
      // -0 and +0 are equal here, and not to every reader.
      const { lower, upper } = extremes.range;
      const serialise = extremes.kind === "float" ? bound.ofFloat : bound.ofDouble;
      return { lower: serialise(lower === 0 ? -0 : lower), upper: serialise(upper === 0 ? 0 : upper) };
    }
    case "string":
      return { lower: bound.textBelow(extremes.range.lower), upper: bound.textAbove(extremes.range.upper) };
    default:
      return { lower: bound.bytesBelow(extremes.range.lower), upper: bound.bytesAbove(extremes.range.upper) };
  }
}
