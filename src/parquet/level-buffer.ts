import type { Block } from "./block-pool.ts";
import type { EncoderMemory } from "./encoder-memory.ts";

/** Definition or repetition levels of a page, a byte a slot; none are kept while all are equal to `usual`. */
export class LevelBuffer {
  readonly #memory: EncoderMemory;
  readonly #max: number;
  readonly #usual: number;
  readonly #block: Block;
  #slots = 0;
  #isUsual = true;

  constructor(memory: EncoderMemory, max: number, usual: number) {
    this.#memory = memory;
    this.#max = max;
    this.#usual = usual;
    this.#block = memory.pool.take(max === 0 ? 1 : 2048);
  }

  /** Adds levels from an address; 0: so many usual ones. */
  add(address: number, slots: number): void {
    if (this.#max === 0) return;
    if (address !== 0 || !this.#isUsual) {
      this.#block.ensure(this.#slots + slots, this.#isUsual ? 0 : this.#slots);
      const { address: start } = this.#block;
      const { u8 } = this.#memory.arena;
      if (this.#isUsual) u8.fill(this.#usual, start, start + this.#slots);
      if (address === 0) u8.fill(this.#usual, start + this.#slots, start + this.#slots + slots);
      else this.#memory.copy(address, start + this.#slots, slots);
      this.#isUsual = false;
    }
    this.#slots += slots;
  }

  /** Bytes that `encode` may write. */
  get encodedMax(): number {
    return this.#max === 0 ? 0 : this.#slots * 2 + 64;
  }

  /** Writes them as a version 1 data page holds them (length, then the hybrid of runs and bits); answers where they end. Empties the buffer. */
  encode(out: number): number {
    if (this.#max === 0) return out;
    const width = 32 - Math.clz32(this.#max);
    let end = out + 4;
    if (this.#isUsual) {
      const { u8 } = this.#memory.arena;
      let run = this.#slots * 2;
      for (; run >= 128; run = Math.floor(run / 128)) u8[end++] = (run % 128) | 128;
      u8[end++] = run;
      u8[end++] = this.#usual;
    } else end = this.#memory.kernels.hybridBytes(this.#block.address, this.#slots, width, end) >>> 0;
    this.#memory.writeU32(out, end - out - 4);
    this.#slots = 0;
    this.#isUsual = true;
    return end;
  }

  release(): void {
    this.#block.release();
  }
}
