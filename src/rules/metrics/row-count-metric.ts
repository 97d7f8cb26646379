import { wholeMeasure } from "./measure.ts";
import type { Metric } from "./metric.ts";

/** The number of rows, as a part of ratios. */
export function rowCountMetric(): Metric {
  const metric: Metric<number> = {
    subject: "the number of rows",
    masked: false,
    units: ["value"],
    open: () => {
      let rows = 0;
      return {
        add: (batch, applies) => {
          for (let row = 0; row < batch.rows; row++) rows += applies[row] as number;
        },
        state: () => rows,
      };
    },
    merge: (a, b) => a + b,
    read: (rows) => ({ measure: wholeMeasure(rows) }),
  };
  return metric;
}
