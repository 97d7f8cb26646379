import { doubleMeasure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric } from "./metric.ts";
import { NumberGatherer, numberColumn } from "./number-cells.ts";

/** Count, mean and sum of squared deviations. */
interface Deviations {
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
}

function mergeDeviations(a: Deviations, b: Deviations): Deviations {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const delta = b.mean - a.mean;
  return { count, mean: a.mean + delta * (b.count / count), m2: a.m2 + b.m2 + delta * delta * ((a.count / count) * b.count) };
}

/** The sample standard deviation (divisor n - 1), in doubles: row by row by Welford (1962), states merged by Chan et al. (1979). */
export const stdevKind: MetricKind<"stdev"> = {
  family: "stdev",
  compile(check, target): Metric {
    const source = numberColumn(target, target.plan.path, check.of, "without times");
    const metric: Metric<Deviations> = {
      subject: `the standard deviation of ${source.name}`,
      masked: source.path.masked,
      units: ["value"],
      open: () => {
        const gatherer = new NumberGatherer(source);
        let count = 0;
        let mean = 0;
        let m2 = 0;
        return {
          add: (batch, applies) => {
            const cells = gatherer.gather(batch, applies);
            for (let i = 0; i < cells.count; i++) {
              const value = cells.values[i] as number;
              const delta = value - mean;
              mean += delta / ++count;
              m2 += delta * (value - mean);
            }
          },
          state: () => ({ count, mean, m2 }),
        };
      },
      merge: mergeDeviations,
      read: ({ count, m2 }) => {
        if (count < 2) return { measure: null, why: `${source.name} has fewer than two values in the window` };
        if (!Number.isFinite(m2))
          return { measure: null, why: `values of ${source.name} are so far apart that their squares are no doubles` };
        return { measure: doubleMeasure(Math.sqrt(Math.max(0, m2) / (count - 1))) };
      },
    };
    return metric;
  },
};
