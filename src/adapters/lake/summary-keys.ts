import type { Decision } from "../../core/decision.ts";

/** What Sluice says in snapshot summaries, for people and for its own walks through history. */
export const summaryKeys = {
  /** window, replay, publish, drop, withdraw, restore; or a change of state: start, reset, block, unblock, activate. */
  change: "sluice.change",
  windowId: "sluice.window-id",
  decisionHash: "sluice.decision-hash",
  contractHash: "sluice.contract-hash",
  verdict: "sluice.verdict",
  ranges: "sluice.ranges",
  /** Of the window's records: all, and those that a policy skipped. */
  records: "sluice.records",
  skippedRecords: "sluice.skipped-records",
  /** On the promoted table: the quarantine snapshot of the same transaction. */
  quarantineSnapshotId: "sluice.quarantine-snapshot-id",
  /** On held branches: which of the window's rows the snapshot added, `passed`, `raw` or `rejected`. */
  part: "sluice.part",
  /** The held window that a publish or drop answers. */
  heldWindowId: "sluice.held-window-id",
  /** What that window's own decision was, and its hash. */
  heldVerdict: "sluice.held-verdict",
  heldDecisionHash: "sluice.held-decision-hash",
  author: "sluice.author",
  reason: "sluice.reason",
  detail: "sluice.detail",
  /** Iceberg's own key for a write that was audited first: never the same twice on main. */
  publishedWapId: "published-wap-id",
  sourceSnapshotId: "source-snapshot-id",
} as const;

/** The summary that a window's snapshots carry. */
export function windowSummary(decision: Decision, decisionHash: string): Record<string, string> {
  const { counts } = decision;
  const ranges = decision.ranges.map((range) => ({ ...range, from: range.from.toString(), to: range.to.toString() }));
  return {
    [summaryKeys.change]: decision.kind,
    [summaryKeys.windowId]: decision.windowId,
    [summaryKeys.decisionHash]: decisionHash,
    [summaryKeys.contractHash]: decision.contract.hash,
    [summaryKeys.verdict]: decision.verdict,
    [summaryKeys.ranges]: JSON.stringify(ranges),
    [summaryKeys.records]: String(counts.records),
    [summaryKeys.skippedRecords]: String(counts.skipped.tombstone + counts.skipped.late),
  };
}

/** The branch that a held window waits on, in both tables. */
export function heldBranch(windowId: string): string {
  return `held/${windowId}`;
}

/** The window of a held branch, or null for any other ref. */
export function windowOfBranch(ref: string): string | null {
  return ref.startsWith("held/") ? ref.slice("held/".length) : null;
}
