import type { Random } from "./random.ts";

/** Fine bins of a standard normal column: forty equal shares; four of them are one of the ten bins that PSI takes. */
export const fineBins = 40;
export const coarseBins = 10;

/** Abramowitz and Stegun 26.2.17, to 1e-7. */
function normalBelow(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  const tail = density * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x > 0 ? 1 - tail : tail;
}

function quantile(share: number): number {
  let [low, high] = [-8, 8];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < share) low = middle;
    else high = middle;
  }
  return low;
}

/** The inner edges of the fine bins. */
export const edges: readonly number[] = Array.from({ length: fineBins - 1 }, (_, i) => quantile((i + 1) / fineBins));

/** Counts of `rows` values by fine bin, of a normal column whose mean is `shift` standard deviations off. */
export function drawCounts(random: Random, rows: number, shift: number): Float64Array {
  const counts = new Float64Array(fineBins);
  let [left, below] = [rows, 0];
  for (let bin = 0; bin < fineBins; bin++) {
    const upTo = bin === fineBins - 1 ? 1 : normalBelow((edges[bin] as number) - shift);
    const count = bin === fineBins - 1 ? left : random.binomial(left, (upTo - below) / (1 - below));
    counts[bin] = count;
    left -= count;
    below = upTo;
  }
  return counts;
}

/** The ten bins' counts. */
export function coarse(counts: Float64Array): Float64Array {
  const sums = new Float64Array(coarseBins);
  counts.forEach((count, bin) => {
    sums[Math.floor((bin * coarseBins) / fineBins)] = (sums[Math.floor((bin * coarseBins) / fineBins)] as number) + count;
  });
  return sums;
}
