import type { Block } from "./block-pool.ts";
import type { EncoderMemory } from "./encoder-memory.ts";
import { DictionaryBlock, nearSlots, textEntryBytes } from "./kernels/dictionary-kernels.ts";

const firstEntries = 512;
const entriesMax = 65_536;
const growth = 4;

/** The distinct values of one column chunk, numbered as they come. */
export class Dictionary {
  readonly #memory: EncoderMemory;
  readonly #bytesMax: number;
  readonly isText: boolean;
  /** Whether the table is one of near integers, by their distance. */
  #isNear: boolean;
  readonly #control: Block;
  readonly #table: Block;
  readonly #entries: Block;
  readonly #area: Block | null;
  #entriesMax = firstEntries;

  /** `bytesMax` bounds what its page holds. Integers are taken for near ones until one is not. */
  constructor(memory: EncoderMemory, kind: "text" | "integer" | "float", bytesMax: number) {
    this.#memory = memory;
    this.isText = kind === "text";
    this.#isNear = kind === "integer";
    this.#bytesMax = bytesMax;
    this.#control = memory.pool.take(DictionaryBlock.bytes);
    this.#table = memory.pool.take(this.#isNear ? nearSlots * 2 : firstEntries * 2 * 4);
    this.#entries = memory.pool.take(firstEntries * this.#entryBytes);
    this.#area = this.isText ? memory.pool.take(firstEntries * 16) : null;
    this.#word(DictionaryBlock.count, 0);
    this.#word(DictionaryBlock.areaUsed, 0);
    this.#emptyTable();
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

  /** Whether integers are looked up by their distance from one another; `leaveNear` ends that. */
  get isNear(): boolean {
    return this.#isNear;
  }

  get isFull(): boolean {
    return this.count === this.#entriesMax;
  }

  /** Numbers integers of chosen rows, u16 each; answers how many were done before the dictionary was full, or a value was too far away. */
  numberNear(rows: number, n: number, values: number, out: number): number {
    const { arena, kernels } = this.#memory;
    if (this.count === 0 && n > 0) {
      const first = arena.i64(values + this.#memory.readU32(rows) * 8, 1)[0] as bigint;
      arena.i64(this.control + DictionaryBlock.base, 1)[0] = first - BigInt(nearSlots / 4);
    }
    return kernels.numberNear(this.control, rows, n, values, out);
  }

  leaveNear(): void {
    this.#isNear = false;
    this.#fillTable();
  }

  /** Makes room for more values; false where it has as many as it may. Numbers stay below 2^16. */
  grow(): boolean {
    const { count } = this;
    if (count < this.#entriesMax) return this.#growArea();
    const next = Math.min(this.#entriesMax * growth, entriesMax);
    if (next === this.#entriesMax || (!this.isText && next * 8 > Math.max(this.#bytesMax, firstEntries * 8))) return false;
    this.#entries.ensure(next * this.#entryBytes, count * this.#entryBytes);
    this.#entriesMax = next;
    if (this.#isNear) this.#describe();
    else this.#fillTable();
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

  #fillTable(): void {
    this.#table.ensure(this.#entriesMax * 2 * 4, 0);
    this.#emptyTable();
    this.#describe();
    this.#memory.kernels[this.isText ? "rehashTexts" : "rehashLongs"](this.control);
  }

  #emptyTable(): void {
    const bytes = this.#isNear ? nearSlots * 2 : this.#entriesMax * 2 * 4;
    this.#memory.arena.u8.fill(0, this.#table.address, this.#table.address + bytes);
  }

  /** Tells the kernels where things are. */
  #describe(): void {
    this.#word(DictionaryBlock.mask, this.#entriesMax * 2 - 1);
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
