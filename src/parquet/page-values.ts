import type { Block } from "./block-pool.ts";
import { boundBytesKept } from "./bounds.ts";
import type { ColumnBounds } from "./column-bounds.ts";
import { Dictionary } from "./dictionary.ts";
import type { EncoderMemory } from "./encoder-memory.ts";
import type { Leaf } from "./file-schema.ts";
import type { PlacedColumn } from "./placement.ts";

/** Rows of a column that hold a value: `count` u32 row numbers at an address. */
export interface ValueRun {
  readonly column: PlacedColumn;
  readonly rows: number;
  readonly count: number;
}

/** Nearly every value of the first ones is new: the rest won't repeat either. */
const trial = { values: 1500, share: 0.9 } as const;
/** A dictionary of more distinct values than this share costs about what it saves. */
const settled = { values: 16_384, share: 0.6 } as const;

/** The values of a column's open page: as numbers of dictionary entries while that pays, else as they are. */
export class PageValues {
  readonly #memory: EncoderMemory;
  readonly #leaf: Leaf;
  readonly #dictionaryBytesMax: number;
  readonly #block: Block;
  #dictionary: Dictionary | null = null;
  /** Whether the page's values are numbers of entries. */
  #isCoded = false;
  #count = 0;
  /** Bytes of the values as a PLAIN page holds them, or would; of coded texts, 2 each. */
  #bytes = 0;
  #codedTextBytes = 0;
  #nans = 0;
  /** Values of the column chunk, and of its pages that were coded. */
  #chunkValues = 0;
  #codedPages = 0;

  constructor(memory: EncoderMemory, leaf: Leaf, dictionaryBytesMax: number) {
    this.#memory = memory;
    this.#leaf = leaf;
    this.#dictionaryBytesMax = dictionaryBytesMax;
    this.#block = memory.pool.take(4096);
    this.#open();
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the values as they stand; a little of what coded texts would take, should the dictionary be given up. */
  get bytes(): number {
    return this.#isCoded ? Math.max(this.#bytes, this.#codedTextBytes / 8) : this.#bytes;
  }

  /** NaNs since the column chunk began. */
  get nans(): number {
    return this.#nans;
  }

  /** Where the values stand: u16 each if coded, else as `LeafKind` says. */
  get address(): number {
    return this.#block.address;
  }

  get isCoded(): boolean {
    return this.#isCoded;
  }

  /** What the values are numbers of, and the chunk's pages that were coded. */
  get dictionary(): Dictionary | null {
    return this.#dictionary;
  }

  /** Whether a page of the chunk used the dictionary. */
  get usedDictionary(): boolean {
    return this.#codedPages > 0;
  }

  append(run: ValueRun): void {
    if (run.count === 0) return;
    switch (this.#leaf.type.kind) {
      case "flag": {
        this.#room(1, run.count);
        this.#memory.kernels.gatherFlags(run.rows, run.count, run.column.values.address, this.#block.address + this.#count);
        this.#added(run.count, run.count);
        return;
      }
      case "wide": {
        const { width } = this.#leaf.type;
        this.#room(width, run.count);
        this.#memory.kernels.gatherWide(run.rows, run.count, run.column.values.address, width, this.#block.address + this.#bytes);
        this.#added(run.count, run.count * width);
        return;
      }
      case "text":
        this.#appendTexts(run);
        break;
      default:
        this.#appendNumbers(run);
    }
    if (this.#isCoded && !this.#pays()) this.#giveUp();
  }

  /** The page is about to end: if it is the chunk's first, and its numbers with the dictionary take no fewer bytes than its values, it goes without. */
  settle(): void {
    const dictionary = this.#dictionary;
    if (!this.#isCoded || this.#codedPages > 0 || dictionary === null || this.#count === 0) return;
    const { entries } = dictionary;
    const width = this.#leaf.type.width;
    const coded =
      (this.#count * (32 - Math.clz32(dictionary.count - 1))) / 8 + (dictionary.isText ? dictionary.areaUsed : dictionary.count * width);
    const plain = dictionary.isText ? this.#memory.kernels.expandedBytes(this.address, this.#count, entries) >>> 0 : this.#count * width;
    if (coded >= plain) this.#giveUp();
  }

  /** Least and greatest value of the page; null where there is none but nulls and NaNs. */
  bounds(): ColumnBounds | null {
    if (this.#count === 0) return null;
    const { kernels, results, staging } = this.#memory;
    switch (this.#leaf.type.kind) {
      case "flag": {
        const trues = kernels.countFlags(this.address, this.#count);
        return { lower: trues === this.#count ? 1n : 0n, upper: trues === 0 ? 0n : 1n };
      }
      case "text":
        return this.#textBounds();
      case "wide": {
        kernels.minMaxWide(this.address, this.#count, this.#leaf.type.width, results.address);
        return { lower: this.#wideAt(results.address), upper: this.#wideAt(results.address + 4) };
      }
      default: {
        let { address } = this;
        let count = this.#count;
        if (this.#isCoded) {
          const dictionary = this.#dictionary as Dictionary;
          this.#memory.ensureUsed(dictionary.count);
          staging.ensure(dictionary.count * 8, 0);
          kernels.markUsed(address, count, this.#memory.used.address);
          ({ address } = staging);
          count = kernels.usedLongs(this.#memory.used.address, dictionary.count, dictionary.entries, address);
        }
        return this.#numberBounds(address, count);
      }
    }
  }

  /** Empties the page; the next one goes on with the same dictionary. */
  endPage(): void {
    if (this.#isCoded && this.#count > 0) this.#codedPages++;
    this.#count = 0;
    this.#bytes = 0;
    this.#codedTextBytes = 0;
  }

  /** Forgets the column chunk, and tries a dictionary anew. */
  endChunk(): void {
    this.#dictionary?.release();
    this.#open();
    this.#codedPages = 0;
    this.#chunkValues = 0;
    this.#nans = 0;
  }

  release(): void {
    this.#dictionary?.release();
    this.#dictionary = null;
    this.#block.release();
  }

  #open(): void {
    const { kind, bound } = this.#leaf.type;
    this.#isCoded = kind !== "flag" && kind !== "wide";
    const values = kind === "text" ? "text" : kind === "long" && bound !== "decimal" ? "integer" : "float";
    this.#dictionary = this.#isCoded ? new Dictionary(this.#memory, values, this.#dictionaryBytesMax) : null;
  }

  #room(width: number, count: number): void {
    this.#block.ensure((this.#count + count) * width, this.#count * width);
  }

  #added(count: number, bytes: number): void {
    this.#count += count;
    this.#bytes += bytes;
    this.#chunkValues += count;
  }

  #pays(): boolean {
    const count = this.#chunkValues;
    if (count < trial.values) return true;
    return (this.#dictionary as Dictionary).count <= count * (count < settled.values ? trial.share : settled.share);
  }

  /** Numbers integers as they stand while they are near one another; answers how many. */
  #numberNear({ column, rows, count }: ValueRun): number {
    const dictionary = this.#dictionary as Dictionary;
    this.#room(2, count);
    let done = 0;
    while (dictionary.isNear) {
      const out = this.#block.address + this.#count * 2;
      const coded = dictionary.numberNear(rows + done * 4, count - done, column.values.address, out);
      this.#added(coded, coded * this.#leaf.type.width);
      done += coded;
      if (done === count) break;
      if (!dictionary.isFull) dictionary.leaveNear();
      else if (!dictionary.grow()) break;
    }
    return done;
  }

  #appendNumbers(whole: ValueRun): void {
    const near = this.#isCoded ? this.#numberNear(whole) : 0;
    if (near < whole.count) this.#appendGathered({ ...whole, rows: whole.rows + near * 4, count: whole.count - near });
  }

  /** Gathers into the staging area, then numbers, or copies behind the page's values. */
  #appendGathered(run: ValueRun): void {
    const { kernels, staging } = this.#memory;
    staging.ensure(run.count * 8, 0);
    const { address } = staging;
    const values = run.column.values.address;
    const { kind } = this.#leaf.type;
    if (kind === "double") this.#nans += kernels.gatherDoubles(run.rows, run.count, values, address);
    else if (kind === "single") this.#nans += kernels.gatherSingles(run.rows, run.count, values, address);
    else if (run.column.column.kind === "decimal") kernels.gatherDecimals(run.rows, run.count, values, address);
    else kernels.gatherLongs(run.rows, run.count, values, address);
    const { width } = this.#leaf.type;
    let done = 0;
    if (this.#isCoded) {
      const dictionary = this.#dictionary as Dictionary;
      this.#room(2, run.count);
      while (!dictionary.isNear) {
        const out = this.#block.address + this.#count * 2;
        const coded = kernels.numberLongs(dictionary.control, address + done * 8, run.count - done, out);
        this.#added(coded, coded * width);
        done += coded;
        if (done === run.count) return;
        if (!dictionary.grow()) break;
      }
      this.#giveUp();
    }
    this.#room(8, run.count - done);
    this.#memory.copy(address + done * 8, this.#block.address + this.#count * 8, (run.count - done) * 8);
    this.#added(run.count - done, (run.count - done) * width);
  }

  #appendTexts({ column, rows, count }: ValueRun): void {
    const { kernels } = this.#memory;
    const [base, starts, lengths] = [column.base.address, column.values.address, column.lengths.address];
    let done = 0;
    if (this.#isCoded) {
      const dictionary = this.#dictionary as Dictionary;
      this.#room(2, count);
      this.#codedTextBytes += kernels.sumLengths(rows, count, lengths);
      for (;;) {
        const out = this.#block.address + this.#count * 2;
        const coded = kernels.numberTexts(dictionary.control, rows + done * 4, count - done, base, starts, lengths, out);
        this.#added(coded, coded * 2);
        done += coded;
        if (done === count) return;
        if (!dictionary.grow()) break;
      }
      this.#giveUp();
    }
    const size = kernels.sumLengths(rows + done * 4, count - done, lengths) + (count - done) * 4;
    this.#block.ensure(this.#bytes + size, this.#bytes);
    kernels.gatherTexts(rows + done * 4, count - done, base, starts, lengths, this.#block.address + this.#bytes);
    this.#added(count - done, size);
  }

  /** Goes on without the dictionary: the open page's values become what they are, and pages that were coded keep it. */
  #giveUp(): void {
    const dictionary = this.#dictionary as Dictionary;
    const { kernels, pool } = this.#memory;
    const indices = pool.take(this.#count * 2 + 1);
    this.#memory.copy(this.#block.address, indices.address, this.#count * 2);
    if (dictionary.isText) {
      this.#bytes = kernels.expandedBytes(indices.address, this.#count, dictionary.entries) >>> 0;
      this.#block.ensure(this.#bytes, 0);
      kernels.expandTexts(indices.address, this.#count, dictionary.entries, dictionary.area, this.#block.address);
    } else {
      this.#block.ensure(this.#count * 8, 0);
      kernels.expandLongs(indices.address, this.#count, dictionary.entries, this.#block.address);
    }
    indices.release();
    this.#isCoded = false;
    if (this.#codedPages > 0) return;
    dictionary.release();
    this.#dictionary = null;
  }

  #numberBounds(address: number, count: number): ColumnBounds | null {
    const { arena, kernels, results } = this.#memory;
    if (this.#leaf.type.kind === "long") {
      kernels.minMaxLongs(address, count, results.address);
      const [lower, upper] = arena.i64(results.address, 2);
      return { lower: lower as bigint, upper: upper as bigint };
    }
    const numbers = kernels.minMaxDoubles(address, count, results.address);
    const [lower, upper] = arena.f64(results.address, 2);
    return numbers === 0 ? null : { lower: lower as number, upper: upper as number };
  }

  #textBounds(): ColumnBounds {
    const { kernels, results, used } = this.#memory;
    if (this.#isCoded) {
      const dictionary = this.#dictionary as Dictionary;
      this.#memory.ensureUsed(dictionary.count);
      kernels.markUsed(this.address, this.#count, used.address);
      kernels.minMaxUsedTexts(used.address, dictionary.count, dictionary.entries, dictionary.area, results.address);
    } else kernels.minMaxTexts(this.address, this.address + this.#bytes, results.address);
    return { lower: this.#textAt(results.address), upper: this.#textAt(results.address + 4) };
  }

  #textAt(pointer: number): Uint8Array {
    const at = this.#memory.readU32(pointer);
    const length = Math.min(this.#memory.readU32(at), boundBytesKept);
    return this.#memory.arena.u8.slice(at + 4, at + 4 + length);
  }

  #wideAt(pointer: number): bigint {
    const at = this.#memory.readU32(pointer);
    let value = 0n;
    for (const byte of this.#memory.arena.u8.subarray(at, at + this.#leaf.type.width)) value = (value << 8n) | BigInt(byte);
    return BigInt.asIntN(8 * this.#leaf.type.width, value);
  }
}
