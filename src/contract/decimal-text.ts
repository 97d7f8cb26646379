/** A finite decimal as unscaled integer and scale: 1.25 is 125 and 2. */
interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

const exponentMax = 400;

function parse(text: string): Decimal | null {
  const match = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([-+]?[0-9]+))?$/.exec(text);
  if (match === null) return null;
  const fraction = match[3] ?? "";
  const exponent = Number(match[4] ?? "0");
  if (Math.abs(exponent) > exponentMax) return null;
  let unscaled = BigInt(`${match[2]}${fraction}`);
  let scale = fraction.length - exponent;
  if (scale < 0) {
    unscaled *= 10n ** BigInt(-scale);
    scale = 0;
  }
  return { unscaled: match[1] === "-" ? -unscaled : unscaled, scale };
}

/** The number without exponent: `1e3` is `1000`, `2.5E-1` is `0.25`; null where the text is no decimal number or too long to write out. */
export function plainDecimal(text: string): string | null {
  const decimal = parse(text);
  if (decimal === null) return null;
  const negative = decimal.unscaled < 0n;
  const digits = (negative ? -decimal.unscaled : decimal.unscaled).toString().padStart(decimal.scale + 1, "0");
  const whole = digits.slice(0, digits.length - decimal.scale);
  const fraction = digits.slice(digits.length - decimal.scale);
  return `${negative ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Compares two decimal texts exactly: negative, zero or positive; null where one is no decimal number. */
export function compareDecimals(left: string, right: string): number | null {
  const a = parse(left);
  const b = parse(right);
  if (a === null || b === null) return null;
  const scale = Math.max(a.scale, b.scale);
  const x = a.unscaled * 10n ** BigInt(scale - a.scale);
  const y = b.unscaled * 10n ** BigInt(scale - b.scale);
  return x < y ? -1 : x > y ? 1 : 0;
}
