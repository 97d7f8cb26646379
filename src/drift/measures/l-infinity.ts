import { errorFunction } from "simple-statistics";
import type { TopValues } from "../../core/profile.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison, topCount } from "./comparable.ts";
import { explainShares } from "./explain-shares.ts";
import type { ShareBins } from "./share-bins.ts";
import { binCategories } from "./share-bins.ts";
import { suspectShares } from "./suspect-shares.ts";

/** The largest difference of a share, over the same bins. */
function largestMove(baseline: readonly number[], sample: readonly number[]): number {
  return baseline.reduce((most, share, i) => Math.max(most, Math.abs((sample[i] as number) - share)), 0);
}

const steps = 64;

/**
 * The mean of the largest of several squared normal variables of the given variances, as if they were independent (of shares that add up to 1, this is
 * a little too much). Integrates the chance that any exceeds y, up to where none does.
 */
export function meanLargestSquare(variances: readonly number[]): number {
  const end = Math.max(...variances) * (4 + 4 * Math.log(1 + variances.length)) * 3;
  const step = Math.sqrt(end) / steps;
  let sum = 0;
  // By the root of y, in which the integrand is smooth.
  for (let i = 0; i < steps; i++) {
    const root = (i + 0.5) * step;
    const none = variances.reduce((product, variance) => product * errorFunction(root / Math.sqrt(2 * variance)), 1);
    sum += (1 - none) * 2 * root * step;
  }
  return sum;
}

/** Variances of the bins' shares for both samples together, the largest first; without the second, as one share follows from the others. */
function moveVariances({ bins, counts, variance }: ShareBins): number[] {
  const { baseline: m, sample: n } = counts;
  const all = bins.map((bin) => {
    const pooled = (m * bin.baseline + n * bin.sample) / (m + n);
    return pooled * (1 - pooled) * variance;
  });
  const sorted = all.toSorted((a, b) => b - a);
  return sorted.filter((_, i) => i !== 1);
}

/** The largest move of the share of any frequent value, or of all others together (L-infinity, as TensorFlow Data Validation has it): .05 is five of a hundred records. */
export const lInfinity: DriftTest = {
  name: "l-infinity",
  reads: ["top", "quantiles"],
  limitDefault: 0.05,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("l-infinity", baseline, sample, topCount);
    if (refused !== null) return refused;
    const shares = binCategories(baseline.top as TopValues, sample.top as TopValues);
    if ("skipped" in shares) return shares;
    const statistic = largestMove(
      shares.bins.map((bin) => bin.baseline),
      shares.bins.map((bin) => bin.sample),
    );
    const variances = moveVariances(shares);
    const expected = meanLargestSquare(variances);
    // The tail falls as that of the bin that varies most.
    const freedom = expected / Math.max(...variances);
    return {
      statistic,
      energy: statistic ** 2,
      expected,
      freedom,
      explain: () => explainShares(shares, baseline, sample, field),
      suspect: () => suspectShares(shares, baseline, sample),
    };
  },
};
