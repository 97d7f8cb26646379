import type { VersionRows } from "../core/lake-trace.ts";
import type { Decision } from "../core/decision.ts";
import type { CommittedWindow, Lake, SnapshotInfo } from "../core/ports.ts";
import type { PastSnapshot } from "../core/past-snapshot.ts";
import type { OffsetRange } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { TracedWindow } from "./traced-window.ts";
import { isWindowKind, summarizedWindow, tracedWindow } from "./traced-window.ts";
import { VersionTree } from "./version-tree.ts";

/** A contract that windows of a version were judged by. */
export interface ContractUse {
  readonly hash: string;
  readonly id: string;
  readonly version: string;
  readonly windows: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** A window of a version's time that was held, and what a person made of it. */
export interface HeldTrace {
  readonly windowId: string;
  readonly heldAtMs: number;
  readonly records: number;
  /** Null: it waits still. */
  readonly answer: { readonly kind: string; readonly author: string; readonly reason: string; readonly atMs: number } | null;
  /** Whether this version has its rows. */
  readonly isIn: boolean;
}

/** A change of a version's line that no window made: a rollback, a compaction, a changed source, another program's write. */
export interface OtherChange {
  readonly snapshotId: string;
  readonly atMs: number;
  readonly change: string;
  readonly author: string | null;
  readonly reason: string | null;
}

/** All that a version of a dataset is made of. */
export interface VersionContents extends VersionRows {
  readonly windows: number;
  /** Records that were read for it, and how many of them are in quarantine or were skipped. */
  readonly records: number;
  /** Offsets read for it by partition, those that touch joined. */
  readonly ranges: readonly OffsetRange[];
  readonly contracts: readonly ContractUse[];
  readonly held: readonly HeldTrace[];
  readonly replays: number;
  readonly others: readonly OtherChange[];
  /** Whether every snapshot of this line is known: else `others` begins with the oldest that is. Windows are known all the same. */
  readonly isWhole: boolean;
}

/** A version of a dataset: what it is, what its last step added and why, and all that it is made of. */
export interface VersionTrace {
  readonly dataset: string;
  /** Once expired, its rows can't be read any more: what is said of it comes from the ledger. */
  readonly snapshot: PastSnapshot;
  /** Branches and tags that name it or came from it. */
  readonly refs: readonly string[];
  readonly isOnMain: boolean;
  /** Whether what it put on main was rolled back, and not brought back since. */
  readonly isWithdrawn: boolean;
  /** The decision that this snapshot committed; null where no window did. */
  readonly window: (TracedWindow & { readonly decision: Decision }) | null;
  readonly contents: VersionContents;
}

/** Follows a version back to its sources; null where the table never had such a snapshot. Rejects with NOT_FOUND where there is no such dataset. */
export async function traceVersion(lake: Lake, dataset: string, snapshotId: string): Promise<VersionTrace | null> {
  const tree = await VersionTree.ofPast(lake, dataset);
  const snapshot = tree.get(snapshotId);
  if (snapshot === null) return null;
  const refs = tree.refsOf(snapshotId);
  const own = summarizedWindow(snapshot);
  return {
    dataset,
    snapshot,
    refs,
    isOnMain: refs.includes("main"),
    isWithdrawn: snapshot.isWithdrawn,
    window: own === null ? null : { ...own, decision: await lake.traces.decision(own.decisionHash) },
    contents: await contentsOf(lake, dataset, tree, snapshot),
  };
}

async function contentsOf(lake: Lake, dataset: string, tree: VersionTree, head: SnapshotInfo): Promise<VersionContents> {
  const line = tree.lineOf(head.snapshotId).toReversed();
  const committed: CommittedWindow[] = [];
  for await (const window of lake.refs.windowsOf(dataset, head.snapshotId)) {
    if (isWindowKind(window.decision.kind)) committed.push(window);
  }
  const all = committed.map(tracedWindow);
  const windows = all.filter((window) => window.kind === "window");
  const held = windows.filter((window) => window.verdict === "hold");
  const answers = held.length === 0 ? [] : await answersOf(lake, dataset, held[0] as TracedWindow);
  return {
    ...(await lake.traces.countRows(dataset, head.snapshotId)),
    windows: windows.length,
    records: windows.reduce((sum, window) => sum + window.records, 0),
    ranges: joinRanges(windows.flatMap((window) => window.ranges)),
    contracts: contractsOf(committed),
    held: held.map((window) => heldTrace(window, answers, all)),
    replays: all.filter((window) => window.kind === "replay").length,
    others: line.flatMap(otherChange),
    isWhole: line[0]?.parentId === null,
  };
}

/** What people answered since a window, wherever main has been moved to. */
async function answersOf(lake: Lake, dataset: string, since: TracedWindow): Promise<readonly TracedWindow[]> {
  const answers: TracedWindow[] = [];
  for await (const window of lake.history(dataset, since.sequence)) if (window.answer !== undefined) answers.push(tracedWindow(window));
  return answers;
}

function contractsOf(windows: readonly CommittedWindow[]): readonly ContractUse[] {
  return [...Map.groupBy(windows, (window) => window.decision.contract.hash).values()].map((each) => {
    const [first, last] = [each[0] as CommittedWindow, each.at(-1) as CommittedWindow];
    return { ...first.decision.contract, windows: each.length, firstAtMs: first.committedAtMs, lastAtMs: last.committedAtMs };
  });
}

function heldTrace(window: TracedWindow, answers: readonly TracedWindow[], inVersion: readonly TracedWindow[]): HeldTrace {
  const isAnswer = (each: TracedWindow): boolean => each.answer?.heldWindowId === window.windowId;
  const found = answers.find(isAnswer);
  const { windowId, records } = window;
  const said = found?.answer ?? null;
  const answer =
    found === undefined || said === null ? null : { kind: found.kind, author: said.author, reason: said.reason, atMs: found.committedAtMs };
  const isIn = inVersion.some((each) => isAnswer(each) && each.kind === "publish");
  return { windowId, heldAtMs: window.committedAtMs, records, answer, isIn };
}

/** Starts and contracts are in the version's own words already. */
const expected = new Set(["start", "activate"]);

function otherChange(snapshot: SnapshotInfo): OtherChange[] {
  if (summarizedWindow(snapshot) !== null) return [];
  const change = snapshot.summary["sluice.change"];
  if (change !== undefined && expected.has(change)) return [];
  const { snapshotId, committedAtMs: atMs, summary, operation } = snapshot;
  return [
    {
      snapshotId,
      atMs,
      change: change ?? `${operation} by another program`,
      author: summary["sluice.author"] ?? null,
      reason: summary["sluice.reason"] ?? null,
    },
  ];
}

/** Ranges of each partition in order, those that touch made one. */
function joinRanges(ranges: readonly OffsetRange[]): OffsetRange[] {
  const joined: OffsetRange[] = [];
  const order = (a: OffsetRange, b: OffsetRange): number => {
    const [x, y] = [partitionId(a), partitionId(b)];
    if (x !== y) return x < y ? -1 : 1;
    return a.from < b.from ? -1 : a.from > b.from ? 1 : 0;
  };
  for (const range of ranges.toSorted(order)) {
    const last = joined.at(-1);
    if (last !== undefined && partitionId(last) === partitionId(range) && last.to >= range.from) {
      joined[joined.length - 1] = { ...last, to: range.to > last.to ? range.to : last.to, count: last.count + range.count };
    } else joined.push(range);
  }
  return joined;
}
