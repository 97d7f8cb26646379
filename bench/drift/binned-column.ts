/** How the values of a column fall into bins: fine ones, whose counts are drawn, and the coarser ones that shares are compared in. */
export interface BinnedColumn {
  readonly name: string;
  /** The coarse bin of each fine bin. */
  readonly coarseOf: Uint16Array;
  readonly coarseBins: number;
  /** Distances between the inner edges of the fine bins, in standard deviations; null for categories, which have no order. */
  readonly widths: Float64Array | null;
}

/** How many values of one window fell into each fine bin of a column. */
export type Counts = Float64Array;

/** How many values were counted. */
export function totalOf(counts: Counts): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i] as number;
  return sum;
}

/** Counts by coarse bin. */
export function coarsen(column: BinnedColumn, counts: Counts): Float64Array {
  const sums = new Float64Array(column.coarseBins);
  for (let i = 0; i < counts.length; i++) {
    const bin = column.coarseOf[i] as number;
    sums[bin] = (sums[bin] as number) + (counts[i] as number);
  }
  return sums;
}
