import type { Program, RuneSet } from "./program.ts";

/** All code points, cut into the fewest classes that a program can't tell apart. */
export interface RuneClasses {
  readonly count: number;
  /** The first code point of each range, ascending from 0, and the class of the range. */
  readonly firsts: readonly number[];
  readonly classOfRange: readonly number[];
  /** By set of the program: the classes that it holds. */
  readonly members: readonly Uint8Array[];
  /** By class: 1 for the newline, for characters of words. */
  readonly isNewline: Uint8Array;
  readonly isWord: Uint8Array;
}

const newline: RuneSet = [10, 10];
/** RE2's words are of ASCII. */
const word: RuneSet = [48, 57, 65, 90, 95, 95, 97, 122];

/** The number of the range that a code point is in. */
export function rangeOf(classes: RuneClasses, rune: number): number {
  const { firsts } = classes;
  let low = 0;
  let high = firsts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((firsts[middle] as number) <= rune) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Partitions the code points for a program. */
export function runeClasses(program: Program): RuneClasses {
  const placed = program.steps.some((step) => step.op === "place");
  const sets = placed ? [...program.sets, newline, word] : program.sets;
  const bounds = new Set([0]);
  for (const set of sets)
    for (let i = 0; i < set.length; i += 2) {
      bounds.add(set[i] as number);
      bounds.add((set[i + 1] as number) + 1);
    }
  const firsts = [...bounds].filter((first) => first <= 0x10ffff).sort((a, b) => a - b);
  const signatures = firsts.map((): string => "");
  for (const set of sets) {
    let at = 0;
    for (const [i, first] of firsts.entries()) {
      while (at < set.length && (set[at + 1] as number) < first) at += 2;
      signatures[i] += at < set.length && (set[at] as number) <= first ? "1" : "0";
    }
  }
  const classBySignature = new Map<string, number>();
  const classOfRange = signatures.map((signature) => {
    const known = classBySignature.get(signature) ?? classBySignature.size;
    classBySignature.set(signature, known);
    return known;
  });
  const count = classBySignature.size;
  const members = sets.map((_, s) => Uint8Array.from(classBySignature.keys(), (signature) => (signature[s] === "1" ? 1 : 0)));
  const [isNewline, isWord] = placed ? members.splice(-2) : [];
  return {
    count,
    firsts,
    classOfRange,
    members,
    isNewline: isNewline ?? new Uint8Array(count),
    isWord: isWord ?? new Uint8Array(count),
  };
}
