import { isMasked } from "../../core/schema.ts";
import type { DriftTest } from "../drift-test.ts";
import type { JointPair } from "./joint-comparison.ts";
import { correlationOf, jointPair } from "./joint-comparison.ts";
import { meanLargestSquare } from "./l-infinity.ts";

/** Correlations are taken to be at most this: Fisher's transformation of 1 is infinite. */
const correlationMost = 0.9999;

/** The pair of columns whose correlation changed most, in Fisher's z. */
interface ChangedPair {
  readonly names: readonly [string, string];
  readonly before: number;
  readonly now: number;
  readonly change: number;
}

function pairsOf({ before, now }: JointPair): readonly ChangedPair[] {
  const { columns } = before;
  return columns.flatMap((first, i) =>
    columns.slice(i + 1).map((second, rest): ChangedPair => {
      const j = i + 1 + rest;
      const [usual, current] = [correlationOf(before, i, j), correlationOf(now, i, j)];
      return { names: [first, second], before: usual, now: current, change: Math.abs(fisher(current) - fisher(usual)) };
    }),
  );
}

function fisher(correlation: number): number {
  return Math.atanh(Math.max(-correlationMost, Math.min(correlationMost, correlation)));
}

/**
 * The largest change of the correlation of any two of several columns, in Fisher's z (the inverse hyperbolic tangent, 1921): near 0, .2 is a change by .2. By chance each z has
 * the variance 1/(n - 3) + 1/(m - 3) if the columns are normal; heavy tails have more, as the baseline's windows show.
 */
export const correlation: DriftTest = {
  name: "correlation",
  reads: [],
  limitDefault: 0.2,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const joint = jointPair("correlation", baseline, sample);
    if ("skipped" in joint) return joint;
    const pairs = pairsOf(joint);
    if (pairs.length === 0) return { skipped: "no other column is named to correlate with" };
    const most = pairs.reduce((best, pair) => (pair.change > best.change ? pair : best));
    const variance = 1 / (joint.before.count - 3) + 1 / (joint.now.count - 3);
    const expected = meanLargestSquare(pairs.map(() => variance));
    const explain = (): string => {
      if (isMasked(field)) return "a correlation with another column changed (figures withheld: the column is classified)";
      return `the correlation of ${most.names.join(" and ")} went from ${most.before.toFixed(2)} to ${most.now.toFixed(2)}`;
    };
    return { statistic: most.change, energy: most.change ** 2, expected, freedom: expected / variance, explain };
  },
};
