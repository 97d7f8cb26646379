/** Finds which of some texts a span of bytes is, without making a string of it. */
export class TextNumbers {
  readonly #texts: readonly Uint8Array[];
  /** A hash table of numbers from 1 on; 0 is a free slot. */
  readonly #slots: Uint16Array;

  /** At most 32,767 texts, each once. */
  constructor(values: readonly string[]) {
    this.#texts = values.map((value) => Buffer.from(value));
    this.#slots = new Uint16Array(1 << Math.ceil(Math.log2(4 * values.length + 1)));
    this.#texts.forEach((text, number) => {
      let slot = this.#slotOf(text, 0, text.length);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = number + 1;
    });
  }

  /** The number of the text that stands there; -1 where it is none of them. */
  of(bytes: Uint8Array, start: number, length: number): number {
    const slots = this.#slots;
    for (let slot = this.#slotOf(bytes, start, length); ; slot = (slot + 1) & (slots.length - 1)) {
      const found = slots[slot] as number;
      if (found === 0) return -1;
      const text = this.#texts[found - 1] as Uint8Array;
      if (text.length === length && isSame(text, bytes, start)) return found - 1;
    }
  }

  /** By length and first, middle and last bytes: what tells listed values apart. */
  #slotOf(bytes: Uint8Array, start: number, length: number): number {
    let hash = length;
    if (length > 0) {
      const last = start + length - 1;
      hash += (bytes[start] as number) * 31 + (bytes[(start + last) >> 1] as number) * 1021 + (bytes[last] as number) * 8191;
    }
    return (hash ^ (hash >> 9)) & (this.#slots.length - 1);
  }
}

function isSame(text: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text[i] !== bytes[start + i]) return false;
  return true;
}
