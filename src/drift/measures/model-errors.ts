import type { ColumnProfile, Moments } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import { isMasked } from "../../core/schema.ts";
import type { DriftTest } from "../drift-test.ts";
import { refuseComparison } from "./comparable.ts";
import { percentText } from "./explain-shares.ts";
import { shiftOf } from "./means.ts";

function errorCount(column: ColumnProfile): number {
  return column.moments?.count ?? 0;
}

/** `error rate rose from 10.1% to 18.3%, of 800 records that have both`. */
function explainErrors(what: string, [before, now]: readonly [Moments, Moments], textOf: (mean: number) => string, field: Field): string {
  if (isMasked(field)) return `the ${what} changed (figures withheld: prediction or label is classified)`;
  const verb = now.mean > before.mean ? "rose" : "fell";
  return `the ${what} ${verb} from ${textOf(before.mean)} to ${textOf(now.mean)}, of ${now.count} records that have both`;
}

/** The absolute difference of the shares of predictions that are not the label; two proportions, as `null-share`. */
export const errorRate: DriftTest = {
  name: "error-rate",
  reads: [],
  limitDefault: 0.02,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("error-rate", baseline, sample, errorCount);
    if (refused !== null) return refused;
    const pair = [baseline.moments as Moments, sample.moments as Moments] as const;
    const [before, now] = pair;
    if (Math.min(before.min, now.min) < 0 || Math.max(before.max, now.max) > 1) return { skipped: "its values are no rights and wrongs" };
    const statistic = Math.abs(now.mean - before.mean);
    const total = before.count + now.count;
    // A plus-four estimate: a model that was never wrong in either still has a variance.
    const pooled = (before.mean * before.count + now.mean * now.count + 2) / (total + 4);
    const expected = pooled * (1 - pooled) * (1 / before.count + 1 / now.count);
    return {
      statistic,
      energy: statistic ** 2,
      expected,
      freedom: 1,
      explain: () => explainErrors("error rate", pair, percentText, field),
    };
  },
};

/** The logarithm of the ratio of the mean absolute errors, unsigned: .2 is 22% more. Chance as of two means (Welch), by the delta method. */
export const meanAbsoluteError: DriftTest = {
  name: "mean-absolute-error",
  reads: [],
  limitDefault: 0.2,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const refused = refuseComparison("mean-absolute-error", baseline, sample, errorCount);
    if (refused !== null) return refused;
    const pair = [baseline.moments as Moments, sample.moments as Moments] as const;
    const [before, now] = pair;
    if (Math.min(before.min, now.min) < 0) return { skipped: "its values are no sizes of errors" };
    if (!(Math.min(before.mean, now.mean) > 0)) return { skipped: "one of both has no errors at all: there is no ratio of them" };
    const scale = Math.sqrt(before.mean) * Math.sqrt(now.mean);
    const { variance: expected } = shiftOf(before, now, scale);
    const statistic = Math.abs(Math.log(now.mean) - Math.log(before.mean));
    if (!(expected > 0) || !Number.isFinite(expected)) return { skipped: "its errors do not differ, or their squares are beyond a double" };
    const textOf = (mean: number): string => String(Number(mean.toPrecision(3)));
    return {
      statistic,
      energy: statistic ** 2,
      expected,
      freedom: 1,
      explain: () => explainErrors("mean absolute error", pair, textOf, field),
    };
  },
};
