import { RefusedUpdate } from "./refused-update.ts";
import type { Snapshot, SnapshotRef, TableMetadata } from "./table-metadata.ts";
import { snapshotWithId } from "./table-metadata.ts";

/** How far writers' clocks may stand apart: readers refuse tables whose time runs further backwards. */
const clockSkewMsMax = 60_000;

/** The next row id of a v3 table (spec, "Row Lineage"); nothing for others. */
function lineageAfter(metadata: TableMetadata, snapshot: Snapshot): Pick<TableMetadata, "next-row-id"> {
  if (metadata["format-version"] < 3) return {};
  const first = snapshot["first-row-id"];
  const next = metadata["next-row-id"] ?? 0n;
  if (first === undefined || first === null) throw new RefusedUpdate("Cannot add a snapshot: first-row-id is null");
  if (first < next) throw new RefusedUpdate(`Cannot add a snapshot with first-row-id behind table next-row-id: ${first} < ${next}`, true);
  return { "next-row-id": first + (snapshot["added-rows"] ?? 0n) };
}

/** Adds a snapshot, which no ref points to yet. */
export function addSnapshot(metadata: TableMetadata, snapshot: Snapshot): TableMetadata {
  const { "snapshot-id": id, "sequence-number": sequence } = snapshot;
  if (snapshotWithId(metadata, id) !== null) throw new RefusedUpdate(`Snapshot already exists for id: ${id}`);
  const isOrdered = metadata["format-version"] > 1;
  // A snapshot without a parent begins the table anew: nothing that came before is its past.
  const isFirst = (snapshot["parent-snapshot-id"] ?? null) === null && metadata.snapshots.length > 0;
  if (isOrdered && !isFirst && sequence <= metadata["last-sequence-number"]) {
    const message = `Cannot add snapshot with sequence number ${sequence}: a snapshot's sequence number must grow beyond last sequence number ${metadata["last-sequence-number"]}`;
    throw new RefusedUpdate(message, true);
  }
  if (snapshot["timestamp-ms"] < metadata["last-updated-ms"] - clockSkewMsMax) {
    const message = `Invalid snapshot timestamp ${snapshot["timestamp-ms"]}: more than a minute before the table's last change at ${metadata["last-updated-ms"]}`;
    throw new RefusedUpdate(message);
  }
  return {
    ...metadata,
    ...lineageAfter(metadata, snapshot),
    snapshots: [...metadata.snapshots, snapshot],
    "last-sequence-number": isOrdered && sequence > metadata["last-sequence-number"] ? sequence : metadata["last-sequence-number"],
    "last-updated-ms": Math.max(metadata["last-updated-ms"], snapshot["timestamp-ms"]),
  };
}

/** Makes or moves a branch or tag. Moving main is written to the snapshot log, at `nowMs` where it moves to a version that was there before. */
export function setRef(metadata: TableMetadata, name: string, ref: SnapshotRef, nowMs: number | null): TableMetadata {
  const snapshot = snapshotWithId(metadata, ref["snapshot-id"]);
  if (snapshot === null)
    throw new RefusedUpdate(`Cannot set ${name}: it names a snapshot that the table does not have: ${ref["snapshot-id"]}`);
  const moved = { ...metadata, refs: { ...metadata.refs, [name]: ref } };
  if (name !== "main") return moved;
  if (ref.type !== "branch") throw new RefusedUpdate("Cannot set main as a tag: it is a branch");
  if (metadata["current-snapshot-id"] === ref["snapshot-id"]) return moved;
  const last = metadata["last-updated-ms"];
  // A version of this commit is never older than the table's last change, which it has just become.
  const atMs = nowMs === null || snapshot["timestamp-ms"] === last ? last : Math.max(nowMs, last);
  const entry = { "timestamp-ms": atMs, "snapshot-id": ref["snapshot-id"] };
  return {
    ...moved,
    "last-updated-ms": atMs,
    "current-snapshot-id": ref["snapshot-id"],
    "snapshot-log": [...metadata["snapshot-log"], entry],
  };
}

/** Removes a branch or tag; without main the table reads as empty. */
export function removeRef(metadata: TableMetadata, name: string): TableMetadata {
  const { [name]: _removed, ...refs } = metadata.refs;
  return { ...metadata, refs, ...(name === "main" ? { "current-snapshot-id": -1n } : {}) };
}

/** The log keeps what comes after the last removed snapshot: a gap in it would let time travel answer with the wrong version (spec, "snapshot-log"). */
export function removeSnapshots(metadata: TableMetadata, ids: ReadonlySet<bigint>): TableMetadata {
  const held = Object.entries(metadata.refs).find(([, ref]) => ids.has(ref["snapshot-id"]));
  if (held !== undefined) throw new RefusedUpdate(`Cannot remove snapshots: ref ${held[0]} holds a snapshot that is to be removed`);
  const log = metadata["snapshot-log"];
  const gap = log.findLastIndex((entry) => ids.has(entry["snapshot-id"]));
  const kept = (file: { readonly "snapshot-id": bigint }): boolean => !ids.has(file["snapshot-id"]);
  const { statistics, "partition-statistics": partitionStatistics } = metadata;
  return {
    ...metadata,
    snapshots: metadata.snapshots.filter(kept),
    "snapshot-log": log.slice(gap + 1),
    ...(statistics === undefined ? {} : { statistics: statistics.filter(kept) }),
    ...(partitionStatistics === undefined ? {} : { "partition-statistics": partitionStatistics.filter(kept) }),
  };
}

/** Versions that main passed through within one commit were never its state for anyone: the log does not tell of them. */
export function withoutPassingVersions(base: TableMetadata, metadata: TableMetadata): TableMetadata {
  if (metadata["snapshot-log"].length <= base["snapshot-log"].length + 1) return metadata;
  const known = new Set(base.snapshots.map((snapshot) => snapshot["snapshot-id"]));
  const current = metadata["current-snapshot-id"];
  const log = metadata["snapshot-log"].filter(({ "snapshot-id": id }) => known.has(id) || id === current);
  return log.length === metadata["snapshot-log"].length ? metadata : { ...metadata, "snapshot-log": log };
}
