import type { RulePlan } from "../../core/rule.ts";
import type { DeferredKeys } from "./deferred-rule.ts";
import { LastNumbers } from "./last-numbers.ts";

/** One sequence rule's rows of a window, with what is known of the rows before. */
export interface SequenceQuestion {
  readonly plan: RulePlan;
  readonly question: DeferredKeys;
  /** Numbers of rows before the window, in tables that together hold the last of each key. */
  readonly known: readonly LastNumbers[];
}

/** How a number breaks its sequence: numbers are missing before it, it came before, it is smaller than the last one, or no whole number of steps away. */
export type BreakKind = "gap" | "repeat" | "backward" | "between";

/** A row that breaks a sequence. */
export interface SequenceBreak {
  /** Of the question. */
  readonly index: number;
  readonly kind: BreakKind;
  readonly came: bigint;
  readonly last: bigint;
  readonly expected: bigint;
  /** Whether the rule rejects the row: all but gaps do, where rows are rejected at all. */
  readonly rejected: boolean;
}

/** What became of one sequence in a window. */
export interface SequenceVerdict {
  readonly breaks: readonly SequenceBreak[];
  /** The last number of each key that the window moved. */
  readonly raised: LastNumbers;
}

/**
 * Judges a window's sequences, all at once: a row counts, and becomes the last of its key where it is the largest, if no sequence rule rejects it. So what counts
 * is what is promoted or held, and the state before a window is the largest number of each key among such rows, in whatever order they are read.
 */
export function judgeSequences(questions: readonly SequenceQuestion[]): readonly SequenceVerdict[] {
  const walks = questions.map((each) => new Walk(each));
  for (;;) {
    const row = walks.reduce((least, walk) => Math.min(least, walk.row), Infinity);
    if (row === Infinity) break;
    const here = walks.filter((walk) => walk.row === row);
    let rejected = false;
    for (const walk of here) if (walk.judge()) rejected = true;
    for (const walk of here) walk.pass(!rejected);
  }
  return walks.map(({ breaks, raised }) => ({ breaks, raised }));
}

/** One sequence on its way through a window's rows. */
class Walk {
  readonly breaks: SequenceBreak[] = [];
  readonly raised = new LastNumbers();
  readonly #question: SequenceQuestion;
  readonly #keys: Uint32Array;
  readonly #numbers: BigInt64Array;
  readonly #step: bigint;
  readonly #rejects: boolean;
  #index = 0;

  constructor(question: SequenceQuestion) {
    const { plan, question: asked } = question;
    if (plan.check.family !== "sequence" || asked.numbers === undefined) throw new Error(`bug: ${plan.id} is no sequence`);
    this.#question = question;
    this.#keys = new Uint32Array(asked.keys.buffer, asked.keys.byteOffset, asked.keys.length / 4);
    this.#numbers = asked.numbers;
    this.#step = BigInt(plan.check.step);
    this.#rejects = plan.scope === "row" && plan.severity === "error";
  }

  /** The row that is judged next; Infinity: there is none. */
  get row(): number {
    return this.#question.question.rows[this.#index] ?? Infinity;
  }

  /** Whether this rule rejects the row. */
  judge(): boolean {
    const came = this.#numbers[this.#index] as bigint;
    const last = this.#last();
    if (last === null || came === last + this.#step) return false;
    const expected = last + this.#step;
    const kind = came > expected ? "gap" : came === last ? "repeat" : came < last ? "backward" : "between";
    const rejected = this.#rejects && kind !== "gap";
    this.breaks.push({ index: this.#index, kind, came, last, expected, rejected });
    return rejected;
  }

  pass(counts: boolean): void {
    if (counts) this.raised.raise(this.#keys, 4 * this.#index, this.#numbers[this.#index] as bigint);
    this.#index++;
  }

  #last(): bigint | null {
    let last = this.raised.get(this.#keys, 4 * this.#index);
    for (const table of this.#question.known) {
      const number = table.get(this.#keys, 4 * this.#index);
      if (number !== null && (last === null || number > last)) last = number;
    }
    return last;
  }
}
