import { bigEndian } from "../core/unscaled-bytes.ts";
import * as bound from "./bounds.ts";
import type { LeafType } from "./leaf.ts";

/** Integers (flags as 0 and 1, wide decimals too) are bigints, floats numbers; texts their first `boundBytesKept` bytes. */
export type BoundValue = bigint | number | Uint8Array;

/** The least and greatest value of a page, a column chunk or a file; NaNs are left out. */
export interface ColumnBounds {
  readonly lower: BoundValue;
  readonly upper: BoundValue;
}

/** Negative, 0 or positive as `a` orders before, like or after `b`. */
export function compareBounds(a: BoundValue, b: BoundValue): number {
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array);
  const other = b as bigint | number;
  return a < other ? -1 : a > other ? 1 : 0;
}

/** The bounds of both; null stands for no values. */
export function joinBounds(a: ColumnBounds | null, b: ColumnBounds | null): ColumnBounds | null {
  if (a === null || b === null) return a ?? b;
  return {
    lower: compareBounds(b.lower, a.lower) < 0 ? b.lower : a.lower,
    upper: compareBounds(b.upper, a.upper) > 0 ? b.upper : a.upper,
  };
}

/** Bounds in bytes; an exact one is a value that occurs, others are cut. */
export interface BoundBytes {
  readonly bytes: Uint8Array;
  readonly isExact: boolean;
}

/** What statistics and page indexes keep of a text: enough for keys, little for prose. */
const statisticBytes = 64;

/** A lower bound as Parquet's statistics hold it: like a PLAIN value, texts without their length. */
export function lowerStatistic(type: LeafType, value: BoundValue): BoundBytes {
  if (value instanceof Uint8Array) {
    const end = type.isUtf8 ? bound.endOfBytes(value, statisticBytes) : statisticBytes;
    const bytes = value.subarray(0, end);
    return { bytes, isExact: bytes.length === value.length };
  }
  return { bytes: statisticOf(type, value === 0 ? -0 : value), isExact: true };
}

/** An upper bound; null where no short one exists. */
export function upperStatistic(type: LeafType, value: BoundValue): BoundBytes | null {
  if (value instanceof Uint8Array) {
    const above = type.isUtf8 ? bound.textAbove(value, bound.endOfBytes(value, statisticBytes)) : bound.bytesAbove(value, statisticBytes);
    return above === null ? null : { bytes: above, isExact: above === value };
  }
  return { bytes: statisticOf(type, value === 0 ? 0 : value), isExact: true };
}

function statisticOf(type: LeafType, value: bigint | number): Uint8Array {
  switch (type.kind) {
    case "flag":
      return Uint8Array.of(Number(value));
    case "single":
      return bound.ofFloat(value as number);
    case "double":
      return bound.ofDouble(value as number);
    case "wide":
      return bigEndian(value as bigint, type.width);
    default:
      return type.width === 4 ? bound.ofInt(Number(value)) : bound.ofLong(value as bigint);
  }
}

/** A bound as an Iceberg manifest holds it (spec, appendix D); null where no short upper one exists. */
export function manifestBound(type: LeafType, value: BoundValue, side: "lower" | "upper"): Uint8Array | null {
  const isLower = side === "lower";
  switch (type.bound) {
    case "boolean":
      return Uint8Array.of(Number(value));
    case "int":
      return bound.ofInt(Number(value));
    case "long":
      return bound.ofLong(value as bigint);
    case "decimal":
      return bound.ofDecimal(value as bigint);
    case "float":
    case "double": {
      // -0 and +0 are equal here, and not to every reader.
      const number = value === 0 ? (isLower ? -0 : 0) : (value as number);
      return type.bound === "float" ? bound.ofFloat(number) : bound.ofDouble(number);
    }
    case "string":
      return isLower ? bound.textBelow(value as Uint8Array) : bound.textAbove(value as Uint8Array);
    default:
      return isLower ? bound.bytesBelow(value as Uint8Array) : bound.bytesAbove(value as Uint8Array);
  }
}
