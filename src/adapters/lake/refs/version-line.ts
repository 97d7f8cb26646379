import type { MovedMain } from "../../../core/decision.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import { summaryKeys } from "../summary-keys.ts";
import type { SequenceRange } from "./rollback-records.ts";
import { isIn, parseRanges, readRollbacks } from "./rollback-records.ts";

/** What a line asks of a snapshot; those that have expired still say it. */
type Commit = Pick<Snapshot, "snapshot-id" | "sequence-number" | "summary">;

/** Whether a snapshot is a commit that Sluice made on main; parts of held windows and other programs' snapshots are not. */
export function isOwnCommit(snapshot: Commit): boolean {
  return snapshot.summary[summaryKeys.change] !== undefined && snapshot.summary[summaryKeys.part] === undefined;
}

/** What a rollback or roll-forward says of the commits that it moved; null for any other snapshot. */
export function movedBy(snapshot: Commit, kind: "withdraw" | "restore"): MovedMain | null {
  if (snapshot.summary[summaryKeys.change] !== kind) return null;
  return JSON.parse(snapshot.summary[summaryKeys.detail] ?? "null") as MovedMain | null;
}

/** The snapshots whose content a version has: its ancestors, and what roll-forwards among them brought back. */
export class VersionLine {
  /** Newest first. */
  readonly ancestors: readonly Snapshot[];
  /** The line says nothing of snapshots up to here: they lie beyond where the walk ended. */
  readonly cut: bigint;
  /** Commits that roll-forwards on the line brought back. */
  readonly restored: readonly SequenceRange[];
  readonly #ids: ReadonlySet<bigint>;

  constructor(metadata: TableMetadata, head: Snapshot | null, after = -1n) {
    this.ancestors = ancestorsOf(metadata, head, after);
    const oldest = this.ancestors.at(-1);
    const parent = oldest?.["parent-snapshot-id"] ?? null;
    // Where a parent is named and was not walked to, it has expired, or is at or before `after`.
    this.cut = oldest === undefined ? after : parent === null ? -1n : oldest["sequence-number"] - 1n;
    const picked = this.ancestors.flatMap(({ summary }) => {
      const source = summary[summaryKeys.sourceSnapshotId];
      return source !== undefined && /^\d+$/.test(source) ? [BigInt(source)] : [];
    });
    this.#ids = new Set([...this.ancestors.map((each) => each["snapshot-id"]), ...picked]);
    this.restored = this.ancestors.flatMap((each) => parseRanges(movedBy(each, "restore")?.sequences ?? []));
  }

  has(snapshot: Commit): boolean {
    return this.#ids.has(snapshot["snapshot-id"]) || (isOwnCommit(snapshot) && isIn(this.restored, snapshot["sequence-number"]));
  }
}

/** Tells commits of main that were rolled back, by Sluice or by another program, from those that stand; for commits after a sequence number. */
export function withdrawnTest(metadata: TableMetadata, after = -1n): (snapshot: Commit) => boolean {
  const line = new VersionLine(metadata, snapshotOfRef(metadata, "main"), after);
  const recorded = readRollbacks(metadata.properties).flatMap((each) => parseRanges(each.sequences));
  return (snapshot) => {
    if (!isOwnCommit(snapshot)) return false;
    const sequence = snapshot["sequence-number"];
    return isIn(recorded, sequence) || (sequence > line.cut && !line.has(snapshot));
  };
}

/** Tells whether a commit's rows are in a version, or were there until they were rewritten or deleted. */
export function standsIn(metadata: TableMetadata, head: Snapshot): (commit: Commit) => boolean {
  const line = new VersionLine(metadata, head);
  const sequence = head["sequence-number"];
  // Beyond where the walk ends only what was recorded tells; of a version that was withdrawn itself, its own rollback does not count.
  const withdrawn = readRollbacks(metadata.properties)
    .map((each) => parseRanges(each.sequences))
    .filter((ranges) => !isIn(ranges, sequence))
    .flat();
  return (commit) => {
    if (!isOwnCommit(commit) || commit["sequence-number"] > sequence) return false;
    return commit["sequence-number"] > line.cut ? line.has(commit) : !isIn(withdrawn, commit["sequence-number"]);
  };
}
