import { createHash } from "node:crypto";
import type { Batch } from "../../core/batch.ts";
import { claimKeyBytes } from "../../core/claims.ts";
import { Cell } from "../../core/column.ts";
import type { RuleOutcome, RulePlan } from "../../core/rule.ts";
import type { Field } from "../../core/schema.ts";
import { CellKeys } from "../cell-key.ts";
import { locate, resolveRowPath } from "../column-path.ts";
import { toleranceBreach } from "../tolerance.ts";

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
  readonly #names: readonly string[];
  readonly #fields: readonly Field[];
  readonly #cells = new CellKeys();
  #rows = new Uint32Array(1024);
  #keys = new Uint8Array(1024 * claimKeyBytes);
  #count = 0;

  constructor(plan: RulePlan, fields: readonly Field[]) {
    this.#plan = plan;
    this.#names = keyColumns(plan) ?? [];
    this.#fields = fields;
  }

  /** Takes the given rows (those that pass whatever else is judged) of a chunk whose first row is the window's row `base`; rows in which one of the columns has no value are not judged. */
  add(batch: Batch, base: number, rows: Uint32Array): void {
    const columns = this.#names.map((name) => locate(batch, resolveRowPath(this.#fields, name, this.#plan)).column);
    const cells = this.#cells;
    for (const row of rows) {
      if (columns.some((column) => column.state[row] !== Cell.value)) continue;
      cells.length = 0;
      for (const column of columns) cells.append(column, row);
      this.#push(base + row, createHash("sha256").update(cells.bytes.subarray(0, cells.length)).digest());
    }
  }

  #push(row: number, digest: Uint8Array): void {
    if (this.#count === this.#rows.length) this.#grow();
    this.#rows[this.#count] = row;
    this.#keys.set(digest.subarray(0, claimKeyBytes), this.#count * claimKeyBytes);
    this.#count++;
  }

  #grow(): void {
    const wider = this.#count * 2;
    const rows = new Uint32Array(wider);
    rows.set(this.#rows);
    const keys = new Uint8Array(wider * claimKeyBytes);
    keys.set(this.#keys);
    [this.#rows, this.#keys] = [rows, keys];
  }

  finish(): DeferredKeys {
    return {
      rule: this.#plan.index,
      rows: this.#rows.slice(0, this.#count),
      keys: this.#keys.slice(0, this.#count * claimKeyBytes),
    };
  }
}

/** A row rule's outcome once more offenders are known. */
export function addOffenders(plan: RulePlan, outcome: RuleOutcome, more: number): RuleOutcome {
  if (more === 0) return outcome;
  const failed = outcome.failed + more;
  return { ...outcome, failed, status: "fail", breach: toleranceBreach(plan, outcome.checked, failed) };
}
