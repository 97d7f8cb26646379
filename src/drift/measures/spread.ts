import type { ColumnProfile, Moments, QuantileSketch } from "../../core/profile.ts";
import { isMasked } from "../../core/schema.ts";
import { standardDeviation } from "../../sketches/moments.ts";
import type { Distribution } from "../../sketches/quantiles.ts";
import { distributionOf } from "../../sketches/quantiles.ts";
import type { DriftTest } from "../drift-test.ts";
import { numberCount, refuseComparison } from "./comparable.ts";

/** Fourth central moment over the squared variance: 3 of a normal distribution, 1 at least. */
export function kurtosisOf({ values, shares }: Distribution): number {
  const eachWeighted = (term: (value: number) => number): number => {
    let [sum, previous] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      sum += ((shares[i] as number) - previous) * term(values[i] as number);
      previous = shares[i] as number;
    }
    return sum;
  };
  const mean = eachWeighted((value) => value);
  const deviation = Math.sqrt(eachWeighted((value) => (value - mean) ** 2));
  return deviation === 0
    ? 3
    : Math.max(
        1,
        eachWeighted((value) => ((value - mean) / deviation) ** 4),
      );
}

/** Less is not believed of a sample's kurtosis: near 1, of two equally frequent values, the logarithm would seem to have no error at all. */
const kurtosisLeast = 1.5;

/** The kurtosis of a column, as if it had one more value as far out as its farthest: samples of heavy tails show too little of theirs. */
function cautiousKurtosis(column: ColumnProfile, deviation: number): number {
  const { mean, min, max, count } = column.moments as Moments;
  const farthest = Math.max(max - mean, mean - min) / deviation;
  return kurtosisOf(distributionOf(column.quantiles as QuantileSketch)) + farthest ** 4 / count;
}

/**
 * The logarithm of the ratio of the standard deviations, unsigned: .25 is a change by 28 %. Its variance by chance is (kurtosis - 1) / 4 (1/n + 1/m); the
 * kurtosis is the larger of both samples', so that heavy tails are not taken for a change.
 */
export const spread: DriftTest = {
  name: "stdev",
  reads: ["quantiles"],
  limitDefault: 0.25,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("stdev", baseline, sample, numberCount);
    if (refused !== null) return refused;
    const [before, now] = [standardDeviation(baseline.moments as Moments), standardDeviation(sample.moments as Moments)];
    if (before === null || now === null || before === 0 || now === 0) {
      return { skipped: "the values of one side do not differ, or their squares are beyond a double: there is no ratio" };
    }
    const kurtosis = Math.max(kurtosisLeast, cautiousKurtosis(baseline, before), cautiousKurtosis(sample, now));
    const statistic = Math.abs(Math.log(now / before));
    const expected = ((kurtosis - 1) / 4) * (1 / numberCount(baseline) + 1 / numberCount(sample));
    const explain = (): string => {
      if (isMasked(field)) return "the spread of its values changed (values withheld: the column is classified)";
      const unit = baseline.kind === "time" ? " seconds" : "";
      return `the standard deviation ${now > before ? "rose" : "fell"} from ${plain(before)} to ${plain(now)}${unit}`;
    };
    return { statistic, energy: statistic ** 2, expected, freedom: 1, explain };
  },
};

function plain(value: number): number {
  return Number(value.toPrecision(4));
}
