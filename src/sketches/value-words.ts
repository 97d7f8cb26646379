import type { Field, FieldType } from "../core/schema.ts";
import { dateText, epochText, timeText } from "../core/civil.ts";
import { hashWords } from "./murmur3.ts";

/** Most digits of a decimal whose unscaled value fits 8 bytes. */
export const narrowDigitsMax = 18;

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);
const singles = new Float32Array(words.buffer);
const long = new BigInt64Array(words.buffer);

function doubleOf(low: number, high: number): number {
  words[0] = low;
  words[1] = high;
  return double[0] as number;
}

/** The signed 64-bit whole number of two words. */
function longOf(low: number, high: number): bigint {
  words[0] = low;
  words[1] = high;
  return long[0] as bigint;
}

function isFloat(type: FieldType): boolean {
  return type.kind === "double" || type.kind === "float";
}

/**
 * Hashes a value by the bytes that Iceberg's single-value serialization gives it (table specification, appendix D), so that sketches mean the same
 * to other writers: a boolean 1 byte, int and date 4, float 4, long, time, timestamp and double 8, little endian; a decimal the fewest bytes of its
 * unscaled value, big endian.
 */
export function hashValue(type: FieldType, low: number, high: number, out: Uint32Array): void {
  switch (type.kind) {
    case "boolean":
      return hashWords(low, 0, 1, out);
    case "int":
    case "date":
      return hashWords(low, 0, 4, out);
    case "float":
      singles[0] = doubleOf(low, high);
      return hashWords(words[0] as number, 0, 4, out);
    case "decimal":
      return hashDecimal(low, high, out);
    default:
      return hashWords(low, high, 8, out);
  }
}

function hashDecimal(low: number, high: number, out: Uint32Array): void {
  const sign = (high | 0) >> 31;
  const zeros = (high ^ sign) === 0 ? 32 + Math.clz32(low ^ sign) : Math.clz32(high ^ sign);
  const length = ((64 - zeros) >> 3) + 1;
  let first = 0;
  let second = 0;
  for (let i = 0; i < length; i++) {
    const at = length - 1 - i;
    const byte = ((at < 4 ? low >>> (8 * at) : high >>> (8 * (at - 4))) & 255) << (8 * (i & 3));
    if (i < 4) first |= byte;
    else second |= byte;
  }
  hashWords(first, second, length, out);
}

/** The number that moments and quantiles take a value for: times in seconds. */
export function numberOf(type: FieldType, low: number, high: number): number {
  if (isFloat(type)) return doubleOf(low, high);
  // The sum rounds once: the nearest double.
  const whole = (high | 0) * 4_294_967_296 + (low >>> 0);
  switch (type.kind) {
    case "date":
      return whole * 86_400;
    case "time":
      return whole / 1e6;
    case "timestamp":
      return whole / (type.unit === "nanos" ? 1e9 : 1e6);
    case "decimal":
      return decimalNumber(longOf(low, high), whole, type.scale);
    default:
      return whole;
  }
}

function decimalNumber(unscaled: bigint, whole: number, scale: number): number {
  // A quotient of two exact doubles rounds once.
  if (Math.abs(whole) <= Number.MAX_SAFE_INTEGER && scale <= 22) return whole / 10 ** scale;
  return Number(decimalText(unscaled, scale));
}

/** Whether a is below b, exactly. */
export function isLess(type: FieldType, lowA: number, highA: number, lowB: number, highB: number): boolean {
  if (isFloat(type)) return doubleOf(lowA, highA) < doubleOf(lowB, highB);
  const difference = (highA | 0) - (highB | 0);
  return difference < 0 || (difference === 0 && lowA >>> 0 < lowB >>> 0);
}

/** A value's text: decimal digits, ISO 8601, `true` or `false`. */
export function wordsText(field: Field, low: number, high: number): string {
  const { type } = field;
  switch (type.kind) {
    case "boolean":
      return low === 1 ? "true" : "false";
    case "float":
    case "double":
      return String(doubleOf(low, high));
    case "decimal":
      return decimalText(longOf(low, high), type.scale);
    case "date":
      return dateText(low | 0);
    case "time":
      return timeText(numberOf({ kind: "long" }, low, high));
    case "timestamp":
      return epochText(type, longOf(low, high));
    default:
      return longOf(low, high).toString();
  }
}

/** A decimal's digits with its point. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
