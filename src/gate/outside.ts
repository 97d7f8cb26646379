import { createHash } from "node:crypto";
import type { ClaimRows, Claims, ClaimScope } from "../core/claims.ts";
import { claimKeyBytes } from "../core/claims.ts";
import type { Contract } from "../core/contract.ts";
import type { Lake } from "../core/ports.ts";
import type { Condition, RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import type { SkippedRange } from "../core/skipped-range.ts";
import type { OffsetRange } from "../core/position.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import { deferredRules } from "../rules/deferred/deferred-rule.ts";
import { claimRowsOf } from "./claim-rows.ts";
import { ForeignKeys } from "./foreign-keys.ts";
import type { SettledRows } from "./judged-rows.ts";
import type { Sequences } from "./sequences.ts";
import { Serial } from "./serial.ts";
import { gatherStored, storedFields } from "./stored-rows.ts";

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
  /** Null: sequences are not judged (replays, whose records were judged in their order when they first came). */
  readonly sequences: Sequences | null;
}

/** A rule that claims keys, and source ranges whose records hold none. */
interface ClaimingRule {
  readonly contract: Contract;
  readonly plan: RulePlan;
  readonly scope: ClaimScope;
  readonly skipped: readonly SkippedRange[];
}

/** A window by its name, where its records go on from those of earlier windows. */
export interface NamedWindow {
  readonly windowId: string;
  readonly ranges: readonly OffsetRange[];
}

/**
 * Answers what a window can't know by itself: whether an earlier record of the dataset has a key, whether another dataset has a value, what number a sequence
 * had come to. Windows are answered in the order in which they closed, so that of two records of this worker the first wins.
 */
export class Outside {
  readonly #lake: Lake | null;
  readonly #claims: Claims;
  readonly #sequences: Sequences | null;
  readonly #foreign: ForeignKeys | null;
  readonly #turns = new Serial();
  /** Rules whose claims this process has brought up to the table, by scope. */
  readonly #covered = new Set<string>();

  constructor({ claims, lake, sequences }: World) {
    this.#lake = lake;
    this.#claims = claims;
    this.#sequences = sequences;
    this.#foreign = lake === null ? null : new ForeignKeys(lake);
  }

  /** Ends a window where it is judged, after its questions (if its contract has any) were answered. Null where it was abandoned. */
  async settle(
    window: ClosingWindow,
    closing: { readonly closedAtMs: number; readonly patiently: Patiently; readonly named: () => NamedWindow },
  ): Promise<SettledRows | null> {
    const { contract } = window;
    const { closedAtMs } = closing;
    if (deferredRules(contract.rules).length === 0) return window.settle(closedAtMs);
    const questions = window.questions(closedAtMs);
    questions.catch(() => undefined);
    return this.#turns.run(async () => {
      const found = await this.#answer(window, await questions, closing);
      return found === null ? null : window.settle(closedAtMs, found);
    });
  }

  /** Tells that a window of this worker stands in the table. */
  committed(windowId: string): void {
    this.#sequences?.committed(windowId);
  }

  /** Tells that windows which were settled and not committed were given up. */
  forget(): void {
    this.#sequences?.forget();
  }

  /** Each rule is asked about the rows that none before it rejects: other datasets first, then claims, then sequences. Null where the window was abandoned. */
  async #answer(
    window: ClosingWindow,
    questions: readonly DeferredKeys[],
    { patiently, named }: { readonly patiently: Patiently; readonly named: () => NamedWindow },
  ): Promise<readonly DeferredOffenders[] | null> {
    const { contract } = window;
    const of = (family: RulePlan["check"]["family"]): readonly DeferredKeys[] =>
      questions.filter(({ rule }) => (contract.rules[rule] as RulePlan).check.family === family);
    const found: DeferredOffenders[] = [];
    const rejected = new Set<number>();
    const take = (answer: DeferredOffenders): void => {
      found.push(answer);
      const { severity, scope } = contract.rules[answer.rule] as RulePlan;
      if (severity === "error" && scope === "row") for (const row of answer.rows) rejected.add(row);
    };
    for (const question of of("foreignKey")) {
      const answer = await patiently(() => this.#refer(window, question));
      if (answer === null) return null;
      take(answer);
    }
    const claimed: { readonly plan: RulePlan; readonly question: DeferredKeys; readonly answer: DeferredOffenders }[] = [];
    for (const each of of("duplicate")) {
      const plan = contract.rules[each.rule] as RulePlan;
      const question = without(each, rejected);
      const answer = await patiently(() => this.#claim(window, plan, question));
      if (answer === null) return null;
      take(answer);
      claimed.push({ plan, question, answer });
    }
    const counted = of("sequence").map((each) => without(each, rejected));
    const answers = counted.length === 0 ? [] : await patiently(() => this.#count(window, counted, named));
    if (answers === null) return null;
    for (const answer of answers) take(answer);
    for (const { plan, question, answer } of claimed) {
      const lost = new Set(answer.rows);
      const forfeited = only(question, (row) => rejected.has(row) && !lost.has(row));
      if (forfeited.rows.length === 0) continue;
      const done = await patiently(() => this.#claims.forfeit(scopeOf(contract, plan), window.claimRows(forfeited)).then(() => true));
      if (done === null) return null;
    }
    return found;
  }

  async #refer(window: ClosingWindow, question: DeferredKeys): Promise<DeferredOffenders> {
    const plan = window.contract.rules[question.rule] as RulePlan;
    const none = { rule: question.rule, rows: new Uint32Array(0), note: "not judged: there are no other datasets here" };
    return this.#foreign?.offenders(plan, fieldOf(window.contract, plan.path), question) ?? none;
  }

  async #claim(window: ClosingWindow, plan: RulePlan, question: DeferredKeys): Promise<DeferredOffenders> {
    const claims = this.#claims;
    const scope = scopeOf(window.contract, plan);
    const skipped = (await this.#lake?.state(scope.dataset))?.skipped ?? [];
    if (this.#lake !== null) await this.#catchUp(this.#lake, { contract: window.contract, plan, scope, skipped });
    const lost = await claims.claim(scope, window.claimRows(question), skipped);
    return { rule: question.rule, rows: question.rows.filter((_, i) => lost[i] === 1), note: null };
  }

  /** Null where the window was given up meanwhile. */
  async #count(
    window: ClosingWindow,
    questions: readonly DeferredKeys[],
    named: () => NamedWindow,
  ): Promise<readonly DeferredOffenders[] | null> {
    const none = { rows: new Uint32Array(0), note: "not judged in a replay" };
    if (this.#sequences === null) return questions.map(({ rule }) => ({ rule, ...none }));
    const asked = questions.map((question) => ({
      plan: window.contract.rules[question.rule] as RulePlan,
      question,
      places: window.claimRows(question),
    }));
    return this.#sequences.judge(window.contract, asked, named());
  }

  /**
   * Claims the keys of rows that are in the table already: all of them where the rule is new or the claims were lost, else what came after the last time. Windows that
   * other workers commit meanwhile under a contract without the rule are found by the next call, since the covered sequence is the one that was read.
   */
  async #catchUp(lake: Lake, { contract, plan, scope, skipped }: ClaimingRule): Promise<void> {
    const { dataset } = contract;
    const claims = this.#claims;
    const id = `${scope.rule}\n${dataset}`;
    const covered = (await claims.covered(scope)) ?? 0n;
    const snapshots = (await lake.snapshots(dataset)).filter((each) => each.sequence > covered);
    const newest = snapshots.reduce((most, { sequence }) => (sequence > most ? sequence : most), covered);
    if (newest === covered) return;
    // What was committed under this very contract was claimed before; a process that has just begun does not trust that.
    const trusted = this.#covered.has(id) && (await this.#allUnder(lake, contract, covered));
    const fields = storedFields(plan, contract.fields);
    if (!trusted) {
      for await (const stored of lake.promotedColumns(dataset, fields, { after: covered, held: true, withdrawn: true })) {
        const { batch, asked } = gatherStored(plan, fields, stored);
        await claims.claim(scope, claimRowsOf([{ records: batch.records, start: 0 }], asked), skipped);
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

/** The part of a question that is about rows which nothing rejected yet. */
function without(question: DeferredKeys, rejected: ReadonlySet<number>): DeferredKeys {
  return rejected.size === 0 ? question : only(question, (row) => !rejected.has(row));
}

function only({ rule, rows, keys, numbers }: DeferredKeys, wanted: (row: number) => boolean): DeferredKeys {
  const kept = Array.from(rows.keys()).filter((i) => wanted(rows[i] as number));
  const keyOf = (i: number): Uint8Array => keys.subarray(i * claimKeyBytes, (i + 1) * claimKeyBytes);
  const found = new Uint8Array(kept.length * claimKeyBytes);
  kept.forEach((from, to) => found.set(keyOf(from), to * claimKeyBytes));
  return {
    rule,
    rows: Uint32Array.from(kept, (i) => rows[i] as number),
    keys: found,
    ...(numbers === undefined ? {} : { numbers: BigInt64Array.from(kept, (i) => numbers[i] as bigint) }),
  };
}

/** Claims are of the rule's columns, horizon and filter, not of its name: a rule that is renamed keeps them, one that is changed begins anew. */
function scopeOf(contract: Contract, { check, where }: RulePlan): ClaimScope {
  if (check.family !== "duplicate" || check.horizon === undefined || check.horizon === null)
    throw new Error("bug: a rule that claims nothing");
  const { seconds } = check.horizon;
  return {
    dataset: contract.dataset,
    rule: JSON.stringify([check.columns, seconds, ...(where === null ? [] : [filterName(where)])]),
    horizonMs: seconds === null ? null : seconds * 1000,
  };
}

/** Filters may be long, and names of scopes are not. */
function filterName(where: Condition): string {
  return createHash("sha256").update(JSON.stringify(where)).digest("hex").slice(0, 32);
}

function fieldOf(contract: Contract, name: string | null): Field {
  const field = contract.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`bug: ${name} is no top-level column`);
  return field;
}
