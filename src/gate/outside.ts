import type { ClaimRows, Claims, ClaimScope } from "../core/claims.ts";
import type { Contract } from "../core/contract.ts";
import type { Lake } from "../core/ports.ts";
import type { RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { columnKeys } from "../rules/deferred/column-keys.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import { deferredRules, keyColumns } from "../rules/deferred/deferred-rule.ts";
import { ForeignKeys } from "./foreign-keys.ts";
import type { SettledRows } from "./judged-rows.ts";
import { Serial } from "./serial.ts";

/** Waits out faults that pass; null where nobody wants the result any more. */
export type Patiently = <T>(operation: () => Promise<T>) => Promise<T | null>;

/** A window that is closing, wherever it is judged. */
export interface ClosingWindow {
  readonly contract: Contract;
  questions(closedAtMs: number): Promise<readonly DeferredKeys[]>;
  claimRows(question: DeferredKeys): ClaimRows;
  settle(closedAtMs: number, found?: readonly DeferredOffenders[]): Promise<SettledRows>;
}

/** What there is outside of a window. */
export interface World {
  readonly claims: Claims;
  /** Null: there are no tables (files that are only checked), so nothing is known of other datasets. */
  readonly lake: Lake | null;
}

/**
 * Answers what a window can't know by itself: whether an earlier record of the dataset has a key, whether another dataset has a value. Windows are answered in
 * the order in which they closed, so that of two records of this worker the first wins.
 */
export class Outside {
  readonly #lake: Lake | null;
  readonly #claims: Claims;
  readonly #foreign: ForeignKeys | null;
  readonly #turns = new Serial();
  /** Rules whose claims this process has brought up to the table, by scope. */
  readonly #covered = new Set<string>();

  constructor({ claims, lake }: World) {
    this.#lake = lake;
    this.#claims = claims;
    this.#foreign = lake === null ? null : new ForeignKeys(lake);
  }

  /** Ends a window where it is judged, after its questions (if its contract has any) were answered. Null where it was abandoned. */
  async settle(window: ClosingWindow, closedAtMs: number, patiently: Patiently): Promise<SettledRows | null> {
    const { contract } = window;
    if (deferredRules(contract.rules).length === 0) return window.settle(closedAtMs);
    const questions = window.questions(closedAtMs);
    questions.catch(() => undefined);
    return this.#turns.run(async () => {
      const found: DeferredOffenders[] = [];
      for (const question of await questions) {
        const answer = await patiently(() => this.#answer(window, question));
        if (answer === null) return null;
        found.push(answer);
      }
      return window.settle(closedAtMs, found);
    });
  }

  async #answer(window: ClosingWindow, question: DeferredKeys): Promise<DeferredOffenders> {
    const plan = window.contract.rules[question.rule] as RulePlan;
    if (plan.check.family !== "foreignKey") return this.#claim(window, plan, question);
    const none = { rule: question.rule, rows: new Uint32Array(0), note: "not judged: there are no other datasets here" };
    return this.#foreign?.offenders(plan, fieldOf(window.contract, plan.path), question) ?? none;
  }

  async #claim(window: ClosingWindow, plan: RulePlan, question: DeferredKeys): Promise<DeferredOffenders> {
    const claims = this.#claims;
    const scope = scopeOf(window.contract, plan);
    if (this.#lake !== null) await this.#catchUp(this.#lake, window.contract, plan, scope);
    const lost = await claims.claim(scope, window.claimRows(question));
    return { rule: question.rule, rows: question.rows.filter((_, i) => lost[i] === 1), note: null };
  }

  /**
   * Claims the keys of rows that are in the table already: all of them where the rule is new or the claims were lost, else what came after the last time. Windows that
   * other workers commit meanwhile under a contract without the rule are found by the next call, since the covered sequence is the one that was read.
   */
  async #catchUp(lake: Lake, contract: Contract, plan: RulePlan, scope: ClaimScope): Promise<void> {
    const { dataset } = contract;
    const claims = this.#claims;
    const id = `${scope.rule}\n${dataset}`;
    const covered = (await claims.covered(scope)) ?? 0n;
    const snapshots = (await lake.snapshots(dataset)).filter((each) => each.sequence > covered);
    const newest = snapshots.reduce((most, { sequence }) => (sequence > most ? sequence : most), covered);
    if (newest === covered) return;
    // What was committed under this very contract was claimed before; a process that has just begun does not trust that.
    const trusted = this.#covered.has(id) && (await this.#allUnder(lake, contract, covered));
    const fields = (keyColumns(plan) ?? []).map((name) => fieldOf(contract, name));
    if (!trusted) {
      for await (const rows of lake.promotedColumns(dataset, fields, { after: covered, held: true })) {
        const { rows: keyed, keys } = columnKeys(rows.columns, rows.count);
        await claims.claim(scope, {
          count: keyed.length,
          keys,
          partitions: rows.partitions,
          partition: Uint16Array.from(keyed, (row) => rows.partition[row] as number),
          offsets: BigInt64Array.from(keyed, (row) => rows.offsets[row] as bigint),
          timestampsMs: BigInt64Array.from(keyed, (row) => rows.timestampsMs[row] as bigint),
        });
      }
    }
    await claims.cover(scope, newest);
    this.#covered.add(id);
  }

  async #allUnder(lake: Lake, contract: Contract, after: bigint): Promise<boolean> {
    for await (const { decision } of lake.history(contract.dataset, after)) if (decision.contract.hash !== contract.hash) return false;
    return true;
  }
}

/** Claims are of the rule's columns and horizon, not of its name: a rule that is renamed keeps them, one that is changed begins anew. */
function scopeOf(contract: Contract, { check }: RulePlan): ClaimScope {
  if (check.family !== "duplicate" || check.horizon === undefined || check.horizon === null)
    throw new Error("bug: a rule that claims nothing");
  const { seconds } = check.horizon;
  return {
    dataset: contract.dataset,
    rule: JSON.stringify([check.columns, seconds]),
    horizonMs: seconds === null ? null : seconds * 1000,
  };
}

function fieldOf(contract: Contract, name: string | null): Field {
  const field = contract.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`bug: ${name} is no top-level column`);
  return field;
}
