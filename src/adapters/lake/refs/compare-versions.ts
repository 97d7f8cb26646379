import type { ComparedVersion, VersionComparison } from "../../../core/lake-refs.ts";
import { resolveVersion } from "../../../core/version-name.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { ancestorsOf, schemaOfSnapshot, snapshotWithId } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import type { LedgerEntry } from "../maintenance/ledger.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import { summaryKeys } from "../summary-keys.ts";
import { readContracts } from "../table-properties.ts";
import { versionSpace } from "./ref-records.ts";
import type { Fork } from "./row-counts.ts";
import { RowCounts } from "./row-counts.ts";
import { standsIn } from "./version-line.ts";
import { versionWindows } from "./version-windows.ts";

function contractOf(metadata: TableMetadata, hash: string): ComparedVersion["contract"] {
  return { hash, version: readContracts(metadata.properties).find((each) => each.hash === hash)?.version ?? "" };
}

/** The contract that was in force at a version: that of its newest commit that names one, or the first of the dataset. */
function contractAt(metadata: TableMetadata, snapshot: Snapshot, commits: readonly LedgerEntry[]): ComparedVersion["contract"] {
  for (const { summary } of commits.toReversed()) {
    const detail =
      summary[summaryKeys.change] === "activate" ? (JSON.parse(summary[summaryKeys.detail] ?? "{}") as { contract?: string }) : {};
    const hash = detail.contract ?? summary[summaryKeys.contractHash];
    if (hash !== undefined) return contractOf(metadata, hash);
  }
  const first = readContracts(metadata.properties).find((each) => each.atMs <= snapshot["timestamp-ms"]);
  return first === undefined ? null : { hash: first.hash, version: first.version };
}

/** The newest snapshot that two have in common, and what each has beyond it; null where expiry has cut the way. */
function fork(metadata: TableMetadata, a: Snapshot, b: Snapshot): Fork | null {
  const [lineA, lineB] = [ancestorsOf(metadata, a), ancestorsOf(metadata, b)];
  const ofA = new Set(lineA.map((each) => each["snapshot-id"]));
  const common = lineB.find((each) => ofA.has(each["snapshot-id"]));
  if (common === undefined) return null;
  const before = (line: readonly Snapshot[]): Snapshot[] => line.slice(0, line.indexOf(common));
  return { common, a: before(lineA), b: before(lineB) };
}

/** Compares two versions; see `LakeRefs.compare`. */
export async function compareVersions(context: LakeContext, dataset: string, a: string, b: string): Promise<VersionComparison> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const space = versionSpace(dataset, metadata);
  const names = [a, b].map((name) => resolveVersion(space, name, context.clock.now()));
  const [headA, headB] = names.map((each) => snapshotWithId(metadata, BigInt(each.snapshotId)) as Snapshot) as [Snapshot, Snapshot];
  const every = await Array.fromAsync(everySnapshot(context.content, metadata, -1n));
  const inA = standsIn(metadata, every, headA);
  const inB = standsIn(metadata, every, headB);
  const commits = every.filter((each) => inA(each) || inB(each));
  const counts = new RowCounts(context, metadata);
  const version = async (i: 0 | 1, head: Snapshot, isIn: (each: LedgerEntry) => boolean): Promise<ComparedVersion> => ({
    ...(names[i] as (typeof names)[number]),
    committedAtMs: head["timestamp-ms"],
    ...(await counts.of(head)),
    schema: schemaOfSnapshot(metadata, head),
    contract: contractAt(metadata, head, commits.filter(isIn)),
  });
  const ways = fork(metadata, headA, headB);
  const changes = await counts.compare(headA, headB, ways);
  return {
    a: await version(0, headA, inA),
    b: await version(1, headB, inB),
    commonSnapshotId: ways?.common["snapshot-id"].toString() ?? null,
    ...changes,
    onlyB: await versionWindows(
      context,
      commits.filter((each) => inB(each) && !inA(each)),
    ),
    onlyA: await versionWindows(
      context,
      commits.filter((each) => inA(each) && !inB(each)),
    ),
  };
}
