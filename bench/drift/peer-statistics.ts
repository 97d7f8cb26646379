import { chiSquaredUpperTail } from "../../src/drift/chi-squared.ts";
import type { Distribution } from "../../src/sketches/quantiles.ts";
import { shareBelow } from "../../src/sketches/quantiles.ts";
import type { PeerSample } from "./peer-sample.ts";

/** Two samples' counts of the same values. */
interface Counted {
  readonly before: readonly number[];
  readonly now: readonly number[];
}

function countsOfNumbers({ numbers, count }: PeerSample): ReadonlyMap<string, number> {
  const { values, shares } = numbers as Distribution;
  return new Map(Array.from(values, (value, i) => [String(value), Math.round(((shares[i] as number) - (shares[i - 1] ?? 0)) * count)]));
}

/** The counts of every value of either sample, numbers taken for categories. */
export function countValues(before: PeerSample, now: PeerSample): Counted {
  const [a, b] = [before, now].map((sample) => sample.categories ?? countsOfNumbers(sample)) as [Map<string, number>, Map<string, number>];
  const keys = [...new Set([...a.keys(), ...b.keys()])];
  return { before: keys.map((key) => a.get(key) ?? 0), now: keys.map((key) => b.get(key) ?? 0) };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Walks the values of both in order: how far the shares at or below are apart from each value to the next. */
function eachGap(before: Distribution, now: Distribution, see: (gap: number, width: number) => void): void {
  let [i, j] = [0, 0];
  while (i < before.values.length || j < now.values.length) {
    const value = Math.min(before.values[i] ?? Infinity, now.values[j] ?? Infinity);
    if (before.values[i] === value) i++;
    if (now.values[j] === value) j++;
    const next = Math.min(before.values[i] ?? Infinity, now.values[j] ?? Infinity);
    const gap = (i === 0 ? 0 : (before.shares[i - 1] as number)) - (j === 0 ? 0 : (now.shares[j - 1] as number));
    see(Math.abs(gap), next === Infinity ? 0 : next - value);
  }
}

/** Kolmogorov and Smirnov's largest difference of the shares of values at or below any value. */
export function largestGap(before: Distribution, now: Distribution): number {
  let largest = 0;
  eachGap(before, now, (gap) => (largest = Math.max(largest, gap)));
  return largest;
}

/** The first Wasserstein distance: the area between two distribution functions. */
export function areaBetween(before: Distribution, now: Distribution): number {
  let area = 0;
  eachGap(before, now, (gap, width) => (area += gap * width));
  return area;
}

/** Chance of Pearson's test of homogeneity, with Yates's correction for two values: `scipy.stats.chi2_contingency` with its defaults. */
export function homogeneityChance({ before, now }: Counted): number {
  if (before.length < 2) return 1;
  const all = sum(before) + sum(now);
  let statistic = 0;
  for (const row of [before, now]) {
    row.forEach((count, i) => {
      const expected = (((before[i] as number) + (now[i] as number)) * sum(row)) / all;
      const off = Math.abs(count - expected);
      statistic += (before.length === 2 ? off - Math.min(0.5, off) : off) ** 2 / expected;
    });
  }
  return chiSquaredUpperTail(statistic, before.length - 1);
}

/** Chance of Pearson's test of fit, the first sample's shares taken for the truth: Evidently's chi-squared. */
export function fitChance({ before, now }: Counted): number {
  const scale = sum(now) / sum(before);
  const statistic = before.reduce((total, count, i) => total + ((now[i] as number) - scale * count) ** 2 / (scale * count), 0);
  return statistic === Infinity ? 0 : chiSquaredUpperTail(statistic, before.length - 1);
}

/** Chance of the two-sided test of two proportions, of the second of at most two values. */
export function proportionChance({ before, now }: Counted): number {
  if (before.length < 2) return 1;
  const [m, n] = [sum(before), sum(now)];
  const [p, q] = [(before[1] as number) / m, (now[1] as number) / n];
  const pooled = (p * m + q * n) / (m + n);
  return chiSquaredUpperTail((p - q) ** 2 / (pooled * (1 - pooled) * (1 / m + 1 / n)), 1);
}

/** Jensen-Shannon divergence of two lists of counts or weights, in nats. */
export function divergenceOf(before: readonly number[], now: readonly number[]): number {
  const [m, n] = [sum(before), sum(now)];
  const part = (share: number, mean: number): number => (share === 0 ? 0 : (share * Math.log(share / mean)) / 2);
  return before.reduce((total, count, i) => {
    const [p, q] = [count / m, (now[i] as number) / n];
    return total + part(p, (p + q) / 2) + part(q, (p + q) / 2);
  }, 0);
}

/** The largest difference of the shares of any value. */
export function largestMove({ before, now }: Counted): number {
  const [m, n] = [sum(before), sum(now)];
  return Math.max(...before.map((count, i) => Math.abs(count / m - (now[i] as number) / n)));
}

/** The order statistic of rank `rank`, from 0. */
function ranked({ values, shares }: Distribution, count: number, rank: number): number {
  const at = shares.findIndex((share) => Math.round(share * count) > rank);
  return values[at < 0 ? values.length - 1 : at] as number;
}

/** The shares of both samples in the tenths of the first, cut as pandas does: quantiles between two values are interpolated, equal ones are one. */
export function sharesOfTenths(before: PeerSample, now: PeerSample): Counted | null {
  const numbers = before.numbers as Distribution;
  const inner: number[] = [];
  for (let tenth = 0; tenth <= 10; tenth++) {
    const place = (tenth / 10) * (before.count - 1);
    const low = ranked(numbers, before.count, Math.floor(place));
    const high = ranked(numbers, before.count, Math.ceil(place));
    const edge = low + (high - low) * (place - Math.floor(place));
    if (inner.at(-1) !== edge) inner.push(edge);
  }
  if (inner.length < 2) return null;
  // The outer bins reach to infinity.
  const cuts = inner.slice(1, -1);
  const sharesOf = (distribution: Distribution): number[] => {
    const below = [...cuts.map((cut) => shareBelow(distribution, cut, true)), 1];
    return below.map((share, i) => share - (below[i - 1] ?? 0));
  };
  return { before: sharesOf(numbers), now: sharesOf(now.numbers as Distribution) };
}

/** Population stability index of shares, an empty bin counted as a ten-thousandth. */
export function stabilityIndex({ before, now }: Counted): number {
  const filled = (share: number): number => (share <= 1e-12 ? 1e-4 : share);
  return before.reduce((total, each, i) => {
    const [p, q] = [filled(each), filled(now[i] as number)];
    return total + (q - p) * Math.log(q / p);
  }, 0);
}

/** The shares that two lists of counts are. */
export function sharesOf({ before, now }: Counted): Counted {
  const [m, n] = [sum(before), sum(now)];
  return { before: before.map((count) => count / m), now: now.map((count) => count / n) };
}
