/** Texts longer than this are not remembered. */
const textBytesMax = 32;
const slots = 2048;

/** Answers of a parser of whole numbers, by the text's bytes: values such as dates come again and again. Each slot keeps the text that came last. */
export class RememberedTexts {
  readonly #parse: (text: string) => bigint | null;
  readonly #keys = new Uint8Array(slots * textBytesMax);
  /** One more than the text's length; 0 where the slot is empty. */
  readonly #sizes = new Uint8Array(slots);
  readonly #exact = new BigInt64Array(slots);
  readonly #words = new Int32Array(this.#exact.buffer);
  readonly #doubles = new Float64Array(slots);
  readonly #known = new Uint8Array(slots);

  constructor(parse: (text: string) => bigint | null) {
    this.#parse = parse;
  }

  /** The slot that holds the answer for the text at `start`, until the next call. */
  find(bytes: Buffer, start: number, length: number): number {
    if (length > textBytesMax) return this.#fill(0, bytes, start, length, 0);
    let hash = length;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (bytes[start + i] as number), 0x0100_0193);
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    const keys = this.#keys;
    const at = slot * textBytesMax;
    let same = this.#sizes[slot] === length + 1;
    for (let i = 0; same && i < length; i++) same = keys[at + i] === bytes[start + i];
    return same ? slot : this.#fill(slot, bytes, start, length, length + 1);
  }

  #fill(slot: number, bytes: Buffer, start: number, length: number, size: number): number {
    const value = this.#parse(bytes.toString("utf8", start, start + length));
    this.#sizes[slot] = size;
    if (size > 0) this.#keys.set(bytes.subarray(start, start + length), slot * textBytesMax);
    this.#known[slot] = value === null ? 0 : 1;
    this.#exact[slot] = value ?? 0n;
    this.#doubles[slot] = Number(value ?? 0n);
    return slot;
  }

  /** Whether the text had a value. */
  known(slot: number): boolean {
    return this.#known[slot] === 1;
  }

  /** Half of the value's 64 bits: 0 the lower, 1 the upper. */
  word(slot: number, half: 0 | 1): number {
    return this.#words[slot * 2 + half] as number;
  }

  double(slot: number): number {
    return this.#doubles[slot] as number;
  }
}
