import type { Batch } from "../../core/batch.ts";
import type { Threshold } from "../../core/rule.ts";
import type { Measure } from "./measure.ts";

/** A metric at work on one window; batches come in order. */
export interface MetricFold<S> {
  /** Takes in the rows with `applies` 1. */
  add(batch: Batch, applies: Uint8Array): void;
  /** Plain values that no later `add` changes. */
  state(): S;
}

/** What a state says: a number, with words behind it and a remark on it; or why there is none. */
export type Reading =
  | { readonly measure: Measure; readonly detail?: string; readonly note?: string }
  | { readonly measure: null; readonly why: string };

/** A number of a window's rows that is computed of mergeable states (Schelter et al. 2018, "Automating large-scale data quality verification"). */
export interface Metric<S = unknown> {
  /** What is measured, as a sentence begins: `the mean of fare`. */
  readonly subject: string;
  /** Whether the number tells of single values of a classified column. */
  readonly masked: boolean;
  /** The units that it can be judged in, the usual one first. */
  readonly units: readonly Threshold["unit"][];
  open(): MetricFold<S>;
  /** The state of all rows of both; neither is changed. */
  merge(a: S, b: S): S;
  read(state: S, unit: Threshold["unit"]): Reading;
  /** Where not one number is judged but several: each with its name. */
  readEach?(state: S, unit: Threshold["unit"]): readonly { readonly name: string; readonly measure: Measure }[];
  /** A number of it as people write it; none: as a number. */
  readonly words?: (value: number) => string;
  /** The same of a whole number that is beyond what a double tells. */
  readonly exactWords?: (value: bigint) => string;
}
