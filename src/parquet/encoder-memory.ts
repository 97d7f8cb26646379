import type { Arena } from "../wasm/arena.ts";
import type { Block } from "./block-pool.ts";
import { BlockPool } from "./block-pool.ts";
import type { Kernels } from "./kernels.ts";
import { kernelsOver } from "./kernels.ts";

const stagingBytes = 2048 * 8;
const bodyBytes = 65_536;
const byArena = new WeakMap<Arena, EncoderMemory>();

/** What the encoder has in an arena: its blocks, its kernels, and scratch that holds nothing from one call to the next. */
export class EncoderMemory {
  readonly arena: Arena;
  readonly pool: BlockPool;
  readonly kernels: Kernels;
  /** Values of a run, 8 bytes each. */
  readonly staging: Block;
  /** A page's body. */
  readonly body: Block;
  /** Results of kernels, and a block of differences. */
  readonly results: Block;
  /** A byte a dictionary entry, all zero between calls. */
  readonly used: Block;

  /** The memory over an arena: always the same, so that files made one after the other share its blocks. */
  static over(arena: Arena): EncoderMemory {
    let memory = byArena.get(arena);
    if (memory === undefined) {
      memory = new EncoderMemory(arena);
      byArena.set(arena, memory);
    }
    return memory;
  }

  constructor(arena: Arena) {
    this.arena = arena;
    this.pool = new BlockPool(arena);
    this.kernels = kernelsOver(arena);
    this.staging = this.pool.take(stagingBytes);
    this.body = this.pool.take(bodyBytes);
    this.results = this.pool.take(2048);
    this.used = this.pool.take(4096);
  }

  /** The most bytes that were in use at once since this was last asked; scratch of an odd size is given back. */
  takePeakBytes(): number {
    const peak = this.pool.takePeak();
    this.staging.shrink(stagingBytes);
    this.body.shrink(bodyBytes);
    return peak;
  }

  /** Room in `used` for so many entries. */
  ensureUsed(entries: number): void {
    if (entries <= this.used.size) return;
    this.used.ensure(entries, 0);
    this.arena.u8.fill(0, this.used.address, this.used.address + this.used.size);
  }

  /** A block's copy. */
  copy(from: number, to: number, bytes: number): void {
    this.arena.u8.copyWithin(to, from, from + bytes);
  }

  writeU32(address: number, value: number): void {
    const { u8 } = this.arena;
    u8[address] = value;
    u8[address + 1] = value >>> 8;
    u8[address + 2] = value >>> 16;
    u8[address + 3] = value >>> 24;
  }

  readU32(address: number): number {
    const { u8 } = this.arena;
    const byte = (at: number): number => u8[address + at] as number;
    return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
  }
}
