import type { ColumnProfile } from "../core/profile.ts";

/** Orders two texts of values of one column as the values themselves are ordered; exact. */
export function compareValueTexts(kind: ColumnProfile["kind"], a: string, b: string): number {
  if (a === b) return 0;
  if (kind === "number") return compareNumbers(a, b);
  if (kind === "time") return compareTimes(a, b);
  return compareCodePoints(a, b);
}

function compareNumbers(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  const [left, right] = [parseDecimal(a), parseDecimal(b)];
  if (left === null || right === null) return 0;
  const scale = Math.max(left.scale, right.scale);
  const l = left.unscaled * 10n ** BigInt(scale - left.scale);
  const r = right.unscaled * 10n ** BigInt(scale - right.scale);
  return l < r ? -1 : l > r ? 1 : 0;
}

/** Plain decimal text; doubles of equal value have equal text and never come here. */
function parseDecimal(text: string): { unscaled: bigint; scale: number } | null {
  const match = /^(-?\d{1,60})(?:\.(\d{1,60}))?$/.exec(text);
  if (match === null) return null;
  const fraction = match[2] ?? "";
  return { unscaled: BigInt(`${match[1] as string}${fraction}`), scale: fraction.length };
}

/** Years as numbers, the rest as text: two-digit fields, and fractions without trailing zeros, order as text does. */
function compareTimes(a: string, b: string): number {
  const [left, right] = [splitYear(a), splitYear(b)];
  if (left.year !== right.year) return left.year - right.year;
  return left.rest < right.rest ? -1 : left.rest > right.rest ? 1 : 0;
}

function splitYear(text: string): { year: number; rest: string } {
  const match = /^([+-]?\d{4,})(-.*)$/.exec(text);
  const rest = (match?.[2] ?? text).replace(/Z$/, "");
  return { year: match === null ? 0 : Number(match[1]), rest };
}

/** Code points, as UTF-8 bytes order them; JavaScript's own order puts U+E000 to U+FFFF after the rest. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const surrogates = Number(isSurrogate(x)) - Number(isSurrogate(y));
    return surrogates === 0 ? x - y : surrogates;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
