import type { Field } from "../../core/schema.ts";
import { isMasked } from "../../core/schema.ts";
import type { DriftTest } from "../drift-test.ts";
import { symmetricEigen } from "../symmetric-eigen.ts";
import type { JointPair } from "./joint-comparison.ts";
import { correlationOf, jointDeviations, jointPair } from "./joint-comparison.ts";

/** Principal components with less than this part of a column's variance are rounding, or follow from the others. */
const componentLeast = 1e-6;

/** How far the means of several columns moved together. */
interface JointMove {
  /** Squared Mahalanobis distance of the means. */
  readonly square: number;
  /** Components that vary. */
  readonly rank: number;
  /** Move of each column, in its own standard deviations. */
  readonly moves: readonly number[];
}

function moveOf({ before, now }: JointPair): JointMove {
  const deviations = jointDeviations(before);
  const moves = deviations.map((deviation, i) =>
    deviation > 0 ? ((now.means[i] as number) - (before.means[i] as number)) / deviation : 0,
  );
  const correlations = moves.map((_, i) => moves.map((_each, j) => (i === j ? 1 : correlationOf(before, i, j))));
  const { values, vectors } = symmetricEigen(correlations);
  let [square, rank] = [0, 0];
  values.forEach((value, i) => {
    if (value < componentLeast) return;
    const along = (vectors[i] as readonly number[]).reduce((sum, part, j) => sum + part * (moves[j] as number), 0);
    square += along ** 2 / value;
    rank++;
  });
  return { square, rank, moves };
}

/**
 * How far the means of several columns moved together, in standard deviations along the baseline's principal components (Mahalanobis 1936; times the sample
 * size, Hotelling's T squared): a move that is small in each column and seldom in their combination is large here.
 */
export const jointMean: DriftTest = {
  name: "joint-mean",
  reads: [],
  limitDefault: 0.3,
  statisticOf: (energy) => Math.sqrt(energy),
  energyOf: (statistic) => statistic * statistic,
  measure: (baseline, sample, field) => {
    const joint = jointPair("joint-mean", baseline, sample);
    if ("skipped" in joint) return joint;
    if (![...joint.before.means, ...joint.now.means, ...jointDeviations(joint.before)].every(Number.isFinite)) {
      return { skipped: "the columns' squares are beyond a double" };
    }
    const { square, rank, moves } = moveOf(joint);
    const expected = rank * (1 / joint.before.count + 1 / joint.now.count);
    return { statistic: Math.sqrt(square), energy: square, expected, freedom: rank, explain: () => explainMove(joint, moves, field) };
  },
};

const columnsNamed = 3;

function explainMove({ before, now }: JointPair, moves: readonly number[], field: Field): string {
  if (isMasked(field)) return "the means of this and other columns moved together (figures withheld: the column is classified)";
  const named = before.columns
    .map((name, i) => ({ name, move: moves[i] as number, from: before.means[i] as number, to: now.means[i] as number }))
    .toSorted((a, b) => Math.abs(b.move) - Math.abs(a.move))
    .slice(0, columnsNamed)
    .map(({ name, move, from, to }) => `${name} from ${plain(from)} to ${plain(to)} (${plain(move)} standard deviations)`);
  return `the means of ${before.columns.join(", ")} moved in a combination that is unusual for them: ${named.join(", ")}`;
}

function plain(value: number): number {
  return Number(value.toPrecision(3));
}
