import type { MovedMain } from "../../../core/decision.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { LedgerEntry } from "../maintenance/ledger.ts";
import { summaryKeys } from "../summary-keys.ts";
import { isStandIn } from "./list-refs.ts";
import type { SequenceRange } from "./rollback-records.ts";
import { isIn, parseRanges, readRollbacks } from "./rollback-records.ts";

/** What a line asks of a snapshot; those that have expired still say it. */
type Commit = LedgerEntry;

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
  /** The line says nothing of snapshots up to here: they lie beyond where the walk ended. */
  readonly cut: bigint;
  /** Commits that roll-forwards on the line brought back. */
  readonly restored: readonly SequenceRange[];
  readonly #ids: ReadonlySet<bigint>;

  /** `ancestors`: a version and those before it, newest first, down to the sequence number `after` at most. */
  constructor(ancestors: readonly Commit[], after = -1n) {
    const oldest = ancestors.at(-1);
    const parent = oldest?.["parent-snapshot-id"] ?? null;
    // Where a parent is named and was not walked to, it has expired, or is at or before `after`.
    this.cut = oldest === undefined ? after : parent === null ? -1n : oldest["sequence-number"] - 1n;
    const picked = ancestors.flatMap(({ summary }) => {
      const source = summary[summaryKeys.sourceSnapshotId];
      return source !== undefined && /^\d+$/.test(source) ? [BigInt(source)] : [];
    });
    this.#ids = new Set([...ancestors.map((each) => each["snapshot-id"]), ...picked]);
    this.restored = ancestors.flatMap((each) => parseRanges(movedBy(each, "restore")?.sequences ?? []));
  }

  has(snapshot: Commit): boolean {
    return this.#ids.has(snapshot["snapshot-id"]) || (isOwnCommit(snapshot) && isIn(this.restored, snapshot["sequence-number"]));
  }
}

/** The line of main, down to a sequence number. */
export function mainLine(metadata: TableMetadata, after = -1n): VersionLine {
  return new VersionLine(ancestorsOf(metadata, snapshotOfRef(metadata, "main"), after), after);
}

/** Tells commits of main that were rolled back, by Sluice or by another program, from those that stand; for commits after a sequence number. */
export function withdrawnTest(metadata: TableMetadata, after = -1n): (snapshot: Commit) => boolean {
  const line = mainLine(metadata, after);
  const recorded = readRollbacks(metadata.properties).flatMap((each) => parseRanges(each.sequences));
  return (snapshot) => {
    if (!isOwnCommit(snapshot)) return false;
    const sequence = snapshot["sequence-number"];
    // What stands for a tag's version has never been main.
    return isIn(recorded, sequence) || (sequence > line.cut && !line.has(snapshot) && !isStandIn(snapshot));
  };
}

/**
 * Tells whether a commit's rows are in a version, or were there until they were rewritten or deleted. `every`: all snapshots that the table has or had, so that
 * neither expiry nor an erasure, which puts new snapshots in the place of old ones, hides where a version came from.
 */
export function standsIn(metadata: TableMetadata, every: readonly Commit[], head: Commit): (commit: Commit) => boolean {
  const byId = new Map(every.map((each) => [each["snapshot-id"], each]));
  const ancestors: Commit[] = [];
  for (let at: Commit | undefined = head; at !== undefined; at = byId.get(at["parent-snapshot-id"] ?? -1n)) ancestors.push(at);
  const line = new VersionLine(ancestors);
  // What other programs have expired is in no ledger: of that only recorded rollbacks tell, but for the one that withdrew this very version.
  const own = ancestors.map((each) => each["sequence-number"]);
  const withdrawn = readRollbacks(metadata.properties)
    .map((each) => parseRanges(each.sequences))
    .filter((ranges) => !own.some((sequence) => isIn(ranges, sequence)))
    .flat();
  const newest = head["sequence-number"];
  return (commit) => {
    if (!isOwnCommit(commit) || commit["sequence-number"] > newest) return false;
    return commit["sequence-number"] > line.cut ? line.has(commit) : !isIn(withdrawn, commit["sequence-number"]);
  };
}
