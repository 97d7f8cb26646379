import type { DriftSuspect } from "../../core/drift.ts";
import type { DriftTest } from "../drift-test.ts";
import { explainShares } from "./explain-shares.ts";
import { binShares } from "./share-bins.ts";
import { suspectShares } from "./suspect-shares.ts";

/** Hellinger distance of two distributions over the same bins; 0 to 1. */
export function hellingerOf(baseline: readonly number[], sample: readonly number[]): number {
  let sum = 0;
  // The sum of squares, not 1 less the overlap: that would lose the small distances to rounding.
  for (let i = 0; i < baseline.length; i++) sum += (Math.sqrt(sample[i] as number) - Math.sqrt(baseline[i] as number)) ** 2;
  return Math.min(1, Math.sqrt(sum / 2));
}

/** Hellinger distance (Hellinger 1909); its square is about an eighth of the population stability index for small changes, and bounded. */
export const hellinger: DriftTest = {
  name: "hellinger",
  reads: ["shares"],
  limitDefault: 0.11,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const shares = binShares(baseline, sample);
    if ("skipped" in shares) return shares;
    const statistic = hellingerOf(
      shares.bins.map((bin) => bin.baseline),
      shares.bins.map((bin) => bin.sample),
    );
    const explain = (): string => explainShares(shares, baseline, sample, field);
    const suspect = (): DriftSuspect | null => suspectShares(shares, baseline, sample);
    return {
      statistic,
      energy: statistic ** 2,
      expected: (shares.variance * shares.freedom) / 8,
      freedom: shares.freedom,
      explain,
      suspect,
    };
  },
};
