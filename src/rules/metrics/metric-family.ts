import type { Measured, MetricCheck, MetricState, RuleOutcome, RulePlan, Threshold, WindowMetric } from "../../core/rule.ts";
import { invalidRule, type CheckOf, type RuleFamily, type RuleTarget } from "../rule-family.ts";
import { thresholdWords } from "../tolerance.ts";
import { isUncertain, measuredOf, measureText, meetsThreshold, type Measure } from "./measure.ts";
import type { Metric } from "./metric.ts";

/** A kind of metric: one file in this folder, one entry in the list of `index.ts`. */
export interface MetricKind<F extends MetricCheck["family"] = MetricCheck["family"]> {
  readonly family: F;
  compile(check: CheckOf<F>, target: RuleTarget): Metric;
}

/** A metric as a family of rules: no row offends, the threshold judges the window. */
export function metricFamily<F extends MetricCheck["family"]>(kind: MetricKind<F>): RuleFamily<F> {
  return {
    family: kind.family,
    compile(check, target) {
      const { plan } = target;
      const metric = kind.compile(check, target);
      if (plan.scope !== "window" || plan.threshold === null) throw invalidRule(plan, "it measures whole windows, so it needs a threshold");
      if (!metric.units.includes(plan.threshold.unit))
        throw invalidRule(plan, `${metric.subject} can't be judged in ${plan.threshold.unit}`);
      const words = thresholdWords(plan.threshold, metric.words);
      const none = new Uint32Array(0);
      return {
        metric,
        open: () => {
          const fold = metric.open();
          return {
            offenders: (batch, applies) => {
              fold.add(batch, applies);
              return none;
            },
            state: () => fold.state(),
          };
        },
        explain: () => ({ observed: null, finding: null, expected: words, limit: words, masked: metric.masked }),
      };
    },
  };
}

/** Names at most so many of the groups that fail. */
const groupsShownMax = 3;

type Judgement = Pick<RuleOutcome, "breach" | "status"> & { measured?: Measured; note?: string };

function judgeEach(plan: RulePlan, metric: Metric, state: unknown, threshold: Threshold): Judgement {
  const all = metric.readEach?.(state, threshold.unit) ?? [];
  if (all.length === 0) return { status: "skipped", breach: null, note: "no group has a value in the window" };
  const failing = all.filter(({ measure }) => !meetsThreshold(measure, threshold));
  const measured = { value: failing.length, low: failing.length, high: failing.length };
  if (failing.length === 0) return { status: "pass", breach: null, measured };
  const shown = failing
    .slice(0, groupsShownMax)
    .map(({ name, measure }) => `${metric.masked ? "<masked>" : name} ${valueText(metric, measure, threshold)}`)
    .join("; ");
  const more = failing.length > groupsShownMax ? `; and ${failing.length - groupsShownMax} more` : "";
  const breach = `${plan.id}: ${metric.subject} fails in ${failing.length} of ${all.length} groups, ${thresholdWords(threshold, metric.words)}: ${shown}${more}`;
  return { status: "fail", breach, measured };
}

function valueText(metric: Metric, measure: Measure, threshold: Threshold): string {
  if (metric.masked) return "<masked>";
  const text = metric.words === undefined ? measureText(measure, threshold.values) : wordsOf(metric, metric.words, measure);
  return threshold.unit === "percent" ? `${text}%` : text;
}

function wordsOf(metric: Metric, words: (value: number) => string, measure: Measure): string {
  const isExact = metric.exactWords !== undefined && measure.kind === "fraction" && measure.denominator === 1n;
  return isExact ? metric.exactWords(measure.numerator) : words(measuredOf(measure).value);
}

function judgeOne(plan: RulePlan, metric: Metric, state: unknown, threshold: Threshold): Judgement {
  const reading = metric.read(state, threshold.unit);
  if (reading.measure === null) return { status: "skipped", breach: null, note: reading.why };
  const { measure } = reading;
  const numbers = measuredOf(measure);
  // Decisions are JSON, which has no infinities.
  const measured = metric.masked || !Object.values(numbers).every(Number.isFinite) ? {} : { measured: numbers };
  const value = valueText(metric, measure, threshold);
  const notes = reading.note === undefined ? [] : [reading.note];
  const unsure = isUncertain(measure, threshold);
  if (unsure) notes.push(`${uncertainText(metric, measure, threshold)}: the limit lies within the error, so this may be wrong`);
  const note = notes.length === 0 ? {} : { note: notes.join("; ") };
  if (meetsThreshold(measure, threshold)) return { status: "pass", breach: null, ...measured, ...note };
  const about = measure.kind === "double" && measure.low < measure.high ? "about " : "";
  const detail = reading.detail === undefined || metric.masked ? "" : ` (${reading.detail})`;
  const doubt = unsure ? `; ${notes.at(-1)}` : "";
  const breach = `${plan.id}: ${metric.subject} is ${about}${value}${detail}, ${thresholdWords(threshold, metric.words)}${doubt}`;
  return { status: "fail", breach, ...measured, ...note };
}

function uncertainText(metric: Metric, measure: Measure, threshold: Threshold): string {
  if (metric.masked) return "it is an estimate";
  const { low, high } = measuredOf(measure);
  const word = (value: number): string => valueText(metric, { kind: "double", value, low: value, high: value }, threshold);
  return `it is an estimate, between ${word(low)} and ${word(high)}`;
}

/** What a metric rule's state says of its threshold. */
export function judgeMetric(plan: RulePlan, metric: Metric, { checked, state }: MetricState): RuleOutcome {
  const threshold = plan.threshold as Threshold;
  const base = {
    rule: plan.id,
    family: plan.check.family,
    column: plan.path,
    severity: plan.severity,
    dimension: plan.dimension,
    ...(plan.owner === undefined || plan.owner === null ? {} : { owner: plan.owner }),
    checked,
    failed: 0,
  };
  if (checked === 0) return { ...base, status: "skipped", breach: null, note: "the window has no rows for it" };
  const judged = metric.readEach === undefined ? judgeOne(plan, metric, state, threshold) : judgeEach(plan, metric, state, threshold);
  return { ...base, ...judged };
}

/** A compiled metric rule, to merge and read states with. */
export function windowMetric(plan: RulePlan, metric: Metric): WindowMetric {
  return {
    plan,
    merge: (a, b) => ({ rule: plan.id, checked: a.checked + b.checked, state: metric.merge(a.state, b.state) }),
    judge: (state) => judgeMetric(plan, metric, state),
    read: ({ checked, state }) => {
      if (checked === 0) return "there are no rows for it";
      const reading = metric.read(state, (plan.threshold as Threshold).unit);
      return reading.measure === null ? reading.why : measuredOf(reading.measure);
    },
  };
}
