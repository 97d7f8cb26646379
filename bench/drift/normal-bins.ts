import type { BinnedColumn } from "./binned-column.ts";
import type { Random } from "./random.ts";

const fineBins = 40;
const coarseBins = 10;

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

/** The inner edges of forty bins that hold equal shares of a standard normal column. */
const edges = Float64Array.from({ length: fineBins - 1 }, (_, i) => quantile((i + 1) / fineBins));

/** A standard normal column: forty bins of equal shares; four of them are one of the ten that PSI takes. */
export const normalColumn: BinnedColumn = {
  name: "normal",
  coarseOf: Uint16Array.from({ length: fineBins }, (_, bin) => Math.floor((bin * coarseBins) / fineBins)),
  coarseBins,
  widths: Float64Array.from({ length: fineBins - 2 }, (_, i) => (edges[i + 1] as number) - (edges[i] as number)),
};

/** Counts of `rows` values by fine bin, of a normal column whose mean is `shift` standard deviations off. */
export function drawCounts(random: Random, rows: number, shift: number): Float64Array {
  const counts = new Float64Array(fineBins);
  let left = rows;
  let below = 0;
  for (let bin = 0; bin < fineBins - 1; bin++) {
    const upTo = shift === 0 ? (bin + 1) / fineBins : normalBelow((edges[bin] as number) - shift);
    const count = random.binomial(left, (upTo - below) / (1 - below));
    counts[bin] = count;
    left -= count;
    below = upTo;
  }
  counts[fineBins - 1] = left;
  return counts;
}
