import type { DriftMeasure } from "../../src/drift/drift-test.ts";
import type { BinnedColumn, Counts } from "./binned-column.ts";
import { coarsen, totalOf } from "./binned-column.ts";

/** A column's counts with their sums, made once however many rules read them. */
export interface Counted {
  readonly column: BinnedColumn;
  readonly fine: Counts;
  readonly coarse: Float64Array;
  readonly total: number;
}

/** The sums of a column's counts. */
export function countedOf(column: BinnedColumn, fine: Counts): Counted {
  return { column, fine, coarse: coarsen(column, fine), total: totalOf(fine) };
}

const explain = (): string => "";

/** PSI as the project measures it, from counts: both samples smoothed by half a value of the smaller one a bin. */
export function measurePsi(before: Counted, now: Counted): DriftMeasure {
  const smaller = Math.min(before.total, now.total);
  const bins = before.coarse.length;
  const all = smaller + 0.5 * bins;
  let statistic = 0;
  for (let i = 0; i < bins; i++) {
    const p = (((before.coarse[i] as number) / before.total) * smaller + 0.5) / all;
    const q = (((now.coarse[i] as number) / now.total) * smaller + 0.5) / all;
    statistic += (q - p) * Math.log(q / p);
  }
  const freedom = bins - 1;
  return { statistic, energy: statistic, expected: freedom * (1 / before.total + 1 / now.total), freedom, explain };
}

/** The largest gap between the cumulated shares. */
export function largestGap(before: Counted, now: Counted): number {
  let gap = 0;
  let most = 0;
  for (let i = 0; i < before.fine.length; i++) {
    gap += (now.fine[i] as number) / now.total - (before.fine[i] as number) / before.total;
    most = Math.max(most, Math.abs(gap));
  }
  return most;
}

/** The area between the cumulated shares, in standard deviations. */
export function areaBetween(before: Counted, now: Counted): number {
  const widths = before.column.widths as Float64Array;
  let gap = 0;
  let area = 0;
  for (let i = 0; i < widths.length + 1; i++) {
    gap += (now.fine[i] as number) / now.total - (before.fine[i] as number) / before.total;
    if (i > 0) area += Math.abs(gap) * (widths[i - 1] as number);
  }
  return area;
}

/** The largest change of a coarse bin's share. */
export function largestMove(before: Counted, now: Counted): number {
  let most = 0;
  for (let i = 0; i < before.coarse.length; i++) {
    most = Math.max(most, Math.abs((now.coarse[i] as number) / now.total - (before.coarse[i] as number) / before.total));
  }
  return most;
}

/** Pearson's chi-squared of two samples. */
export function pearsonOf(before: Counted, now: Counted): number {
  const all = before.total + now.total;
  let sum = 0;
  for (let i = 0; i < before.coarse.length; i++) {
    const [a, b] = [before.coarse[i] as number, now.coarse[i] as number];
    if (a + b === 0) continue;
    const expected = ((a + b) * now.total) / all;
    sum += (b - expected) ** 2 * (1 / expected) * (all / before.total);
  }
  return sum;
}

/** The root of Jensen-Shannon's divergence, to the base of 2. */
export function jensenShannonDistance(before: Counted, now: Counted): number {
  let sum = 0;
  for (let i = 0; i < before.coarse.length; i++) {
    const [p, q] = [(before.coarse[i] as number) / before.total, (now.coarse[i] as number) / now.total];
    const middle = (p + q) / 2;
    if (p > 0) sum += p * Math.log2(p / middle);
    if (q > 0) sum += q * Math.log2(q / middle);
  }
  return Math.sqrt(Math.max(0, sum / 2));
}
