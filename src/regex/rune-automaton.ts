import { Place, type Program, type Step } from "./program.ts";
import type { RuneClasses } from "./rune-classes.ts";

/** A deterministic automaton over classes of code points. State 0 is `found`: the pattern was found, whatever follows. */
export interface RuneAutomaton {
  readonly states: number;
  /** The next state, at `state * classCount + class`. */
  readonly next: Int32Array;
  /** By state: 1 where a text that ends there holds a match. */
  readonly accepting: Uint8Array;
  readonly start: number;
}

/** How much work and memory an automaton may take. */
export interface AutomatonLimits {
  readonly statesMax: number;
  /** Steps of the program visited while it is made. */
  readonly visitsMax: number;
}

/** Conditions that are known when a place is reached; the others need the character behind it. */
const knownBefore = Place.beginLine | Place.beginText;
const lastWasWord = 64;

/** Where the automaton can be: steps that take a character, and conditions that wait for the next one. */
interface Reached {
  readonly steps: readonly number[];
  readonly waiting: boolean;
  readonly found: boolean;
}

class SubsetConstruction {
  readonly #program: Program;
  readonly #classes: RuneClasses;
  readonly #limits: AutomatonLimits;
  readonly #seen: Int32Array;
  #stamp = 0;
  #visits = 0;
  readonly #numbers = new Map<string, number>();
  readonly #states: { readonly reached: Reached; readonly flags: number }[] = [];

  constructor(program: Program, classes: RuneClasses, limits: AutomatonLimits) {
    this.#program = program;
    this.#classes = classes;
    this.#limits = limits;
    this.#seen = new Int32Array(program.steps.length).fill(-1);
  }

  /** What can be reached without taking a character; `ahead`: `flags` are all that hold, not only those known before the next one. */
  #reach(from: readonly number[], flags: number, ahead: boolean): Reached {
    const stamp = this.#stamp++;
    const stack = [...from];
    const steps: number[] = [];
    let found = false;
    let waiting = false;
    while (stack.length > 0) {
      const at = stack.pop() as number;
      if (this.#seen[at] === stamp) continue;
      this.#seen[at] = stamp;
      this.#visits++;
      const step = this.#program.steps[at] as Step;
      if (step.op === "split") stack.push(step.to, step.or);
      else if (step.op === "take") steps.push(at);
      else if (step.op === "found") found = true;
      else if (step.op === "place") {
        const missing = step.conditions & ~flags;
        if (missing === 0) stack.push(step.to);
        else if (!ahead && (missing & knownBefore) === 0) {
          waiting = true;
          steps.push(at);
        }
      }
    }
    return { steps: steps.sort((a, b) => a - b), waiting, found };
  }

  #state(from: readonly number[], flags: number): number {
    const reached = this.#reach(from, flags, false);
    if (reached.found) return 0;
    // What came before matters only to conditions that still wait.
    const kept = reached.waiting ? flags : 0;
    const key = `${kept}:${reached.steps.join()}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#states.push({ reached, flags: kept });
    this.#numbers.set(key, number);
    return number;
  }

  /** The steps of a state once the conditions at its place are decided; null where that finds the pattern. */
  #decided(number: number, ahead: number, nextIsWord: boolean): readonly number[] | null {
    const { reached, flags } = this.#states[number - 1] as { reached: Reached; flags: number };
    if (!reached.waiting) return reached.steps;
    const boundary = ((flags & lastWasWord) !== 0) === nextIsWord ? Place.noWordBoundary : Place.wordBoundary;
    const all = this.#reach(reached.steps, flags | ahead | boundary, true);
    return all.found ? null : all.steps;
  }

  #next(number: number, runeClass: number): number {
    const { isNewline, isWord, members } = this.#classes;
    const newline = isNewline[runeClass] === 1;
    const word = isWord[runeClass] === 1;
    const steps = this.#decided(number, newline ? Place.endLine : 0, word);
    if (steps === null) return 0;
    const to: number[] = [];
    for (const at of steps) {
      const step = this.#program.steps[at] as Step;
      if (step.op === "take" && (members[step.set] as Uint8Array)[runeClass] === 1) to.push(step.to);
    }
    this.#visits += steps.length;
    to.push(this.#program.start);
    return this.#state(to, (newline ? Place.beginLine : 0) | (word ? lastWasWord : 0));
  }

  run(): RuneAutomaton | { readonly reason: string } {
    const { count } = this.#classes;
    const start = this.#state([this.#program.start], Place.beginLine | Place.beginText);
    const next: number[] = Array.from({ length: count }, () => 0);
    const accepting: number[] = [1];
    for (let number = 1; number <= this.#states.length; number++) {
      if (number > this.#limits.statesMax) return { reason: `it needs more than ${this.#limits.statesMax} states` };
      if (this.#visits > this.#limits.visitsMax) return { reason: "its automaton takes too long to make" };
      for (let runeClass = 0; runeClass < count; runeClass++) next.push(this.#next(number, runeClass));
      accepting.push(this.#decided(number, Place.endLine | Place.endText, false) === null ? 1 : 0);
    }
    return { states: this.#states.length + 1, next: Int32Array.from(next), accepting: Uint8Array.from(accepting), start };
  }
}

/** The subset construction of a search anywhere in the text. Gives up, with why, above the limits. */
export function runeAutomaton(
  program: Program,
  classes: RuneClasses,
  limits: AutomatonLimits,
): RuneAutomaton | { readonly reason: string } {
  return new SubsetConstruction(program, classes, limits).run();
}
