import type { Batch } from "../../core/batch.ts";
import { Cell } from "../../core/column.ts";
import { claimKeyBytes } from "../../core/claims.ts";
import type { RuleOutcome, RulePlan } from "../../core/rule.ts";
import type { Field } from "../../core/schema.ts";
import { locate, resolveRowPath, type ColumnPath } from "../column-path.ts";
import { compileCondition, type RowMask } from "../condition-mask.ts";
import { thresholdBreach, toleranceBreach } from "../tolerance.ts";
import { columnKeys } from "./column-keys.ts";

/** Rows of a window that a rule asks the outside world about: row numbers of the window, ascending, and one key a row (`claimKeyBytes` each). */
export interface DeferredKeys {
  /** The rule's index. */
  readonly rule: number;
  readonly rows: Uint32Array;
  readonly keys: Uint8Array;
  /** Of sequences: the number of each row. */
  readonly numbers?: BigInt64Array;
}

/** Rows of a window that the outside world says offend: a selection of the rows of `DeferredKeys`, ascending. */
export interface DeferredOffenders {
  readonly rule: number;
  readonly rows: Uint32Array;
  /** What to know of the answer, for the rule's outcome; null: nothing. */
  readonly note: string | null;
  /** What was expected of each of the rows; absent: what the rule says of itself. */
  readonly expected?: readonly string[];
  /** Further rows that fail the rule and are no offenders: they stay where they are. */
  readonly failedBeside?: number;
}

/** The columns whose values make a row's key, where a rule is judged outside of its window; null for other rules. */
export function keyColumns(plan: RulePlan): readonly string[] | null {
  const { check } = plan;
  if (check.family === "duplicate") return check.horizon === undefined || check.horizon === null ? null : check.columns;
  if (check.family === "sequence") return check.by;
  return check.family === "foreignKey" && plan.path !== null ? [plan.path] : null;
}

/** Rules of a contract that only the outside world can answer: who holds a key, what another dataset has. */
export function deferredRules(rules: readonly RulePlan[]): readonly RulePlan[] {
  return rules.filter((plan) => keyColumns(plan) !== null);
}

/** Gathers one deferred rule's keys over the chunks of a window, or over stored rows. */
export class DeferredGatherer {
  readonly #plan: RulePlan;
  readonly #paths: readonly ColumnPath[];
  readonly #where: RowMask | null;
  /** The column that counts; null for other rules than sequences. */
  readonly #number: ColumnPath | null;
  readonly #found: Omit<DeferredKeys, "rule">[] = [];

  constructor(plan: RulePlan, fields: readonly Field[]) {
    this.#plan = plan;
    this.#paths = (keyColumns(plan) ?? []).map((name) => resolveRowPath(fields, name, plan));
    this.#where = plan.where === null ? null : compileCondition(plan.where, fields, plan);
    this.#number = plan.check.family === "sequence" ? resolveRowPath(fields, plan.path, plan) : null;
  }

  /**
   * Takes the given rows (those that pass whatever else is judged) of a chunk whose first row is the window's row `base`; rows that the rule does not apply to,
   * or in which one of its columns has no value, are not judged.
   */
  add(batch: Batch, base: number, rows: Uint32Array): void {
    const { check } = this.#plan;
    const columns = this.#paths.map((path) => locate(batch, path).column);
    const within = check.family === "sequence" && check.scope === "partition" ? batch.records : null;
    const number = this.#number === null ? null : locate(batch, this.#number).column;
    const wanted = this.#applicable(batch, rows).filter((row) => number === null || number.state[row] === Cell.value);
    const { rows: judged, keys } = columnKeys(columns, batch.rows, { wanted, within });
    const numbers = number?.kind === "integer" ? { numbers: BigInt64Array.from(judged, (row) => number.exact[row] as bigint) } : {};
    this.#found.push({ rows: judged.map((row) => base + row), keys, ...numbers });
  }

  #applicable(batch: Batch, rows: Uint32Array): Uint32Array {
    if (this.#where === null) return rows;
    const applies = new Uint8Array(batch.rows);
    this.#where(batch, applies);
    return rows.filter((row) => applies[row] === 1);
  }

  finish(): DeferredKeys {
    const count = this.#found.reduce((sum, { rows }) => sum + rows.length, 0);
    const rows = new Uint32Array(count);
    const keys = new Uint8Array(count * claimKeyBytes);
    const numbers = this.#number === null ? null : new BigInt64Array(count);
    let at = 0;
    for (const each of this.#found) {
      rows.set(each.rows, at);
      keys.set(each.keys, at * claimKeyBytes);
      if (each.numbers !== undefined) numbers?.set(each.numbers, at);
      at += each.rows.length;
    }
    return { rule: this.#plan.index, rows, keys, ...(numbers === null ? {} : { numbers }) };
  }
}

/** A row rule's outcome once more offenders are known. */
export function addOffenders(plan: RulePlan, outcome: RuleOutcome, more: number): RuleOutcome {
  if (more === 0) return outcome;
  const failed = outcome.failed + more;
  if (plan.scope === "row") return { ...outcome, failed, status: "fail", breach: toleranceBreach(plan, outcome.checked, failed) };
  const breach = thresholdBreach(plan, outcome.checked, failed);
  return { ...outcome, failed, status: breach === null ? "pass" : "fail", breach };
}
