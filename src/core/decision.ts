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
  /** Of a rollback: rows that main no longer has. Absent elsewhere. */
  readonly withdrawn?: number;
}

/** How a person moved main: which commits a rollback withdrew, or a roll-forward brought back. */
export interface MovedMain {
  /** The rollback's own snapshot. A roll-forward names the rollback that it undoes. */
  readonly rollback: string;
  /** Where main stood before the rollback, and the snapshot whose content it went back to. */
  readonly from: string;
  readonly to: string;
  /** The commits by their sequence numbers, decimal text, both ends included, ascending. */
  readonly sequences: readonly { readonly first: string; readonly last: string }[];
  /** How many windows and replays had put rows there. */
  readonly windows: number;
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
  /**
   * Quarantine replays are windows too, and so is a person's answer to a held window: its rows end elsewhere by it, under an id of its own. A rollback of
   * main and its undoing (`withdraw`, `restore`) read no records: `moved` says whose rows they are about.
   */
  readonly kind: "window" | "replay" | "publish" | "drop" | "withdraw" | "restore";
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  /** Why the window closed. */
  readonly closedBy: "rows" | "bytes" | "seconds" | "contract" | "revoke" | "end" | "replay" | "person";
  readonly contract: { readonly id: string; readonly version: string; readonly hash: string };
  readonly ranges: readonly OffsetRange[];
  readonly counts: RecordCounts;
  readonly rules: readonly RuleOutcome[];
  /** Of the rows that passed, by field path. */
  readonly profile: { readonly rows: number; readonly columns: readonly ColumnSummary[]; readonly hash: string | null };
  readonly drift: DriftOutcome;
  readonly verdict: Verdict;
  readonly causes: readonly Cause[];
  readonly moved?: MovedMain;
  readonly worker: string;
  /** Version of Sluice. */
  readonly producer: string;
}
