/** Named versions of a lake's tables: what people tag, branch, take back and compare. */
import type { Column } from "./column.ts";
import type { CommittedWindow } from "./committed-window.ts";
import type { Decision } from "./decision.ts";
import type { VersionRows } from "./lake-trace.ts";
import type { Field } from "./schema.ts";
import type { IcebergSchema } from "./table-schema.ts";
import type { ResolvedVersion } from "./version-name.ts";

/** Who did something, and why. */
export interface Authorship {
  readonly author: string;
  readonly reason: string;
}

/** Who moves main, and the version of Sluice that they use. */
export interface MoveAuthorship extends Authorship {
  readonly producer?: string;
}

export type RefKind = "main" | "held" | "withdrawn" | "tag" | "branch" | "release";

/** A branch or tag of a dataset's promoted table. */
export interface NamedRef {
  readonly name: string;
  readonly kind: RefKind;
  readonly snapshotId: string;
  /** When that snapshot was committed. */
  readonly committedAtMs: number;
  /** Rows of that snapshot; null where it does not say. */
  readonly rows: number | null;
  /** Who made it, when and why; null where another program did. */
  readonly author: string | null;
  readonly reason: string | null;
  readonly createdAtMs: number | null;
  /** After this its files may be removed, unless something else needs them; null: kept until it is dropped. */
  readonly keptUntilMs: number | null;
  /** False: another program moved this tag since it was made here. */
  readonly isIntact: boolean;
}

/** A tag or branch to make. */
export interface NewRef extends Authorship {
  readonly kind: "tag" | "branch";
  readonly name: string;
  /** Any name of a version. */
  readonly version: string;
  /** How long from now it is kept; null: until it is dropped. */
  readonly keepMs: number | null;
}

/** One tag on several datasets, made in one transaction. */
export interface Release {
  readonly name: string;
  readonly author: string;
  readonly reason: string;
  readonly createdAtMs: number;
  readonly keptUntilMs: number | null;
  readonly members: readonly {
    readonly dataset: string;
    readonly snapshotId: string;
    readonly rows: number | null;
    /** False: the tag is gone, or names another snapshot, by another program's doing. */
    readonly isIntact: boolean;
  }[];
}

/** A rollback whose rows are still withdrawn. */
export interface Rollback extends Authorship {
  /** Its own snapshot's id, which names it. */
  readonly id: string;
  readonly atMs: number;
  /** Where main stood, and what it went back to. */
  readonly from: string;
  readonly to: string;
  /** Commits that it withdrew, by sequence number: decimal text, both ends included. */
  readonly sequences: readonly { readonly first: string; readonly last: string }[];
  readonly windows: number;
  readonly rows: number;
  /** Whether the withdrawn rows' unique keys were given back: then the rows can't be. */
  readonly keysReleased: boolean;
  /** Those keys are yet to be given back, for a process ended before it had done so; absent: they are. */
  readonly keysPending?: boolean;
  /** Whether other programs rewrote or deleted rows in between: then the withdrawn snapshots themselves are needed to bring rows back. */
  readonly isRewritten: boolean;
}

/** A commit that put rows on main, or took a window in. */
export interface VersionWindow {
  readonly snapshotId: string;
  readonly sequence: bigint;
  readonly committedAtMs: number;
  readonly decision: Decision;
}

/** What a rollback would withdraw, or withdrew. */
export interface RollbackPlan {
  readonly dataset: string;
  readonly from: string;
  readonly to: ResolvedVersion;
  readonly rows: number;
  /** Oldest first. */
  readonly windows: readonly VersionWindow[];
  /** Every version of main that goes, expired ones included: newest first. */
  readonly snapshotIds: readonly string[];
  /** Snapshots of other programs among them. */
  readonly foreignSnapshots: readonly string[];
  /** Tags and branches that go on naming what is withdrawn. */
  readonly refs: readonly string[];
}

/** Files and rows of one version that another lacks. */
export interface FileChange {
  readonly files: number;
  readonly bytes: bigint;
  /** Rows that readers find there and not in the other version, less those that were only rewritten; those that delete files took or gave back too. */
  readonly rows: bigint;
}

/** Two versions side by side. Rows come from manifests, schemas from metadata; profiles and texts are left to the caller, by hash. */
export interface VersionComparison {
  readonly a: ComparedVersion;
  readonly b: ComparedVersion;
  /** The newest version that both come from; null where that is not known any more. */
  readonly commonSnapshotId: string | null;
  readonly added: FileChange;
  readonly removed: FileChange;
  /** Rows of files that were only written anew (compaction) between the two; null where the history that says so has expired. */
  readonly rowsRewritten: bigint | null;
  /** Windows that only B, or only A, has: oldest first. */
  readonly onlyB: readonly VersionWindow[];
  readonly onlyA: readonly VersionWindow[];
}

export interface ComparedVersion extends ResolvedVersion, VersionRows {
  readonly committedAtMs: number;
  readonly schema: IcebergSchema;
  /** The contract that was active; null before the first. */
  readonly contract: { readonly hash: string; readonly version: string } | null;
}

/** Two versions whose rows are read, each by the fields of its own contract. */
export interface RowsToCompare {
  readonly a: { readonly snapshotId: string; readonly columns: readonly Field[] };
  readonly b: { readonly snapshotId: string; readonly columns: readonly Field[] };
  /** Whether those fields are the same, so that files which both have need be read once only. */
  readonly isSame: boolean;
}

/** Some rows of two versions, as they were read back. */
export interface ComparedRows {
  readonly in: "a" | "b" | "both";
  /** Whether they stand in a file that only B has. */
  readonly isNew: boolean;
  /** Those that readers find, by their numbers in the columns, ascending. */
  readonly rows: Uint32Array;
  /** Of the fields asked for those that hold one plain value a row. */
  readonly columns: readonly Column[];
}

/** Named versions of every dataset. Changes are compare-and-swap commits, and none of them moves a position. */
export interface LakeRefs {
  list(dataset: string): Promise<readonly NamedRef[]>;
  /** The snapshot of a version's name. Rejects with VERSION_UNKNOWN. */
  resolve(dataset: string, version: string): Promise<ResolvedVersion>;
  /** Rejects with REF_NAME_INVALID, REF_TAKEN, VERSION_UNKNOWN. A tag that stands as asked is answered as it is. */
  create(dataset: string, ref: NewRef): Promise<NamedRef>;
  /** Rejects with NOT_FOUND, and REF_NAME_INVALID for what is not a person's to drop. */
  drop(dataset: string, ref: { readonly kind: "tag" | "branch"; readonly name: string } & Authorship): Promise<NamedRef>;
  /** Tags several datasets, all or none. */
  createRelease(release: Omit<NewRef, "kind"> & { readonly datasets: readonly string[] }): Promise<Release>;
  releases(): Promise<readonly Release[]>;
  dropRelease(release: { readonly name: string } & Authorship): Promise<Release>;
  /** What a rollback would do. Rejects as it does. */
  planRollback(dataset: string, to: string): Promise<RollbackPlan>;
  /** Moves main back to what it was at a version, and then gives back the withdrawn rows' unique keys where asked to; positions stay. Rejects with ROLLBACK_REFUSED, VERSION_UNKNOWN. */
  rollback(
    dataset: string,
    change: { readonly to: string; readonly keepMs: number | null; readonly releaseKeys: boolean } & MoveAuthorship,
  ): Promise<{ readonly snapshotId: string; readonly rollback: Rollback; readonly plan: RollbackPlan }>;
  /** Gives back the keys that rollbacks were to give back, where a process ended between a rollback and that. Answers those rollbacks. */
  releasePending(dataset: string): Promise<readonly Rollback[]>;
  /** Rollbacks whose rows are withdrawn, oldest first. */
  rollbacks(dataset: string): Promise<readonly Rollback[]>;
  /** Brings back what a rollback withdrew (null: the newest), on top of what main is now. Rejects with ROLLBACK_REFUSED, NOT_FOUND. */
  rollForward(
    dataset: string,
    change: { readonly rollback: string | null } & MoveAuthorship,
  ): Promise<{ readonly snapshotId: string; readonly rollback: Rollback }>;
  compare(dataset: string, a: string, b: string): Promise<VersionComparison>;
  /** Reads the rows of two snapshots, without those that delete files leave out. Rejects with NOT_FOUND, TABLE_UNSUPPORTED, TABLE_CORRUPT. */
  readRows(dataset: string, versions: RowsToCompare): AsyncIterable<ComparedRows>;
  /** The windows whose rows a version has (and those that put none there), oldest first; also of a version that has expired. */
  windowsOf(dataset: string, snapshotId: string): AsyncIterable<CommittedWindow>;
}
