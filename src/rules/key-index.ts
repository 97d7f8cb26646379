import { hashSpan } from "./verdict-cache.ts";

function grown<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(from: T, length: number): T {
  const make = from.constructor as new (length: number) => T;
  const to = new make(length);
  to.set(from);
  return to;
}

/** A hash table from keys (bytes) to the order in which they first came; equal hashes are told apart by the bytes. */
export class KeyIndex {
  count = 0;
  #arena = new Uint8Array(4096);
  #arenaLength = 0;
  #slots = new Int32Array(1024).fill(-1);
  #hashes = new Int32Array(512);
  #starts = new Float64Array(512);
  #lengths = new Uint32Array(512);

  /** Index of the key `bytes[start, end)`, which is new where it equals the `count` before. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashSpan(bytes, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let index = this.#slots[slot] as number; index >= 0; index = this.#slots[slot] as number) {
      if (this.#hashes[index] === hash && this.#equals(index, bytes, start, end)) return index;
      slot = (slot + 1) & mask;
    }
    const index = this.count++;
    this.#slots[slot] = index;
    this.#store(index, hash, bytes, start, end);
    if (this.count * 2 > this.#slots.length) this.#widen();
    return index;
  }

  /** The bytes of the key at an index; a view until the next `add`. */
  key(index: number): Uint8Array {
    const at = this.#starts[index] as number;
    return this.#arena.subarray(at, at + (this.#lengths[index] as number));
  }

  /** Bytes that all keys take. */
  get bytes(): number {
    return this.#arenaLength;
  }

  #equals(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#lengths[index] !== length) return false;
    const at = this.#starts[index] as number;
    const arena = this.#arena;
    for (let i = 0; i < length; i++) if (arena[at + i] !== bytes[start + i]) return false;
    return true;
  }

  #store(index: number, hash: number, bytes: Uint8Array, start: number, end: number): void {
    if (index === this.#hashes.length) {
      this.#hashes = grown(this.#hashes, index * 2);
      this.#starts = grown(this.#starts, index * 2);
      this.#lengths = grown(this.#lengths, index * 2);
    }
    const length = end - start;
    if (this.#arenaLength + length > this.#arena.length)
      this.#arena = grown(this.#arena, Math.max(this.#arenaLength + length, this.#arena.length * 2));
    this.#arena.set(bytes.subarray(start, end), this.#arenaLength);
    this.#hashes[index] = hash;
    this.#starts[index] = this.#arenaLength;
    this.#lengths[index] = length;
    this.#arenaLength += length;
  }

  #widen(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = (this.#hashes[index] as number) & mask;
      while (slots[slot] !== -1) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.#slots = slots;
  }
}
