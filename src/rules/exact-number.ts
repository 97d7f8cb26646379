import { BrokenInvariant } from "../core/broken-invariant.ts";
import type { Column } from "../core/column.ts";
import { unscaledAt } from "./cell-text.ts";
import { parseExactDecimal, type ExactDecimal } from "./exact-decimal.ts";

const zero: ExactDecimal = { unscaled: 0n, scale: 0 };

/** The shortest decimal text that reads back as this 32-bit float. */
export function shortestFloatText(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toPrecision(9);
}

/** A cell of a number column as a decimal number: a float as the shortest text that reads as it, null for NaN and infinities. */
export function decimalAt(column: Column, cell: number): ExactDecimal | null {
  if (column.kind === "integer") return { unscaled: column.exact[cell] as bigint, scale: 0 };
  const { type } = column.field;
  if (column.kind === "decimal") return { unscaled: unscaledAt(column, cell), scale: type.kind === "decimal" ? type.scale : 0 };
  if (column.kind !== "float") throw new BrokenInvariant("not a number column");
  const value = column.values[cell] as number;
  return Number.isFinite(value) ? parseExactDecimal(type.kind === "float" ? shortestFloatText(value) : String(value)) : null;
}

function atScale({ unscaled, scale }: ExactDecimal, wanted: number): bigint {
  return unscaled * 10n ** BigInt(wanted - scale);
}

/** a + b * sign, exactly. */
export function addDecimals(a: ExactDecimal, b: ExactDecimal, sign: 1n | -1n): ExactDecimal {
  const scale = Math.max(a.scale, b.scale);
  return { unscaled: atScale(a, scale) + atScale(b, scale) * sign, scale };
}

/** a * b, exactly. */
export function multiplyDecimals(a: ExactDecimal, b: ExactDecimal): ExactDecimal {
  return { unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale };
}

/** Sign of a - b. */
export function compareDecimals(a: ExactDecimal, b: ExactDecimal): number {
  const { unscaled } = addDecimals(a, b, -1n);
  return unscaled < 0n ? -1 : unscaled > 0n ? 1 : 0;
}

/** The number without its sign. */
export function absoluteDecimal(a: ExactDecimal): ExactDecimal {
  return a.unscaled < 0n ? { ...a, unscaled: -a.unscaled } : a;
}

/** Decimal text without zeros behind the point that say nothing. */
export function decimalText({ unscaled, scale }: ExactDecimal): string {
  while (scale > 0 && unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale--;
  }
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Decimal text as a number; zero for what is none. */
export function decimalOf(text: string): ExactDecimal {
  return parseExactDecimal(text) ?? zero;
}
