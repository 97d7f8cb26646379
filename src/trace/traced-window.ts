import type { CommittedWindow, SnapshotInfo } from "../core/ports.ts";
import type { OffsetRange } from "../core/position.ts";

/** Decisions that read records, or say where a held window's go; moves of main read none. */
const windowKinds: ReadonlySet<string> = new Set(["window", "replay", "publish", "drop"]);

/** Whether a change of main was a window's: by `Decision.kind`, or by what a snapshot's summary says. */
export function isWindowKind(kind: string | null | undefined): kind is string {
  return typeof kind === "string" && windowKinds.has(kind);
}

/** A committed window as a trace tells of it. */
export interface TracedWindow {
  readonly snapshotId: string;
  readonly sequence: bigint;
  readonly committedAtMs: number;
  /** window, replay, publish, drop. */
  readonly kind: string;
  readonly windowId: string;
  readonly decisionHash: string;
  readonly contractHash: string;
  readonly verdict: string;
  readonly ranges: readonly OffsetRange[];
  readonly records: number;
  readonly skipped: number;
  /** The held window that it answers, and who did; null where it answers none. */
  readonly answer: NonNullable<CommittedWindow["answer"]> | null;
}

/** A window by its decision. */
export function tracedWindow(window: CommittedWindow): TracedWindow {
  const { decision, snapshotId, sequence, committedAtMs, decisionHash } = window;
  const { kind, windowId, verdict, ranges, counts, contract } = decision;
  const skipped = counts.skipped.tombstone + counts.skipped.late;
  const said = { kind, windowId, decisionHash, contractHash: contract.hash, verdict, ranges, records: counts.records, skipped };
  return { snapshotId, sequence, committedAtMs, ...said, answer: window.answer ?? null };
}

/** A window by its snapshot's summary, without reading its decision; null for a change of state, a part of a held window, or another program's work. */
export function summarizedWindow({ snapshotId, sequence, committedAtMs, summary }: SnapshotInfo): TracedWindow | null {
  const text = (key: string): string | null => summary[`sluice.${key}`] ?? null;
  const [kind, decisionHash, ranges, heldWindowId] = ["change", "decision-hash", "ranges", "held-window-id"].map(text);
  if (!isWindowKind(kind) || !decisionHash || !ranges || text("part") !== null) return null;
  return {
    snapshotId,
    sequence,
    committedAtMs,
    kind,
    windowId: text("window-id") ?? "",
    decisionHash,
    contractHash: text("contract-hash") ?? "",
    verdict: text("verdict") ?? "",
    ranges: parseRanges(ranges),
    records: Number(text("records") ?? 0),
    skipped: Number(text("skipped-records") ?? 0),
    answer: !heldWindowId ? null : { heldWindowId, author: text("author") ?? "", reason: text("reason") ?? "" },
  };
}

function parseRanges(text: string): OffsetRange[] {
  return (JSON.parse(text) as (Omit<OffsetRange, "from" | "to"> & { from: string; to: string })[]).map((range) => ({
    ...range,
    from: BigInt(range.from),
    to: BigInt(range.to),
  }));
}
