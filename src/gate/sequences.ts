import { createHash } from "node:crypto";
import type { ClaimRows } from "../core/claims.ts";
import type { Contract } from "../core/contract.ts";
import type { OffsetRange, PartitionKey } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { Lake } from "../core/ports.ts";
import type { RulePlan } from "../core/rule.ts";
import { maskedPaths } from "../core/schema.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import { LastNumbers } from "../rules/deferred/last-numbers.ts";
import { judgeSequences, type BreakKind, type SequenceBreak, type SequenceVerdict } from "../rules/deferred/sequence-verdict.ts";
import { SequenceMemory, sequenceKeysMax } from "./sequence-memory.ts";
import { storedFields } from "./stored-rows.ts";

/** Breaks that an outcome names one by one. */
const namedMax = 5;

/** A sequence rule's rows of a window: those that nothing else rejects, and where their records came from. */
export interface AskedSequence {
  readonly plan: RulePlan;
  readonly question: DeferredKeys;
  readonly places: ClaimRows;
}

/** What a rule remembers over the windows. */
interface Memory {
  readonly full: boolean;
  readonly known: readonly LastNumbers[];
  catchUp(partitions: readonly string[]): Promise<void>;
  judged(windowId: string, partitions: readonly string[], raised: LastNumbers): void;
  committed(windowId: string): void;
  forget(): void;
}

/** What is remembered where there is no table: windows count as soon as they are judged. */
class FileMemory implements Memory {
  readonly #numbers = new LastNumbers(sequenceKeysMax);
  readonly known = [this.#numbers];

  get full(): boolean {
    return this.#numbers.full;
  }

  catchUp(): Promise<void> {
    return Promise.resolve();
  }

  judged(_windowId: string, _partitions: readonly string[], raised: LastNumbers): void {
    this.#numbers.merge(raised);
  }

  committed(): void {}

  forget(): void {}
}

/** The sequences of one dataset in one worker. */
export class Sequences {
  readonly #lake: Lake | null;
  readonly #memories = new Map<string, Memory>();
  #generation = 0;

  /** `lake`: null where there are no tables (files that are only checked). */
  constructor(lake: Lake | null) {
    this.#lake = lake;
  }

  /** Judges a window's rows; null where it was given up meanwhile. */
  async judge(
    contract: Contract,
    asked: readonly AskedSequence[],
    window: { readonly windowId: string; readonly ranges: readonly OffsetRange[] },
  ): Promise<readonly DeferredOffenders[] | null> {
    const generation = this.#generation;
    const partitions = window.ranges.map(partitionId);
    const memories = this.#memoriesOf(contract, asked);
    for (const memory of memories) await memory.catchUp(partitions);
    if (generation !== this.#generation) return null;
    const verdicts = judgeSequences(asked.map(({ plan, question }, i) => ({ plan, question, known: (memories[i] as Memory).known })));
    return verdicts.map((verdict, i) => {
      const memory = memories[i] as Memory;
      const each = asked[i] as AskedSequence;
      const masked = isMasked(contract, each.plan);
      const note = noteOf(each, verdict, { masked, full: memory.full });
      memory.judged(window.windowId, partitions, verdict.raised);
      return offendersOf(each, verdict, masked, note);
    });
  }

  /** A window of this worker stands in the table. */
  committed(windowId: string): void {
    for (const memory of this.#memories.values()) memory.committed(windowId);
  }

  /** Windows that were judged and are not committed will be read again. */
  forget(): void {
    this.#generation++;
    for (const memory of this.#memories.values()) memory.forget();
  }

  /** One a rule; what a contract has no more is forgotten. */
  #memoriesOf(contract: Contract, asked: readonly AskedSequence[]): Memory[] {
    const scopes = asked.map(({ plan }) => nameOf(plan, contract));
    for (const known of this.#memories.keys()) if (!scopes.includes(known)) this.#memories.delete(known);
    return asked.map(({ plan }, i) => {
      const scope = scopes[i] as string;
      const memory =
        this.#memories.get(scope) ?? (this.#lake === null ? new FileMemory() : new SequenceMemory(this.#lake, contract, plan, scope));
      this.#memories.set(scope, memory);
      return memory;
    });
  }
}

/** Another name for whatever changes what a rule counts, so that nothing is taken for what it is not. */
function nameOf(plan: RulePlan, contract: Contract): string {
  const types = storedFields(plan, contract.fields).map(({ type }) => type);
  const text = JSON.stringify([plan.id, plan.check, plan.path, plan.where, types]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function isMasked(contract: Contract, plan: RulePlan): boolean {
  return plan.path !== null && maskedPaths(contract.fields).has(plan.path);
}

function offendersOf({ question }: AskedSequence, { breaks }: SequenceVerdict, masked: boolean, note: string | null): DeferredOffenders {
  // Gaps are of the rule, not of the row that shows them: what is missing is not there to be rejected.
  const offending = breaks.filter(({ kind }) => kind !== "gap");
  return {
    rule: question.rule,
    rows: Uint32Array.from(offending, ({ index }) => question.rows[index] as number),
    note,
    ...(masked ? {} : { expected: offending.map(({ expected, last }) => `${expected}, after ${last}`) }),
    failedBeside: breaks.length - offending.length,
  };
}

const kindWords: Readonly<Record<BreakKind, (count: number) => string>> = {
  gap: (count) => (count === 1 ? "1 gap" : `${count} gaps`),
  repeat: (count) => (count === 1 ? "1 repeat" : `${count} repeats`),
  backward: (count) => (count === 1 ? "1 step back" : `${count} steps back`),
  between: (count) => (count === 1 ? "1 uneven step" : `${count} uneven steps`),
};

/** How many breaks of each kind there are, and the first of them: where the record stands, what came and what was expected. */
function noteOf(
  asked: AskedSequence,
  { breaks }: SequenceVerdict,
  { masked, full }: { readonly masked: boolean; readonly full: boolean },
): string | null {
  const parts: string[] = [];
  if (breaks.length > 0) {
    const kinds = (Object.keys(kindWords) as BreakKind[]).flatMap((kind) => {
      const count = breaks.filter((each) => each.kind === kind).length;
      return count === 0 ? [] : [kindWords[kind](count)];
    });
    const named = breaks.slice(0, namedMax).map((each) => breakText(asked, each, masked));
    const more = breaks.length > namedMax ? [`and ${breaks.length - namedMax} more`] : [];
    parts.push(`${kinds.join(", ")}: ${[...named, ...more].join("; ")}`);
  }
  if (full) parts.push(`only ${sequenceKeysMax} keys are remembered: those beyond are judged within their window`);
  return parts.length === 0 ? null : parts.join("; ");
}

function breakText({ places }: AskedSequence, { index, came, expected }: SequenceBreak, masked: boolean): string {
  const { partition } = places.partitions[places.partition[index] as number] as PartitionKey;
  const place = `partition ${partition} offset ${places.offsets[index]}`;
  return masked ? place : `${place} is ${came}, expected ${expected}`;
}
