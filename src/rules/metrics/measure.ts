import type { Measured, Operator, Threshold } from "../../core/rule.ts";
import { parseExactDecimal } from "../exact-decimal.ts";

/** A measured number: an exact fraction (denominator above zero), or a double with the bounds of its error (all three equal where it has none). */
export type Measure =
  | { readonly kind: "fraction"; readonly numerator: bigint; readonly denominator: bigint }
  | { readonly kind: "double"; readonly value: number; readonly low: number; readonly high: number };

/** A whole number. */
export function wholeMeasure(value: number): Measure {
  return { kind: "fraction", numerator: BigInt(value), denominator: 1n };
}

/** An exact fraction. */
export function fractionMeasure(numerator: bigint, denominator: bigint): Measure {
  return { kind: "fraction", numerator, denominator };
}

/** A double that is what it is. */
export function doubleMeasure(value: number): Measure {
  return { kind: "double", value, low: value, high: value };
}

/** The nearest double of a fraction, also where both of its parts are beyond doubles. */
export function fractionToNumber(numerator: bigint, denominator: bigint): number {
  const plain = Number(numerator) / Number(denominator);
  if (Number.isSafeInteger(Number(numerator)) && Number.isSafeInteger(Number(denominator))) return plain;
  const negative = numerator < 0n;
  const top = negative ? -numerator : numerator;
  // 64 bits of the quotient and one that says whether anything is left: enough to round once.
  const shift = 64 - (bits(top) - bits(denominator));
  const scaled = shift >= 0 ? top << BigInt(shift) : top;
  const divisor = shift >= 0 ? denominator : denominator << BigInt(-shift);
  const quotient = scaled / divisor;
  const sticky = quotient * divisor === scaled ? 0n : 1n;
  const rounded = Number(quotient | sticky);
  const half = Math.trunc(-shift / 2);
  const value = rounded * 2 ** half * 2 ** (-shift - half);
  return negative ? -value : value;
}

function bits(value: bigint): number {
  return value === 0n ? 1 : value.toString(16).length * 4;
}

/** A measure as plain numbers. */
export function measuredOf(measure: Measure): Measured {
  if (measure.kind === "double") return { value: measure.value, low: measure.low, high: measure.high };
  const value = fractionToNumber(measure.numerator, measure.denominator);
  return { value, low: value, high: value };
}

/** Sign of (measure - limit); the limit is the decimal number that it is written as. */
function compareMeasure(measure: Measure, limit: number): number {
  if (measure.kind === "double") return Math.sign(measure.value - limit);
  const exact = parseExactDecimal(String(limit));
  if (exact === null) return Math.sign(measuredOf(measure).value - limit);
  const left = measure.numerator * 10n ** BigInt(exact.scale);
  const right = exact.unscaled * measure.denominator;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether an operator holds, given the sign of (value - limit) for each of its limits. */
export function operatorHolds(operator: Operator, compare: (limit: number) => number, [first = 0, second = 0]: readonly number[]): boolean {
  switch (operator) {
    case "mustBe":
      return compare(first) === 0;
    case "mustNotBe":
      return compare(first) !== 0;
    case "mustBeGreaterThan":
      return compare(first) > 0;
    case "mustBeGreaterOrEqualTo":
      return compare(first) >= 0;
    case "mustBeLessThan":
      return compare(first) < 0;
    case "mustBeLessOrEqualTo":
      return compare(first) <= 0;
    case "mustBeBetween":
      return compare(first) >= 0 && compare(second) <= 0;
    default:
      return compare(first) < 0 || compare(second) > 0;
  }
}

/** Whether a measure meets a threshold. */
export function meetsThreshold(measure: Measure, threshold: Threshold): boolean {
  return operatorHolds(threshold.operator, (limit) => compareMeasure(measure, limit), threshold.values);
}

/** Whether the error of an estimate leaves open if a threshold is met: a limit lies within its bounds. */
export function isUncertain(measure: Measure, threshold: Threshold): boolean {
  return (
    measure.kind === "double" &&
    measure.low < measure.high &&
    threshold.values.some((limit) => limit >= measure.low && limit <= measure.high)
  );
}

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 20 });

/** A number with as many digits as it takes to tell it from the limits that it is compared with; four at least, whole numbers in full. */
export function measureText(measure: Measure, limits: readonly number[]): string {
  const { value } = measuredOf(measure);
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return grouped.format(value);
  for (let digits = 4; digits <= 17; digits++) {
    const rounded = Number(value.toPrecision(digits));
    const told = limits.every((limit) => Math.sign(rounded - limit) === compareMeasure(measure, limit));
    if (told) return Math.abs(rounded) >= 1e15 || Math.abs(rounded) < 1e-6 ? String(rounded) : grouped.format(rounded);
  }
  return String(value);
}
