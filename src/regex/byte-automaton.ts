import type { Automaton } from "./minimise.ts";
import type { RuneTrie, TrieNode } from "./rune-trie.ts";

/** A row of 256 next states by byte. */
type Row = Int32Array;

/**
 * Turns an automaton over classes of code points into one over bytes. Where a byte can't go on a character that has begun, the bytes so far are
 * U+FFFD and it begins the next one (WHATWG Encoding, section 8.1.1).
 */
class ByteConstruction {
  readonly #runes: Automaton;
  readonly #trie: RuneTrie;
  readonly #statesMax: number;
  readonly #rows: Row[] = [];
  readonly #accepting: number[] = [];
  readonly #inner = new Map<string, number>();
  readonly #pending: { readonly number: number; readonly replaced: number }[] = [];
  /** States within characters that began in the state at hand, by node. */
  readonly #made = new Map<number, number>();

  constructor(runes: Automaton, trie: RuneTrie, statesMax: number) {
    this.#runes = runes;
    this.#trie = trie;
    this.#statesMax = statesMax;
  }

  #after(state: number, runeClass: number): number {
    return this.#runes.next[state * this.#runes.width + runeClass] as number;
  }

  #add(row: Row, accepts: number): number {
    this.#accepting.push(accepts);
    return this.#rows.push(row) - 1;
  }

  /** Fills what a first byte does in a state; bytes that begin longer characters are filled by `run`. */
  #firstBytes(state: number): void {
    const row = this.#rows[state] as Row;
    const replaced = this.#after(state, this.#trie.replacement);
    for (let byte = 0; byte < 256; byte++) row[byte] = byte < 128 ? this.#after(state, this.#trie.ascii[byte] as number) : replaced;
  }

  /** The state inside a character that began in `state`; where all that could follow leads to one state it still takes all its bytes. */
  #within(state: number, node: number): number {
    const known = this.#made.get(node);
    if (known !== undefined) return known;
    const made = this.#makeWithin(state, node);
    this.#made.set(node, made);
    return made;
  }

  #makeWithin(state: number, node: number): number {
    const { last, children } = this.#trie.nodes[node] as TrieNode;
    const replaced = this.#after(state, this.#trie.replacement);
    const targets = children.map((child) => (child < 0 ? -1 : last ? this.#after(state, child) : this.#within(state, child)));
    const key = `${replaced}/${targets.join()}`;
    const known = this.#inner.get(key);
    if (known !== undefined) return known;
    const row = new Int32Array(256);
    for (let byte = 0; byte < 256; byte++) {
      const target = byte >= 0x80 && byte < 0xc0 ? (targets[byte - 0x80] as number) : -1;
      row[byte] = target >= 0 ? target : -1;
    }
    const number = this.#add(row, this.#runes.accepting[replaced] as number);
    this.#inner.set(key, number);
    this.#pending.push({ number, replaced });
    return number;
  }

  run(): Automaton | null {
    const { states, start, accepting } = this.#runes;
    for (let state = 0; state < states; state++) this.#add(new Int32Array(256), accepting[state] as number);
    for (let state = 0; state < states; state++) {
      this.#firstBytes(state);
      this.#made.clear();
      // Nothing leaves such a state, so the bytes of a character need not be told apart.
      if (this.#isSink(state)) continue;
      for (let byte = 0xc2; byte < 0xf5; byte++) (this.#rows[state] as Row)[byte] = this.#within(state, this.#trie.leads[byte] as number);
      if (this.#rows.length > this.#statesMax) return null;
    }
    for (const { number, replaced } of this.#pending) {
      const row = this.#rows[number] as Row;
      for (let byte = 0; byte < 256; byte++) if (row[byte] === -1) row[byte] = (this.#rows[replaced] as Row)[byte] as number;
    }
    const next = new Int32Array(this.#rows.length * 256);
    for (const [state, row] of this.#rows.entries()) next.set(row, state * 256);
    return { states: this.#rows.length, width: 256, next, accepting: Uint8Array.from(this.#accepting), start };
  }

  #isSink(state: number): boolean {
    for (let c = 0; c < this.#runes.width; c++) if (this.#after(state, c) !== state) return false;
    return true;
  }
}

/** An automaton over code points as one over UTF-8 bytes, with all 256 symbols; null above `statesMax` states. */
export function byteAutomaton(runes: Automaton, trie: RuneTrie, statesMax: number): Automaton | null {
  return new ByteConstruction(runes, trie, statesMax).run();
}
