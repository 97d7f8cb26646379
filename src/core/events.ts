import type { Decision } from "./decision.ts";
import type { SluiceError } from "./errors.ts";
import type { IncidentNotice } from "./incident.ts";
import type { PartitionKey } from "./position.ts";

/** What happens inside the gate, by name; metrics, logs and traces are made from these and nothing else. They carry no values of records. */
export type GateEvent =
  | {
      readonly type: "run.received";
      readonly dataset: string;
      readonly partition: PartitionKey;
      readonly records: number;
      readonly bytes: number;
    }
  | {
      readonly type: "batch.judged";
      readonly dataset: string;
      /** Tells windows of one lane apart until they have an id: counts up from 1. */
      readonly window: number;
      readonly rows: number;
      readonly faults: number;
      readonly rejected: number;
      readonly startMs: number;
      readonly decodeMs: number;
      readonly validateMs: number;
      readonly profileMs: number;
      readonly encodeMs: number;
    }
  /** The thread that judged a dataset's open window is gone: the window was dropped, and its records are read again. */
  | { readonly type: "engine.lost"; readonly dataset: string; readonly error: SluiceError; readonly attempt: number }
  /** Parts of a contract run uncompiled though that was asked for. */
  | { readonly type: "engine.fallback"; readonly dataset: string; readonly reason: string }
  | {
      readonly type: "window.committed";
      readonly window: number;
      readonly decision: Decision;
      readonly snapshotId: string;
      readonly attempts: number;
      readonly commitStartMs: number;
      readonly commitMs: number;
      /** W3C traceparent headers of the window's records: a bounded sample of distinct ones. */
      readonly traceparents: readonly string[];
    }
  | { readonly type: "window.lost"; readonly dataset: string; readonly window: number; readonly windowId: string; readonly message: string }
  | {
      readonly type: "commit.failed";
      readonly dataset: string;
      readonly windowId: string;
      readonly error: SluiceError;
      readonly attempt: number;
      readonly retryInMs: number;
    }
  | { readonly type: "partitions.assigned" | "partitions.revoked" | "partitions.lost"; readonly partitions: readonly PartitionKey[] }
  | {
      readonly type: "source.blocked";
      readonly dataset: string;
      readonly topic: string;
      readonly partition: number | null;
      readonly error: SluiceError;
    }
  | { readonly type: "source.unblocked"; readonly dataset: string; readonly topic: string; readonly partition: number | null }
  | { readonly type: "source.trouble"; readonly error: SluiceError | null }
  | { readonly type: "contract.activated"; readonly dataset: string; readonly version: string; readonly hash: string }
  | { readonly type: "contract.rejected"; readonly dataset: string; readonly error: SluiceError; readonly activeHash: string }
  | { readonly type: "offsets.failed"; readonly error: SluiceError }
  | { readonly type: "sink.delivered"; readonly sink: string; readonly dataset: string; readonly sequence: bigint }
  | {
      readonly type: "sink.failed";
      readonly sink: string;
      readonly dataset: string;
      readonly error: SluiceError;
      readonly attempt: number;
      readonly retryInMs: number;
    }
  /** An incident was opened, came to be worse, or is over; each once, by the process that found it. */
  | { readonly type: "incident.noticed"; readonly notice: IncidentNotice }
  /** A receiver said no to a notice so often that it is passed over. */
  | {
      readonly type: "alert.refused";
      readonly sink: string;
      readonly dataset: string;
      readonly notice: string;
      readonly error: SluiceError;
    }
  /** A step of maintenance ended well; `dataset` null: of the whole lake. Snapshots and files are those that went, or were made into larger ones. */
  | {
      readonly type: "maintenance.done";
      readonly step: MaintenanceStep;
      readonly dataset: string | null;
      readonly snapshots: number;
      readonly files: number;
      readonly bytes: number;
      /** Old incidents that went; absent: the step is of tables. */
      readonly incidents?: number;
      readonly ms: number;
    }
  /** It failed, and is tried again at the next interval: nothing waits for it. */
  | {
      readonly type: "maintenance.failed";
      readonly step: MaintenanceStep | null;
      readonly dataset: string | null;
      readonly error: SluiceError;
    };

export type MaintenanceStep = "retain" | "archive" | "compact" | "expire" | "statistics" | "incidents" | "orphans";

export type Observe = (event: GateEvent) => void;

/** A dataset as it stands in one worker, for health, `sluice status` and the live view. */
export interface LaneStatus {
  readonly dataset: string;
  readonly topic: string;
  readonly contract: { readonly version: string; readonly hash: string };
  /** The last reload that was refused, until a good one replaces it. */
  readonly contractError: string | null;
  readonly partitions: readonly {
    readonly partition: number;
    readonly topicId: string;
    /** Next offset to commit. */
    readonly position: bigint;
    /** End offset as last seen; null until the source knows. Lag in records is at most `end - position`. */
    readonly end: bigint | null;
    readonly blocked: string | null;
  }[];
  /** Recorded stops of this topic, also of partitions that could not even begin: those are in no other list. `partition` null: the whole topic. */
  readonly blocks: readonly { readonly partition: number | null; readonly code: string; readonly message: string }[];
  readonly openWindow: { readonly rows: number; readonly bytes: number; readonly openedAtMs: number } | null;
  readonly queuedBytes: number;
  /** Since this worker started. */
  readonly totals: {
    readonly records: number;
    readonly promoted: number;
    readonly quarantined: number;
    readonly held: number;
    readonly skipped: number;
    readonly windows: number;
  };
  /** Broker or file time of the newest committed record; null before the first. Lag in seconds is now minus this while records wait. */
  readonly newestCommittedTimestampMs: number | null;
  /** A retryable fault that holds up commits right now. */
  readonly trouble: string | null;
}
