import { createHash } from "node:crypto";
import { countRecords, decide } from "../core/decide.ts";
import type { Decision } from "../core/decision.ts";
import type { DriftInput, DriftOutcome } from "../core/drift.ts";
import type { OffsetRange } from "../core/position.ts";
import type { WindowCommit } from "../core/ports.ts";
import { encodeProfile, summarizeProfile } from "../sketches/index.ts";
import type { SettledWindow } from "./settle.ts";
import { settleWindow } from "./settle.ts";
import type { OpenWindow } from "./window.ts";

/** What a closing window takes from outside: the time, the reason, who judges, and what drift is measured against. */
export interface Closing {
  readonly closedAtMs: number;
  readonly closedBy: Decision["closedBy"];
  readonly worker: string;
  /** Sluice's version. */
  readonly producer: string;
  readonly holdNext: boolean;
  readonly drift: (input: DriftInput) => DriftOutcome;
}

/** A decision and all that its commit needs. */
export interface JudgedWindow {
  readonly commit: WindowCommit;
  readonly settled: SettledWindow;
}

/** `w` and 20 hex digits: of the dataset, the source ranges and the time of close, so that a range read again after a reset has another id. */
export function windowId(dataset: string, ranges: readonly OffsetRange[], closedAtMs: number): string {
  const text = ranges.map((each) => `${each.topicId}:${each.partition}:${each.from}-${each.to}`).toSorted();
  return `w${createHash("sha256")
    .update([dataset, closedAtMs, ...text].join("\n"))
    .digest("hex")
    .slice(0, 20)}`;
}

/**
 * The one way through. A window's batches were decoded to columns, validated and profiled as they came (`OpenWindow.add`); here the window
 * ends: rules are totalled, every row is put in its place, drift is judged, and the decision is made. Pure: effects follow from the commit.
 */
export function judgeWindow(window: OpenWindow, closing: Closing): JudgedWindow {
  const { compiled, ranges } = window;
  const { contract } = compiled;
  const { outcomes, late } = window.rules.close();
  const settled = settleWindow(window, late, closing.closedAtMs);
  const id = windowId(contract.dataset, ranges, closing.closedAtMs);
  const drift = closing.drift({ windowId: id, closedAtMs: closing.closedAtMs, profile: settled.profile });
  const { verdict, causes } = decide({
    contract,
    outcomes,
    drift,
    passed: settled.passedRows,
    rejected: settled.rejected.length,
    holdNext: closing.holdNext,
  });
  const profile = settled.passedRows > 0 ? encodeProfile(settled.profile) : null;
  const decision: Decision = {
    format: "sluice.decision/1",
    dataset: contract.dataset,
    windowId: id,
    kind: "window",
    openedAtMs: window.openedAtMs,
    closedAtMs: closing.closedAtMs,
    closedBy: closing.closedBy,
    contract: { id: contract.id, version: contract.version, hash: contract.hash },
    ranges,
    counts: countRecords(verdict, {
      passed: settled.passedRows,
      rejected: settled.rejected.length,
      tombstones: settled.tombstones,
      late: settled.late,
    }),
    rules: outcomes,
    profile: {
      rows: settled.profile.rows,
      columns: summarizeProfile(settled.profile, contract),
      hash: profile === null ? null : createHash("sha256").update(profile).digest("hex"),
    },
    drift,
    verdict,
    causes,
    worker: closing.worker,
    producer: closing.producer,
  };
  return {
    commit: {
      contract,
      decision,
      profile,
      from: window.from,
      to: window.to,
      supersedes: window.supersedes,
      passed: settled.passed,
      rejected: settled.rejected,
    },
    settled,
  };
}
