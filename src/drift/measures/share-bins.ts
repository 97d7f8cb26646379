import type { ColumnProfile, QuantileSketch, TopEntry, TopValues } from "../../core/profile.ts";
import { compareHashes } from "../../sketches/heavy-hitters.ts";
import { evenQuantiles } from "../../sketches/carried-quantiles.ts";
import { isExact, rankErrorMax } from "../../sketches/quantiles.ts";
import type { Quantile } from "../../sketches/sketch-ranks.ts";
import { SketchRanks } from "../../sketches/sketch-ranks.ts";
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
  if (baseline.kind === "json" || baseline.kind === "binary" || baseline.kind === "uuid" || baseline.top === null || sample.top === null) {
    return { skipped: `${baseline.kind} columns have no distribution to compare` };
  }
  return binCategories(baseline.top, sample.top);
}

function smooth(share: number, smaller: number, bins: number): number {
  return (share * smaller + 0.5) / (smaller + 0.5 * bins);
}

/** A baseline cut into bins. */
interface NumberBins {
  /** The baseline's least value, and the upper end of each bin. */
  readonly least: number;
  readonly ends: readonly number[];
  readonly labels: readonly BinLabel[];
  /** The baseline's shares. */
  readonly shares: readonly number[];
}

/** Of baselines that stay as they are, by how many bins were wanted. */
const numberBins = new WeakMap<QuantileSketch, Map<number, NumberBins>>();

function binNumbers(baseline: QuantileSketch, sample: QuantileSketch): ShareBins | DriftSkip {
  const smaller = Math.min(baseline.count, sample.count);
  const wanted = Math.max(2, Math.min(binsMax, Math.floor(smaller / (2 * expectedLeast))));
  const { least, ends, labels, shares } = binsOf(baseline, wanted);
  const variance = 1 / baseline.count + 1 / sample.count + quantileNoise(baseline) + quantileNoise(sample);
  const counts = { baseline: baseline.count, sample: sample.count };
  // Two new extremes are expected of a sample as large as the baseline: then the outside is a bin like the others.
  const filled = ends.length - (2 * sample.count >= 0.5 * baseline.count ? 0 : 1);
  return assemble(labels, shares, sharesOf(new SketchRanks(sample), least, ends), counts, filled, variance);
}

function binsOf(baseline: QuantileSketch, wanted: number): NumberBins {
  const known = numberBins.get(baseline) ?? new Map<number, NumberBins>();
  numberBins.set(baseline, known);
  let bins = known.get(wanted);
  if (bins === undefined) {
    const { least, most, quantiles } = evenQuantiles(baseline, wanted);
    const cuts = cutPoints(quantiles, wanted);
    const ends = [...cuts.map(({ value }) => value), most];
    const ranges = ends.map((_, i): BinLabel => ({
      kind: "range",
      from: i === 0 ? null : (ends[i - 1] as number),
      to: i === ends.length - 1 ? null : (ends[i] as number),
    }));
    const shares = sharesBetween(0, [...cuts.map(({ share }) => share), 1]);
    bins = { least, ends, labels: [...ranges, { kind: "outside" }], shares };
    known.set(wanted, bins);
  }
  return bins;
}

/** Shares of the bins, and what lies outside. */
function sharesOf(ranks: SketchRanks, least: number, ends: readonly number[]): number[] {
  return sharesBetween(
    ranks.shareBelow(least, false),
    ends.map((end) => ranks.shareBelow(end, true)),
  );
}

function sharesBetween(below: number, upTo: readonly number[]): number[] {
  const shares = upTo.map((share, i) => share - (i === 0 ? below : (upTo[i - 1] as number)));
  return [...shares, below + 1 - (upTo.at(-1) as number)];
}

/** Where to cut the baseline into at most `wanted` parts, ascending, none much smaller than the rest. */
function cutPoints(quantiles: readonly Quantile[], wanted: number): Quantile[] {
  const cuts: Quantile[] = [];
  let previous = 0;
  for (const cut of quantiles) {
    if (cut.share - previous < 0.5 / wanted || 1 - cut.share < 0.5 / wanted) continue;
    cuts.push(cut);
    previous = cut.share;
  }
  return cuts;
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
  const found = matchEntries(baseline.entries, sample.entries);
  const before = chosen.map((entry) => (entry.count + baseline.error / 2) / baseline.total);
  const now = chosen.map((entry) => {
    const match = found.matches.get(entry);
    return match === undefined ? 0 : (match.count + sample.error / 2) / sample.total;
  });
  const rest = (shares: readonly number[]): number => Math.max(0, 1 - shares.reduce((sum, share) => sum + share, 0));
  const { newcomer } = found;
  const labels: BinLabel[] = chosen.map((entry) => ({ kind: "value", value: entry.value }));
  labels.push({ kind: "other", newcomer: newcomer?.value ?? null });
  const filled = chosen.length - (rest(before) * smaller >= expectedLeast ? 0 : 1);
  const noise = (top: TopValues): number => top.error / top.total / (12 * errorMargin);
  const variance = 1 / baseline.total + 1 / sample.total + noise(baseline) + noise(sample);
  const counts = { baseline: baseline.total, sample: sample.total };
  return assemble(labels, [...before, rest(before)], [...now, rest(now)], counts, filled, variance);
}

interface MatchedEntries {
  /** By the baseline's entry, the sample's of the same value. */
  readonly matches: ReadonlyMap<TopEntry, TopEntry>;
  /** The sample's most frequent value that the baseline does not list: the first by hash of as frequent ones. */
  readonly newcomer: TopEntry | null;
}

/** Both ascend by hash. */
function matchEntries(baseline: readonly TopEntry[], sample: readonly TopEntry[]): MatchedEntries {
  const matches = new Map<TopEntry, TopEntry>();
  let newcomer: TopEntry | null = null;
  let at = 0;
  for (const entry of sample) {
    let known = baseline[at];
    while (known !== undefined && compareHashes(known, entry) < 0) known = baseline[++at];
    if (known !== undefined && compareHashes(known, entry) === 0) matches.set(known, entry);
    else if (newcomer === null || entry.count > newcomer.count) newcomer = entry;
  }
  return { matches, newcomer };
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
