import type { EncodedFile } from "../core/encoded-file.ts";
import type { IpcMessage } from "../core/ipc-message.ts";
import type { ColumnSummary } from "../core/profile.ts";
import type { Reason, RuleOutcome } from "../core/rule.ts";

/** What is known of rows as soon as they are judged; some may still fall when their window closes. */
export interface JudgedRows {
  readonly rows: number;
  /** Rows that gave no columns. */
  readonly faults: number;
  readonly rejected: number;
  /** The latest timestamp of the records in milliseconds; -1 where none has one. */
  readonly newestTimestampMs: number;
  readonly timings: StepTimings;
  /** Why parts of the contract are not compiled though that was asked for; null where all are. */
  readonly fallback: string | null;
}

/** Milliseconds of work. */
export interface StepTimings {
  readonly decodeMs: number;
  readonly validateMs: number;
  readonly profileMs: number;
  readonly encodeMs: number;
}

/** Every row of a closed window in its place: passed, rejected with all its reasons, or skipped by a policy. Rows count from the window's first record. */
export interface SettledRows {
  /** One a rule, of the whole window. */
  readonly outcomes: readonly RuleOutcome[];
  readonly passedRows: number;
  readonly rejected: readonly RejectedWindowRow[];
  /** Rows skipped by a policy, ascending. */
  readonly skipped: readonly SkippedWindowRow[];
  readonly profile: SettledProfile;
  /** The rows that passed, a file a partition; none where there are none, or where no file was asked for. */
  readonly files: readonly EncodedFile[];
  /** The same rows as record batches of Arrow, in order; absent where they were not asked for. */
  readonly arrow?: readonly IpcMessage[];
}

export interface RejectedWindowRow {
  readonly row: number;
  readonly reasons: readonly Reason[];
}

export interface SkippedWindowRow {
  readonly row: number;
  readonly policy: "tombstone" | "late";
}

/** Profile of the rows that passed, in its stored form and as a decision shows it. */
export interface SettledProfile {
  readonly rows: number;
  readonly columns: readonly ColumnSummary[];
  readonly bytes: Uint8Array;
}
