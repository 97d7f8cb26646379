import type { Batch } from "../../core/batch.ts";
import { Cell } from "../../core/column.ts";
import { locate, resolveRowPath, type ColumnPath } from "../column-path.ts";
import type { RuleTarget } from "../rule-family.ts";
import { fractionMeasure, wholeMeasure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric, Reading } from "./metric.ts";
import { noValues, NumberGatherer, numberColumn } from "./number-cells.ts";
import type { Threshold } from "../../core/rule.ts";

/** A part of a whole, both counted. */
export interface Share {
  readonly part: number;
  readonly whole: number;
}

/** A share in percent, or its part in rows. */
export function readShare({ part, whole }: Share, unit: Threshold["unit"], why: string): Reading {
  if (whole === 0) return { measure: null, why };
  return { measure: unit === "rows" ? wholeMeasure(part) : fractionMeasure(BigInt(part) * 100n, BigInt(whole)) };
}

/** Counts over one batch, added to those of earlier ones. */
type Count = (batch: Batch, applies: Uint8Array) => Share;

/** What is counted: `values of fare`, of which `zeros`. */
function shareMetric(
  target: RuleTarget,
  names: { readonly share: string; readonly part: string },
  why: string,
  count: () => Count,
): Metric {
  const metric: Metric<Share> = {
    subject: target.plan.threshold?.unit === "rows" ? `the number of ${names.part}` : names.share,
    masked: false,
    units: ["percent", "rows"],
    open: () => {
      const counted = count();
      let state: Share = { part: 0, whole: 0 };
      return {
        add: (batch, applies) => {
          const { part, whole } = counted(batch, applies);
          state = { part: state.part + part, whole: state.whole + whole };
        },
        state: () => state,
      };
    },
    merge: (a, b) => ({ part: a.part + b.part, whole: a.whole + b.whole }),
    read: (state, unit) => readShare(state, unit, why),
  };
  return metric;
}

function countComplete(path: ColumnPath, batch: Batch, applies: Uint8Array): Share {
  const { state } = locate(batch, path).column;
  let part = 0;
  let whole = 0;
  for (let row = 0; row < batch.rows; row++) {
    if (applies[row] === 0) continue;
    whole++;
    if (state[row] === Cell.value) part++;
  }
  return { part, whole };
}

/** The share of rows in which a column has a value; null, missing and invalid cells have none. */
export const completenessKind: MetricKind<"completeness"> = {
  family: "completeness",
  compile(_check, target) {
    const path = resolveRowPath(target.fields, target.plan.path, target.plan);
    const name = path.field.path;
    const names = { share: `the completeness of ${name}`, part: `values of ${name}` };
    return shareMetric(target, names, "the window has no rows for it", () => (batch, applies) => countComplete(path, batch, applies));
  },
};

function numberShare(target: RuleTarget, noun: string, counts: (value: number) => boolean): Metric {
  const source = numberColumn(target, target.plan.path, "value", "without times");
  const part = `${noun} in ${source.name}`;
  return shareMetric(target, { share: `the share of ${part}`, part }, noValues(source.name), () => {
    const gatherer = new NumberGatherer(source);
    return (batch, applies) => {
      const { values, count } = gatherer.gather(batch, applies);
      let part = 0;
      for (let i = 0; i < count; i++) if (counts(values[i] as number)) part++;
      return { part, whole: count };
    };
  });
}

/** The share of zeros among a column's values. */
export const zerosKind: MetricKind<"zeros"> = {
  family: "zeros",
  // The nearest double of a decimal or whole number is zero only for zero.
  compile: (_check, target) => numberShare(target, "zeros", (value) => value === 0),
};

/** The share of numbers below zero among a column's values. */
export const negativesKind: MetricKind<"negatives"> = {
  family: "negatives",
  compile: (_check, target) => numberShare(target, "negative numbers", (value) => value < 0),
};
