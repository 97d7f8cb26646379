import { byteAutomaton } from "./byte-automaton.ts";
import { deadState, foundState, type Dfa } from "./dfa.ts";
import { minimise, type Automaton } from "./minimise.ts";
import { readProgram } from "./program.ts";
import { runeAutomaton } from "./rune-automaton.ts";
import { runeClasses } from "./rune-classes.ts";
import { runeTrie } from "./rune-trie.ts";

/** Automata above these sizes aren't made: such patterns take the other engine. */
export interface DfaLimits {
  readonly statesMax: number;
  readonly tableBytesMax: number;
}

const defaultLimits: DfaLimits = { statesMax: 4096, tableBytesMax: 1 << 20 };

/** Steps visited while states are found: a second or so. */
const visitsMax = 5_000_000;
const rangesMax = 4_000_000;

/** Bytes that every state treats alike become one symbol. */
function mergeBytes({ states, next, ...rest }: Automaton): { readonly classes: Uint8Array; readonly automaton: Automaton } {
  const classes = new Uint8Array(256);
  const columns: number[] = [];
  const byHash = new Map<number, number[]>();
  const same = (a: number, b: number): boolean => {
    for (let state = 0; state < states; state++) if (next[state * 256 + a] !== next[state * 256 + b]) return false;
    return true;
  };
  for (let byte = 0; byte < 256; byte++) {
    let hash = 0;
    for (let state = 0; state < states; state++) hash = (Math.imul(hash, 0x01000193) ^ (next[state * 256 + byte] as number)) | 0;
    const bucket = byHash.get(hash) ?? [];
    byHash.set(hash, bucket);
    let found = bucket.find((one) => same(columns[one] as number, byte));
    if (found === undefined) {
      found = columns.push(byte) - 1;
      bucket.push(found);
    }
    classes[byte] = found;
  }
  const width = columns.length;
  const narrow = new Int32Array(states * width);
  for (let state = 0; state < states; state++)
    for (const [c, byte] of columns.entries()) narrow[state * width + c] = next[state * 256 + byte] as number;
  return { classes, automaton: { ...rest, states, width, next: narrow } };
}

/** The state, if any, that nothing leaves and that accepts or not. */
function sinkOf({ states, width, next, accepting }: Automaton, accepts: number): number {
  for (let state = 0; state < states; state++) {
    if (accepting[state] !== accepts) continue;
    let stays = true;
    for (let c = 0; c < width && stays; c++) stays = next[state * width + c] === state;
    if (stays) return state;
  }
  return -1;
}

/** Numbers the states anew: the dead one first, then the one that has found. Both are there even where none leads to them. */
function numbered(automaton: Automaton, classes: Uint8Array): Dfa {
  const { states, width, next, accepting, start } = automaton;
  const numbers = new Int32Array(states).fill(-1);
  const dead = sinkOf(automaton, 0);
  const found = sinkOf(automaton, 1);
  if (dead >= 0) numbers[dead] = deadState;
  if (found >= 0) numbers[found] = foundState;
  let stateCount = 2;
  for (let state = 0; state < states; state++) if (numbers[state] === -1) numbers[state] = stateCount++;
  const table = new Uint16Array(stateCount * width);
  table.fill(foundState, width, 2 * width);
  const accepts = new Uint8Array(stateCount);
  accepts[foundState] = 1;
  for (let state = 0; state < states; state++) {
    const number = numbers[state] as number;
    accepts[number] = accepting[state] as number;
    for (let c = 0; c < width; c++) table[number * width + c] = numbers[next[state * width + c] as number] as number;
  }
  return { classes, classCount: width, stateCount, table, start: numbers[start] as number, accepting: accepts };
}

/**
 * Compiles a pattern (RE2 syntax, searched anywhere in the text) to an automaton; or says why it has none, in words that follow "because". Throws
 * where the pattern is none.
 */
export function compileDfa(pattern: string, limits: DfaLimits = defaultLimits): Dfa | { readonly reason: string } {
  const program = readProgram(pattern);
  if (program === null) return { reason: "it uses what only the other engine knows" };
  const ranges = program.sets.reduce((sum, set) => sum + set.length, 0);
  if (ranges * program.sets.length > rangesMax) return { reason: "its character classes are too many" };
  const classes = runeClasses(program);
  const runes = runeAutomaton(program, classes, { statesMax: limits.statesMax, visitsMax });
  if ("reason" in runes) return runes;
  const small = minimise({ ...runes, width: classes.count });
  const bytes = byteAutomaton(small, runeTrie(classes), limits.statesMax * 4);
  const tooMany = { reason: `it needs more than ${limits.statesMax} states` };
  if (bytes === null) return tooMany;
  const merged = mergeBytes(bytes);
  const dfa = numbered(minimise(merged.automaton), merged.classes);
  if (dfa.stateCount > limits.statesMax) return tooMany;
  if (dfa.table.byteLength > limits.tableBytesMax) return { reason: "its table takes too much memory" };
  return dfa;
}
