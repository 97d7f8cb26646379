import { invalidRule } from "../rule-family.ts";
import { doubleMeasure } from "./measure.ts";
import type { MetricKind } from "./metric-family.ts";
import type { Metric } from "./metric.ts";
import { NumberGatherer, numberColumn } from "./number-cells.ts";

/** Moments of pairs: means, sums of squared deviations and of their products. */
interface PairMoments {
  readonly count: number;
  readonly meanX: number;
  readonly meanY: number;
  readonly m2X: number;
  readonly m2Y: number;
  readonly product: number;
}

function mergePairs(a: PairMoments, b: PairMoments): PairMoments {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const dx = b.meanX - a.meanX;
  const dy = b.meanY - a.meanY;
  const weight = (a.count / count) * b.count;
  return {
    count,
    meanX: a.meanX + dx * (b.count / count),
    meanY: a.meanY + dy * (b.count / count),
    m2X: a.m2X + b.m2X + dx * dx * weight,
    m2Y: a.m2Y + b.m2Y + dy * dy * weight,
    product: a.product + b.product + dx * dy * weight,
  };
}

/** Pearson's correlation of two columns, over rows in which both have a value; in doubles (Welford row by row, merged as by Chan et al.). */
export const correlationKind: MetricKind<"correlation"> = {
  family: "correlation",
  compile(check, target): Metric {
    const x = numberColumn(target, check.left, "value", "with times");
    const y = numberColumn(target, check.right, "value", "with times");
    if (x.name === y.name) throw invalidRule(target.plan, `${x.name} is the same column twice`);
    const metric: Metric<PairMoments> = {
      subject: `the correlation of ${x.name} and ${y.name}`,
      masked: x.path.masked || y.path.masked,
      units: ["value"],
      open: () => {
        const [left, right] = [new NumberGatherer(x), new NumberGatherer(y)];
        let pairs: PairMoments = { count: 0, meanX: 0, meanY: 0, m2X: 0, m2Y: 0, product: 0 };
        return {
          add: (batch, applies) => {
            const [a, b] = [left.gather(batch, applies), right.gather(batch, applies)];
            let { count, meanX, meanY, m2X, m2Y, product } = pairs;
            for (let i = 0, j = 0; i < a.count; i++) {
              const row = a.rows[i] as number;
              while (j < b.count && (b.rows[j] as number) < row) j++;
              if (j === b.count) break;
              if (b.rows[j] !== row) continue;
              const [vx, vy] = [a.values[i] as number, b.values[j] as number];
              count++;
              const dx = vx - meanX;
              const dy = vy - meanY;
              meanX += dx / count;
              meanY += dy / count;
              m2X += dx * (vx - meanX);
              m2Y += dy * (vy - meanY);
              product += dx * (vy - meanY);
            }
            pairs = { count, meanX, meanY, m2X, m2Y, product };
          },
          state: () => pairs,
        };
      },
      merge: mergePairs,
      read: ({ count, m2X, m2Y, product }) => {
        if (count < 2) return { measure: null, why: `fewer than two rows have values of both ${x.name} and ${y.name}` };
        if (![m2X, m2Y, product].every(Number.isFinite)) {
          return { measure: null, why: `values of ${x.name} or ${y.name} are so far apart that their squares are no doubles` };
        }
        const size = Math.sqrt(m2X) * Math.sqrt(m2Y);
        if (!(size > 0)) return { measure: null, why: `${m2X > 0 ? y.name : x.name} is the same in all rows, so there is no correlation` };
        return { measure: doubleMeasure(Math.min(1, Math.max(-1, product / size))) };
      },
    };
    return metric;
  },
};
