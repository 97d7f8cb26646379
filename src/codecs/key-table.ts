import { demand } from "../core/broken-invariant.ts";

/** FNV-1a over a span. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let p = start; p < end; p++) hash = Math.imul(hash ^ (bytes[p] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

function sameBytes(a: Uint8Array, start: number, end: number, b: Uint8Array): boolean {
  if (end - start !== b.length) return false;
  for (let i = 0; i < b.length; i++) if (a[start + i] !== b[i]) return false;
  return true;
}

/** The keys of one object of the contract: which field a key's bytes name, and the text each most likely comes as. */
export class KeyTable {
  readonly count: number;
  /**
   * `"key":` as most writers print it, as little-endian 32-bit words: those of field i are `words[first[i]]` to `words[first[i + 1] - 1]`; of the last
   * one only the bytes under `masks[i]` count. A field that no key names has no words.
   */
  readonly words: Int32Array;
  readonly first: Int32Array;
  readonly masks: Int32Array;
  /** Bytes of `"key":`, by field. */
  readonly sizes: Int32Array;
  readonly #names: readonly Uint8Array[];
  readonly #slots: Int16Array;

  constructor(names: readonly (string | null)[]) {
    const encoder = new TextEncoder();
    const present = names.filter((name) => name !== null);
    demand(new Set(present).size === present.length, "two fields of one object have the same key");
    this.#names = names.map((name) => encoder.encode(name ?? ""));
    const expected = names.map((name) => encoder.encode(name === null ? "" : `${JSON.stringify(name)}:`));
    this.count = names.length;
    this.sizes = Int32Array.from(expected, (text) => text.length);
    this.first = new Int32Array(names.length + 1);
    for (const [i, text] of expected.entries()) this.first[i + 1] = (this.first[i] as number) + Math.ceil(text.length / 4);
    this.words = new Int32Array(this.first[names.length] as number);
    this.masks = Int32Array.from(expected, (text) => (text.length % 4 === 0 ? -1 : (1 << ((text.length % 4) * 8)) - 1));
    const bytes = new Uint8Array(this.words.buffer);
    for (const [i, text] of expected.entries()) bytes.set(text, (this.first[i] as number) * 4);
    let size = 4;
    while (size < names.length * 2) size *= 2;
    this.#slots = new Int16Array(size).fill(-1);
    for (let i = 0; i < names.length; i++) {
      if (names[i] === null) continue;
      const name = this.#names[i] as Uint8Array;
      let slot = hashBytes(name, 0, name.length) & (size - 1);
      while (this.#slots[slot] !== -1) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = i;
    }
  }

  /** Whether `"key":` of field `i` stands at `p`; false too where that can't be told within the slab. */
  matches(i: number, slab: DataView, p: number): boolean {
    let word = this.first[i] as number;
    const last = (this.first[i + 1] as number) - 1;
    if (last < word || p + (last - word + 1) * 4 > slab.byteLength) return false;
    const { words } = this;
    for (; word < last; word++, p += 4) if (slab.getInt32(p, true) !== words[word]) return false;
    return (slab.getInt32(p, true) & (this.masks[i] as number)) === words[last];
  }

  /** Index of the field whose key is `bytes[start, end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashBytes(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      const field = this.#slots[slot] as number;
      if (field < 0 || sameBytes(bytes, start, end, this.#names[field] as Uint8Array)) return field;
    }
  }
}

const fewKeys = 32;

/** The keys of one object seen so far, where the contract doesn't list them: map entries and unknown fields. */
export class KeySet {
  readonly #texts: string[] = [];
  #many: Set<string> | null = null;

  clear(): void {
    this.#texts.length = 0;
    this.#many = null;
  }

  /** Adds a key; false if it was there. */
  add(text: string): boolean {
    if (this.#many !== null) {
      const before = this.#many.size;
      return this.#many.add(text).size > before;
    }
    if (this.#texts.includes(text)) return false;
    this.#texts.push(text);
    if (this.#texts.length > fewKeys) this.#many = new Set(this.#texts);
    return true;
  }
}
