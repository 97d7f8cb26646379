import type { RuleOutcome, RulePlan, Threshold } from "../../core/rule.ts";
import type { SqlAnswer } from "../../core/sql-queries.ts";
import { doubleMeasure, measureText, meetsThreshold } from "../metrics/measure.ts";
import type { MetricKind } from "../metrics/metric-family.ts";
import type { Metric } from "../metrics/metric.ts";
import { thresholdWords } from "../tolerance.ts";

/** SQL runs on the rows that passed, when they are known: nothing is measured before. */
export const sqlKind: MetricKind<"sql"> = {
  family: "sql",
  compile(): Metric {
    const metric: Metric<null> = {
      subject: "the query's answer",
      masked: false,
      units: ["value"],
      open: () => ({ add: () => {}, state: () => null }),
      merge: () => null,
      read: () => ({ measure: null, why: "no row of the window passed, so its query was not run" }),
    };
    return metric;
  },
};

/** The outcome of an SQL rule, by what its query answered. A query that could not be run holds the window: it says nothing. */
export function judgeSql(plan: RulePlan, outcome: RuleOutcome, answer: SqlAnswer): RuleOutcome {
  const { note: _, ...rest } = outcome;
  if ("fault" in answer) return { ...rest, status: "error", breach: `${plan.id}: ${answer.fault}` };
  const threshold = plan.threshold as Threshold;
  const measure = doubleMeasure(answer.value);
  const { value } = answer;
  const measured = Number.isFinite(value) ? { measured: { value, low: value, high: value } } : {};
  if (meetsThreshold(measure, threshold)) return { ...rest, ...measured, status: "pass", breach: null };
  const breach = `${plan.id}: the query answered ${measureText(measure, threshold.values)}, ${thresholdWords(threshold)}`;
  return { ...rest, ...measured, status: "fail", breach };
}
