import { gammaln } from "simple-statistics";

const termsMax = 10_000;
const precision = 1e-15;

/** P(X > x) for a chi-squared variable of `freedom` degrees (real, above 0): the regularised upper incomplete gamma function. */
export function chiSquaredUpperTail(x: number, freedom: number): number {
  if (x <= 0) return 1;
  const shape = freedom / 2;
  const scaled = x / 2;
  const factor = Math.exp(shape * Math.log(scaled) - scaled - gammaln(shape));
  return scaled < shape + 1 ? 1 - factor * lowerSeries(shape, scaled) : factor * upperFraction(shape, scaled);
}

/** Abramowitz and Stegun 6.5.29. */
function lowerSeries(shape: number, x: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let i = 1; i < termsMax && term > sum * precision; i++) {
    term *= x / (shape + i);
    sum += term;
  }
  return sum;
}

/** Abramowitz and Stegun 6.5.31, evaluated by Lentz's method. */
function upperFraction(shape: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - shape;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let i = 1; i < termsMax; i++) {
    const a = -i * (i - shape);
    b += 2;
    d = 1 / nonZero(a * d + b, tiny);
    c = nonZero(b + a / c, tiny);
    value *= d * c;
    if (Math.abs(d * c - 1) < precision) break;
  }
  return value;
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** The x that a chi-squared variable of `freedom` degrees exceeds with probability `alpha` (above 0, below 1), to 12 digits, by bisection. */
export function chiSquaredQuantile(alpha: number, freedom: number): number {
  let low = 0;
  let high = freedom + 1;
  while (chiSquaredUpperTail(high, freedom) > alpha) high *= 2;
  while (high - low > 1e-13 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (chiSquaredUpperTail(middle, freedom) > alpha) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
