import { InvalidCause } from "../core/column.ts";

/** A number's text without what carries no meaning: value = (-1)^negative * digits * 10^exponent; digits have no zeros at either end. */
export interface DecimalText {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

/** Takes the text of a JSON number apart. An exponent beyond a hundred million is cut there. */
function decimalText(text: string): DecimalText {
  const negative = text.charCodeAt(0) === 0x2d;
  const e = text.search(/[eE]/);
  const whole = text.slice(negative ? 1 : 0, e < 0 ? text.length : e);
  const point = whole.indexOf(".");
  let digits = point < 0 ? whole : whole.slice(0, point) + whole.slice(point + 1);
  let exponent = e < 0 ? 0 : Math.max(-1e8, Math.min(1e8, Number(text.slice(e + 1))));
  if (point >= 0) exponent -= whole.length - point - 1;
  let first = 0;
  while (first < digits.length && digits.charCodeAt(first) === 0x30) first++;
  let last = digits.length;
  while (last > first && digits.charCodeAt(last - 1) === 0x30) last--;
  exponent += digits.length - last;
  digits = digits.slice(first, last);
  return { negative, digits, exponent: digits === "" ? 0 : exponent };
}

/** The exact integer a number's text stands for (12, 1.0 and 1e2 do), or an `InvalidCause`: `fraction`, or `range` beyond 64 bits. */
export function exactInteger(text: string): bigint | number {
  const { negative, digits, exponent } = decimalText(text);
  if (exponent < 0) return InvalidCause.fraction;
  if (digits.length + exponent > 19) return InvalidCause.range;
  const magnitude = BigInt(digits + "0".repeat(exponent));
  const value = negative ? -magnitude : magnitude;
  return BigInt.asIntN(64, value) === value ? value : InvalidCause.range;
}

/** The exact unscaled value at `scale`, or an `InvalidCause`: `scale` where digits would be lost, `range` beyond `precision` digits. */
export function exactDecimal(text: string, precision: number, scale: number): bigint | number {
  const { negative, digits, exponent } = decimalText(text);
  const shift = exponent + scale;
  if (digits.length + shift > precision) return InvalidCause.range;
  if (shift < 0 && digits !== "") return InvalidCause.scale;
  const magnitude = digits === "" ? 0n : BigInt(digits + "0".repeat(shift));
  return negative ? -magnitude : magnitude;
}

/**
 * The 32-bit float nearest to a number's text. Rounding the double again goes wrong only where the double lies exactly halfway between
 * two floats and the text does not: then the text decides.
 */
export function nearestFloat(text: string, double: number): number {
  const rounded = Math.fround(double);
  if (rounded === double || !Number.isFinite(rounded)) return rounded;
  const other = nextFloat(rounded, double > rounded);
  if (double - rounded !== other - double) return rounded;
  const order = compareToDouble(text, double);
  if (order === 0) return rounded;
  return order > 0 ? Math.max(rounded, other) : Math.min(rounded, other);
}

const floatBits = new Float32Array(1);
const intBits = new Int32Array(floatBits.buffer);

/** The neighbouring float above or below. */
function nextFloat(value: number, up: boolean): number {
  floatBits[0] = value;
  if (value === 0) intBits[0] = up ? 1 : -0x7fffffff;
  else intBits[0] = (intBits[0] as number) + (value > 0 === up ? 1 : -1);
  return floatBits[0];
}

/** Sign of (number that the text stands for) - double, exactly; both are near each other. */
function compareToDouble(text: string, double: number): number {
  const decimal = decimalText(text);
  const { negative } = decimal;
  let { digits, exponent } = decimal;
  // No double has more than 767 significant digits: what lies beyond can only say "a little more".
  if (digits.length > 800) {
    exponent += digits.length - 801;
    digits = `${digits.slice(0, 800)}1`;
  }
  // Every double is an integer times a power of two: scale both to integers.
  let twos = 0;
  let scaled = double;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    twos++;
  }
  const left = BigInt(digits === "" ? "0" : digits) * (negative ? -1n : 1n) * 10n ** BigInt(Math.max(0, exponent)) * 2n ** BigInt(twos);
  const right = BigInt(scaled) * 10n ** BigInt(Math.max(0, -exponent));
  return left < right ? -1 : left > right ? 1 : 0;
}
