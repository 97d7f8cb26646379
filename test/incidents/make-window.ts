import type { CommittedWindow } from "../../src/core/committed-window.ts";
import type { Decision } from "../../src/core/decision.ts";
import type { DriftResult } from "../../src/core/drift.ts";
import type { IncidentFact, IncidentNote } from "../../src/core/incident.ts";
import { makeDecision } from "../fixtures/decision.ts";

/** 2026-01-31T12:00:00Z; windows are 10 s long and 10 s apart. */
export const startMs = 1_769_860_800_000;

/** A commit with a sequence number, ten seconds after the one before; `minute` moves it further away. */
export function makeWindow(sequence: number, change: Partial<Decision> = {}, more: Partial<CommittedWindow> = {}): CommittedWindow {
  const closedAtMs = startMs + sequence * 10_000;
  const decision = makeDecision({
    windowId: `w${sequence}`,
    openedAtMs: closedAtMs - 10_000,
    closedAtMs,
    ranges: [{ topic: "flights", topicId: "t1", partition: 0, from: BigInt(sequence * 100), to: BigInt(sequence * 100 + 100), count: 100 }],
    counts: { records: 100, promoted: 100, quarantined: 0, held: 0, skipped: { tombstone: 0, late: 0 } },
    verdict: "promote",
    ...change,
  });
  return {
    sequence: BigInt(sequence),
    snapshotId: `s${sequence}`,
    committedAtMs: closedAtMs + 1000,
    decision,
    decisionHash: `d${sequence}`,
    quarantineSnapshotId: null,
    isWithdrawn: false,
    ...more,
  };
}

const heldCounts: Decision["counts"] = { records: 100, promoted: 0, quarantined: 0, held: 100, skipped: { tombstone: 0, late: 0 } };

/** A tick of one window whose columns drifted under a policy; the other columns passed. */
export function drifting(
  columns: readonly string[],
  policy: "warn" | "hold" | "observe",
  others: readonly string[] = [],
): Partial<Decision> {
  const result = (column: string, status: "drift" | "pass"): DriftResult => ({
    column,
    test: "psi",
    statistic: 0.3,
    limit: 0.1,
    status,
    policy,
    explanation: status === "drift" ? `${column}: 12% -> 31% of records` : null,
    ...(status === "drift" && { samples: [{ topic: "flights", topicId: "t1", partition: 3, offset: "9007199254740993" }] }),
  });
  const results = [...columns.map((one) => result(one, "drift")), ...others.map((one) => result(one, "pass"))];
  const isHeld = policy === "hold" && columns.length > 0;
  return {
    drift: {
      status: columns.length === 0 ? "pass" : policy,
      tick: { windows: [], rows: 100 },
      baseline: { windows: 5, rows: 500, ref: null },
      needs: 0,
      results,
    },
    ...(isHeld && {
      verdict: "hold",
      counts: heldCounts,
      causes: columns.map((subject) => ({ kind: "drift" as const, subject, message: `${subject}: 12% -> 31% of records` })),
    }),
  };
}

/** A window that a broken threshold holds. */
export function breaking(rule: string): Partial<Decision> {
  const outcome = { rule, family: "rowCount", column: null, severity: "error", dimension: null, checked: 100, failed: 0 } as const;
  return {
    verdict: "hold",
    counts: heldCounts,
    rules: [{ ...outcome, status: "fail", breach: "100 rows, at least 500 wanted" }],
    causes: [{ kind: "threshold", subject: rule, message: "100 rows, at least 500 wanted" }],
  };
}

/** A person's answer to a held window, as a commit. */
export function answering(sequence: number, kind: "publish" | "drop", heldWindowId: string): CommittedWindow {
  return makeWindow(sequence, { kind, windowId: `${kind}-${heldWindowId}` }, { answer: { heldWindowId, author: "ann", reason: "real" } });
}

/** A note recorded after a commit. */
export function makeNote(after: number, fact: IncidentFact, id = `${fact.kind} ${after}`): IncidentNote {
  return { id, after: String(after), atMs: startMs + after * 10_000 + 5000, ...fact };
}

/** A note of a person. */
export function said(after: number, incident: string, what: Record<string, unknown>): IncidentNote {
  return makeNote(after, { incident, author: "ann", reason: "because", ...what } as IncidentFact);
}
