import type { Lake, SnapshotInfo } from "../core/ports.ts";
import type { PastSnapshot } from "../core/past-snapshot.ts";

/** Changes that put a version in the place of another: the same rows but for those erased, or in an archive. */
const standIns: ReadonlySet<string | undefined> = new Set(["erase", "archive"]);

/** A dataset's snapshots as a tree: which version came from which, and what branches and tags hold. */
export class VersionTree<T extends SnapshotInfo = SnapshotInfo> {
  readonly #byId: ReadonlyMap<string, T>;
  readonly snapshots: readonly T[];

  constructor(snapshots: readonly T[]) {
    this.snapshots = snapshots;
    this.#byId = new Map(snapshots.map((each) => [each.snapshotId, each]));
  }

  /** Of all snapshots that there ever were. Rejects with NOT_FOUND where there is no such dataset. */
  static async ofPast(lake: Lake, dataset: string): Promise<VersionTree<PastSnapshot>> {
    return new VersionTree(await Array.fromAsync(lake.traces.snapshots(dataset)));
  }

  get(snapshotId: string): T | null {
    return this.#byId.get(snapshotId) ?? null;
  }

  /** The snapshot that a branch or tag names, or null. */
  named(ref: string): T | null {
    return this.snapshots.find((each) => each.refs.includes(ref)) ?? null;
  }

  /** A snapshot and those that it came from, newest first, as far as the table still has them. */
  lineOf(snapshotId: string): readonly T[] {
    const line: T[] = [];
    for (let at: T | null = this.get(snapshotId); at !== null; at = at.parentId === null ? null : this.get(at.parentId)) line.push(at);
    return line;
  }

  /** A snapshot and those in whose place erasures and archivings put it, newest first. */
  standsFor(snapshotId: string): readonly string[] {
    const line = this.lineOf(snapshotId);
    const last = line.findIndex(({ summary }) => !standIns.has(summary["sluice.change"]));
    return line.slice(0, last < 0 ? line.length : last + 1).map((each) => each.snapshotId);
  }

  /** Branches and tags whose version came from a snapshot, or is it. */
  refsOf(snapshotId: string): readonly string[] {
    return this.snapshots
      .filter((each) => each.refs.length > 0 && this.lineOf(each.snapshotId).some((one) => one.snapshotId === snapshotId))
      .flatMap((each) => each.refs)
      .toSorted();
  }
}
