import type { ExpiryPolicy } from "../../../core/lake-maintenance.ts";
import type { Snapshot, SnapshotRef, TableMetadata } from "../../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotWithId } from "../../iceberg/table-metadata.ts";
import { windowOfBranch } from "../summary-keys.ts";

/** What an expiry is to remove of one table. */
export interface ExpiryPlan {
  /** Names of tags and branches whose own age is over. */
  readonly refs: readonly string[];
  readonly snapshots: readonly Snapshot[];
}

/** What a plan is made from besides the table. */
export interface ExpiryLimits {
  readonly policy: ExpiryPolicy;
  readonly nowMs: number;
  /** Snapshots that stay whatever their age. */
  readonly isPinned: (snapshot: Snapshot) => boolean;
}

/** A ref's age is that of its snapshot (spec, "Snapshot Retention Policy"). Main never ends, and a held window waits for its person. */
function isOver(metadata: TableMetadata, name: string, ref: SnapshotRef, nowMs: number): boolean {
  const age = ref["max-ref-age-ms"];
  if (name === "main" || windowOfBranch(name) !== null || age === undefined) return false;
  const snapshot = snapshotWithId(metadata, ref["snapshot-id"]);
  return snapshot !== null && nowMs - snapshot["timestamp-ms"] > age;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function keptByBranch(metadata: TableMetadata, ref: SnapshotRef, { policy, nowMs }: ExpiryLimits): Snapshot[] {
  const { properties } = metadata;
  const least = ref["min-snapshots-to-keep"] ?? numberOf(properties["history.expire.min-snapshots-to-keep"]) ?? policy.snapshotsMin;
  const ownAge = ref["max-snapshot-age-ms"] ?? numberOf(properties["history.expire.max-snapshot-age-ms"]);
  const age = ownAge ?? policy.snapshotAgeMsMax;
  const most = ownAge === undefined ? (policy.snapshotsMax ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  const chain = ancestorsOf(metadata, snapshotWithId(metadata, ref["snapshot-id"]));
  const end = chain.findIndex((snapshot, i) => i >= Math.max(1, least) && (i >= most || nowMs - snapshot["timestamp-ms"] > age));
  return end < 0 ? chain : chain.slice(0, end);
}

/** What may go: snapshots that no branch keeps by number or age, no tag holds, and that are not younger than the policy's age themselves. Pure. */
export function planExpiry(metadata: TableMetadata, limits: ExpiryLimits): ExpiryPlan {
  const { nowMs, policy } = limits;
  const refs = Object.entries(metadata.refs);
  const over = refs.filter(([name, ref]) => isOver(metadata, name, ref, nowMs)).map(([name]) => name);
  const kept = new Set<bigint>();
  for (const [name, ref] of refs) {
    if (over.includes(name)) continue;
    kept.add(ref["snapshot-id"]);
    if (windowOfBranch(name) !== null) {
      // A held window stands on several snapshots, and its answer reads each.
      for (const each of ancestorsOf(metadata, snapshotWithId(metadata, ref["snapshot-id"])).slice(0, 3)) kept.add(each["snapshot-id"]);
    } else if (ref.type === "branch") for (const each of keptByBranch(metadata, ref, limits)) kept.add(each["snapshot-id"]);
  }
  const main = new Set(
    ancestorsOf(metadata, snapshotWithId(metadata, metadata.refs.main?.["snapshot-id"] ?? -1n)).map((each) => each["snapshot-id"]),
  );
  const snapshots = metadata.snapshots.filter((snapshot) => {
    const id = snapshot["snapshot-id"];
    if (kept.has(id) || limits.isPinned(snapshot)) return false;
    // What no ref leads to (any more) has an age of its own to go by.
    return main.has(id) || nowMs - snapshot["timestamp-ms"] > policy.snapshotAgeMsMax;
  });
  return { refs: over, snapshots };
}
