import { BrokenInvariant } from "../core/broken-invariant.ts";
import { compileDfa } from "../regex/compile-dfa.ts";
import { matchDfa, type Dfa } from "../regex/dfa.ts";
import { formatPatterns } from "./format-patterns.ts";

/** Automata that must all accept a text of at most `bytesMax` bytes. */
interface Way {
  readonly dfas: readonly Dfa[];
  readonly bytesMax: number;
}

/** A language of texts as automata: a text is in it that one of the ways accepts. */
export interface TextAutomata {
  readonly ways: readonly Way[];
}

/** Whether the automata accept a span of bytes. */
export function acceptsText({ ways }: TextAutomata, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  return ways.some(({ dfas, bytesMax }) => length <= bytesMax && dfas.every((dfa) => matchDfa(dfa, bytes, start, length)));
}

function wholeText(pattern: string): Dfa {
  const dfa = compileDfa(`^(?:${pattern})$`);
  if ("reason" in dfa) throw new BrokenInvariant(`a format's pattern has no automaton: ${dfa.reason}`);
  return dfa;
}

const made = new Map<string, TextAutomata | null>();

/** The automata of a text format, made when first asked for; null for formats that have none. */
export function formatAutomata(format: string): TextAutomata | null {
  let automata = made.get(format);
  if (automata === undefined) {
    const ways = formatPatterns(format);
    automata = ways === null ? null : { ways: ways.map(({ patterns, bytesMax }) => ({ dfas: patterns.map(wholeText), bytesMax })) };
    made.set(format, automata);
  }
  return automata;
}
