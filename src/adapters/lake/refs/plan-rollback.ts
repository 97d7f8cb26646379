import { SluiceError } from "../../../core/errors.ts";
import type { RollbackPlan } from "../../../core/lake-refs.ts";
import type { ResolvedVersion } from "../../../core/version-name.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotOfRef, snapshotWithId } from "../../iceberg/table-metadata.ts";
import type { DatasetTables, LakeContext } from "../lake-context.ts";
import type { LedgerEntry } from "../maintenance/ledger.ts";
import { everySnapshot } from "../maintenance/ledger.ts";
import { isStandIn, standingFor } from "./list-refs.ts";
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
  /** The target, and the versions in whose place it stands, down to the one that main was. */
  readonly origins: readonly LedgerEntry[];
}

/** The versions of a line above a sequence number, newest first, and the one that comes then; undefined where the line ends or is cut. */
function above(
  byId: ReadonlyMap<bigint, LedgerEntry>,
  head: LedgerEntry,
  sequence: bigint,
): readonly [chain: readonly LedgerEntry[], next: LedgerEntry | undefined] {
  const chain: LedgerEntry[] = [];
  let at: LedgerEntry | undefined = head;
  for (; at !== undefined && at["sequence-number"] > sequence; at = byId.get(at["parent-snapshot-id"] ?? -1n)) chain.push(at);
  return [chain, at];
}

/** Rejects with ROLLBACK_REFUSED where main was neither the target nor what it stands for. */
function laterThan(metadata: TableMetadata, every: readonly LedgerEntry[], head: Snapshot, target: Snapshot): Later {
  const byId = new Map(every.map((each) => [each["snapshot-id"], each]));
  const standing = standingFor(byId, target);
  for (const [i, origin] of standing.entries()) {
    const [chain, at] = above(byId, head, origin["sequence-number"]);
    if (at?.["snapshot-id"] === origin["snapshot-id"]) return { chain, isWhole: true, origins: standing.slice(0, i + 1) };
  }
  const oldest = standing.at(-1) as LedgerEntry;
  const [chain, at] = above(byId, head, oldest["sequence-number"]);
  const isTaken = withdrawnTest(metadata)(oldest);
  const isCut = at === undefined && (chain.at(-1)?.["parent-snapshot-id"] ?? null) !== null;
  // Of what another program has expired nobody knows any more when it was main.
  if (isCut && isOwnCommit(oldest) && !isTaken && !isStandIn(oldest)) return { chain, isWhole: false, origins: standing };
  const why = isStandIn(oldest)
    ? "an erasure or an archiving put it in the place of one that another program has expired"
    : isTaken
      ? "it was withdrawn itself: `sluice rollforward` undoes a rollback"
      : "main can only go back to what it was";
  throw new SluiceError("ROLLBACK_REFUSED", `snapshot ${target["snapshot-id"]} is no earlier version of main: ${why}`);
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
  const { chain, isWhole, origins } = laterThan(metadata, every, head, target);
  const isWithdrawn = withdrawnTest(metadata);
  const stands = every.filter((each) => isOwnCommit(each) && !isWithdrawn(each));
  const between = { first: (origins.at(-1) as LedgerEntry)["sequence-number"] + 1n, last: head["sequence-number"] };
  const taken = rangesOf(
    metadata,
    between,
    stands.filter((each) => isIn([between], each["sequence-number"])),
  );
  const own = origins.map((each) => ({ first: each["sequence-number"], last: each["sequence-number"] }));
  const ranges = subtractRanges(taken, own);
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
