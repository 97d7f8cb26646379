import { doubleMeasure } from "../metrics/measure.ts";
import type { MetricKind } from "../metrics/metric-family.ts";
import type { Metric } from "../metrics/metric.ts";

/** How many rows, and what time their records' timestamps span (milliseconds since the epoch); null where none has one. */
interface Volume {
  readonly rows: number;
  readonly span: { readonly from: number; readonly to: number } | null;
}

/** Below this the rate would be one of the clock's own steps. */
const spanMsMin = 1000;

/**
 * Rows a minute by the records' own timestamps, not by the clock of whoever reads: a backlog that is read in seconds has the rate at which it was written, and a
 * window that was closed early has the rate of the time that it covers.
 */
export const volumeKind: MetricKind<"volume"> = {
  family: "volume",
  compile(): Metric {
    const metric: Metric<Volume> = {
      subject: "the number of rows a minute",
      masked: false,
      units: ["value"],
      open: () => {
        let rows = 0;
        let from = Infinity;
        let to = -Infinity;
        return {
          add: ({ records, rows: count }, applies) => {
            for (let row = 0; row < count; row++) {
              if (applies[row] === 0) continue;
              rows++;
              const at = Number(records.timestamps[row]);
              if (at < 0) continue;
              if (at < from) from = at;
              if (at > to) to = at;
            }
          },
          state: () => ({ rows, span: to < 0 ? null : { from, to } }),
        };
      },
      merge: (a, b) => ({
        rows: a.rows + b.rows,
        span:
          a.span === null || b.span === null
            ? (a.span ?? b.span)
            : { from: Math.min(a.span.from, b.span.from), to: Math.max(a.span.to, b.span.to) },
      }),
      read: ({ rows, span }) => {
        if (span === null) return { measure: null, why: "its records have no timestamps" };
        const ms = span.to - span.from;
        if (ms < spanMsMin) return { measure: null, why: "its records' timestamps span less than a second: too short for a rate" };
        return { measure: doubleMeasure((rows / ms) * 60_000) };
      },
    };
    return metric;
  },
};
