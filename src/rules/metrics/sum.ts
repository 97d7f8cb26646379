import type { MeasuredOf } from "../../core/rule.ts";
import type { RuleTarget } from "../rule-family.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric } from "./metric.ts";
import { noValues, NumberGatherer, numberColumn } from "./number-cells.ts";
import { meanMeasure, mergeTotals, sumMeasure, TotalSum, type Total } from "./total.ts";

function totalMetric(family: "sum" | "mean", of: MeasuredOf, target: RuleTarget): Metric<Total> {
  const source = numberColumn(target, target.plan.path, of, "without times");
  const measure = family === "sum" ? sumMeasure : meanMeasure;
  return {
    subject: `the ${family} of ${source.name}`,
    masked: source.path.masked,
    units: ["value"],
    open: () => {
      const gatherer = new NumberGatherer(source);
      const sum = new TotalSum();
      return { add: (batch, applies) => sum.add(gatherer.gather(batch, applies)), state: () => sum.total() };
    },
    merge: mergeTotals,
    read: (total) => (total.count === 0 ? { measure: null, why: noValues(source.name) } : { measure: measure(source, total) }),
  };
}

/** The sum of a column's values; exact, of floating point rounded once. */
export const sumKind: MetricKind<"sum"> = { family: "sum", compile: (check, target) => totalMetric("sum", check.of, target) };

/** The mean of a column's values; exact, of floating point rounded once. */
export const meanKind: MetricKind<"mean"> = { family: "mean", compile: (check, target) => totalMetric("mean", check.of, target) };
