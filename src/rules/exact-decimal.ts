/** An exact decimal number: unscaled / 10^scale. */
export interface ExactDecimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** Constants with more digits than this are refused: no column holds so many. */
const digitsMax = 1100;

/** Takes decimal text (`-12.5`, `1e3`, `5e-324`) exactly; null where it is none or absurdly long. */
export function parseExactDecimal(text: string): ExactDecimal | null {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text.trim());
  if (parts === null) return null;
  const [, sign, whole = "", fraction = "", exponentText] = parts;
  const digits = whole + fraction;
  const exponent = Number(exponentText ?? 0);
  if (digits === "" || digits.length > digitsMax || Math.abs(exponent) > digitsMax) return null;
  const scale = fraction.length - exponent;
  const unscaled = BigInt(digits) * (sign === "-" ? -1n : 1n) * (scale < 0 ? 10n ** BigInt(-scale) : 1n);
  return { unscaled, scale: Math.max(0, scale) };
}

/** The largest integer multiple of 10^-scale that is not above the number, as an unscaled value, and whether it is the number. */
export function floorAtScale(number: ExactDecimal, scale: number): { readonly floor: bigint; readonly exact: boolean } {
  if (number.scale <= scale) return { floor: number.unscaled * 10n ** BigInt(scale - number.scale), exact: true };
  const unit = 10n ** BigInt(number.scale - scale);
  const quotient = number.unscaled / unit;
  const exact = quotient * unit === number.unscaled;
  return { floor: exact || number.unscaled > 0n ? quotient : quotient - 1n, exact };
}
