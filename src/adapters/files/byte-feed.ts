/** Takes bytes of known number off a stream of chunks. */
export class ByteFeed {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether so many bytes more are there; they are in memory then. */
  async has(count: number): Promise<boolean> {
    let left = this.#held.length - this.#at;
    if (left >= count) return true;
    const pieces = [this.#held.subarray(this.#at)];
    while (left < count) {
      const step = await this.#chunks.next();
      if (step.done === true) break;
      pieces.push(step.value);
      left += step.value.length;
    }
    this.#held = pieces.length === 2 && pieces[0]?.length === 0 ? (pieces[1] as Uint8Array) : Buffer.concat(pieces);
    this.#at = 0;
    return left >= count;
  }

  /** The next bytes, which `has` said are there; a view. */
  take(count: number): Uint8Array {
    const bytes = this.#held.subarray(this.#at, this.#at + count);
    if (bytes.length !== count) throw new RangeError("bug: bytes are taken that are not there");
    this.#at += count;
    return bytes;
  }

  /** A zig-zag varint of Avro's, beyond 2^53 the nearest double; NaN beyond 64 bits; null where the stream ends before it does. */
  async long(): Promise<number | null> {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (!(await this.has(1))) return null;
      const byte = this.take(1)[0] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    return Number.NaN;
  }

  /** Nothing more is taken: the stream may end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
