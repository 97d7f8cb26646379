import { claimKeyBytes } from "../../core/claims.ts";

/** Slots that are taken of all, at most. */
const loadMax = 0.75;
const keyWords = claimKeyBytes / 4;
const entryBytes = claimKeyBytes + 8;

/** The largest number of each key, in 25 bytes a slot: a hash table of digests, whose first word is hash enough. */
export class LastNumbers {
  count = 0;
  #keys = new Uint32Array(64 * keyWords);
  #numbers = new BigInt64Array(64);
  #taken = new Uint8Array(64);
  readonly #countMax: number;

  /** `countMax`: how many keys it takes. */
  constructor(countMax = Infinity) {
    this.#countMax = countMax;
  }

  get full(): boolean {
    return this.count >= this.#countMax;
  }

  /** The largest number of a key (four words at `at`); null: there is none. */
  get(keys: Uint32Array, at: number): bigint | null {
    const slot = this.#slotOf(keys, at);
    return this.#taken[slot] === 1 ? (this.#numbers[slot] as bigint) : null;
  }

  /** Takes a key's number, where it is larger than what is known. A new key of a full table is passed over. */
  raise(keys: Uint32Array, at: number, number: bigint): void {
    let slot = this.#slotOf(keys, at);
    if (this.#taken[slot] === 1) {
      if (number > (this.#numbers[slot] as bigint)) this.#numbers[slot] = number;
      return;
    }
    if (this.full) return;
    if (this.count + 1 > this.#taken.length * loadMax) {
      this.#widen();
      slot = this.#slotOf(keys, at);
    }
    this.count++;
    this.#put(slot, keys, at, number);
  }

  /** Takes all numbers of another table. */
  merge(other: LastNumbers): void {
    other.forEach((keys, at, number) => this.raise(keys, at, number));
  }

  /** Each key, as four words at a place of an array, with its number. */
  forEach(visit: (keys: Uint32Array, at: number, number: bigint) => void): void {
    for (let slot = 0; slot < this.#taken.length; slot++)
      if (this.#taken[slot] === 1) visit(this.#keys, slot * keyWords, this.#numbers[slot] as bigint);
  }

  /** All keys and numbers, 24 bytes each (the key, then the number in little endian), in no order. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.count * entryBytes);
    const view = new DataView(bytes.buffer);
    let offset = 0;
    this.forEach((keys, at, number) => {
      for (let i = 0; i < keyWords; i++) view.setUint32(offset + 4 * i, keys[at + i] as number, true);
      view.setBigInt64(offset + claimKeyBytes, number, true);
      offset += entryBytes;
    });
    return bytes;
  }

  /** Takes what `toBytes` wrote. */
  raiseBytes(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const key = new Uint32Array(keyWords);
    for (let offset = 0; offset + entryBytes <= bytes.length; offset += entryBytes) {
      for (let i = 0; i < keyWords; i++) key[i] = view.getUint32(offset + 4 * i, true);
      this.raise(key, 0, view.getBigInt64(offset + claimKeyBytes, true));
    }
  }

  #slotOf(keys: Uint32Array, at: number): number {
    const mask = this.#taken.length - 1;
    let slot = (keys[at] as number) & mask;
    while (this.#taken[slot] === 1 && !this.#isAt(slot, keys, at)) slot = (slot + 1) & mask;
    return slot;
  }

  #isAt(slot: number, keys: Uint32Array, at: number): boolean {
    for (let i = 0; i < keyWords; i++) if (this.#keys[slot * keyWords + i] !== keys[at + i]) return false;
    return true;
  }

  #put(slot: number, keys: Uint32Array, at: number, number: bigint): void {
    for (let i = 0; i < keyWords; i++) this.#keys[slot * keyWords + i] = keys[at + i] as number;
    this.#numbers[slot] = number;
    this.#taken[slot] = 1;
  }

  #widen(): void {
    const [keys, numbers, taken] = [this.#keys, this.#numbers, this.#taken];
    this.#keys = new Uint32Array(keys.length * 2);
    this.#numbers = new BigInt64Array(numbers.length * 2);
    this.#taken = new Uint8Array(taken.length * 2);
    for (let slot = 0; slot < taken.length; slot++) {
      if (taken[slot] === 0) continue;
      const at = slot * keyWords;
      this.#put(this.#slotOf(keys, at), keys, at, numbers[slot] as bigint);
    }
  }
}
