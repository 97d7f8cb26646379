import type { Moments } from "../core/profile.ts";
import type { CountedNumbers } from "./counted-numbers.ts";

/** Moments of no values: mean 0, min and max infinite the wrong way round. */
export const emptyMoments: Moments = { count: 0, mean: 0, m2: 0, min: Infinity, max: -Infinity };

/**
 * Moments of the first `count` values, all finite: two passes, so that large means cost no digits of the deviations. Sums run in four lanes (value i
 * in lane i mod 4, what does not fill all four in lane 0), as the compiled profile adds.
 */
export function momentsOf(values: Float64Array, count: number): Moments {
  if (count === 0) return emptyMoments;
  const whole = count & ~3;
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += values[i] as number;
    b += values[i + 1] as number;
    c += values[i + 2] as number;
    d += values[i + 3] as number;
  }
  for (let i = whole; i < count; i++) a += values[i] as number;
  const sum = a + c + (b + d);
  const mean = Number.isFinite(sum) ? sum / count : scaledMean(values, count);
  [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += square((values[i] as number) - mean);
    b += square((values[i + 1] as number) - mean);
    c += square((values[i + 2] as number) - mean);
    d += square((values[i + 3] as number) - mean);
  }
  for (let i = whole; i < count; i++) a += square((values[i] as number) - mean);
  return { count, mean, m2: a + c + (b + d), min, max };
}

function square(value: number): number {
  return value * value;
}

/** The mean where the plain sum overflows. */
function scaledMean(values: Float64Array, count: number): number {
  let mean = 0;
  for (let i = 0; i < count; i++) mean += (values[i] as number) / count;
  return mean;
}

/** Moments of distinct finite values, each as often as its count says. */
export function countedMoments({ values, counts }: CountedNumbers): Moments {
  if (values.length === 0) return emptyMoments;
  let count = 0;
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    count += counts[i] as number;
    sum += value * (counts[i] as number);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  let mean = sum / count;
  if (!Number.isFinite(sum)) {
    mean = 0;
    for (let i = 0; i < values.length; i++) mean += ((counts[i] as number) / count) * (values[i] as number);
  }
  let m2 = 0;
  for (let i = 0; i < values.length; i++) m2 += square((values[i] as number) - mean) * (counts[i] as number);
  return { count, mean, m2, min, max };
}

/** Moments of both together (Chan, Golub and LeVeque 1979): count, min and max exact, mean and m2 up to rounding. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const delta = b.mean - a.mean;
  return {
    count,
    mean: (a.mean / count) * a.count + (b.mean / count) * b.count,
    m2: a.m2 + b.m2 + delta * delta * ((a.count / count) * b.count),
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  };
}

/** Sample standard deviation (divisor n - 1); null under two values, or where the squares overflow a double. */
export function standardDeviation(moments: Moments): number | null {
  if (moments.count < 2) return null;
  const deviation = Math.sqrt(moments.m2 / (moments.count - 1));
  return Number.isFinite(deviation) ? deviation : null;
}
