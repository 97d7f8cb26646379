import type { DriftSuspect, DriftTestName } from "../core/drift.ts";
import type { ColumnProfile } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";

/** How far a sample is from the baseline in one column. */
export interface DriftMeasure {
  /** The effect size, in the test's unit. */
  readonly statistic: number;
  /** The statistic as a sum of squares: it is about a scaled chi-squared variable where nothing drifts. */
  readonly energy: number;
  /** What `energy` is on average by chance alone, at these sample sizes and sketch errors. */
  readonly expected: number;
  /** Degrees of freedom of `energy`. */
  readonly freedom: number;
  /** What changed, for people; values only if the column is not classified. */
  readonly explain: () => string;
  /** Which cells show it; null, as where it is absent: what changed is not in single cells, or is gone. */
  readonly suspect?: () => DriftSuspect | null;
}

/** Why a column could not be measured, in plain words. */
export interface DriftSkip {
  readonly skipped: string;
}

/** The large parts of a column's profile that tests read: `shares` are the quantiles of numbers, and the frequent values of all else. */
export const sketchParts = ["shares", "quantiles", "top", "distinct"] as const;
export type SketchPart = (typeof sketchParts)[number];

/** One drift test of the registry: a pure function of two column profiles. */
export interface DriftTest {
  /** The name that contracts use. */
  readonly name: DriftTestName;
  /** What it reads besides counts, moments and what is watched for it: a baseline keeps nothing else. Absent: all. */
  readonly reads?: readonly SketchPart[];
  /** Effect size from which on a change matters, unless the contract says otherwise. */
  readonly limitDefault: number;
  /** The statistic that an energy stands for (the inverse of a measure's `energy`). */
  readonly statisticOf: (energy: number) => number;
  readonly energyOf: (statistic: number) => number;
  readonly measure: (baseline: ColumnProfile, sample: ColumnProfile, field: Field) => DriftMeasure | DriftSkip;
}
