/** The edges of the gate. Everything that touches the world stands behind one of these. */
import type { Claims } from "./claims.ts";
import type { CommittedWindow } from "./committed-window.ts";
import type { ConsumptionLog } from "./consumption.ts";
import type { Contract } from "./contract.ts";
import type { DriftRebase } from "./drift.ts";
import type { Decision } from "./decision.ts";
import type { EncodedFile } from "./encoded-file.ts";
import type { IncidentStore } from "./incident-store.ts";
import type { SluiceError } from "./errors.ts";
import type { LakeContracts } from "./lake-contracts.ts";
import type { LakeMaintenance } from "./lake-maintenance.ts";
import type { LakeRefs } from "./lake-refs.ts";
import type { LakeTraces } from "./lake-trace.ts";
import type { PartitionKey, Position } from "./position.ts";
import type { Header, Records } from "./records.ts";
import type { SchemaAnswer, SchemaId } from "./registered-schema.ts";
import type { PromotedRange, PromotedRows } from "./promoted-rows.ts";
import type { Reason } from "./rule.ts";
import type { Field } from "./schema.ts";
import type { SkippedRange } from "./skipped-range.ts";
import type { SnapshotInfo } from "./past-snapshot.ts";
import type { FileLayout } from "./table-layout.ts";
import type { IcebergSchema } from "./table-schema.ts";

export type { CommittedWindow } from "./committed-window.ts";
export type { SnapshotInfo } from "./past-snapshot.ts";

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The instants around every effect, in the order they come; the default probe does nothing there, the crash tests kill the process. */
export const stepNames = [
  "decision.written",
  "data-file.written",
  "quarantine-file.written",
  "manifest.written",
  "metadata.written",
  "catalog.before-commit",
  "catalog.after-commit",
  "dlq.before-produce",
  "dlq.after-produce",
  "offsets.before-commit",
  "offsets.after-commit",
] as const;
/** Around every notice to a receiver of alerts, where there is one. */
export const alertStepNames = ["alert.before-send", "alert.after-send"] as const;
export type StepName = (typeof stepNames)[number] | (typeof alertStepNames)[number];
export type Probe = (step: StepName) => void;

// ---- source

export type StartPoint = { readonly at: "earliest" | "latest" } | { readonly at: "time"; readonly ms: number };

/** A run on its way to the gate. The source counts its bytes as in flight until `release` is called, once. */
export interface SourceRun {
  readonly records: Records;
  /** Where this run begins, per partition of `next`: the position given by `assigned` or `seek`, or the `next` of the run before. The gate checks that chain. */
  readonly from: readonly Position[];
  /**
   * Next offset after this run, per partition: past its last record and any control records or compaction holes behind it.
   * A run may hold no records and only move positions (aborted transactions, transaction markers), so that lag can reach zero.
   */
  readonly next: readonly Position[];
  /** Positions that this run's commit makes superfluous (a file source's finished files). */
  readonly supersedes: readonly PartitionKey[];
  release(): void;
}

/** A source can't go on with a topic or partition until a person answers. */
export interface SourceBlocked {
  readonly topic: string;
  /** Null: the whole topic. */
  readonly partition: number | null;
  readonly error: SluiceError;
}

/** What a source tells the gate. Calls for one partition never overlap and come in order. */
export interface SourceListener {
  /**
   * Partitions became ours. Answers where to read each from (the table's position). The source does not fetch a partition before this resolves.
   * A partition left out of the answer stays assigned and unread (it is blocked).
   */
  assigned(partitions: readonly PartitionKey[]): Promise<readonly Position[]>;
  /** Awaited before partitions are given away: close and commit their open windows within `deadlineMs`. */
  revoked(partitions: readonly PartitionKey[], deadlineMs: number): Promise<void>;
  /** Ownership ended without warning (session expired, frozen process): drop what is open, commit nothing. */
  lost(partitions: readonly PartitionKey[]): void;
  records(run: SourceRun): void;
  blocked(fault: SourceBlocked): void;
  /** A transient fault that the source keeps retrying, for logs and metrics; or null when it is over. */
  trouble(error: SluiceError | null): void;
  /** A finite source has delivered its last record. */
  ended(): void;
}

/** A place records come from; `test/contract-suites/source.ts` is what every implementation passes. */
export interface Source {
  /** Joins and begins delivering. Rejects with SOURCE_UNREACHABLE if it can't begin. */
  start(listener: SourceListener): Promise<void>;
  /** Resolves a starting point that has no position in the table yet, to real offsets. */
  resolve(partitions: readonly PartitionKey[], start: StartPoint): Promise<readonly Position[]>;
  /** Tells the source's own bookkeeping (Kafka's group offsets) how far the table is: a hint, best effort, never trusted. */
  commit(positions: readonly Position[]): Promise<void>;
  /** Stop fetching these until `resume`; runs already under way may still arrive. */
  pause(partitions: readonly PartitionKey[]): void;
  resume(partitions: readonly PartitionKey[]): void;
  /**
   * Read owned partitions from here: runs of theirs not yet handed over are dropped, and the next run begins at these positions. Begins a
   * partition that `assigned` left out. Used when a window was lost, and when a person answers a block.
   */
  seek(positions: readonly Position[]): void;
  /** End offsets of owned partitions (last stable offset under read_committed), as last seen. */
  ends(): readonly Position[];
  bytesInFlight(): number;
  /** Leaves: revokes everything through the listener first. */
  close(): Promise<void>;
}

// ---- schema registry

/** Where the schemas of framed records come from; ids are immutable, so answers are kept. */
export interface SchemaRegistry {
  /**
   * The schema of an id, with its references. Rejects with REGISTRY_UNAVAILABLE or REGISTRY_REFUSED, which the gate waits out: only an answer that the
   * registry itself gave says that an id is unknown.
   */
  schema(id: SchemaId): Promise<SchemaAnswer>;
  close(): Promise<void>;
}

// ---- producer

export interface OutgoingRecord {
  readonly topic: string;
  /** Default: by the key's hash, as Java's producers choose. */
  readonly partition?: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
  readonly timestampMs: bigint | null;
}

/** acks=all, idempotent. Resolves when every record is acknowledged; rejects with a retryable error otherwise (some may have been written). */
export interface Producer {
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

// ---- lake

/** A rejected record on its way to quarantine. */
export interface RejectedRow {
  readonly records: Records;
  readonly row: number;
  readonly reasons: readonly Reason[];
}

/** Some records of one run, by their rows, ascending. */
export interface RecordSlice {
  readonly records: Records;
  readonly rows: Uint32Array;
}

/** All that one window changes, committed as one. */
export interface WindowCommit {
  readonly contract: Contract;
  readonly decision: Decision;
  /** The window's whole profile, encoded; null where no row passed. */
  readonly profile: Uint8Array | null;
  /** Where the window began, for every partition it moves: the commit holds only if the table still says so. */
  readonly from: readonly Position[];
  readonly to: readonly Position[];
  readonly supersedes: readonly PartitionKey[];
  /** Rows that passed, a file a partition: to `main`, or to the branch `held/<windowId>` when the verdict is hold. None where no row passed. */
  readonly passed: readonly EncodedFile[];
  /** The records of the rows that passed, where the verdict is hold: they go to quarantine if the window is dropped. Empty for any other verdict. */
  readonly raw: readonly RecordSlice[];
  /** Rows that failed: to quarantine, or to its branch `held/<windowId>` when the verdict is hold. */
  readonly rejected: readonly RejectedRow[];
}

export type CommitResult =
  | { readonly status: "committed"; readonly snapshotId: string; readonly quarantineSnapshotId: string | null; readonly attempts: number }
  /** Another worker has moved these partitions: drop the window. */
  | { readonly status: "lost"; readonly message: string };

/** A recorded stop of a topic or partition: survives restarts, moves nothing. */
export interface Block {
  readonly topic: string;
  readonly topicId: string | null;
  readonly partition: number | null;
  readonly code: string;
  readonly message: string;
  readonly sinceMs: number;
}

export interface DatasetState {
  readonly positions: readonly Position[];
  readonly blocks: readonly Block[];
  /** What answers of persons passed over. */
  readonly skipped: readonly SkippedRange[];
  /** The contract hash that the dataset is being judged by. */
  readonly activeContract: string | null;
  /** A person answered a stop with "hold it": the next window that would stop is held instead. Cleared by that window's commit. */
  readonly holdNext: boolean;
  /** The last time that a person relabelled what is normal; null: never. */
  readonly driftRebase: DriftRebase | null;
  readonly tableUuid: string;
  /** The promoted table's schema, which its files are encoded by. */
  readonly schema: IcebergSchema;
  /** How its next files are partitioned and sorted. */
  readonly layout: FileLayout;
  readonly mainSnapshotId: string | null;
}

export type QuarantineState = "open" | "promoted" | "parked" | "discarded";

/** A quarantined record as it stands now (the latest of its states). */
export interface QuarantinedRecord {
  /** `<topicId>:<partition>:<offset>`: the record's identity. */
  readonly id: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: bigint;
  readonly timestampType: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The bytes of a value that was asked not to be read; absent: it was. */
  readonly unreadValueBytes?: number;
  readonly headers: readonly Header[];
  /** The header span as the source gave it, in Kafka's record encoding: a key need not be UTF-8. Null for no headers. */
  readonly headersRaw: Uint8Array | null;
  readonly reasons: readonly Reason[];
  readonly contractHash: string;
  readonly decisionHash: string;
  readonly windowId: string;
  readonly attempt: number;
  readonly state: QuarantineState;
  readonly quarantinedAtMs: number;
}

export interface QuarantineFilter {
  readonly states?: readonly QuarantineState[];
  readonly rule?: string;
  readonly windowId?: string;
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly ids?: readonly string[];
  /** Only what this quarantine snapshot added: the outbox reads one commit's rows. */
  readonly snapshotId?: string;
  /** Values beyond this may be left unread where they stand alone: `value` is null then, and `unreadValueBytes` says how large they are. */
  readonly valueBytesMax?: number;
  readonly limit?: number;
}

/** Outcome of replaying quarantined records: what passed goes to main, what failed again stays, with a higher attempt. */
export interface ReplayCommit {
  readonly contract: Contract;
  readonly decision: Decision;
  /** The states the replay started from; the commit holds only if each is still so. */
  readonly replayed: readonly QuarantinedRecord[];
  /** None where no row passed. */
  readonly passed: readonly EncodedFile[];
  /** `replayed[i]` by index: failed again, with new reasons; parked when attempts are spent. */
  readonly failed: readonly {
    readonly index: number;
    readonly reasons: readonly Reason[];
    readonly state: "open" | "parked" | "discarded";
  }[];
}

export interface HeldWindow {
  readonly windowId: string;
  readonly dataset: string;
  readonly heldAtMs: number;
  readonly rows: number;
  readonly rejected: number;
  readonly decision: Decision;
}

/** Versioned tables: one promoted table and one quarantine table a dataset, moved in one catalog transaction. */
export interface Lake {
  /**
   * Creates or evolves both tables for a contract, records it as active, stores its text. Monotone: the active hash again is a no-op; a hash that was
   * active before and has been superseded is refused with CONTRACT_SUPERSEDED (its text must change, such as by a new version). Rejects with
   * CONTRACT_INVALID if the table can't take the schema.
   */
  activate(contract: Contract): Promise<DatasetState>;
  /** Rejects with NOT_FOUND if the dataset has no table. */
  state(dataset: string): Promise<DatasetState>;
  datasets(): Promise<readonly string[]>;
  /** Records first positions; a partition that already has one keeps it. Answers what stands. */
  recordStart(dataset: string, positions: readonly Position[]): Promise<readonly Position[]>;
  /** A person's answer to a changed or lost source: replaces positions and clears the blocks they answer; recorded with author and reason. */
  resetPositions(
    dataset: string,
    change: {
      readonly remove: readonly PartitionKey[];
      readonly set: readonly Position[];
      readonly author: string;
      readonly reason: string;
    },
  ): Promise<void>;
  block(dataset: string, block: Block): Promise<void>;
  /** Clears stops that a policy set (WINDOW_STOPPED), of one partition or all; mode `hold` also sets `holdNext`. Answers what was cleared. */
  unblock(
    dataset: string,
    answer: { readonly partition: number | null; readonly mode: "retry" | "hold"; readonly author: string; readonly reason: string },
  ): Promise<readonly Block[]>;
  /** Makes the newest windows the baseline of drift, incidents or not; recorded with author and reason. Answers what was recorded. */
  rebaseDrift(
    dataset: string,
    change: { readonly windows: number; readonly author: string; readonly reason: string },
  ): Promise<DriftRebase>;
  commitWindow(commit: WindowCommit): Promise<CommitResult>;
  /** Every commit of main after `after` (exclusive), oldest first, those that were rolled back since included: each exactly once, and so said of it. */
  history(dataset: string, after: bigint): AsyncIterable<CommittedWindow>;
  /** The sequence number after which at least so many commits stand (0: all): where a fold over the newest ones begins. */
  sequenceBefore(dataset: string, commits: number): Promise<bigint>;
  /** Columns (scalar, top-level) of promoted rows as they were read back, a row group at a time, oldest snapshot first. */
  promotedColumns(dataset: string, columns: readonly Field[], range: PromotedRange): AsyncIterable<PromotedRows>;
  /** The text of a contract that this lake was ever judged by. Rejects with NOT_FOUND. */
  contractText(hash: string): Promise<string>;
  /** The stored profile of a decision. Rejects with NOT_FOUND. */
  profile(hash: string): Promise<Uint8Array>;
  snapshots(dataset: string): Promise<readonly SnapshotInfo[]>;
  held(dataset: string): Promise<readonly HeldWindow[]>;
  /** Appends exactly the audited files to main, once; the window's rejected rows go to quarantine. */
  publishHeld(dataset: string, windowId: string, by: { readonly author: string; readonly reason: string }): Promise<CommitResult>;
  /** Appends all the window's raw records to quarantine. */
  dropHeld(dataset: string, windowId: string, by: { readonly author: string; readonly reason: string }): Promise<CommitResult>;
  quarantined(dataset: string, filter: QuarantineFilter): AsyncIterable<QuarantinedRecord>;
  commitReplay(commit: ReplayCommit): Promise<CommitResult>;
  /** Cursor of an outbox sink: the last sequence delivered. Fenced: `advance` fails if another holder took the lease. */
  cursors: Cursors;
  /** Who holds keys that are unique beyond a window. */
  claims: Claims;
  /** Who read which version. */
  consumption: ConsumptionLog;
  /** Incidents, and what persons said of them. */
  incidents: IncidentStore;
  /** Expiry, orphans, compaction. */
  maintenance: LakeMaintenance;
  /** Tags, branches, releases, rollbacks, and what a version's name stands for. */
  refs: LakeRefs;
  /** What contracts would change. */
  contracts: LakeContracts;
  /** What `sluice trace` looks up in files. */
  traces: LakeTraces;
  close(): Promise<void>;
}

/** Where each outbox sink stands, with a lease so that one process delivers at a time. */
export interface Cursors {
  /** Takes or renews the lease; null if another holder has it. */
  acquire(
    sink: string,
    dataset: string,
    holder: string,
    leaseMs: number,
  ): Promise<{ readonly sequence: bigint; readonly fence: bigint } | null>;
  /** False if the fence is no longer ours. */
  advance(sink: string, dataset: string, fence: bigint, sequence: bigint): Promise<boolean>;
  /** Every sink that ever had a cursor of a dataset, where it stands, and until when its last lease ran. */
  standing(dataset: string): Promise<readonly { readonly sink: string; readonly sequence: bigint; readonly leaseUntilMs: number }[]>;
}

// ---- sinks

/** A receiver of committed decisions: at least once, in order per dataset; ids de-duplicate. Never on the path of data. */
export interface Sink {
  readonly name: string;
  /** Rejects with a retryable error to be called again with the same window. */
  deliver(window: CommittedWindow, contract: { readonly text: string; readonly hash: string }): Promise<void>;
  close(): Promise<void>;
}
