import type { RuleOutcome, RulePlan, Threshold } from "../../core/rule.ts";
import type { FieldType } from "../../core/schema.ts";
import { maxKind } from "../metrics/extreme.ts";
import { doubleMeasure, fractionMeasure, measureText, meetsThreshold } from "../metrics/measure.ts";
import type { MetricKind } from "../metrics/metric-family.ts";
import type { Metric, Reading } from "../metrics/metric.ts";
import { resolveRowPath } from "../column-path.ts";
import { invalidRule } from "../rule-family.ts";
import { thresholdWords } from "../tolerance.ts";

/** What of freshness is a window's own: its newest instant. `judgeFreshness` holds it against the time of the close. */
export const freshnessKind: MetricKind<"freshness"> = {
  family: "freshness",
  compile(_check, target): Metric {
    const { field, masked } = resolveRowPath(target.fields, target.plan.path, target.plan);
    if (field.type.kind !== "timestamp" || !field.type.zoned)
      throw invalidRule(target.plan, "freshness needs a column of instants (timestamps with a time zone)");
    if (masked) throw invalidRule(target.plan, "decisions would tell the newest value of a classified column");
    const newest = maxKind.compile({ family: "max", of: "value" }, target);
    return {
      ...newest,
      subject: `the age of the newest ${field.path}`,
      read: (state, unit) => inMicros(field.type, newest.read(state, unit)),
    };
  },
};

/** A reading in the column's unit as microseconds. */
function inMicros(type: FieldType, reading: Reading): Reading {
  if (type.kind !== "timestamp" || type.unit === "micros" || reading.measure?.kind !== "fraction") return reading;
  const { numerator, denominator } = reading.measure;
  return { ...reading, measure: fractionMeasure(numerator, denominator * 1000n) };
}

/** The outcome of a freshness rule: seconds from the newest instant (microseconds, as measured) to the window's recorded close. */
export function judgeFreshness(plan: RulePlan, outcome: RuleOutcome, closedAtMs: number): RuleOutcome {
  const { measured } = outcome;
  if (measured === undefined) return outcome;
  const threshold = plan.threshold as Threshold;
  const seconds = (closedAtMs * 1000 - measured.value) / 1e6;
  const measure = doubleMeasure(seconds);
  const holds = meetsThreshold(measure, threshold);
  const words = thresholdWords(threshold, (value) => `${value} s`);
  return {
    ...outcome,
    measured: { value: seconds, low: seconds, high: seconds },
    status: holds ? "pass" : "fail",
    breach: holds ? null : `${plan.id}: the newest ${plan.path} is ${measureText(measure, threshold.values)} s old at the close, ${words}`,
  };
}
