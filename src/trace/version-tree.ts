import type { SnapshotInfo } from "../core/ports.ts";

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
