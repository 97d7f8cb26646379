import { epochText } from "../../core/civil.ts";
import type { MeasuredOf } from "../../core/rule.ts";
import { unscaledAt } from "../cell-text.ts";
import type { RuleTarget } from "../rule-family.ts";
import { doubleMeasure, fractionMeasure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric } from "./metric.ts";
import { noValues, NumberGatherer, numberColumn, timeWords, type NumberCells } from "./number-cells.ts";

/** The extreme so far: its nearest double, and for whole numbers and decimals itself (unscaled). */
interface Extreme {
  readonly value: number;
  readonly exact: bigint | null;
}

function exactAt({ column }: NumberCells, row: number): bigint | null {
  if (column.kind === "integer") return column.exact[row] as bigint;
  return column.kind === "decimal" ? unscaledAt(column, row) : null;
}

function extremeMetric(family: "min" | "max", of: MeasuredOf, target: RuleTarget): Metric<Extreme | null> {
  const source = numberColumn(target, target.plan.path, of, "with times");
  const sign = family === "max" ? 1 : -1;
  const { type } = source.path.field;
  const words = of === "value" ? timeWords(type) : undefined;
  /** Equal doubles may be different numbers. */
  const beyond = (a: Extreme, b: Extreme): boolean => {
    if (a.value !== b.value) return (a.value - b.value) * sign > 0;
    return a.exact !== null && b.exact !== null && (sign > 0 ? a.exact > b.exact : a.exact < b.exact);
  };
  return {
    subject: `the ${family === "max" ? "greatest" : "least"} ${of === "length" ? "length" : "value"} of ${source.path.field.path}`,
    masked: source.path.masked,
    units: ["value"],
    open: () => {
      const gatherer = new NumberGatherer(source);
      let best: Extreme | null = null;
      return {
        add: (batch, applies) => {
          const cells = gatherer.gather(batch, applies);
          const { rows, values, count } = cells;
          for (let i = 0; i < count; i++) {
            const value = values[i] as number;
            if (best !== null && (value - best.value) * sign < 0) continue;
            const candidate: Extreme = { value, exact: of === "length" ? null : exactAt(cells, rows[i] as number) };
            if (best === null || beyond(candidate, best)) best = candidate;
          }
        },
        state: () => best,
      };
    },
    merge: (a, b) => (a === null ? b : b === null || !beyond(b, a) ? a : b),
    read: (state) => {
      if (state === null) return { measure: null, why: noValues(source.name) };
      if (state.exact === null) return { measure: doubleMeasure(state.value) };
      return { measure: fractionMeasure(state.exact, type.kind === "decimal" ? 10n ** BigInt(type.scale) : 1n) };
    },
    ...(words === undefined ? {} : { words }),
    // A double does not tell one nanosecond from the next.
    ...(type.kind === "timestamp" && { exactWords: (value: bigint) => epochText(type, value) }),
  };
}

/** The least value of a column (or length of its texts), exactly. */
export const minKind: MetricKind<"min"> = { family: "min", compile: (check, target) => extremeMetric("min", check.of, target) };

/** The greatest value of a column (or length of its texts), exactly. */
export const maxKind: MetricKind<"max"> = { family: "max", compile: (check, target) => extremeMetric("max", check.of, target) };
