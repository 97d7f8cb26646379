import type { Arena } from "../wasm/arena.ts";

const smallest = 8;

/** Blocks of an arena that are given back and used again: sizes are powers of two from 256 bytes. Blocks are not zeroed. */
export class BlockPool {
  readonly arena: Arena;
  readonly #free = new Map<number, number[]>();
  #bytes = 0;
  #peak = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Bytes of the blocks that are out. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The most bytes that were out at once since this was last asked. */
  takePeak(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }

  /** A block of at least `size` bytes. The arena may grow. */
  take(size: number): Block {
    return new Block(this, size);
  }

  /** For `Block` only. */
  allocate(sizeLog: number): number {
    this.#bytes += 2 ** sizeLog;
    this.#peak = Math.max(this.#peak, this.#bytes);
    return this.#free.get(sizeLog)?.pop() ?? this.arena.allocate(2 ** sizeLog);
  }

  /** For `Block` only. */
  free(address: number, sizeLog: number): void {
    this.#bytes -= 2 ** sizeLog;
    const list = this.#free.get(sizeLog);
    if (list === undefined) this.#free.set(sizeLog, [address]);
    else list.push(address);
  }
}

/** A piece of a pool's arena; it moves when it grows, and has no address once released. */
export class Block {
  readonly #pool: BlockPool;
  #sizeLog: number;
  address: number;

  constructor(pool: BlockPool, size: number) {
    this.#pool = pool;
    this.#sizeLog = sizeLogOf(size);
    this.address = pool.allocate(this.#sizeLog);
  }

  get size(): number {
    return 2 ** this.#sizeLog;
  }

  /** Makes room for `size` bytes; the first `keep` stay. */
  ensure(size: number, keep: number): void {
    if (size <= this.size) return;
    const sizeLog = sizeLogOf(size);
    const address = this.#pool.allocate(sizeLog);
    if (keep > 0) this.#pool.arena.u8.copyWithin(address, this.address, this.address + keep);
    this.#pool.free(this.address, this.#sizeLog);
    this.address = address;
    this.#sizeLog = sizeLog;
  }

  /** Gives up room beyond `size` bytes, and what the block holds with it. */
  shrink(size: number): void {
    if (sizeLogOf(size) === this.#sizeLog) return;
    this.release();
    this.#sizeLog = sizeLogOf(size);
    this.address = this.#pool.allocate(this.#sizeLog);
  }

  /** Gives the block back; once is enough, and more does nothing. */
  release(): void {
    if (this.address === 0) return;
    this.#pool.free(this.address, this.#sizeLog);
    this.address = 0;
  }
}

function sizeLogOf(size: number): number {
  return Math.max(smallest, Math.ceil(Math.log2(size)));
}
