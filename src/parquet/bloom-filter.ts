import type { Block } from "./block-pool.ts";
import type { EncoderMemory } from "./encoder-memory.ts";
import { ThriftWriter } from "./thrift-writer.ts";

/** One value in a hundred that is not there is taken for one that may be. */
const falsePositives = 0.01;
const bytesMin = 32;
const bytesMax = 1 << 20;

/**
 * Hashes of a column chunk's values, and the split-block bloom filter of them.
 * Source: https://github.com/apache/parquet-format/blob/master/BloomFilter.md
 */
export class BloomFilter {
  readonly #memory: EncoderMemory;
  readonly #hashes: Block;
  #count = 0;

  constructor(memory: EncoderMemory) {
    this.#memory = memory;
    this.#hashes = memory.pool.take(4096);
  }

  /** Adds `count` values of `width` bytes. */
  addFixed(address: number, count: number, width: number): void {
    this.#memory.kernels.hashFixed(address, count, width, this.#room(count));
    this.#count += count;
  }

  /** Adds `count` texts as a PLAIN page holds them. */
  addTexts(address: number, end: number, count: number): void {
    this.#memory.kernels.hashTexts(address, end, this.#room(count));
    this.#count += count;
  }

  /** Header and bits, as they stand in the file; empties the filter. Null where no value was added. */
  finish(): Uint8Array | null {
    const count = this.#count;
    this.#count = 0;
    if (count === 0) return null;
    const bytes = filterBytes(count);
    const { arena, kernels, pool } = this.#memory;
    const filter = pool.take(bytes);
    arena.u8.fill(0, filter.address, filter.address + bytes);
    kernels.insertHashes(this.#hashes.address, count, filter.address, bytes / 32);
    const header = bloomHeader(bytes);
    const out = new Uint8Array(header.length + bytes);
    out.set(header);
    out.set(arena.u8.subarray(filter.address, filter.address + bytes), header.length);
    filter.release();
    return out;
  }

  release(): void {
    this.#hashes.release();
  }

  #room(count: number): number {
    this.#hashes.ensure((this.#count + count) * 8, this.#count * 8);
    return this.#hashes.address + this.#count * 8;
  }
}

/** A power of two, which Arrow insists on, that keeps false positives rare for so many distinct values. */
function filterBytes(count: number): number {
  const bits = (-8 * count) / Math.log(1 - falsePositives ** (1 / 8));
  return Math.min(bytesMax, Math.max(bytesMin, 2 ** Math.ceil(Math.log2(bits / 8))));
}

function bloomHeader(bytes: number): Uint8Array {
  const header = new ThriftWriter();
  const onlyChoice = (id: number): void => header.struct(id, () => header.struct(1, () => {}));
  header.nested(() => {
    header.i32(1, bytes);
    // Split blocks, XXH64, not compressed.
    for (const id of [2, 3, 4]) onlyChoice(id);
  });
  return header.bytes();
}
