export interface SnapshotInfo {
  readonly snapshotId: string;
  readonly parentId: string | null;
  readonly sequence: bigint;
  readonly committedAtMs: number;
  readonly operation: string;
  readonly refs: readonly string[];
  readonly summary: Readonly<Record<string, string>>;
  /** Whether it was a version of main that a rollback took back. */
  readonly isWithdrawn: boolean;
}

/** A snapshot that a table has, or had once: the ledger keeps what those that expired said of themselves. */
export interface PastSnapshot extends SnapshotInfo {
  /** Whether the table has it no more: its rows can't be read. */
  readonly isExpired: boolean;
}
