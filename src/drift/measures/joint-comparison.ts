import type { ColumnProfile, JointMoments } from "../../core/profile.ts";
import { productPlace } from "../../sketches/watched/joint-columns.ts";
import type { DriftSkip } from "../drift-test.ts";
import { refuseComparison } from "./comparable.ts";

/** Joint moments of the same columns on both sides. */
export interface JointPair {
  readonly before: JointMoments;
  readonly now: JointMoments;
}

function jointCount(column: ColumnProfile): number {
  return column.watched?.joint?.count ?? 0;
}

/** The joint moments of two profiles of a column, or why they can't be compared. */
export function jointPair(name: "correlation" | "joint-mean", baseline: ColumnProfile, sample: ColumnProfile): JointPair | DriftSkip {
  const refused = refuseComparison(name, baseline, sample, jointCount);
  if (refused !== null) return refused;
  const [before, now] = [baseline.watched?.joint as JointMoments, sample.watched?.joint as JointMoments];
  if (before.columns.join("\n") !== now.columns.join("\n")) return { skipped: "the baseline has other columns together" };
  return { before, now };
}

/** The standard deviations of the columns of joint moments. */
export function jointDeviations({ columns, count, products }: JointMoments): readonly number[] {
  return columns.map((_, i) => Math.sqrt((products[productPlace(columns.length, i, i)] as number) / (count - 1)));
}

/** Pearson's correlation of two columns; 0 where one does not vary. */
export function correlationOf({ columns, products }: JointMoments, first: number, second: number): number {
  const at = (i: number, j: number): number => products[productPlace(columns.length, Math.min(i, j), Math.max(i, j))] as number;
  const scale = Math.sqrt(at(first, first)) * Math.sqrt(at(second, second));
  return scale > 0 && Number.isFinite(scale) ? Math.max(-1, Math.min(1, at(first, second) / scale)) : 0;
}
