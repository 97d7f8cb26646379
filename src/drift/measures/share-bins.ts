import type { ColumnProfile, QuantileSketch, TopValues } from "../../core/profile.ts";
import type { Distribution } from "../../sketches/quantiles.ts";
import { distributionOf, quantileOf, isExact, rankErrorMax, shareBelow } from "../../sketches/quantiles.ts";
import type { DriftSkip } from "../drift-test.ts";
import { valuesLeast } from "./comparable.ts";

/** What a bin holds: one value, all other values, numbers above `from` up to `to`, or numbers beyond the baseline's range. */
export type BinLabel =
  | { readonly kind: "value"; readonly value: string }
  /** `newcomer`: the sample's most frequent value that the baseline does not list. */
  | { readonly kind: "other"; readonly newcomer: string | null }
  | { readonly kind: "range"; readonly from: number | null; readonly to: number | null }
  | { readonly kind: "outside" };

export interface ShareBin {
  readonly label: BinLabel;
  /** Shares of the column's values, smoothed by half a value of the smaller sample a bin: by the same part on both sides, so that a bin which both lack differs in nothing. */
  readonly baseline: number;
  readonly sample: number;
}

/** A column's values in both profiles, sorted into the same bins. */
export interface ShareBins {
  readonly bins: readonly ShareBin[];
  /** Degrees of freedom: bins that the baseline fills, less one. */
  readonly freedom: number;
  /** Sum of the relative variances of both samples: 1/n + 1/m, and what the sketches' errors add. */
  readonly variance: number;
  /** Values on either side. */
  readonly counts: { readonly baseline: number; readonly sample: number };
}

const binsMax = 10;
const categoriesMax = 50;
/** Values that a bin should hold in the smaller sample for its count to be near normal (Cochran 1954). */
const expectedLeast = 5;
/** A category's share is this many times the error of its count, or it counts as "other". */
const errorMargin = 4;

/** Bins two profiles of one column: numbers and times on the baseline's quantiles, text and booleans on its most frequent values. */
export function binShares(baseline: ColumnProfile, sample: ColumnProfile): ShareBins | DriftSkip {
  if (baseline.kind !== sample.kind) return { skipped: `the column was ${baseline.kind} in the baseline and is ${sample.kind} now` };
  const numeric = baseline.quantiles !== null && sample.quantiles !== null;
  const n = numeric ? sample.quantiles.count : (sample.top?.total ?? 0);
  const m = numeric ? baseline.quantiles.count : (baseline.top?.total ?? 0);
  const few = Math.min(n, m);
  if (few < valuesLeast) return { skipped: `${few} values are too few to compare; ${valuesLeast} are needed` };
  if (numeric) return binNumbers(baseline.quantiles, sample.quantiles);
  if (baseline.kind === "json" || baseline.kind === "binary" || baseline.top === null || sample.top === null) {
    return { skipped: `${baseline.kind} columns have no distribution to compare` };
  }
  return binCategories(baseline.top, sample.top);
}

function smooth(share: number, smaller: number, bins: number): number {
  return (share * smaller + 0.5) / (smaller + 0.5 * bins);
}

function binNumbers(baseline: QuantileSketch, sample: QuantileSketch): ShareBins {
  const before = distributionOf(baseline);
  const now = distributionOf(sample);
  const smaller = Math.min(baseline.count, sample.count);
  const wanted = Math.max(2, Math.min(binsMax, Math.floor(smaller / (2 * expectedLeast))));
  const edges = cutPoints(before, wanted);
  const least = before.values[0] as number;
  const most = before.values[before.values.length - 1] as number;
  const ends = [...edges, most];
  const sharesOf = (distribution: Distribution): number[] => {
    const below = shareBelow(distribution, least, false);
    let previous = below;
    const shares = ends.map((end) => {
      const upTo = shareBelow(distribution, end, true);
      const share = upTo - previous;
      previous = upTo;
      return share;
    });
    return [...shares, below + 1 - previous];
  };
  const labels: BinLabel[] = ends.map((_, i) => ({
    kind: "range",
    from: i === 0 ? null : (ends[i - 1] as number),
    to: i === ends.length - 1 ? null : (ends[i] as number),
  }));
  const variance = 1 / baseline.count + 1 / sample.count + quantileNoise(baseline) + quantileNoise(sample);
  const counts = { baseline: baseline.count, sample: sample.count };
  // Two new extremes are expected of a sample as large as the baseline: then the outside is a bin like the others.
  const filled = ends.length - (2 * sample.count >= 0.5 * baseline.count ? 0 : 1);
  return assemble([...labels, { kind: "outside" }], sharesOf(before), sharesOf(now), counts, filled, variance);
}

/** Ascending values that cut the baseline into at most `wanted` parts, none much smaller than the rest. */
function cutPoints(distribution: Distribution, wanted: number): number[] {
  const edges: number[] = [];
  let previous = 0;
  for (let part = 1; part < wanted; part++) {
    const edge = quantileOf(distribution, part / wanted);
    const share = shareBelow(distribution, edge, true);
    if (share - previous < 0.5 / wanted || 1 - share < 0.5 / wanted) continue;
    edges.push(edge);
    previous = share;
  }
  return edges;
}

/** A bin of a tenth has the variance .09/n; two ranks of a sketch at its edges add that of their errors. */
function quantileNoise(sketch: QuantileSketch): number {
  return isExact(sketch) ? 0 : (2 * (rankErrorMax / 3) ** 2) / 0.09;
}

/** Bins two counts of frequent values: one for each that the baseline has often enough, and one for all others. */
export function binCategories(baseline: TopValues, sample: TopValues): ShareBins | DriftSkip {
  const smaller = Math.min(baseline.total, sample.total);
  const errorShare = Math.max(baseline.error / baseline.total, sample.error / sample.total);
  const least = Math.max(expectedLeast / smaller, errorMargin * errorShare);
  const chosen = baseline.entries
    .filter((entry) => entry.count / baseline.total >= least)
    .toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, categoriesMax);
  if (chosen.length === 0) return { skipped: "no value is frequent enough to compare its share" };
  const found = new Map(sample.entries.map((entry) => [hashKey(entry), entry.count]));
  const before = chosen.map((entry) => (entry.count + baseline.error / 2) / baseline.total);
  const now = chosen.map((entry) => {
    const count = found.get(hashKey(entry));
    return count === undefined ? 0 : (count + sample.error / 2) / sample.total;
  });
  const rest = (shares: readonly number[]): number => Math.max(0, 1 - shares.reduce((sum, share) => sum + share, 0));
  const known = new Set(baseline.entries.map(hashKey));
  const newcomer = sample.entries.filter((entry) => !known.has(hashKey(entry))).toSorted((a, b) => b.count - a.count)[0];
  const labels: BinLabel[] = chosen.map((entry) => ({ kind: "value", value: entry.value }));
  labels.push({ kind: "other", newcomer: newcomer?.value ?? null });
  const filled = chosen.length - (rest(before) * smaller >= expectedLeast ? 0 : 1);
  const noise = (top: TopValues): number => top.error / top.total / (12 * errorMargin);
  const variance = 1 / baseline.total + 1 / sample.total + noise(baseline) + noise(sample);
  const counts = { baseline: baseline.total, sample: sample.total };
  return assemble(labels, [...before, rest(before)], [...now, rest(now)], counts, filled, variance);
}

/** What tells values apart. */
export function hashKey(entry: { readonly hashHigh: number; readonly hashLow: number }): string {
  return `${entry.hashHigh}:${entry.hashLow}`;
}

function assemble(
  labels: readonly BinLabel[],
  before: readonly number[],
  now: readonly number[],
  counts: { readonly baseline: number; readonly sample: number },
  freedom: number,
  variance: number,
): ShareBins {
  const smaller = Math.min(counts.baseline, counts.sample);
  const bins = labels.map((label, i) => ({
    label,
    baseline: smooth(before[i] as number, smaller, labels.length),
    sample: smooth(now[i] as number, smaller, labels.length),
  }));
  return { bins, freedom: Math.max(1, freedom), variance, counts };
}
