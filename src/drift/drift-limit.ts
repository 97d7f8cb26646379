import { mean, sampleVariance } from "simple-statistics";
import type { Spread } from "./baseline.ts";
import { chiSquaredQuantile, chiSquaredUpperTail } from "./chi-squared.ts";
import type { DriftMeasure, DriftTest } from "./drift-test.ts";

/** Quantiles by degrees and chance: few of either occur. */
const quantiles = new Map<string, number>();
const quantilesMax = 1000;

/** What a chi-squared variable exceeds with probability `alpha`. */
export function chanceQuantile(alpha: number, freedom: number): number {
  const key = `${freedom} ${alpha}`;
  let quantile = quantiles.get(key);
  if (quantile === undefined) {
    if (quantiles.size >= quantilesMax) quantiles.clear();
    quantile = chiSquaredQuantile(alpha, freedom);
    quantiles.set(key, quantile);
  }
  return quantile;
}

/** The energy that chance alone exceeds with probability `alpha` at these sample sizes. */
export function chanceEnergy(measure: DriftMeasure, alpha: number): number {
  return (measure.expected / measure.freedom) * chanceQuantile(alpha, measure.freedom);
}

/** How often chance alone exceeds a statistic at these sample sizes. */
export function chanceShare(test: DriftTest, measure: DriftMeasure, statistic: number): number {
  return chiSquaredUpperTail((test.energyOf(statistic) * measure.freedom) / measure.expected, measure.freedom);
}

/** What a statistic has to stay under, before the baseline's own spread is looked at: effect-size floor or chance, whichever is larger. */
export function plainLimit(test: DriftTest, measure: DriftMeasure, floor: number, alpha: number): number {
  return Math.max(floor, test.statisticOf(chanceEnergy(measure, alpha)));
}

/** Fewer windows than this say nothing about how windows vary. */
const spreadWindowsLeast = 3;

/**
 * The limit that real data's variation from window to window asks for, from each baseline window measured against the others. Their
 * energies are fitted by a scaled chi-squared (Satterthwaite 1946): the mean, raised by two standard errors, and the degrees of freedom
 * come from the windows where these vary more than chance. Never below what the most unusual baseline window showed (the conformal part:
 * by exchangeability a new window exceeds that with probability 1 / (windows + 1)). Null for fewer than 3 windows.
 */
export function spreadLimit(test: DriftTest, measure: DriftMeasure, others: readonly Spread[], alpha: number): number | null {
  if (others.length < spreadWindowsLeast) return null;
  const energies = others.map((other) => other.energy);
  // What chance contributes depends on sample sizes; the rest is the data's own variation.
  const excess = others.map((other) => other.energy - other.expected + measure.expected);
  const most = Math.max(...excess);
  const ratio = mean(others.map((other) => other.energy / other.expected));
  if (ratio <= 1 + 2 * Math.sqrt(2 / (others.length * measure.freedom))) return test.statisticOf(Math.max(0, most));
  const average = mean(energies);
  const variance = sampleVariance(energies);
  const freedom = variance === 0 ? measure.freedom : Math.min(measure.freedom, Math.max(1, (2 * average ** 2) / variance));
  const center = Math.max(measure.expected, mean(excess)) * (1 + 2 * Math.sqrt(2 / (others.length * freedom)));
  return test.statisticOf(Math.max(most, (center / freedom) * chiSquaredQuantile(alpha, freedom)));
}
