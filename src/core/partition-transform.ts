import { decimalOf } from "./iceberg-type.ts";
import { murmur3Of } from "./murmur3-32.ts";
import { unscaledBytes } from "./unscaled-bytes.ts";

/** How a column's value becomes a partition's (Iceberg spec, "Partition Transforms"). */
export type Transform =
  | { readonly kind: "identity" | "year" | "month" | "day" | "hour" | "void" }
  | { readonly kind: "bucket"; readonly count: number }
  | { readonly kind: "truncate"; readonly width: number };

/**
 * A value in Iceberg's terms: int and date numbers (days), long and timestamps bigints (microseconds; nanoseconds of the types in `_ns`), decimals unscaled
 * bigints, text, bytes (16 of a UUID), booleans; null where there is none.
 */
export type PartitionValue = null | boolean | number | bigint | string | Uint8Array;

const countMax = 2 ** 31 - 1;

/** A transform by the text that Iceberg writes it as; null where it is none that is known here. */
export function parseTransform(text: string): Transform | null {
  switch (text) {
    case "identity":
    case "year":
    case "month":
    case "day":
    case "hour":
    case "void":
      return { kind: text };
    default: {
      const match = /^(bucket|truncate)\[([1-9][0-9]{0,9})\]$/.exec(text);
      const count = Number(match?.[2]);
      if (match === null || count > countMax) return null;
      return match[1] === "bucket" ? { kind: "bucket", count } : { kind: "truncate", width: count };
    }
  }
}

const times: readonly string[] = ["timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"];

/** Why Sluice does not partition a column of an Iceberg type by a transform, in words; null where it does. */
export function transformFault(transform: Transform, type: string): string | null {
  const isDecimal = decimalOf(type) !== null;
  const accepts = (...types: readonly string[]): string | null =>
    types.includes(type) ? null : `${transform.kind} takes ${types.join(", ")}, not ${type}`;
  switch (transform.kind) {
    case "void":
      return null;
    case "identity":
      if (type === "float" || type === "double")
        return `${type} values make no partitions: NaN, and zeros with a sign, are told apart by some readers only`;
      // PyIceberg 0.12 opens no manifest that has such values (Avro's logical type timestamp-nanos).
      if (type.endsWith("_ns"))
        return `whole ${type} values make no partitions: some readers can't read them in manifests; take day or hour`;
      // Manifests have bounds of them: Iceberg's Java (1.11) orders these otherwise, and PyIceberg (0.12) finds no value by them.
      if (type === "uuid") return "whole uuid values make no partitions: some readers pass over rows by them; take bucket(N)";
      return isDecimal ? null : accepts("boolean", "int", "long", "date", ...times, "string", "binary");
    case "year":
    case "month":
    case "day":
      return accepts("date", ...times);
    case "hour":
      return accepts(...times);
    case "truncate":
      return isDecimal ? null : accepts("int", "long", "string", "binary");
    case "bucket":
      return isDecimal ? null : accepts("int", "long", "date", ...times, "string", "binary", "uuid");
    default:
      return transform satisfies never;
  }
}

/** The Iceberg type of the values that a transform gives. */
export function transformedType(transform: Transform, type: string): string {
  switch (transform.kind) {
    case "bucket":
    case "year":
    case "month":
    case "hour":
      return "int";
    case "day":
      return "date";
    default:
      return type;
  }
}

const secondsPerDay = 86_400n;
const secondsPerHour = 3_600n;

/** How many of a timestamp type's units a second has. */
function unitsPerSecond(type: string): bigint {
  return type.endsWith("_ns") ? 1_000_000_000n : 1_000_000n;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** The function of a transform on values of an Iceberg type; null stays null. Throws where `transformFault` finds a fault. */
export function compileTransform(transform: Transform, type: string): (value: PartitionValue) => PartitionValue {
  const fault = transformFault(transform, type);
  if (fault !== null) throw new Error(fault);
  const apply = compilePresent(transform, type);
  return (value) => (value === null ? null : apply(value));
}

function compilePresent(transform: Transform, type: string): (value: Exclude<PartitionValue, null>) => PartitionValue {
  switch (transform.kind) {
    case "void":
      return () => null;
    case "identity":
      return (value) => value;
    case "bucket":
      return (value) => (murmur3Of(hashedBytes(value, type)) & 0x7fffffff) % transform.count;
    case "truncate":
      return (value) => truncate(value, transform.width, type);
    case "hour": {
      const hour = secondsPerHour * unitsPerSecond(type);
      return (value) => Number(floorDivide(value as bigint, hour));
    }
    default: {
      const day = secondsPerDay * unitsPerSecond(type);
      const days =
        type === "date" ? (value: PartitionValue) => value as number : (value: PartitionValue) => Number(floorDivide(value as bigint, day));
      return (value) => ofDays(transform.kind, days(value));
    }
  }
}

function ofDays(kind: string, days: number): number {
  if (kind === "day") return days;
  const date = new Date(days * 86_400_000);
  const years = date.getUTCFullYear() - 1970;
  return kind === "year" ? years : years * 12 + date.getUTCMonth();
}

/** What is hashed of a value (spec, appendix B): whole numbers and times as longs, nanoseconds as the microseconds they are in, decimals as their least big-endian bytes. */
function hashedBytes(value: Exclude<PartitionValue, null>, type: string): Uint8Array {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  if (decimalOf(type) !== null) return unscaledBytes(value as bigint);
  const bytes = Buffer.alloc(8);
  const whole = BigInt(value);
  bytes.writeBigInt64LE(type.endsWith("_ns") ? floorDivide(whole, 1000n) : whole);
  return bytes;
}

function truncate(value: Exclude<PartitionValue, null>, width: number, type: string): PartitionValue {
  // By code points: the text's own iterator does not split surrogate pairs.
  if (typeof value === "string") return value.length <= width ? value : Array.from(value).slice(0, width).join("");
  if (value instanceof Uint8Array) return value.subarray(0, width);
  const whole = BigInt(value);
  const modulus = BigInt(width);
  const below = whole - (((whole % modulus) + modulus) % modulus);
  // The least values wrap, as Java's do.
  if (type === "int") return Number(BigInt.asIntN(32, below));
  return type === "long" ? BigInt.asIntN(64, below) : below;
}
