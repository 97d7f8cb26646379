import type { DriftTestName } from "./drift.ts";
import type { ColumnProfile } from "./profile.ts";

type Kind = ColumnProfile["kind"];

const numbers: readonly Kind[] = ["number", "time"];
const texts: readonly Kind[] = ["text", "binary"];
const shares: readonly Kind[] = ["number", "time", "text", "boolean"];
const values: readonly Kind[] = ["number", "time", "text", "boolean", "binary", "uuid"];

/** The kinds of columns that a drift test can judge; the lint names tests that can't judge the column they stand at. */
export const driftTestKinds: Readonly<Record<DriftTestName, readonly Kind[]>> = {
  psi: shares,
  "jensen-shannon": shares,
  hellinger: shares,
  "chi-squared": shares,
  ks: numbers,
  wasserstein: numbers,
  mean: numbers,
  stdev: numbers,
  range: numbers,
  "l-infinity": values,
  "new-values": values,
  "vanished-values": values,
  distinct: values,
  length: texts,
  "null-share": [...values, "json"],
  "missing-share": [...values, "json"],
  "pattern-mix": ["text"],
  "event-lag": ["time"],
  volume: [...values, "json"],
  correlation: numbers,
  "joint-mean": numbers,
  "new-fields": ["json"],
  "missing-fields": ["json"],
  "retyped-fields": ["json"],
  "error-rate": ["number"],
  "mean-absolute-error": ["number"],
};
