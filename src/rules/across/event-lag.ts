import { Cell } from "../../core/column.ts";
import { locate, resolveRowPath } from "../column-path.ts";
import type { MetricKind } from "../metrics/metric-family.ts";
import type { Metric } from "../metrics/metric.ts";
import { noValues } from "../metrics/number-cells.ts";
import { mergeQuantileValues, QuantileValues, readingOf, type Quantiles } from "../metrics/quantile.ts";
import { invalidRule } from "../rule-family.ts";

/** A quantile of the seconds from when something happened (a column of instants) to the timestamp of its record; records without a timestamp do not count. */
export const eventLagKind: MetricKind<"eventLag"> = {
  family: "eventLag",
  compile({ q }, target): Metric {
    const path = resolveRowPath(target.fields, target.plan.path, target.plan);
    const { type } = path.field;
    if (type.kind !== "timestamp" || !type.zoned)
      throw invalidRule(target.plan, "a lag needs a column of instants (timestamps with a time zone)");
    if (!(q >= 0 && q <= 1)) throw invalidRule(target.plan, `${q} is no share from 0 to 1`);
    const metric: Metric<Quantiles> = {
      subject: `the ${q === 0.5 ? "median" : `${q} quantile`} of the seconds from ${path.field.path} to the record`,
      masked: path.masked,
      units: ["value"],
      open: () => {
        const values = new QuantileValues();
        return {
          add: (batch, applies) => {
            const { column } = locate(batch, path);
            if (column.kind !== "integer") return;
            const { timestamps } = batch.records;
            for (let row = 0; row < batch.rows; row++) {
              const at = Number(timestamps[row]);
              if (applies[row] === 0 || column.state[row] !== Cell.value || at < 0) continue;
              if (type.unit === "nanos") values.push(Number(BigInt(at) * 1_000_000n - (column.exact[row] as bigint)) / 1e9);
              else values.push((at * 1000 - (column.values[row] as number)) / 1e6);
            }
          },
          state: () => values.state(),
        };
      },
      merge: mergeQuantileValues,
      read: (state) => readingOf(state, q) ?? { measure: null, why: noValues(path.field.path) },
    };
    return metric;
  },
};
