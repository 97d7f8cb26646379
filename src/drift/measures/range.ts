import type { Moments, QuantileSketch } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import { isMasked } from "../../core/schema.ts";
import type { Distribution } from "../../sketches/quantiles.ts";
import { distributionOf, quantileOf } from "../../sketches/quantiles.ts";
import type { DriftTest } from "../drift-test.ts";
import { numberCount, refuseComparison } from "./comparable.ts";
import { numberText } from "./explain-shares.ts";

/** Where tails begin whose values tell how far apart the outermost are; of so few values as the last of them, at least. */
const tailShares = [0.05, 0.01];
const tailValues = 5;

/** How far values of the upper tail lie beyond its begin on average, of the begin that gives most: a new extreme lies about as far beyond the last one. */
function upperExcess(distribution: Distribution, count: number): number {
  return Math.max(...[...tailShares, tailValues / count].map((share) => excessBeyond(distribution, quantileOf(distribution, 1 - share))));
}

function excessBeyond({ values, shares }: Distribution, begin: number): number {
  let [sum, weight] = [0, 0];
  for (let i = values.length - 1; i >= 0 && (values[i] as number) > begin; i--) {
    const share = (shares[i] as number) - (i === 0 ? 0 : (shares[i - 1] as number));
    sum += share * ((values[i] as number) - begin);
    weight += share;
  }
  return weight === 0 ? 0 : sum / weight;
}

function mirrored({ values, shares }: Distribution): Distribution {
  const last = values.length - 1;
  return {
    values: values.map((_, i) => -(values[last - i] as number)),
    shares: shares.map((_, i) => 1 - (i === last ? 0 : (shares[last - i - 1] as number))),
  };
}

/** Part of the baseline's range that chance is at least taken to reach beyond it. */
const excessLeast = 1e-6;

/**
 * How far the least or the greatest value lies beyond the baseline's, in parts of its whole range; 0 inside. Chance is that of exponential tails with the baseline's own
 * mean excess. A range that shrinks says little: smaller samples have smaller ones.
 */
export const range: DriftTest = {
  name: "range",
  reads: ["quantiles"],
  limitDefault: 0.5,
  statisticOf: (energy) => energy,
  energyOf: (statistic) => statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("range", baseline, sample, numberCount);
    if (refused !== null) return refused;
    const [before, now] = [baseline.moments as Moments, sample.moments as Moments];
    const width = before.max - before.min;
    if (!(width > 0) || !Number.isFinite(width)) return { skipped: "the baseline's values do not differ: there is no range to measure in" };
    const [under, over] = [(before.min - now.min) / width, (now.max - before.max) / width];
    const statistic = Math.min(Number.MAX_VALUE, Math.max(0, under, over));
    const distribution = distributionOf(baseline.quantiles as QuantileSketch);
    const count = before.count;
    const excess = Math.max(excessLeast, Math.max(upperExcess(distribution, count), upperExcess(mirrored(distribution), count)) / width);
    // The greatest of n exponential values lies ln n excesses out on average, so n more values reach out by ln(1 + n/m); the tail falls by one excess an e-fold.
    const reach = Math.log1p(now.count / count);
    return {
      statistic,
      energy: statistic,
      expected: excess * reach,
      freedom: 2 * reach,
      explain: () => explainRange(before, now, under > over, field),
      suspect: () => ({ kind: "outside", least: before.min, most: before.max }),
    };
  },
};

function explainRange(before: Moments, now: Moments, isUnder: boolean, field: Field): string {
  if (isMasked(field)) return "values outside the baseline's range came (values withheld: the column is classified)";
  if (isUnder) return `the least value fell from ${numberText(before.min, field)} to ${numberText(now.min, field)}`;
  return `the greatest value rose from ${numberText(before.max, field)} to ${numberText(now.max, field)}`;
}
