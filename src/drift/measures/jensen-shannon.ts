import type { DriftSuspect } from "../../core/drift.ts";
import type { DriftTest } from "../drift-test.ts";
import { explainShares } from "./explain-shares.ts";
import { binShares } from "./share-bins.ts";
import { suspectShares } from "./suspect-shares.ts";

/** Jensen-Shannon divergence in nats of two distributions over the same bins; 0 to ln 2. */
export function jensenShannonOf(baseline: readonly number[], sample: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < baseline.length; i++) {
    const p = baseline[i] as number;
    const q = sample[i] as number;
    const middle = (p + q) / 2;
    if (p > 0) sum += 0.5 * p * Math.log(p / middle);
    if (q > 0) sum += 0.5 * q * Math.log(q / middle);
  }
  // Rounding can leave a hair below zero for equal distributions.
  return Math.max(0, sum);
}

/** Jensen-Shannon divergence (Lin 1991), in nats: about an eighth of the population stability index for small changes, and bounded. */
export const jensenShannon: DriftTest = {
  name: "jensen-shannon",
  reads: ["shares"],
  limitDefault: 0.0125,
  statisticOf: (energy) => energy,
  energyOf: (statistic) => statistic,
  measure: (baseline, sample, field) => {
    const shares = binShares(baseline, sample);
    if ("skipped" in shares) return shares;
    const statistic = jensenShannonOf(
      shares.bins.map((bin) => bin.baseline),
      shares.bins.map((bin) => bin.sample),
    );
    const explain = (): string => explainShares(shares, baseline, sample, field);
    const suspect = (): DriftSuspect | null => suspectShares(shares, baseline, sample);
    return { statistic, energy: statistic, expected: (shares.variance * shares.freedom) / 8, freedom: shares.freedom, explain, suspect };
  },
};
