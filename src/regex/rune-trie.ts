import { rangeOf, type RuneClasses } from "./rune-classes.ts";

/**
 * What can stand behind a first byte of UTF-8: for each of the 64 continuation bytes a class (`last`), or the next node, -1 where
 * that byte can't follow.
 */
export interface TrieNode {
  readonly last: boolean;
  readonly children: Int32Array;
}

/** UTF-8 as a tree over classes of code points, equal subtrees shared. */
export interface RuneTrie {
  readonly nodes: readonly TrieNode[];
  /** By first byte: its node, -1 for bytes that begin nothing or are a whole character. */
  readonly leads: Int32Array;
  /** Class of each ASCII character. */
  readonly ascii: Int32Array;
  /** Class of U+FFFD, which bytes that are no UTF-8 count as. */
  readonly replacement: number;
}

class TrieBuilder {
  readonly nodes: TrieNode[] = [];
  readonly #classes: RuneClasses;
  readonly #known = new Map<string, number>();

  constructor(classes: RuneClasses) {
    this.#classes = classes;
  }

  #once(key: string, make: () => number): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(key, made);
    return made;
  }

  #node(last: boolean, children: Int32Array): number {
    const key = `${last}${children.join()}`;
    return this.#once(key, () => this.nodes.push({ last, children }) - 1);
  }

  /** The class of all `size` code points from `first`, or -1 where they differ. */
  #uniform(first: number, size: number): number {
    const { firsts, classOfRange } = this.#classes;
    const range = rangeOf(this.#classes, first);
    const end = firsts[range + 1] ?? Infinity;
    return end >= first + size ? (classOfRange[range] as number) : -1;
  }

  /** The node for the 64 code points from `first`. */
  #leaf(first: number): number {
    const { firsts, classOfRange } = this.#classes;
    const uniform = this.#uniform(first, 64);
    if (uniform >= 0) return this.#once(`1:${uniform}`, () => this.#node(true, new Int32Array(64).fill(uniform)));
    let range = rangeOf(this.#classes, first);
    const children = new Int32Array(64);
    for (let i = 0; i < 64; i++) {
      while (range + 1 < firsts.length && (firsts[range + 1] as number) <= first + i) range++;
      children[i] = classOfRange[range] as number;
    }
    return this.#node(true, children);
  }

  /** The node behind a first byte (or behind the first two of four): `depth` more bytes follow, for code points from `first`. */
  node(first: number, depth: number): number {
    if (depth === 1) return this.#leaf(first);
    // Most of Unicode is one class: such a stretch is made once.
    const uniform = first >= 0x10000 ? this.#uniform(first, 64 ** depth) : -1;
    if (uniform >= 0 && first + 64 ** depth <= 0x110000) return this.#once(`${depth}:${uniform}`, () => this.#inner(first, depth));
    return this.#inner(first, depth);
  }

  #inner(first: number, depth: number): number {
    const children = new Int32Array(64).fill(-1);
    const size = 64 ** (depth - 1);
    for (let i = 0; i < 64; i++) {
      const from = first + i * size;
      // Shorter forms exist below 0x800 (three bytes) and 0x10000 (four); surrogates and what lies above Unicode have none.
      const shorter = depth === 2 ? from < 0x800 : depth === 3 ? from < 0x10000 : false;
      if (!shorter && !(from >= 0xd800 && from < 0xe000) && from <= 0x10ffff) children[i] = this.node(from, depth - 1);
    }
    return this.#node(false, children);
  }
}

/** The tree of all UTF-8 (RFC 3629, section 3). */
export function runeTrie(classes: RuneClasses): RuneTrie {
  const builder = new TrieBuilder(classes);
  const leads = new Int32Array(256).fill(-1);
  for (let byte = 0xc2; byte < 0xe0; byte++) leads[byte] = builder.node((byte & 31) << 6, 1);
  for (let byte = 0xe0; byte < 0xf0; byte++) leads[byte] = builder.node((byte & 15) << 12, 2);
  for (let byte = 0xf0; byte < 0xf5; byte++) leads[byte] = builder.node((byte & 7) << 18, 3);
  const classOf = (rune: number): number => classes.classOfRange[rangeOf(classes, rune)] as number;
  return { nodes: builder.nodes, leads, ascii: Int32Array.from({ length: 128 }, (_, rune) => classOf(rune)), replacement: classOf(0xfffd) };
}
