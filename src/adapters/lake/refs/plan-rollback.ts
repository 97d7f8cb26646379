import { SluiceError } from "../../../core/errors.ts";
import type { RollbackPlan } from "../../../core/lake-refs.ts";
import type { ResolvedVersion } from "../../../core/version-name.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotOfRef, snapshotWithId } from "../../iceberg/table-metadata.ts";
import type { DatasetTables, LakeContext } from "../lake-context.ts";
import type { LedgerEntry } from "../maintenance/ledger.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import { isStandIn } from "./list-refs.ts";
import { existingSnapshot } from "./ref-records.ts";
import type { SequenceRange } from "./rollback-records.ts";
import { isIn, parseRanges, readRollbacks, subtractRanges, uniteRanges } from "./rollback-records.ts";
import { isOwnCommit, movedBy, withdrawnTest } from "./version-line.ts";
import { versionWindows } from "./version-windows.ts";

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

/** Main's versions after a rollback's target, newest first, those that have expired included. */
interface Later {
  readonly chain: readonly LedgerEntry[];
  /** Whether the way to the target is known in whole: other programs expire snapshots without a word. */
  readonly isWhole: boolean;
}

/** Rejects with ROLLBACK_REFUSED where the target is none of main's earlier versions. */
function laterThan(metadata: TableMetadata, every: readonly LedgerEntry[], head: Snapshot, target: Snapshot): Later {
  const id = target["snapshot-id"];
  const byId = new Map(every.map((each) => [each["snapshot-id"], each]));
  const chain: LedgerEntry[] = [];
  let at: LedgerEntry | undefined = head;
  for (; at !== undefined && at["sequence-number"] > target["sequence-number"]; at = byId.get(at["parent-snapshot-id"] ?? -1n))
    chain.push(at);
  if (at?.["snapshot-id"] === id) return { chain, isWhole: true };
  const isTaken = withdrawnTest(metadata)(target);
  const isCut = at === undefined && (chain.at(-1)?.["parent-snapshot-id"] ?? null) !== null;
  if (isCut && isOwnCommit(target) && !isTaken) return { chain, isWhole: false };
  const why = isStandIn(target)
    ? "an erasure or an archiving put it in the place of one"
    : isTaken
      ? "it was withdrawn itself: `sluice rollforward` undoes a rollback"
      : "main can only go back to what it was";
  throw new SluiceError("ROLLBACK_REFUSED", `snapshot ${id} is no earlier version of main: ${why}`);
}

function addedRows({ summary }: LedgerEntry): number {
  return Number(summary["added-records"] ?? 0) - Number(summary["deleted-records"] ?? 0);
}

/** What a rollback takes back: what came after its target and stands, with what was brought back there and is older, without what was taken before. */
function rangesOf(metadata: TableMetadata, between: SequenceRange, commits: readonly LedgerEntry[]): SequenceRange[] {
  const restored = commits.flatMap((each) => parseRanges(movedBy(each, "restore")?.sequences ?? []));
  const standing = readRollbacks(metadata.properties).flatMap((each) => parseRanges(each.sequences));
  return subtractRanges(uniteRanges([between, ...restored]), standing);
}

/** Plans a rollback over the tables as they are. Rejects with VERSION_UNKNOWN and ROLLBACK_REFUSED. */
export async function planRollback(context: LakeContext, tables: DatasetTables, to: ResolvedVersion): Promise<PlannedRollback> {
  const { dataset } = tables;
  const { metadata } = tables.promoted;
  const target = existingSnapshot(dataset, metadata, to.snapshotId);
  const head = snapshotOfRef(metadata, "main");
  if (head === null) throw new SluiceError("ROLLBACK_REFUSED", `${dataset} has no version yet`);
  if (head === target) throw new SluiceError("ROLLBACK_REFUSED", `main of ${dataset} is snapshot ${to.snapshotId} as it is`);
  const every = await Array.fromAsync(everySnapshot(context.content, metadata, -1n));
  const { chain, isWhole } = laterThan(metadata, every, head, target);
  const isWithdrawn = withdrawnTest(metadata);
  const stands = every.filter((each) => isOwnCommit(each) && !isWithdrawn(each));
  const between = { first: target["sequence-number"] + 1n, last: head["sequence-number"] };
  const ranges = rangesOf(
    metadata,
    between,
    stands.filter((each) => isIn([between], each["sequence-number"])),
  );
  const windows = await versionWindows(
    context,
    stands.filter((each) => isIn(ranges, each["sequence-number"])),
  );
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
    versions: chain.filter((each) => snapshotWithId(metadata, each["snapshot-id"]) !== null).length,
    target,
    ranges,
    isRewritten: !isWhole || chain.some((each) => (each.summary["operation"] ?? "append") !== "append"),
  };
}
