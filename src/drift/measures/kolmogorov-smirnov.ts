import type { ColumnProfile, QuantileSketch } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import { isMasked } from "../../core/schema.ts";
import type { Distribution } from "../../sketches/quantiles.ts";
import { distributionOf, isExact, rankErrorMax } from "../../sketches/quantiles.ts";
import type { DriftTest } from "../drift-test.ts";
import { numberCount, refuseComparison } from "./comparable.ts";
import { medianText, numberText, percentText } from "./explain-shares.ts";
import { binShares } from "./share-bins.ts";
import { suspectShares } from "./suspect-shares.ts";

/** Where two step functions are farthest apart, and by how much. */
interface WidestGap {
  readonly value: number;
  /** Shares of values at or below `value`. */
  readonly baseline: number;
  readonly sample: number;
}

/** The value at which the shares at or below it differ most: the statistic is the difference. */
function widestGap(baseline: Distribution, sample: Distribution): WidestGap {
  let [i, j] = [0, 0];
  let widest: WidestGap = { value: baseline.values[0] ?? NaN, baseline: 0, sample: 0 };
  while (i < baseline.values.length || j < sample.values.length) {
    const value = Math.min(baseline.values[i] ?? Infinity, sample.values[j] ?? Infinity);
    if (baseline.values[i] === value) i++;
    if (sample.values[j] === value) j++;
    const before = i === 0 ? 0 : (baseline.shares[i - 1] as number);
    const now = j === 0 ? 0 : (sample.shares[j - 1] as number);
    // Of equal gaps the first: shares are rounded.
    if (Math.abs(now - before) > Math.abs(widest.sample - widest.baseline) + 1e-12) widest = { value, baseline: before, sample: now };
  }
  return widest;
}

/** Mean of the square of Kolmogorov's variable, the greatest height of a Brownian bridge. */
const bridgeMean = Math.PI ** 2 / 12;
/** The largest variance that a Brownian bridge has at any place: the rate at which the tail of its greatest height falls. */
const bridgeVariance = 0.25;

/** What the rank error of a sketch adds to the variance of a share, in the unit of 1 / values. */
function rankNoise(sketch: QuantileSketch): number {
  return isExact(sketch) ? 0 : (rankErrorMax / 3) ** 2 / bridgeVariance;
}

/** The sum of the relative variances of two sketches' shares: 1/n + 1/m, and their rank errors. */
export function shareVariance(baseline: QuantileSketch, sample: QuantileSketch): number {
  return 1 / baseline.count + 1 / sample.count + rankNoise(baseline) + rankNoise(sample);
}

/**
 * The two-sample test of Kolmogorov (1933) and Smirnov (1939): the largest difference of the shares of values at or below any value. Chance is a scaled
 * chi-squared variable of the mean of the limiting law and its exact rate of decay, exp(-2 x^2): never too small a limit in the tail.
 */
export const kolmogorovSmirnov: DriftTest = {
  name: "ks",
  reads: ["quantiles"],
  limitDefault: 0.1,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("ks", baseline, sample, numberCount);
    if (refused !== null) return refused;
    const [before, now] = [baseline.quantiles as QuantileSketch, sample.quantiles as QuantileSketch];
    const gap = widestGap(distributionOf(before), distributionOf(now));
    const statistic = Math.abs(gap.sample - gap.baseline);
    return {
      statistic,
      energy: statistic ** 2,
      expected: bridgeMean * shareVariance(before, now),
      freedom: bridgeMean / bridgeVariance,
      explain: () => explainGap(gap, baseline, sample, field),
      suspect: () => suspectShares(binShares(baseline, sample), baseline, sample),
    };
  },
};

function explainGap(gap: WidestGap, baseline: ColumnProfile, sample: ColumnProfile, field: Field): string {
  if (isMasked(field)) return "the distribution of its values changed (values withheld: the column is classified)";
  const verb = gap.sample >= gap.baseline ? "rose" : "fell";
  const shares = `from ${percentText(gap.baseline)} to ${percentText(gap.sample)}`;
  return `share of values up to ${numberText(gap.value, field)} ${verb} ${shares}${medianText(baseline, sample, field)}`;
}
