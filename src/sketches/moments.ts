import type { Moments } from "../core/profile.ts";

/** Moments of no values: mean 0, min and max infinite the wrong way round. */
export const emptyMoments: Moments = { count: 0, mean: 0, m2: 0, min: Infinity, max: -Infinity };

/** Moments of the first `count` values, all finite: two passes, so that large means cost no digits of the deviations. */
export function momentsOf(values: Float64Array, count: number): Moments {
  if (count === 0) return emptyMoments;
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = Number.isFinite(sum) ? sum / count : scaledMean(values, count);
  let m2 = 0;
  for (let i = 0; i < count; i++) {
    const deviation = (values[i] as number) - mean;
    m2 += deviation * deviation;
  }
  return { count, mean, m2, min, max };
}

/** The mean where the plain sum overflows. */
function scaledMean(values: Float64Array, count: number): number {
  let mean = 0;
  for (let i = 0; i < count; i++) mean += (values[i] as number) / count;
  return mean;
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
