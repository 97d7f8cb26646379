import type { DriftSuspect } from "../../core/drift.ts";
import type { DriftTest } from "../drift-test.ts";
import { explainShares } from "./explain-shares.ts";
import { binShares } from "./share-bins.ts";
import { suspectShares } from "./suspect-shares.ts";

/** Population stability index of two distributions over the same bins, all shares above 0: sum of (q - p) ln(q / p). */
export function psiOf(baseline: readonly number[], sample: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < baseline.length; i++) {
    const p = baseline[i] as number;
    const q = sample[i] as number;
    sum += (q - p) * Math.log(q / p);
  }
  return sum;
}

/**
 * Population stability index (Lewis 1994). Where nothing drifts it is about (1/n + 1/m) chi-squared of B - 1 degrees (Yurdakul 2018);
 * by convention .1 is a moderate change, .25 a large one.
 */
export const psi: DriftTest = {
  name: "psi",
  reads: ["shares"],
  limitDefault: 0.1,
  statisticOf: (energy) => energy,
  energyOf: (statistic) => statistic,
  measure: (baseline, sample, field) => {
    const shares = binShares(baseline, sample);
    if ("skipped" in shares) return shares;
    const statistic = psiOf(
      shares.bins.map((bin) => bin.baseline),
      shares.bins.map((bin) => bin.sample),
    );
    const explain = (): string => explainShares(shares, baseline, sample, field);
    const suspect = (): DriftSuspect | null => suspectShares(shares, baseline, sample);
    return { statistic, energy: statistic, expected: shares.variance * shares.freedom, freedom: shares.freedom, explain, suspect };
  },
};
