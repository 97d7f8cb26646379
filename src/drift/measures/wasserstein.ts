import type { DriftSuspect } from "../../core/drift.ts";
import type { QuantileSketch } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import { isMasked } from "../../core/schema.ts";
import type { Distribution } from "../../sketches/quantiles.ts";
import { distributionOf, quantileOf } from "../../sketches/quantiles.ts";
import type { DriftTest } from "../drift-test.ts";
import { numberCount, refuseComparison } from "./comparable.ts";
import { numberText, percentText } from "./explain-shares.ts";
import { shareVariance } from "./kolmogorov-smirnov.ts";
import { binShares } from "./share-bins.ts";
import { suspectShares } from "./suspect-shares.ts";

/** Values beyond these shares of both samples count as if they stood there: a sketch knows little of the very ends, and a few outliers would be all the distance. */
const [lowest, highest] = [0.005, 0.995];

/** A distribution's values, none outside the bounds. */
interface Bounds {
  readonly low: number;
  readonly high: number;
}

function clamp(value: number, { low, high }: Bounds): number {
  return Math.min(high, Math.max(low, value));
}

/** Area between two step functions (the first Wasserstein distance) over the bounds. */
function distanceOf(baseline: Distribution, sample: Distribution, bounds: Bounds): number {
  let [i, j] = [0, 0];
  let [before, now] = [0, 0];
  let sum = 0;
  let previous = bounds.low;
  while (i < baseline.values.length || j < sample.values.length) {
    const value = Math.min(baseline.values[i] ?? Infinity, sample.values[j] ?? Infinity);
    const place = clamp(value, bounds);
    sum += Math.abs(now - before) * (place - previous);
    previous = place;
    if (baseline.values[i] === value) before = baseline.shares[i++] as number;
    if (sample.values[j] === value) now = sample.shares[j++] as number;
  }
  return sum;
}

/** Standard deviation of a distribution, its values taken into the bounds. */
function clampedDeviation({ values, shares }: Distribution, bounds: Bounds): number {
  let [mean, square, previous] = [0, 0, 0];
  // From the lower bound: large values that differ little would lose their digits in the squares.
  for (let i = 0; i < values.length; i++) {
    const weight = (shares[i] as number) - previous;
    previous = shares[i] as number;
    const value = clamp(values[i] as number, bounds) - bounds.low;
    mean += weight * value;
    square += weight * value * value;
  }
  return Math.sqrt(Math.max(0, square - mean * mean));
}

/** Cells of equal share that chance is computed on. */
const cells = 48;

/** E|B(s) B(t)| of a Brownian bridge for every two cells: of two normal variables with their variances and correlation. */
const bridgeProducts = Array.from({ length: cells }, (_, a) =>
  Float64Array.from({ length: cells }, (_each, b) => {
    const [s, t] = [(Math.min(a, b) + 0.5) / cells, (Math.max(a, b) + 0.5) / cells];
    const correlation = Math.min(1, Math.sqrt((s * (1 - t)) / (t * (1 - s))));
    const scale = Math.sqrt(s * (1 - s) * t * (1 - t));
    return (2 / Math.PI) * scale * (Math.sqrt(1 - correlation ** 2) + correlation * Math.asin(correlation));
  }),
);

/** The mean square of the area under a Brownian bridge along the distribution: the distance of two samples of it, times 1 / (1/n + 1/m). */
function chanceSquare(distribution: Distribution, bounds: Bounds): number {
  const edges = Float64Array.from({ length: cells + 1 }, (_, i) => clamp(quantileOf(distribution, i / cells), bounds));
  let sum = 0;
  for (let a = 0; a < cells; a++) {
    const width = (edges[a + 1] as number) - (edges[a] as number);
    if (width === 0) continue;
    const products = bridgeProducts[a] as Float64Array;
    for (let b = 0; b < cells; b++) sum += width * ((edges[b + 1] as number) - (edges[b] as number)) * (products[b] as number);
  }
  return sum;
}

/** The area between two sketches' distribution functions, and what chance makes of it. */
interface Area {
  /** In the values' unit. */
  readonly distance: number;
  /** The baseline's standard deviation, of its values within the bounds. */
  readonly deviation: number;
  /** Mean of the squared distance by chance, and its degrees of freedom. */
  readonly expected: number;
  readonly freedom: number;
}

/** Deviation that equal values are taken to have, in their unit. */
const deviationLeast = 1e-9;

/**
 * The first Wasserstein distance of two sketches. Chance is the area under a Brownian bridge along the baseline's values; its tail falls at the rate of
 * that of a shift of them all.
 */
export function areaBetween(baseline: QuantileSketch, sample: QuantileSketch): Area {
  const [before, now] = [distributionOf(baseline), distributionOf(sample)];
  const bounds = {
    low: Math.min(quantileOf(before, lowest), quantileOf(now, lowest)),
    high: Math.max(quantileOf(before, highest), quantileOf(now, highest)),
  };
  const usual = { low: quantileOf(before, lowest), high: quantileOf(before, highest) };
  const deviation = clampedDeviation(before, usual);
  const variance = shareVariance(baseline, sample);
  const scale = Math.max(deviationLeast, deviation);
  const freedom = Math.max(1, chanceSquare(before, usual) / scale ** 2);
  return { distance: distanceOf(before, now, bounds), deviation, expected: freedom * variance * scale ** 2, freedom };
}

/** The first Wasserstein distance (the area between the distribution functions) in standard deviations of the baseline: how far values moved on average. */
export const wasserstein: DriftTest = {
  name: "wasserstein",
  reads: ["quantiles"],
  limitDefault: 0.2,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("wasserstein", baseline, sample, numberCount);
    if (refused !== null) return refused;
    const [before, now] = [baseline.quantiles as QuantileSketch, sample.quantiles as QuantileSketch];
    const { distance, deviation, expected, freedom } = areaBetween(before, now);
    if (!(deviation > 0) || !Number.isFinite(deviation)) {
      return { skipped: "the baseline's values hardly differ: there is no scale to measure in" };
    }
    const statistic = distance / deviation;
    const explain = (): string => explainMoves(distributionOf(before), distributionOf(now), statistic, field);
    const suspect = (): DriftSuspect | null => suspectShares(binShares(baseline, sample), baseline, sample);
    return { statistic, energy: statistic ** 2, expected: expected / deviation ** 2, freedom, explain, suspect };
  },
};

const namedShares = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

function explainMoves(before: Distribution, now: Distribution, statistic: number, field: Field): string {
  if (isMasked(field)) return "the distribution of its values changed (values withheld: the column is classified)";
  const moves = namedShares
    .map((share) => ({ share, from: quantileOf(before, share), to: quantileOf(now, share) }))
    .toSorted((a, b) => Math.abs(b.to - b.from) - Math.abs(a.to - a.from))
    .slice(0, 2)
    .filter(({ from, to }) => from !== to)
    .map(({ share, from, to }) => {
      const place = share === 0.5 ? "the median" : `the value that ${percentText(share)} of records are at or below`;
      return `${place} went from ${numberText(from, field)} to ${numberText(to, field)}`;
    });
  const size = `values moved by ${Number(statistic.toPrecision(2))} of the baseline's standard deviations on average`;
  return [size, ...moves].join("; ");
}
