import type { Block } from "./block-pool.ts";
import type { EncoderMemory } from "./encoder-memory.ts";
import { DictionaryBlock, textEntryBytes } from "./kernels/dictionary-kernels.ts";

const firstEntries = 512;
const entriesMax = 65_536;
const growth = 4;

/** The distinct values of one column chunk, numbered as they come. */
export class Dictionary {
  readonly #memory: EncoderMemory;
  readonly #bytesMax: number;
  readonly isText: boolean;
  readonly #control: Block;
  readonly #table: Block;
  readonly #entries: Block;
  readonly #area: Block | null;
  #entriesMax = firstEntries;

  /** `bytesMax` bounds what its page holds. */
  constructor(memory: EncoderMemory, isText: boolean, bytesMax: number) {
    this.#memory = memory;
    this.isText = isText;
    this.#bytesMax = bytesMax;
    this.#control = memory.pool.take(DictionaryBlock.bytes);
    this.#table = memory.pool.take(firstEntries * 2 * 4);
    this.#entries = memory.pool.take(firstEntries * this.#entryBytes);
    this.#area = isText ? memory.pool.take(firstEntries * 16) : null;
    this.#word(DictionaryBlock.count, 0);
    this.#word(DictionaryBlock.areaUsed, 0);
    this.#describe();
  }

  get #entryBytes(): number {
    return this.isText ? textEntryBytes : 8;
  }

  get control(): number {
    return this.#control.address;
  }

  get entries(): number {
    return this.#entries.address;
  }

  /** Where texts stand as a dictionary page holds them; 0 for numbers. */
  get area(): number {
    return this.#area?.address ?? 0;
  }

  get areaUsed(): number {
    return this.#memory.readU32(this.control + DictionaryBlock.areaUsed);
  }

  get count(): number {
    return this.#memory.readU32(this.control + DictionaryBlock.count);
  }

  /** Makes room for more values; false where it has as many as it may. */
  grow(): boolean {
    const { count } = this;
    if (count < this.#entriesMax) return this.#growArea();
    const next = Math.min(this.#entriesMax * growth, entriesMax);
    if (next === this.#entriesMax || (!this.isText && next * 8 > Math.max(this.#bytesMax, firstEntries * 8))) return false;
    this.#entries.ensure(next * this.#entryBytes, count * this.#entryBytes);
    this.#table.ensure(next * 2 * 4, 0);
    this.#entriesMax = next;
    this.#describe();
    this.#memory.kernels[this.isText ? "rehashTexts" : "rehashLongs"](this.control);
    return true;
  }

  release(): void {
    for (const block of [this.#control, this.#table, this.#entries, this.#area]) block?.release();
  }

  #growArea(): boolean {
    if (this.#area === null || this.#area.size >= this.#bytesMax) return false;
    this.#area.ensure(Math.min(this.#area.size * growth, this.#bytesMax), this.areaUsed);
    this.#describe();
    return true;
  }

  /** Tells the kernels where things are, and empties the table where it moved. */
  #describe(): void {
    const slots = this.#entriesMax * 2;
    if (this.#memory.readU32(this.control + DictionaryBlock.mask) !== slots - 1 || this.count === 0) {
      this.#memory.arena.u8.fill(0, this.#table.address, this.#table.address + slots * 4);
    }
    this.#word(DictionaryBlock.mask, slots - 1);
    this.#word(DictionaryBlock.table, this.#table.address);
    this.#word(DictionaryBlock.entries, this.#entries.address);
    this.#word(DictionaryBlock.entriesMax, this.#entriesMax);
    this.#word(DictionaryBlock.area, this.area);
    this.#word(DictionaryBlock.areaMax, this.#area?.size ?? 0);
  }

  #word(at: number, value: number): void {
    this.#memory.writeU32(this.control + at, value);
  }
}
