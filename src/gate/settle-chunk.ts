import type { Batch, SkippedRow } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { LateViolations, Reason, Validation, Validator } from "../core/rule.ts";
import { lateRows } from "./late.ts";

/** A chunk of a window, judged row by row. */
export interface JudgedChunk {
  readonly batch: Batch;
  readonly validation: Validation;
  /** Rows that passed every row rule so far, ascending. */
  readonly passed: Uint32Array;
}

/** A row of a chunk that failed, with every reason. */
export interface RejectedChunkRow {
  readonly row: number;
  readonly reasons: readonly Reason[];
}

/** Every row of a chunk in its place, when its window closes. */
export interface SettledChunk {
  readonly passed: Uint32Array;
  readonly rejected: readonly RejectedChunkRow[];
  readonly skipped: readonly SkippedRow[];
}

/** Rows that are neither rejected nor skipped by a policy, ascending. */
export function passingRows(batch: Batch, rejected: Uint8Array): Uint32Array {
  const skipped = new Set(batch.skipped.map((each) => each.row));
  const rows = new Uint32Array(batch.rows);
  let count = 0;
  for (let row = 0; row < batch.rows; row++) {
    if (rejected[row] === 0 && batch.undecoded[row] === 0 && !skipped.has(row)) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** The rows of a chunk that failed by what is known now. */
export function rejectedRows(validator: Validator, chunk: JudgedChunk): RejectedChunkRow[] {
  const skipped = new Set(chunk.batch.skipped.map((each) => each.row));
  return reasonedRows(validator, chunk, { later: [], flags: chunk.validation.rejected, skipped });
}

function reasonedRows(
  validator: Validator,
  { batch, validation }: JudgedChunk,
  known: { readonly later: readonly LateViolations[]; readonly flags: Uint8Array; readonly skipped: ReadonlySet<number> },
): { readonly row: number; readonly reasons: Reason[] }[] {
  const { later, flags, skipped } = known;
  const rejected: { row: number; reasons: Reason[] }[] = [];
  for (let row = 0; row < batch.rows; row++) {
    if ((flags[row] === 0 && batch.undecoded[row] === 0) || skipped.has(row)) continue;
    rejected.push({ row, reasons: [] });
  }
  if (rejected.length === 0) return rejected;
  const violated = violatedRules([...validation.violations, ...later]);
  const expected = expectedOf(later);
  for (const each of rejected)
    each.reasons.push(...validator.reasons(batch, each.row, violated.get(each.row) ?? [], expected.get(each.row)));
  return rejected;
}

/** What the outside world expected of rows, by row and rule. */
function expectedOf(later: readonly LateViolations[]): Map<number, Map<number, string>> {
  const byRow = new Map<number, Map<number, string>>();
  for (const { rule, rows, expected } of later) {
    expected?.forEach((text, i) => {
      const row = rows[i] as number;
      byRow.set(row, (byRow.get(row) ?? new Map<number, string>()).set(rule, text));
    });
  }
  return byRow;
}

/** Rule indexes by row, in the order of the violations. */
function violatedRules(violations: Validation["violations"]): Map<number, number[]> {
  const byRow = new Map<number, number[]>();
  for (const { rule, rows } of violations) {
    for (const row of rows) {
      const rules = byRow.get(row);
      if (rules === undefined) byRow.set(row, [rule]);
      else if (!rules.includes(rule)) rules.push(rule);
    }
  }
  return byRow;
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

/** Puts every row of a chunk in its place as its window closes. `later`: offenders of this chunk that only a later one showed. */
export function settleChunk(
  contract: Contract,
  validator: Validator,
  { chunk, later, closedAtMs }: { readonly chunk: JudgedChunk; readonly later: readonly LateViolations[]; readonly closedAtMs: number },
): SettledChunk {
  const { batch } = chunk;
  const flags = chunk.validation.rejected.slice();
  for (const { rule, rows } of later) {
    const plan = contract.rules[rule];
    if (plan !== undefined && plan.severity === "error" && plan.scope === "row") for (const row of rows) flags[row] = 1;
  }
  const skipped = new Map(batch.skipped.map((each) => [each.row, each]));
  const tooLate = new Set<number>();
  const lateAction = contract.policies.late?.action ?? "promote";
  if (lateAction !== "promote") {
    for (const row of lateRows(contract, batch, closedAtMs)) {
      if (skipped.has(row)) continue;
      if (lateAction === "quarantine") {
        flags[row] = 1;
        tooLate.add(row);
      } else if (flags[row] === 0) skipped.set(row, { row, policy: "late" });
    }
  }
  const skippedRows = [...skipped.values()].toSorted((a, b) => a.row - b.row);
  const rejected = reasonedRows(validator, chunk, { later, flags, skipped: new Set(skipped.keys()) });
  for (const { row, reasons } of rejected) if (tooLate.has(row)) reasons.push(lateReason(contract));
  return { passed: passingRows({ ...batch, skipped: skippedRows }, flags), rejected, skipped: skippedRows };
}
