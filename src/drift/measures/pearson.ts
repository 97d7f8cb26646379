import type { DriftTest } from "../drift-test.ts";
import { explainShares } from "./explain-shares.ts";
import type { ShareBins } from "./share-bins.ts";
import { binShares } from "./share-bins.ts";

/** Shares of the same bins in two samples, and how many values each has. */
interface TwoSamples {
  readonly baseline: readonly number[];
  readonly sample: readonly number[];
  readonly baselineCount: number;
  readonly sampleCount: number;
}

/** Pearson's statistic of homogeneity of two samples over the same bins; about chi-squared of as many degrees as bins, less one. */
export function homogeneityOf({ baseline, sample, baselineCount: m, sampleCount: n }: TwoSamples): number {
  let sum = 0;
  for (let i = 0; i < baseline.length; i++) {
    const p = baseline[i] as number;
    const q = sample[i] as number;
    const pooled = (m * p + n * q) / (m + n);
    if (pooled > 0) sum += (q - p) ** 2 / pooled;
  }
  return sum / (1 / m + 1 / n);
}

function effectOf(shares: ShareBins): number {
  const { baseline: baselineCount, sample: sampleCount } = shares.counts;
  const statistic = homogeneityOf({
    baseline: shares.bins.map((bin) => bin.baseline),
    sample: shares.bins.map((bin) => bin.sample),
    baselineCount,
    sampleCount,
  });
  return Math.sqrt(statistic * (1 / baselineCount + 1 / sampleCount));
}

/** Pearson's chi-squared test of homogeneity (Pearson 1911), told as Cohen's w, which does not grow with the samples: .1 is small, .3 medium, .5 large. */
export const pearson: DriftTest = {
  name: "chi-squared",
  limitDefault: 0.3,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const shares = binShares(baseline, sample);
    if ("skipped" in shares) return shares;
    const statistic = effectOf(shares);
    const explain = (): string => explainShares(shares, baseline, sample, field);
    return { statistic, energy: statistic ** 2, expected: shares.variance * shares.freedom, freedom: shares.freedom, explain };
  },
};
