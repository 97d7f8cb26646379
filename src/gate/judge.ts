import { createHash } from "node:crypto";
import { countRecords, decide } from "../core/decide.ts";
import type { Decision } from "../core/decision.ts";
import type { DriftInput, DriftOutcome } from "../core/drift.ts";
import type { OffsetRange } from "../core/position.ts";
import type { WindowCommit } from "../core/ports.ts";
import { decodeProfile } from "../sketches/profile-format.ts";
import { openDecoder } from "./chunk-engine.ts";
import type { SettledRows } from "./judged-rows.ts";
import { findSuspects } from "./suspect-records.ts";
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

/** `w` and 20 hex digits: of the dataset, the source ranges and the time of close, so that a range read again after a reset has another id. */
export function windowId(dataset: string, ranges: readonly OffsetRange[], closedAtMs: number): string {
  const text = ranges.map((each) => `${each.topicId}:${each.partition}:${each.from}-${each.to}`).toSorted();
  return `w${createHash("sha256")
    .update([dataset, closedAtMs, ...text].join("\n"))
    .digest("hex")
    .slice(0, 20)}`;
}

/**
 * The one way through. A window's records were decoded to columns, validated, profiled and encoded as they came, and every row was put in its place as it
 * closed (`WindowJudge`, perhaps in another thread); here drift is judged, and the decision is made. Pure: effects follow from the commit.
 */
export function judgeWindow(window: OpenWindow, settled: SettledRows, closing: Closing): WindowCommit {
  const { contract, ranges } = window;
  const { outcomes, passedRows, rejected, skipped } = settled;
  const id = windowId(contract.dataset, ranges, closing.closedAtMs);
  const drift = closing.drift({
    windowId: id,
    openedAtMs: window.openedAtMs,
    closedAtMs: closing.closedAtMs,
    // Most contracts judge no drift.
    get profile() {
      return decodeProfile(settled.profile.bytes, true);
    },
    find: (questions) => findSuspects(contract, openDecoder(contract), window.passedRecords(settled), questions),
  });
  const { verdict, causes } = decide({
    contract,
    outcomes,
    drift,
    passed: passedRows,
    rejected: rejected.length,
    holdNext: closing.holdNext,
  });
  const profile = passedRows > 0 ? settled.profile.bytes : null;
  const late = skipped.filter((each) => each.policy === "late").length;
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
    counts: countRecords(verdict, { passed: passedRows, rejected: rejected.length, tombstones: skipped.length - late, late }),
    rules: outcomes,
    profile: {
      rows: settled.profile.rows,
      columns: settled.profile.columns,
      hash: profile === null ? null : createHash("sha256").update(profile).digest("hex"),
    },
    drift,
    verdict,
    causes,
    worker: closing.worker,
    producer: closing.producer,
  };
  return {
    contract,
    decision,
    profile,
    from: window.from,
    to: window.to,
    supersedes: window.supersedes,
    passed: settled.files,
    raw: verdict === "hold" ? window.passedRecords(settled) : [],
    rejected: window.rejectedRecords(settled),
  };
}
