import type { ColumnProfile, Moments } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import { isMasked } from "../../core/schema.ts";
import { standardDeviation } from "../../sketches/moments.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison } from "./comparable.ts";
import { medianText, numberText } from "./explain-shares.ts";
import { suspectShift } from "./suspect-shift.ts";

/** How two means differ. */
export interface MeanShift {
  /** In the scale's unit, unsigned. */
  readonly effect: number;
  /** The variance of `effect` by chance: Welch's (1947), of samples that may vary differently. */
  readonly variance: number;
}

/** The difference of two means in a scale, and what chance makes of it. */
export function shiftOf(baseline: Moments, sample: Moments, scale: number): MeanShift {
  const [before, now] = [variance(baseline), variance(sample)];
  return { effect: Math.abs(sample.mean - baseline.mean) / scale, variance: (before / baseline.count + now / sample.count) / scale ** 2 };
}

function variance(moments: Moments): number {
  return moments.m2 / (moments.count - 1);
}

function momentCount(column: ColumnProfile): number {
  return column.moments?.count ?? 0;
}

/** The difference of the means in standard deviations of the baseline (Glass's delta, 1976): .2 is small, .5 medium, .8 large. Chance as in Welch's t test. */
export const mean: DriftTest = {
  name: "mean",
  reads: ["quantiles"],
  limitDefault: 0.2,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("mean", baseline, sample, momentCount);
    if (refused !== null) return refused;
    const [before, now] = [baseline.moments as Moments, sample.moments as Moments];
    const deviation = standardDeviation(before);
    if (deviation === null || deviation === 0 || standardDeviation(now) === null) {
      return { skipped: "the baseline's values do not differ, or their squares are beyond a double: there is no scale to measure in" };
    }
    const { effect, variance: expected } = shiftOf(before, now, deviation);
    return {
      statistic: effect,
      energy: effect ** 2,
      expected,
      freedom: 1,
      explain: () => explainMean(baseline, sample, field),
      suspect: () => suspectShift(before, now),
    };
  },
};

function explainMean(baseline: ColumnProfile, sample: ColumnProfile, field: Field): string {
  if (isMasked(field)) return "the mean of its values changed (values withheld: the column is classified)";
  const [before, now] = [(baseline.moments as Moments).mean, (sample.moments as Moments).mean];
  const verb = now >= before ? "rose" : "fell";
  return `the mean ${verb} from ${numberText(before, field)} to ${numberText(now, field)}${medianText(baseline, sample, field)}`;
}
