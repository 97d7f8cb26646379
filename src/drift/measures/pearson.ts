import type { DriftSuspect } from "../../core/drift.ts";
import type { DriftTest } from "../drift-test.ts";
import { explainShares } from "./explain-shares.ts";
import { binShares } from "./share-bins.ts";
import { suspectShares } from "./suspect-shares.ts";

/**
 * Cohen's w squared of two distributions over the same bins: Pearson's statistic of homogeneity of two equally large samples, divided by half of either's size. Samples count
 * alike whatever their sizes: weighed by them, a few values in a bin that a large baseline hardly fills would be all the change.
 */
export function homogeneityOf(baseline: readonly number[], sample: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < baseline.length; i++) {
    const p = baseline[i] as number;
    const q = sample[i] as number;
    if (p + q > 0) sum += (q - p) ** 2 / ((p + q) / 2);
  }
  return sum;
}

/** Pearson's chi-squared test of homogeneity (Pearson 1911), told as Cohen's w, which does not grow with the samples: .1 is small, .3 medium, .5 large. */
export const pearson: DriftTest = {
  name: "chi-squared",
  reads: ["shares"],
  limitDefault: 0.3,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const shares = binShares(baseline, sample);
    if ("skipped" in shares) return shares;
    const energy = homogeneityOf(
      shares.bins.map((bin) => bin.baseline),
      shares.bins.map((bin) => bin.sample),
    );
    const explain = (): string => explainShares(shares, baseline, sample, field);
    const suspect = (): DriftSuspect | null => suspectShares(shares, baseline, sample);
    return { statistic: Math.sqrt(energy), energy, expected: shares.variance * shares.freedom, freedom: shares.freedom, explain, suspect };
  },
};
