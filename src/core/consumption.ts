/**
 * How it is known that a version was read. `load`: a reader asked the catalog for the table and was told this version; `scan`: the reader itself
 * reported that it planned a scan of it; `declared`: a job, or a person, said so (`sluice consume`, OpenLineage).
 */
export type ConsumptionKind = "load" | "scan" | "declared";

/** One reading of one version of a dataset's promoted table, or of its quarantine table: a fact that is never changed afterwards. */
export interface Consumption {
  /** The table's name: the promoted one has the dataset's, and no dataset has a quarantine table's. */
  readonly dataset: string;
  /** Iceberg's snapshot id, in decimal. */
  readonly snapshotId: string;
  readonly kind: ConsumptionKind;
  /** Who read: the name of the token, of the user, or of the program; never a secret. */
  readonly reader: string;
  /** The job that read; null where it is not known. */
  readonly job: string | null;
  /** The run of that job; null where it is not known. */
  readonly runId: string | null;
  /** When it was recorded, ms since the epoch. */
  readonly atMs: number;
  /** What else is known, as texts: `ref`, `filter`, `columns`, `userAgent`, `tag` and the like. */
  readonly details: Readonly<Record<string, string>>;
}

/** Which readings to answer; what is left out does not restrict. */
export interface ConsumptionFilter {
  readonly snapshotIds?: readonly string[];
  readonly kinds?: readonly ConsumptionKind[];
  readonly reader?: string;
  readonly job?: string;
  readonly runId?: string;
  /** Inclusive, ms since the epoch. */
  readonly sinceMs?: number;
  /** Exclusive, ms since the epoch. */
  readonly untilMs?: number;
}

/** The append-only record of who read what. */
export interface ConsumptionLog {
  /** Adds readings, all or none; durable once it resolves. Rejects with CATALOG_*, STORAGE_FULL, COMMIT_UNKNOWN. */
  record(consumptions: readonly Consumption[]): Promise<void>;
  /** Readings of a dataset, or of all where it is null, in the order they were recorded. */
  of(dataset: string | null, filter?: ConsumptionFilter): AsyncIterable<Consumption>;
}
