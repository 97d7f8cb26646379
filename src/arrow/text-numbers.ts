/** Finds which of some texts a span of bytes is, without making a string of it. */
export class TextNumbers {
  readonly #texts: readonly Uint8Array[];
  /** Numbers of the texts by their length and first byte. */
  readonly #byStart = new Map<number, number[]>();

  constructor(values: readonly string[]) {
    this.#texts = values.map((value) => Buffer.from(value));
    this.#texts.forEach((text, number) => {
      const start = startOf(text, 0, text.length);
      const others = this.#byStart.get(start);
      if (others === undefined) this.#byStart.set(start, [number]);
      else others.push(number);
    });
  }

  /** The number of the text that stands there; -1 where it is none of them. */
  of(bytes: Uint8Array, start: number, length: number): number {
    const candidates = this.#byStart.get(startOf(bytes, start, length));
    if (candidates === undefined) return -1;
    for (const number of candidates) if (isSame(this.#texts[number] as Uint8Array, bytes, start)) return number;
    return -1;
  }
}

function startOf(bytes: Uint8Array, start: number, length: number): number {
  return length * 256 + (length === 0 ? 0 : (bytes[start] as number));
}

function isSame(text: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text[i] !== bytes[start + i]) return false;
  return true;
}
