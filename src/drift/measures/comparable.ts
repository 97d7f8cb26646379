import type { DriftTestName } from "../../core/drift.ts";
import { driftTestKinds } from "../../core/drift-test-kinds.ts";
import type { ColumnProfile } from "../../core/profile.ts";
import type { DriftSkip } from "../drift-test.ts";

/** Fewer values than this on either side are not compared. */
export const valuesLeast = 30;

/** Why a test can't compare two profiles of a column; null where it can. `countOf` tells how many values of a profile it works on. */
export function refuseComparison(
  name: DriftTestName,
  baseline: ColumnProfile,
  sample: ColumnProfile,
  countOf: (column: ColumnProfile) => number,
): DriftSkip | null {
  if (baseline.kind !== sample.kind) return { skipped: `the column was ${baseline.kind} in the baseline and is ${sample.kind} now` };
  if (!driftTestKinds[name].includes(baseline.kind)) return { skipped: `${name} does not judge ${baseline.kind} columns` };
  const few = Math.min(countOf(baseline), countOf(sample));
  return few < valuesLeast ? { skipped: `${few} values are too few to compare; ${valuesLeast} are needed` } : null;
}

/** How many of a column's values its quantiles and moments are of. */
export function numberCount(column: ColumnProfile): number {
  return column.quantiles?.count ?? 0;
}

/** How many values a column's most frequent ones are counted among. */
export function topCount(column: ColumnProfile): number {
  return column.top?.total ?? 0;
}
