import type { Decision } from "./decision.ts";

/** One commit of a dataset's main branch, oldest first as `history` gives them: the log that every outbox and fold reads. */
export interface CommittedWindow {
  /** Orders commits of one dataset; a cursor. Iceberg's sequence number. */
  readonly sequence: bigint;
  readonly snapshotId: string;
  readonly committedAtMs: number;
  readonly decision: Decision;
  readonly decisionHash: string;
  readonly quarantineSnapshotId: string | null;
  /** Whether what it put on main stands there no more, as of when the walk began: it was rolled back, and not brought back since. */
  readonly isWithdrawn: boolean;
  /** The held window that it publishes or drops, and who said so; absent: none. */
  readonly answer?: { readonly heldWindowId: string; readonly author: string; readonly reason: string };
}
