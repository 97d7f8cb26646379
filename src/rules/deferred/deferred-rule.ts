import type { Batch } from "../../core/batch.ts";
import { claimKeyBytes } from "../../core/claims.ts";
import type { RuleOutcome, RulePlan } from "../../core/rule.ts";
import type { Field } from "../../core/schema.ts";
import { locate, resolveRowPath, type ColumnPath } from "../column-path.ts";
import { toleranceBreach } from "../tolerance.ts";
import { columnKeys, type ColumnKeys } from "./column-keys.ts";

/** Rows of a window that a rule asks the outside world about: row numbers of the window, ascending, and one key a row (`claimKeyBytes` each). */
export interface DeferredKeys {
  /** The rule's index. */
  readonly rule: number;
  readonly rows: Uint32Array;
  readonly keys: Uint8Array;
}

/** Rows of a window that the outside world says offend: a selection of the rows of `DeferredKeys`, ascending. */
export interface DeferredOffenders {
  readonly rule: number;
  readonly rows: Uint32Array;
  /** What to know of the answer, for the rule's outcome; null: nothing. */
  readonly note: string | null;
}

/** The columns whose values make a row's key, where a rule is judged outside of its window; null for other rules. */
export function keyColumns(plan: RulePlan): readonly string[] | null {
  const { check } = plan;
  if (check.family === "duplicate") return check.horizon === undefined || check.horizon === null ? null : check.columns;
  return check.family === "foreignKey" && plan.path !== null ? [plan.path] : null;
}

/** Rules of a contract that only the outside world can answer: who holds a key, what another dataset has. */
export function deferredRules(rules: readonly RulePlan[]): readonly RulePlan[] {
  return rules.filter((plan) => keyColumns(plan) !== null);
}

/** Gathers one deferred rule's keys over the chunks of a window. */
export class DeferredGatherer {
  readonly #plan: RulePlan;
  readonly #paths: readonly ColumnPath[];
  readonly #found: ColumnKeys[] = [];

  constructor(plan: RulePlan, fields: readonly Field[]) {
    this.#plan = plan;
    this.#paths = (keyColumns(plan) ?? []).map((name) => resolveRowPath(fields, name, plan));
  }

  /** Takes the given rows (those that pass whatever else is judged) of a chunk whose first row is the window's row `base`; rows in which one of the columns has no value are not judged. */
  add(batch: Batch, base: number, rows: Uint32Array): void {
    const columns = this.#paths.map((path) => locate(batch, path).column);
    const { rows: judged, keys } = columnKeys(columns, batch.rows, rows);
    this.#found.push({ rows: judged.map((row) => base + row), keys });
  }

  finish(): DeferredKeys {
    const count = this.#found.reduce((sum, { rows }) => sum + rows.length, 0);
    const rows = new Uint32Array(count);
    const keys = new Uint8Array(count * claimKeyBytes);
    let at = 0;
    for (const each of this.#found) {
      rows.set(each.rows, at);
      keys.set(each.keys, at * claimKeyBytes);
      at += each.rows.length;
    }
    return { rule: this.#plan.index, rows, keys };
  }
}

/** A row rule's outcome once more offenders are known. */
export function addOffenders(plan: RulePlan, outcome: RuleOutcome, more: number): RuleOutcome {
  if (more === 0) return outcome;
  const failed = outcome.failed + more;
  return { ...outcome, failed, status: "fail", breach: toleranceBreach(plan, outcome.checked, failed) };
}
