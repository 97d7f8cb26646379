import type { SnapshotInfo } from "../core/ports.ts";
import type { OffsetRange } from "../core/position.ts";

/** A dataset's snapshots as a tree: which version came from which, and what branches and tags hold. */
export class VersionTree {
  readonly #byId: ReadonlyMap<string, SnapshotInfo>;
  readonly snapshots: readonly SnapshotInfo[];

  constructor(snapshots: readonly SnapshotInfo[]) {
    this.snapshots = snapshots;
    this.#byId = new Map(snapshots.map((each) => [each.snapshotId, each]));
  }

  get(snapshotId: string): SnapshotInfo | null {
    return this.#byId.get(snapshotId) ?? null;
  }

  /** The snapshot that a branch or tag names, or null. */
  named(ref: string): SnapshotInfo | null {
    return this.snapshots.find((each) => each.refs.includes(ref)) ?? null;
  }

  /** A snapshot and those that it came from, newest first, as far as the table still has them. */
  lineOf(snapshotId: string): readonly SnapshotInfo[] {
    const line: SnapshotInfo[] = [];
    for (let at = this.get(snapshotId); at !== null; at = at.parentId === null ? null : this.get(at.parentId)) line.push(at);
    return line;
  }

  /** Branches and tags whose version came from a snapshot, or is it. */
  refsOf(snapshotId: string): readonly string[] {
    return this.snapshots
      .filter((each) => each.refs.length > 0 && this.lineOf(each.snapshotId).some((one) => one.snapshotId === snapshotId))
      .flatMap((each) => each.refs)
      .toSorted();
  }
}

/** What a snapshot's summary says of the window that it committed. */
export interface SummarizedWindow {
  readonly snapshot: SnapshotInfo;
  /** window, replay, publish, drop. */
  readonly kind: string;
  readonly windowId: string;
  readonly decisionHash: string;
  readonly contractHash: string;
  readonly verdict: string;
  readonly ranges: readonly OffsetRange[];
  readonly records: number;
  readonly skipped: number;
  /** The held window that a publish or drop answers. */
  readonly answers: string | null;
  /** Who answered, where a person did. */
  readonly by: { readonly author: string; readonly reason: string } | null;
}

/** The window that a snapshot committed, or null: a change of state, a part of a held window, or another program's work. */
export function windowOf(snapshot: SnapshotInfo): SummarizedWindow | null {
  const text = (key: string): string | null => snapshot.summary[`sluice.${key}`] ?? null;
  const [decisionHash, ranges] = [text("decision-hash"), text("ranges")];
  if (decisionHash === null || ranges === null || text("part") !== null) return null;
  const author = text("author");
  return {
    snapshot,
    kind: text("change") ?? "window",
    windowId: text("window-id") ?? "",
    decisionHash,
    contractHash: text("contract-hash") ?? "",
    verdict: text("verdict") ?? "",
    ranges: parseRanges(ranges),
    records: Number(text("records") ?? 0),
    skipped: Number(text("skipped-records") ?? 0),
    answers: text("held-window-id"),
    by: author === null ? null : { author, reason: text("reason") ?? "" },
  };
}

function parseRanges(text: string): OffsetRange[] {
  return (JSON.parse(text) as (Omit<OffsetRange, "from" | "to"> & { from: string; to: string })[]).map((range) => ({
    ...range,
    from: BigInt(range.from),
    to: BigInt(range.to),
  }));
}
