import { isOwnRef } from "../../../core/ref-name.ts";
import type { NamedRef, RefKind } from "../../../core/lake-refs.ts";
import type { Snapshot, SnapshotRef, TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { LedgerEntry } from "../maintenance/ledger.ts";
import { summaryKeys } from "../summary-keys.ts";
import type { RefRecord } from "./ref-records.ts";
import { keptUntilMs, recordOf, rowsOf } from "./ref-records.ts";
import { readRollbacks, withdrawnTag } from "./rollback-records.ts";

function kindOf(name: string, ref: SnapshotRef, record: RefRecord | null): RefKind {
  if (name === "main") return "main";
  if (name.startsWith("held/")) return "held";
  if (name.startsWith("withdrawn/")) return "withdrawn";
  return record?.kind === "release" && ref.type === "tag" ? "release" : ref.type;
}

/** Whether an erasure or an archiving put this snapshot in the place of another: the cases in which a tag moves. */
export function isStandIn(snapshot: Pick<Snapshot, "summary">): boolean {
  return ["erase", "archive"].includes(snapshot.summary[summaryKeys.change] ?? "");
}

/**
 * A version, and what it stands for: the versions in whose place erasures and archivings put it, newest first, as far as they are known. `byId`: all snapshots
 * that the table has or had.
 */
export function standingFor(byId: ReadonlyMap<bigint, LedgerEntry>, version: LedgerEntry): readonly LedgerEntry[] {
  const found = [version];
  for (let last = version; isStandIn(last);) {
    const before = byId.get(last["parent-snapshot-id"] ?? -1n);
    if (before === undefined) break;
    found.push(before);
    last = before;
  }
  return found;
}

/** A ref as it stands; null for a ref whose snapshot is gone. */
export function namedRef(metadata: TableMetadata, name: string): NamedRef | null {
  const ref = metadata.refs[name];
  const snapshot = snapshotOfRef(metadata, name);
  if (ref === undefined || snapshot === null) return null;
  const kept = isOwnRef(name) ? null : recordOf(metadata, name);
  const record = kept?.dropped === undefined ? kept : null;
  const rollback = readRollbacks(metadata.properties).find((each) => withdrawnTag(each.id) === name);
  const snapshotId = snapshot["snapshot-id"].toString();
  return {
    name,
    kind: kindOf(name, ref, record),
    snapshotId,
    committedAtMs: snapshot["timestamp-ms"],
    rows: rowsOf(snapshot),
    author: record?.author ?? rollback?.author ?? null,
    reason: record?.reason ?? rollback?.reason ?? null,
    createdAtMs: record?.atMs ?? rollback?.atMs ?? null,
    keptUntilMs: keptUntilMs(ref, snapshot),
    isIntact:
      kept === null || kept.kind === "branch" || (kept.dropped === undefined && (kept.snapshotId === snapshotId || isStandIn(snapshot))),
  };
}

/** Every branch and tag of a table, by name. */
export function listRefs(metadata: TableMetadata): NamedRef[] {
  return Object.keys(metadata.refs)
    .toSorted()
    .flatMap((name) => namedRef(metadata, name) ?? []);
}
