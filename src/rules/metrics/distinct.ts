import type { Threshold } from "../../core/rule.ts";
import { invalidRule, type RuleTarget } from "../rule-family.ts";
import { resolveRowPath } from "../column-path.ts";
import type { ColumnPath } from "../column-path.ts";
import { doubleMeasure, fractionMeasure, wholeMeasure, type Measure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric, Reading } from "./metric.ts";
import { noValues } from "./number-cells.ts";
import { countedKeysMax, countValues, mergeCounts, scaleSample, type ValueCounts } from "./value-counts.ts";

const countless = new Set(["struct", "list", "map"]);

function countedPath({ plan, fields }: RuleTarget): ColumnPath {
  const path = resolveRowPath(fields, plan.path, plan);
  if (countless.has(path.field.type.kind)) throw invalidRule(plan, `values of a ${path.field.type.kind} column are not counted`);
  return path;
}

function countsMetric(
  target: RuleTarget,
  subject: (name: string) => string,
  units: Metric["units"],
  read: (counts: ValueCounts, unit: Threshold["unit"]) => Reading,
): Metric {
  const path = countedPath(target);
  const metric: Metric<ValueCounts> = {
    subject: subject(path.field.path),
    masked: false,
    units,
    open: () => countValues(path),
    merge: mergeCounts,
    read: (counts, unit) => (counts.total === 0 ? { measure: null, why: noValues(path.field.path) } : read(counts, unit)),
  };
  return metric;
}

const estimated = `an estimate: beyond ${countedKeysMax.toLocaleString("en")} different values only a sample of them is counted`;
const tooMany = `there are more than ${countedKeysMax.toLocaleString("en")} different values, too many to count each`;

/** So many of the different values, in rows or as a share of all values. */
function shareOfValues(kept: number, { level, total }: ValueCounts, unit: Threshold["unit"]): Reading {
  if (level === 0) return { measure: unit === "percent" ? fractionMeasure(BigInt(kept) * 100n, BigInt(total)) : wholeMeasure(kept) };
  const bounds = scaleSample(kept, level);
  const factor = unit === "percent" ? 100 / total : 1;
  const most = unit === "percent" ? 100 : total;
  const measure: Measure = {
    kind: "double",
    value: Math.min(most, bounds.value * factor),
    low: Math.min(most, bounds.low * factor),
    high: Math.min(most, bounds.high * factor),
  };
  return { measure, note: estimated };
}

/** The number of different values; in percent, their share of all values. */
export const distinctCountKind: MetricKind<"distinctCount"> = {
  family: "distinctCount",
  compile: (_check, target) =>
    countsMetric(
      target,
      (name) =>
        target.plan.threshold?.unit === "percent"
          ? `the share of different values of ${name}`
          : `the number of different values of ${name}`,
      ["value", "percent"],
      (counts, unit) => shareOfValues(counts.lengths.length, counts, unit),
    ),
};

/** The share of values that stand only once. */
export const uniquenessKind: MetricKind<"uniqueness"> = {
  family: "uniqueness",
  compile: (_check, target) =>
    countsMetric(
      target,
      (name) => (target.plan.threshold?.unit === "rows" ? `the number of values of ${name} that stand once` : `the uniqueness of ${name}`),
      ["percent", "rows"],
      (counts, unit) =>
        shareOfValues(
          counts.counts.reduce((singles, count) => singles + (count === 1 ? 1 : 0), 0),
          counts,
          unit,
        ),
    ),
};

/** The share of the commonest value among all values. */
export const mostCommonKind: MetricKind<"mostCommon"> = {
  family: "mostCommon",
  compile: (_check, target) =>
    countsMetric(
      target,
      (name) => `the ${target.plan.threshold?.unit === "rows" ? "number of rows with" : "share of"} the commonest value of ${name}`,
      ["percent", "rows"],
      ({ level, counts, total }, unit) => {
        if (level > 0) return { measure: null, why: tooMany };
        const most = counts.reduce((best, count) => Math.max(best, count), 0);
        return { measure: unit === "rows" ? wholeMeasure(most) : fractionMeasure(BigInt(most) * 100n, BigInt(total)) };
      },
    ),
};

/** Shannon entropy of the values, in bits: 0 where all are equal, log2(n) where all n differ. */
export const entropyKind: MetricKind<"entropy"> = {
  family: "entropy",
  compile: (_check, target) =>
    countsMetric(
      target,
      (name) => `the entropy of ${name}`,
      ["value"],
      ({ level, counts, total }) => {
        if (level > 0) return { measure: null, why: tooMany };
        // In the order of the counts, so that neither the cut into batches nor merging changes a digit.
        const sum = counts.toSorted().reduce((bits, count) => bits + count * Math.log2(count), 0);
        return { measure: doubleMeasure(Math.max(0, Math.log2(total) - sum / total)) };
      },
    ),
};
