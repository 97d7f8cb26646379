import type { Decision } from "./decision.ts";
import type { PastSnapshot } from "./past-snapshot.ts";
import type { TableUsage } from "./lake-usage.ts";

/** What makes a record unique for ever: its place in its source. */
export interface RecordKey {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** One data file of a dataset's tables, in the versions that hold it. */
export interface FilePlace {
  /** Its URI. */
  readonly file: string;
  readonly table: "promoted" | "quarantine";
  /** The snapshot that added it: a window's, or a rewrite's. */
  readonly addedBy: string;
  readonly rows: bigint;
  readonly bytes: bigint;
  /** Branches and tags whose version holds it, in order; none where only snapshots hold it that no ref reaches. */
  readonly refs: readonly string[];
}

/** Where a promoted row stands. */
export interface RowPlace extends FilePlace {
  /** The row's number in the file, from 0. */
  readonly row: number;
  /** Branches and tags whose version holds the file and not the row: delete files of another program leave it out there. Not among `refs`. */
  readonly deletedIn: readonly { readonly ref: string; readonly snapshotId: string }[];
}

/** How a record's rows went from main for good: on somebody's request, or by a rule of the contract's retention. */
export type Removal =
  | { readonly kind: "erased" }
  | { readonly kind: "expired"; readonly atMs: number; readonly snapshotId: string; readonly rule: string };

/** The rows of a version. */
export interface VersionRows {
  /** Rows that readers find; null where the snapshot does not say. */
  readonly rows: number | null;
  /** Live delete files, and the rows that readers leave out for them. */
  readonly deleteFiles: number;
  readonly rowsDeleted: number;
}

/** Looks into the files of a lake, for `sluice trace`. */
export interface LakeTraces {
  /**
   * Every place of a record's row in the promoted table: in the versions that branches and tags hold, else in any snapshot that the table still has.
   * Rejects with NOT_FOUND where there is no such dataset.
   */
  findRow(dataset: string, key: RecordKey): Promise<readonly RowPlace[]>;
  /** What took a record's rows for good: an erasure, or the newest retention; null where neither did. Rejects with NOT_FOUND where there is no such dataset. */
  findRemoval(dataset: string, key: RecordKey): Promise<Removal | null>;
  /** The rows of a version as readers find them; of one that has expired as it counted them itself. Rejects with NOT_FOUND where there is no such dataset or snapshot. */
  countRows(dataset: string, snapshotId: string): Promise<VersionRows>;
  /** A data file by its URI or the end of its path; null where no snapshot of either table holds it. Rejects with NOT_FOUND where there is no such dataset. */
  findFile(dataset: string, path: string): Promise<FilePlace | null>;
  /** What the promoted table and the quarantine table occupy. Rejects with NOT_FOUND where there is no such dataset. */
  usage(dataset: string): Promise<readonly TableUsage[]>;
  /** Every snapshot that the promoted table ever had, of all branches, expired ones too: oldest first. Rejects with NOT_FOUND where there is no such dataset. */
  snapshots(dataset: string): AsyncIterable<PastSnapshot>;
  /** A decision by its hash. Rejects with NOT_FOUND. */
  decision(hash: string): Promise<Decision>;
}
