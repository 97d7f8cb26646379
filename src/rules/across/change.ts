import type { MetricPart, RuleOutcome, RulePlan, Threshold } from "../../core/rule.ts";
import { doubleMeasure, measureText, meetsThreshold } from "../metrics/measure.ts";
import type { MetricKind } from "../metrics/metric-family.ts";
import type { Metric } from "../metrics/metric.ts";
import { invalidRule, type CheckOf, type RuleTarget } from "../rule-family.ts";
import { thresholdWords } from "../tolerance.ts";

/** What of a change is a window's own: its metric. `judgeChange` holds it against the windows before. */
export function changeKind(compilePart: (part: MetricPart, target: RuleTarget) => Metric): MetricKind<"change"> {
  return {
    family: "change",
    compile(check, target): Metric {
      const { plan } = target;
      const { family } = check.metric.check;
      if (family === "change" || family === "freshness") throw invalidRule(plan, `the change of ${family} is not judged`);
      if (check.metric.where !== null) throw invalidRule(plan, "the filter stands at the rule itself, not at its metric");
      if (!(check.windows >= check.windowsMin && check.windowsMin >= 1))
        throw invalidRule(plan, `${check.windowsMin} windows to learn can't be more than the ${check.windows} that are remembered`);
      if (check.by === "deviations" && check.windowsMin < 3) throw invalidRule(plan, "deviations need at least 3 windows to learn");
      const metric = compilePart(check.metric, target);
      if (metric.masked) throw invalidRule(plan, "decisions would tell the numbers of a classified column");
      if (metric.readEach !== undefined) throw invalidRule(plan, "a metric of many groups has no one change");
      const unit = metric.units[0] as Threshold["unit"];
      return { ...metric, units: [check.by === "percent" ? "percent" : "value"], read: (state) => metric.read(state, unit) };
    },
  };
}

interface Past {
  readonly mean: number;
  /** Of a sample; 0 for one value. */
  readonly deviation: number;
}

function summarize(values: readonly number[]): Past {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}

function changeOf(by: CheckOf<"change">["by"], value: number, { mean, deviation }: Past): number | string {
  switch (by) {
    case "difference":
      return value - mean;
    case "percent":
      return mean === 0 ? "the windows before have a mean of 0, so there is no percentage" : ((value - mean) / Math.abs(mean)) * 100;
    case "ratio":
      return mean === 0 ? "the windows before have a mean of 0, so there is no ratio" : value / mean;
    default:
      if (deviation > 0) return (value - mean) / deviation;
      return value === mean ? 0 : "the windows before were all alike, so there is no scale of deviations";
  }
}

const changeWords: Readonly<Record<CheckOf<"change">["by"], (text: string) => string>> = {
  difference: (text) => `${text} away from`,
  percent: (text) => `${text}% away from`,
  ratio: (text) => `${text} times`,
  deviations: (text) => `${text} standard deviations away from`,
};

/**
 * The outcome of a change rule: this window's metric against the mean of the same metric over `past`, the promoted windows before (or those of the version that the rule names), oldest first. `measured` stays
 * the metric itself, which later windows are compared with.
 */
export function judgeChange(plan: RulePlan, check: CheckOf<"change">, outcome: RuleOutcome, past: readonly number[]): RuleOutcome {
  const { measured } = outcome;
  if (measured === undefined) return outcome;
  const known = past.slice(-check.windows);
  const skipped = (note: string): RuleOutcome => ({ ...outcome, status: "skipped", breach: null, note });
  const against = check.against ?? null;
  if (known.length < check.windowsMin) {
    const needs = `${known.length} of the ${check.windowsMin} promoted windows that it needs`;
    return skipped(against === null ? `learning: ${needs} were seen` : `${needs} were found up to version ${against}`);
  }
  const before = summarize(known);
  const change = changeOf(check.by, measured.value, before);
  if (typeof change === "string") return skipped(change);
  const threshold = plan.threshold as Threshold;
  const measure = doubleMeasure(change);
  const number = (value: number): string => measureText(doubleMeasure(value), []);
  const words = changeWords[check.by](measureText(measure, threshold.values));
  const note = `${number(measured.value)} is ${words} the mean of ${known.length} ${known.length === 1 ? "window" : "windows"} ${against === null ? "before" : `up to ${against}`} (${number(before.mean)})`;
  const holds = meetsThreshold(measure, threshold);
  return {
    ...outcome,
    status: holds ? "pass" : "fail",
    breach: holds ? null : `${plan.id}: ${note}, ${thresholdWords(threshold)}`,
    note,
  };
}
