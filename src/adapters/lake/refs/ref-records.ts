import { SluiceError } from "../../../core/errors.ts";
import type { Authorship } from "../../../core/lake-refs.ts";
import type { VersionSpace } from "../../../core/version-name.ts";
import type { Snapshot, SnapshotRef, TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotWithId } from "../../iceberg/table-metadata.ts";

/** Who made a tag or branch, from what and why. Kept after it was dropped, so that its name never comes to mean something else. */
export interface RefRecord extends Authorship {
  readonly kind: "tag" | "branch" | "release";
  readonly snapshotId: string;
  readonly atMs: number;
  /** The call that made it, so that a call whose answer was lost recognises its own. */
  readonly call: string;
  /** Of a release: all its datasets. */
  readonly datasets?: readonly string[];
  readonly dropped?: Authorship & { readonly atMs: number; readonly call: string };
}

/** One property a ref: catalogs merge properties by their keys, so that two people who tag at once lose nothing of each other's. */
const prefix = "sluice.ref.";

/** The property that keeps a ref's record. */
export function recordProperty(name: string): string {
  return `${prefix}${name}`;
}

/** The record of one name, or null. */
export function recordOf(metadata: TableMetadata, name: string): RefRecord | null {
  const text = metadata.properties[recordProperty(name)];
  return text === undefined ? null : (JSON.parse(text) as RefRecord);
}

/** Every record of a table, by name. */
export function recordsOf(metadata: TableMetadata): Map<string, RefRecord> {
  const found = Object.entries(metadata.properties).filter(([key]) => key.startsWith(prefix));
  return new Map(found.map(([key, text]) => [key.slice(prefix.length), JSON.parse(text) as RefRecord]));
}

/** When a ref may be expired: Iceberg counts a ref's age from the time of its snapshot. Null: never. */
export function keptUntilMs(ref: SnapshotRef, snapshot: Snapshot): number | null {
  const age = ref["max-ref-age-ms"];
  return age === undefined ? null : snapshot["timestamp-ms"] + Number(age);
}

/** The age that makes a ref of this snapshot last so long from now. */
export function refAgeMs(snapshot: Snapshot, keepMs: number, nowMs: number): number {
  return Math.max(1, nowMs - snapshot["timestamp-ms"] + keepMs);
}

/** Rows of a version, as its summary counts them; null where it does not. */
export function rowsOf(snapshot: Pick<Snapshot, "summary">): number | null {
  const text = snapshot.summary["total-records"];
  return text === undefined ? null : Number(text);
}

/** A table's versions, for their names to be looked up in. */
export function versionSpace(dataset: string, metadata: TableMetadata): VersionSpace {
  return {
    dataset,
    snapshots: metadata.snapshots.map((each) => ({
      snapshotId: each["snapshot-id"].toString(),
      parentId: each["parent-snapshot-id"]?.toString() ?? null,
      committedAtMs: each["timestamp-ms"],
    })),
    refs: new Map(Object.entries(metadata.refs).map(([name, ref]) => [name, ref["snapshot-id"].toString()])),
    log: metadata["snapshot-log"].map((entry) => ({ snapshotId: entry["snapshot-id"].toString(), atMs: entry["timestamp-ms"] })),
  };
}

/** The snapshot of a version that was looked up before: others may have expired it since. Rejects with VERSION_UNKNOWN. */
export function existingSnapshot(dataset: string, metadata: TableMetadata, snapshotId: string): Snapshot {
  const snapshot = snapshotWithId(metadata, BigInt(snapshotId));
  if (snapshot === null) throw new SluiceError("VERSION_UNKNOWN", `snapshot ${snapshotId} of ${dataset} has expired`);
  return snapshot;
}
