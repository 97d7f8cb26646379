import { hashWords } from "./word-keys.ts";

function doubled<T extends Uint32Array | Int32Array | Float64Array>(from: T, length: number): T {
  const make = from.constructor as new (length: number) => T;
  const to = new make(length);
  to.set(from);
  return to;
}

/**
 * A table from keys of words to the order in which they first came. As long as its keys are of two words and rise, as numbers that are counted up and times do, they
 * stand in their order and nothing is hashed; from the first one on that is new and does not rise it is a hash table, in which equal hashes are told apart by the
 * words.
 */
export class WordKeyTable {
  count = 0;
  /** Of no meaning. */
  touched = 0;
  #words = new Uint32Array(4096);
  #used = 0;
  /**
   * A slot is where the hash's low bits say, or behind it; it holds the key's index and one more, and above these the hash's high bits; 0 where it is free. Half of
   * them are free at least, so that index and high bits fit a word: the table is small, and a look at it tells hashes apart.
   */
  #slots = new Int32Array(1024);
  #hashes = new Int32Array(512);
  /** Where each key ends in `#words`; it begins where the one before ends. */
  #ends = new Float64Array(512);
  /** Whether every key so far was above the one before: then there are words, two a key, and hashes. */
  #rises = true;

  /** Index of the key `words[from, to)`, which is new where it equals the `count` before. */
  add(words: Uint32Array, from: number, to: number): number {
    return this.addHashed(words, from, to, hashWords(words, from, to));
  }

  /** As `add`, for words whose hash is known. */
  addHashed(words: Uint32Array, from: number, to: number, hash: number): number {
    if (this.#rises) {
      const index = to - from === 2 ? this.#rise(words[from] as number, (words[from + 1] as number) | 0, hash) : -1;
      if (index >= 0) return index;
      this.#beginHashing();
    }
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let next = slots[slot] as number; next !== 0; next = slots[slot] as number) {
      if (((next ^ hash) & ~mask) === 0 && this.#equals((next & mask) - 1, words, from, to)) return (next & mask) - 1;
      slot = (slot + 1) & mask;
    }
    const index = this.count++;
    slots[slot] = (hash & ~mask) | (index + 1);
    this.#store(index, hash, words, from, to);
    if (this.count * 2 > slots.length) this.#hash();
    return index;
  }

  /** Reads the slots of some hashes, all at once: a large table is not in the cache, and misses that do not wait for each other cost a tenth. */
  touch(hashes: Int32Array): void {
    if (this.#rises) return;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let sum = 0;
    for (let i = 0; i < hashes.length; i++) sum ^= slots[(hashes[i] as number) & mask] as number;
    // Kept, so that the reads are not left out.
    this.touched = sum;
  }

  /** Index of a key of two words, the second with its sign, where it is above all others or among them; -1 where it is neither. */
  #rise(low: number, high: number, hash: number): number {
    const own = this.#words;
    const at = 2 * this.count;
    const last = at === 0 ? high : (own[at - 1] as number) | 0;
    if (at === 0 || high > last || (high === last && low > (own[at - 2] as number))) {
      const index = this.count++;
      if (at === own.length) this.#words = doubled(own, 2 * at);
      if (index === this.#hashes.length) this.#hashes = doubled(this.#hashes, 2 * index);
      this.#words[at] = low;
      this.#words[at + 1] = high;
      this.#hashes[index] = hash;
      return index;
    }
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const there = (own[2 * middle + 1] as number) | 0;
      if (there < high || (there === high && (own[2 * middle] as number) < low)) from = middle + 1;
      else to = middle;
    }
    // The key is not above the last one, so that there is one at `from`.
    return own[2 * from] === low && ((own[2 * from + 1] as number) | 0) === high ? from : -1;
  }

  /** Makes the hash table of the keys that rose. */
  #beginHashing(): void {
    this.#rises = false;
    const { count } = this;
    this.#ends = new Float64Array(this.#hashes.length);
    for (let index = 0; index < count; index++) this.#ends[index] = 2 * index + 2;
    this.#used = 2 * count;
    this.#hash();
  }

  #equals(index: number, words: Uint32Array, from: number, to: number): boolean {
    const at = index === 0 ? 0 : (this.#ends[index - 1] as number);
    if ((this.#ends[index] as number) - at !== to - from) return false;
    const own = this.#words;
    for (let i = from, k = at; i < to; i++, k++) if (own[k] !== words[i]) return false;
    return true;
  }

  #store(index: number, hash: number, words: Uint32Array, from: number, to: number): void {
    if (index === this.#hashes.length) {
      this.#hashes = doubled(this.#hashes, index * 2);
      this.#ends = doubled(this.#ends, index * 2);
    }
    const end = this.#used + to - from;
    if (end > this.#words.length) this.#words = doubled(this.#words, Math.max(end, this.#words.length * 2));
    const own = this.#words;
    for (let i = from, k = this.#used; i < to; i++, k++) own[k] = words[i] as number;
    this.#hashes[index] = hash;
    this.#ends[index] = end;
    this.#used = end;
  }

  /** Makes slots for all keys that there are, and room for more. */
  #hash(): void {
    let { length } = this.#slots;
    while (this.count * 2 > length) length *= 4;
    const slots = new Int32Array(length);
    const mask = length - 1;
    for (let index = 0; index < this.count; index++) {
      const hash = this.#hashes[index] as number;
      let slot = hash & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = (hash & ~mask) | (index + 1);
    }
    this.#slots = slots;
  }
}
