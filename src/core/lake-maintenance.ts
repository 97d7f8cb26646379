import type { ColumnStatisticsReport } from "./column-statistics.ts";
import type { CopiesErased, CopiesFound, RecordCopies } from "./record-copies.ts";
import type { RetentionPolicy, RetentionReport } from "./retention.ts";

/**
 * Which snapshots stay: per branch, the newest `snapshotsMin` and those younger than `snapshotAgeMsMax`, but no more than `snapshotsMax`; what a table or a ref
 * says of itself comes first.
 */
export interface ExpiryPolicy {
  readonly snapshotAgeMsMax: number;
  readonly snapshotsMin: number;
  /** Default: as many as there are. */
  readonly snapshotsMax?: number;
}

/** What an expiry removed, or in a dry run would remove. */
export interface ExpiryReport {
  readonly dataset: string;
  readonly dryRun: boolean;
  readonly snapshots: { readonly promoted: number; readonly quarantine: number };
  /** Tags and branches whose own age was over, as `<table>/<name>`. */
  readonly refs: readonly string[];
  /** Files that nothing reaches any more, and their bytes; in a dry run as they would be. */
  readonly files: number;
  readonly bytes: number;
  /** Outbox sinks that have not seen some of what is old enough to go, and hold it back. */
  readonly heldBackBy: readonly string[];
}

/** Files that nothing names and that are older than the grace period. */
export interface OrphanReport {
  readonly dryRun: boolean;
  readonly files: number;
  readonly bytes: number;
  /** The first of them, by path. */
  readonly paths: readonly string[];
  /** Why contents were left alone; null where they were looked at. */
  readonly contentsSkipped: string | null;
}

/** Which data files are made into larger ones. */
export interface CompactionPolicy {
  /** Files of at least this size are left alone; new files come close to it. */
  readonly fileBytesTarget: number;
  /** So many small files must stand together before they are rewritten. */
  readonly filesMin: number;
  /** A file of which so large a share of rows is deleted by their places is written anew for that alone; 0: any. Default: a tenth. */
  readonly deletedShareMin?: number;
}

/** What a compaction did to one table. */
export interface CompactionReport {
  readonly table: "promoted" | "quarantine";
  readonly dryRun: boolean;
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly rows: bigint;
  readonly bytesBefore: bigint;
  readonly bytesAfter: bigint;
  /** Null where there was nothing to do. */
  readonly snapshotId: string | null;
  /** Tries of the commit; others may have been first. */
  readonly attempts: number;
  /** Files that were left alone, and why: delete files apply to them, or they hold what Sluice does not write. */
  readonly skipped: readonly { readonly files: number; readonly why: string }[];
}

/** Whose rows are erased: the records' key, or a column's value as text. */
export type ErasureTarget =
  | { readonly kind: "key"; readonly key: Uint8Array }
  | { readonly kind: "column"; readonly column: string; readonly value: string };

export interface ErasureRequest {
  readonly target: ErasureTarget;
  readonly author: string;
  readonly reason: string;
  /** Where copies stand that are erased with it. */
  readonly copies?: RecordCopies;
}

/** What an erasure would find. */
export interface ErasurePreview {
  readonly records: number;
  readonly files: number;
  /** Null where none were looked for. */
  readonly copies: CopiesFound | null;
}

/** What an erasure did, and what its scan of every file afterwards found. Holds no value. */
export interface ErasureReport {
  readonly format: "sluice.erasure/1";
  readonly dataset: string;
  readonly atMs: number;
  readonly author: string;
  readonly reason: string;
  /** SHA-256 of the predicate, salted by the dataset's table uuid: the same request can be recognised, its value not read. */
  readonly predicateHash: string;
  readonly rows: { readonly promoted: number; readonly held: number; readonly quarantined: number };
  /** Source positions of erased records, as `<topicId>:<partition>:<offset>`: how a checker tells erased from lost. */
  readonly erased: readonly string[];
  readonly filesRewritten: number;
  readonly snapshotsExpired: number;
  /** Files removed because the value could be kept in them: data files, manifests, contents. */
  readonly filesDeleted: number;
  readonly profilesDeleted: number;
  /** Proof: what was scanned after, and the files in which the value was still found. */
  readonly scanned: number;
  readonly remaining: readonly string[];
  /** What became of copies outside of the lake; null where they were left alone, or there are none. */
  readonly copies: CopiesErased | null;
  /** What no erasure reaches, in words. */
  readonly beyond: readonly string[];
}

/** Housekeeping of a lake's tables. Every change is a compare-and-swap: it never holds up a window, and gives way to one. */
export interface LakeMaintenance {
  /** Removes old snapshots of both tables with their files; their summaries stay readable in the ledger. Rejects with NOT_FOUND, COMMIT_CONFLICT. */
  expire(dataset: string, policy: ExpiryPolicy, dryRun: boolean): Promise<ExpiryReport>;
  /** Removes files in folders of this lake's tables, and contents, that nothing names and that were written more than `graceMs` ago. */
  removeOrphans(graceMs: number, dryRun: boolean): Promise<OrphanReport>;
  /** Makes small files of main into larger ones, in both tables. Rejects with NOT_FOUND, COMMIT_CONFLICT. */
  compact(dataset: string, policy: CompactionPolicy, dryRun: boolean): Promise<readonly CompactionReport[]>;
  /**
   * Applies those rules of a policy that have this action, in their order: takes old rows off main, or moves old data files to an archive. Tags, branches and held
   * windows keep what they name. Rejects with NOT_FOUND, RETENTION_REFUSED, COMMIT_CONFLICT, ARCHIVE_UNKNOWN.
   */
  retain(dataset: string, policy: RetentionPolicy, action: "expire" | "archive", dryRun: boolean): Promise<readonly RetentionReport[]>;
  /**
   * Counts the distinct values of main's columns into the statistics file of its newest snapshot, as theta sketches: reads the columns of the data files that
   * no version counted before. Rejects with NOT_FOUND, TABLE_UNSUPPORTED, COMMIT_CONFLICT.
   */
  describe(dataset: string): Promise<ColumnStatisticsReport>;
  /** How many records an erasure would find, in how many files, and copies of them. Rejects with NOT_FOUND, ERASURE_REFUSED, TABLE_UNSUPPORTED. */
  previewErasure(dataset: string, target: ErasureTarget, copies?: RecordCopies): Promise<ErasurePreview>;
  /**
   * Takes every row of the records that match out of both tables, with all branches, tags, held windows and snapshots, and out of what decisions and profiles
   * say, and every copy of a record that this or an earlier erasure of the dataset erased; then reads every file and every copy to prove it. Rejects with NOT_FOUND,
   * ERASURE_REFUSED, TABLE_UNSUPPORTED, COMMIT_CONFLICT, or what the copies' place says: calling again goes on.
   */
  erase(dataset: string, request: ErasureRequest): Promise<ErasureReport>;
}
