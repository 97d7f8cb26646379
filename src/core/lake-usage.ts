/** Some data files of a table. */
export interface FileTotals {
  readonly files: number;
  readonly rows: bigint;
  readonly bytes: bigint;
}

/** What one table of a dataset occupies: each data file is counted once, in the first of the three that holds it. */
export interface TableUsage {
  readonly table: "promoted" | "quarantine";
  /** Its name in the catalog. */
  readonly name: string;
  /** In `main`: what readers get who name no version. */
  readonly main: FileTotals;
  /** Kept by a tag or another branch alone. */
  readonly named: FileTotals;
  /** Held by older snapshots alone: what expiry would free. */
  readonly older: FileTotals;
  readonly snapshots: number;
  /** When main last moved, ms since the epoch; null where it never did. */
  readonly lastCommitMs: number | null;
}
