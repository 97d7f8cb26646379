import { decodeDecision } from "../../../core/decision-text.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { RollbackPlan, VersionWindow } from "../../../core/lake-refs.ts";
import { resolveVersion } from "../../../core/version-name.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotOfRef, snapshotWithId } from "../../iceberg/table-metadata.ts";
import type { DatasetTables, LakeContext } from "../lake-context.ts";
import type { LedgerEntry } from "../maintenance/ledger.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import { summaryKeys } from "../summary-keys.ts";
import { versionSpace } from "./ref-records.ts";
import type { SequenceRange } from "./rollback-records.ts";
import { isIn, parseRanges, readRollbacks, subtractRanges, uniteRanges } from "./rollback-records.ts";
import { isOwnCommit, movedBy, withdrawnTest } from "./version-line.ts";

/** A rollback as it would be now. */
export interface PlannedRollback {
  readonly plan: RollbackPlan;
  readonly head: Snapshot;
  /** Versions between the two, as far as the table still has them. */
  readonly versions: number;
  readonly target: Snapshot;
  readonly ranges: readonly SequenceRange[];
  /** Whether something between the two was no append. */
  readonly isRewritten: boolean;
}

/** What main's versions after a rollback's target are, newest first. Rejects with ROLLBACK_REFUSED where the target is none of main's. */
function laterThan(
  dataset: string,
  metadata: TableMetadata,
  head: Snapshot | null,
  target: Snapshot,
): { head: Snapshot; chain: readonly Snapshot[] } {
  const id = target["snapshot-id"];
  if (head === null) throw new SluiceError("ROLLBACK_REFUSED", `${dataset} has no version yet`);
  if (head["snapshot-id"] === id) throw new SluiceError("ROLLBACK_REFUSED", `main of ${dataset} is snapshot ${id} as it is`);
  const chain = ancestorsOf(metadata, head, target["sequence-number"] - 1n);
  const oldest = chain.at(-1) as Snapshot;
  if (oldest["snapshot-id"] === id) return { head, chain: chain.slice(0, -1) };
  const isTaken = withdrawnTest(metadata)(target);
  // Where snapshots in between have expired, the walk ends before the target, which was main's if Sluice committed it there.
  const isCut =
    (oldest["parent-snapshot-id"] ?? null) !== null && snapshotWithId(metadata, oldest["parent-snapshot-id"] as bigint) === null;
  if (isCut && isOwnCommit(target) && !isTaken) return { head, chain };
  const why = isTaken ? "it was withdrawn itself: `sluice rollforward` undoes a rollback" : "main can only go back to what it was";
  throw new SluiceError("ROLLBACK_REFUSED", `snapshot ${id} is no earlier version of main: ${why}`);
}

/** What was committed to main after the target and stands now, from the metadata and the ledger of what expired. */
async function commitsIn(
  context: LakeContext,
  metadata: TableMetadata,
  ranges: readonly SequenceRange[],
  isWithdrawn: (snapshot: LedgerEntry) => boolean,
): Promise<LedgerEntry[]> {
  const commits: LedgerEntry[] = [];
  const first = ranges[0]?.first ?? 0n;
  for await (const each of everySnapshot(context.content, metadata, first - 1n)) {
    if (isOwnCommit(each) && isIn(ranges, each["sequence-number"]) && !isWithdrawn(each)) commits.push(each);
  }
  return commits;
}

async function windowsOf(context: LakeContext, commits: readonly LedgerEntry[]): Promise<VersionWindow[]> {
  const windows: VersionWindow[] = [];
  for (const each of commits) {
    const hash = each.summary[summaryKeys.decisionHash];
    if (hash === undefined || movedBy(each, "withdraw") !== null || movedBy(each, "restore") !== null) continue;
    windows.push({
      snapshotId: each["snapshot-id"].toString(),
      sequence: each["sequence-number"],
      committedAtMs: each["timestamp-ms"],
      decision: decodeDecision(await context.content.get("decision", hash)),
    });
  }
  return windows;
}

function addedRows(snapshot: Snapshot): number {
  return Number(snapshot.summary["added-records"] ?? 0) - Number(snapshot.summary["deleted-records"] ?? 0);
}

/** Plans a rollback over the tables as they are. Rejects with VERSION_UNKNOWN and ROLLBACK_REFUSED. */
export async function planRollback(context: LakeContext, tables: DatasetTables, version: string): Promise<PlannedRollback> {
  const { dataset } = tables;
  const { metadata } = tables.promoted;
  const to = resolveVersion(versionSpace(dataset, metadata), version, context.clock.now());
  const target = snapshotWithId(metadata, BigInt(to.snapshotId)) as Snapshot;
  const { head, chain } = laterThan(dataset, metadata, snapshotOfRef(metadata, "main"), target);
  const between = { first: target["sequence-number"] + 1n, last: head["sequence-number"] };
  const isWithdrawn = withdrawnTest(metadata);
  const inBetween = await commitsIn(context, metadata, [between], isWithdrawn);
  const restored = inBetween.flatMap((each) => parseRanges(movedBy(each, "restore")?.sequences ?? []));
  const standing = readRollbacks(metadata.properties).flatMap((each) => parseRanges(each.sequences));
  const ranges = subtractRanges(uniteRanges([between, ...restored]), standing);
  const commits = restored.length === 0 ? inBetween : await commitsIn(context, metadata, ranges, isWithdrawn);
  const windows = await windowsOf(context, commits);
  const foreign = chain.filter((each) => !isOwnCommit(each));
  const ids = new Set(chain.map((each) => each["snapshot-id"]));
  const refs = Object.entries(metadata.refs).filter(([name, ref]) => name !== "main" && ids.has(ref["snapshot-id"]));
  return {
    plan: {
      dataset,
      from: head["snapshot-id"].toString(),
      to,
      rows:
        windows.reduce((sum, { decision }) => sum + decision.counts.promoted, 0) + foreign.reduce((sum, each) => sum + addedRows(each), 0),
      windows,
      snapshotIds: chain.map((each) => each["snapshot-id"].toString()),
      foreignSnapshots: foreign.map((each) => each["snapshot-id"].toString()).toReversed(),
      refs: refs.map(([name]) => name).toSorted(),
    },
    head,
    versions: chain.length,
    target,
    ranges,
    isRewritten: chain.some((each) => (each.summary.operation ?? "append") !== "append") || chain.length === 0,
  };
}
