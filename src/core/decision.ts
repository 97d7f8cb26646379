import type { DriftOutcome } from "./drift.ts";
import type { OffsetRange } from "./position.ts";
import type { ColumnSummary } from "./profile.ts";
import type { RuleOutcome } from "./rule.ts";

export type Verdict = "promote" | "promote-and-quarantine-rows" | "hold" | "stop";

/** How many records of a window ended where. The sum is `records`. */
export interface RecordCounts {
  readonly records: number;
  readonly promoted: number;
  readonly quarantined: number;
  readonly held: number;
  /** By policy. */
  readonly skipped: { readonly tombstone: number; readonly late: number };
}

/** Why the verdict is not a plain promote: one entry a cause, for people. */
export interface Cause {
  readonly kind: "rule" | "tolerance" | "threshold" | "drift" | "policy";
  /** The rule's id, or the drifted column. */
  readonly subject: string;
  readonly message: string;
}

/** The immutable result of one window. `schemas/decision.schema.json` describes its JSON form. */
export interface Decision {
  readonly format: "sluice.decision/1";
  readonly dataset: string;
  readonly windowId: string;
  /** Quarantine replays are windows too, and so is a person's answer to a held window: its rows end elsewhere by it, under an id of its own. */
  readonly kind: "window" | "replay" | "publish" | "drop";
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  /** Why the window closed. */
  readonly closedBy: "rows" | "bytes" | "seconds" | "contract" | "revoke" | "end" | "replay";
  readonly contract: { readonly id: string; readonly version: string; readonly hash: string };
  readonly ranges: readonly OffsetRange[];
  readonly counts: RecordCounts;
  readonly rules: readonly RuleOutcome[];
  /** Of the rows that passed, by field path. */
  readonly profile: { readonly rows: number; readonly columns: readonly ColumnSummary[]; readonly hash: string | null };
  readonly drift: DriftOutcome;
  readonly verdict: Verdict;
  readonly causes: readonly Cause[];
  readonly worker: string;
  /** Version of Sluice. */
  readonly producer: string;
}
