import type { BatchSlice } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { RejectedRow } from "../core/ports.ts";
import type { Profile } from "../core/profile.ts";
import type { LateViolations, Reason } from "../core/rule.ts";
import { emptyProfile, mergeProfiles, profileBatch } from "../sketches/index.ts";
import type { CompiledContract } from "./compiled.ts";
import { lateRows } from "./late.ts";
import type { JudgedBatch, OpenWindow } from "./window.ts";
import { passingRows } from "./window.ts";

/** Every row of a closed window in its place: passed, rejected with all its reasons, or skipped by a policy. */
export interface SettledWindow {
  readonly passed: readonly BatchSlice[];
  readonly passedRows: number;
  readonly rejected: readonly RejectedRow[];
  readonly tombstones: number;
  readonly late: number;
  /** Of the rows that passed. */
  readonly profile: Profile;
}

interface SettledBatch {
  readonly passed: Uint32Array;
  readonly rejected: readonly RejectedRow[];
  readonly tombstones: number;
  readonly late: number;
}

function lateReason(contract: Contract): Reason {
  const policy = contract.policies.late;
  return {
    rule: "policy.late",
    family: "late",
    column: policy?.column ?? null,
    severity: "error",
    message: `event time is more than ${policy?.seconds ?? 0} s before the window's close`,
    observed: null,
    limit: `${policy?.seconds ?? 0} s`,
  };
}

/** Rule indexes by row, for the rows that are rejected. */
function violatedRules(judged: JudgedBatch, later: readonly LateViolations[]): Map<number, number[]> {
  const byRow = new Map<number, number[]>();
  for (const { rule, rows } of [...judged.validation.violations, ...later]) {
    for (const row of rows) {
      const rules = byRow.get(row);
      if (rules === undefined) byRow.set(row, [rule]);
      else if (!rules.includes(rule)) rules.push(rule);
    }
  }
  return byRow;
}

function settleBatch(compiled: CompiledContract, judged: JudgedBatch, later: readonly LateViolations[], closedAtMs: number): SettledBatch {
  const { contract, validator } = compiled;
  const { batch } = judged;
  const latecomers = lateRows(contract, batch, closedAtMs);
  const lateAction = contract.policies.late?.action ?? "promote";
  const disturbed = later.length > 0 || (latecomers.length > 0 && lateAction !== "promote");
  const rejectedFlags = disturbed ? judged.validation.rejected.slice() : judged.validation.rejected;
  const rules = contract.rules;
  for (const { rule, rows } of later) {
    const plan = rules[rule];
    if (plan !== undefined && plan.severity === "error" && plan.scope === "row") for (const row of rows) rejectedFlags[row] = 1;
  }
  const skippedRows = new Set(batch.skipped.map((each) => each.row));
  let late = 0;
  const lateSet = new Set<number>();
  if (lateAction !== "promote") {
    for (const row of latecomers) {
      if (skippedRows.has(row)) continue;
      if (lateAction === "quarantine") {
        rejectedFlags[row] = 1;
        lateSet.add(row);
      } else if (rejectedFlags[row] === 0) {
        skippedRows.add(row);
        late++;
      }
    }
  }
  const passed = disturbed ? passingRows(batch, rejectedFlags).filter((row) => !skippedRows.has(row)) : judged.passed;
  const violated = violatedRules(judged, later);
  const rejected: RejectedRow[] = [];
  for (let row = 0; row < batch.rows; row++) {
    if ((rejectedFlags[row] === 0 && batch.undecoded[row] === 0) || skippedRows.has(row)) continue;
    const reasons = validator.reasons(batch, row, violated.get(row) ?? []);
    if (lateSet.has(row)) reasons.push(lateReason(contract));
    rejected.push({ records: batch.records, row, reasons });
  }
  return {
    passed,
    rejected,
    tombstones: batch.skipped.filter((each) => each.policy === "tombstone").length,
    late: late + batch.skipped.filter((each) => each.policy === "late").length,
  };
}

/** Puts every row of a closed window in its place. `later`: offenders that only a later batch showed. */
export function settleWindow(window: OpenWindow, later: readonly LateViolations[], closedAtMs: number): SettledWindow {
  const { compiled, batches } = window;
  const passed: BatchSlice[] = [];
  const rejected: RejectedRow[] = [];
  let passedRows = 0;
  let tombstones = 0;
  let late = 0;
  batches.forEach((judged, index) => {
    const own = later.filter((each) => each.batch === index);
    const settled = settleBatch(compiled, judged, own, closedAtMs);
    if (settled.passed.length > 0) passed.push({ batch: judged.batch, rows: settled.passed });
    passedRows += settled.passed.length;
    for (const row of settled.rejected) rejected.push(row);
    tombstones += settled.tombstones;
    late += settled.late;
  });
  const profile = window.profile ?? profileSlices(compiled.contract, passed);
  return { passed, passedRows, rejected, tombstones, late, profile };
}

function profileSlices(contract: Contract, slices: readonly BatchSlice[]): Profile {
  return slices.reduce((sum, { batch, rows }) => mergeProfiles(sum, profileBatch(contract, batch, rows)), emptyProfile(contract));
}
