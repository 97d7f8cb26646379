import { RE2JS } from "re2js";

/** Conditions on a place between two characters, as RE2 numbers them. */
export const Place = { beginLine: 1, endLine: 2, beginText: 4, endText: 8, wordBoundary: 16, noWordBoundary: 32 } as const;

/** One step of a program: a state of a non-deterministic automaton over code points. */
export type Step =
  /** Takes a code point of a set. */
  | { readonly op: "take"; readonly set: number; readonly to: number }
  | { readonly op: "split"; readonly to: number; readonly or: number }
  /** Goes on where all the conditions (`Place`) hold. */
  | { readonly op: "place"; readonly conditions: number; readonly to: number }
  | { readonly op: "found" }
  | { readonly op: "fail" };

/** Code points as inclusive ranges, ascending and apart: first, last, first, last ... */
export type RuneSet = ArrayLike<number>;

export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
  readonly sets: readonly RuneSet[];
}

/** What RE2's compiler makes of a pattern; the package declares it only in part. */
interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: ArrayLike<number>;
}

const Op = { alt: 1, altMatch: 2, capture: 3, place: 4, fail: 5, match: 6, nop: 7, rune: 8, rune1: 9, any: 10, anyNotNewline: 11 } as const;
const foldCase = 1;
const lastRune = 0x10ffff;

function instructionsOf(pattern: string): { readonly list: readonly Instruction[]; readonly start: number } {
  const { prog } = RE2JS.compile(pattern).re2() as unknown as { prog: { inst: readonly Instruction[]; start: number } };
  return { list: prog.inst, start: prog.start };
}

/** What is in none of a set's ranges. */
function complement(set: RuneSet): number[] {
  const out: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    if ((set[i] as number) > next) out.push(next, (set[i] as number) - 1);
    next = (set[i + 1] as number) + 1;
  }
  if (next <= lastRune) out.push(next, lastRune);
  return out;
}

/** A code point and all that differ from it by case only, by RE2's own tables: what "not this one, in any case" leaves out. */
function foldedRune(rune: number): number[] {
  const { list, start } = instructionsOf(`(?i)[^\\x{${rune.toString(16)}}]`);
  return complement((list[start] as Instruction).runes);
}

function runesOf({ op, runes, arg }: Instruction): RuneSet {
  if (op === Op.any) return [0, lastRune];
  if (op === Op.anyNotNewline) return [0, 9, 11, lastRune];
  if (runes.length !== 1) return runes;
  const rune = runes[0] as number;
  return (arg & foldCase) === 0 ? [rune, rune] : foldedRune(rune);
}

/**
 * Reads a pattern in RE2's syntax, as the fallback engine itself compiles it: so both know the same syntax and the same Unicode tables. Throws
 * what that engine throws for what is no pattern; null where it uses steps that are unknown here.
 */
export function readProgram(pattern: string): Program | null {
  const { list, start } = instructionsOf(pattern);
  const sets: RuneSet[] = [];
  const known = new Map<string, number>();
  const setOf = (instruction: Instruction): number => {
    const key = `${instruction.op}/${instruction.arg}/${Array.prototype.join.call(instruction.runes)}`;
    let index = known.get(key);
    if (index === undefined) {
      index = sets.push(runesOf(instruction)) - 1;
      known.set(key, index);
    }
    return index;
  };
  const steps: Step[] = [];
  for (const instruction of list) {
    const { op, out, arg } = instruction;
    if (op === Op.alt || op === Op.altMatch) steps.push({ op: "split", to: out, or: arg });
    else if (op === Op.capture || op === Op.nop) steps.push({ op: "split", to: out, or: out });
    else if (op === Op.place) steps.push({ op: "place", conditions: arg, to: out });
    else if (op === Op.match) steps.push({ op: "found" });
    else if (op === Op.fail) steps.push({ op: "fail" });
    else if (op >= Op.rune && op <= Op.anyNotNewline) steps.push({ op: "take", set: setOf(instruction), to: out });
    else return null;
  }
  return { steps, start, sets };
}
