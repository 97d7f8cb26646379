import { demand } from "../core/broken-invariant.ts";
import { uuidSize } from "../core/uuid.ts";
import { BloomFilter } from "./bloom-filter.ts";
import type { ColumnBounds } from "./column-bounds.ts";
import { joinBounds } from "./column-bounds.ts";
import { compressPage } from "./compress.ts";
import type { Dictionary } from "./dictionary.ts";
import type { EncoderMemory } from "./encoder-memory.ts";
import type { Leaf } from "./file-schema.ts";
import { LevelBuffer } from "./level-buffer.ts";
import { Encoding, pageHeader, PageType } from "./page-header.ts";
import type { ValueRun } from "./page-values.ts";
import { PageValues } from "./page-values.ts";
import type { PageLimits } from "./written-file.ts";

/** Fewer values than these are not worth an encoding that some readers lack. */
const deltaValuesMin = 512;

/** Values of one leaf for a run of rows. */
export interface LeafRun extends ValueRun {
  /** Rows of the file, and slots of the leaf: values, nulls and empty lists. */
  readonly fileRows: number;
  readonly slots: number;
  /** Addresses of levels, a byte a slot; 0 where every slot holds a value, or begins a row. */
  readonly definitions: number;
  readonly repetitions: number;
}

/** A finished data page. */
export interface Page {
  readonly bytes: number;
  readonly uncompressedBytes: number;
  readonly rows: number;
  readonly slots: number;
  readonly nulls: number;
  readonly encoding: number;
  /** Null where no value can be ordered. */
  readonly bounds: ColumnBounds | null;
}

/** One column of a row group, compressed. */
export interface ColumnChunk {
  readonly leaf: Leaf;
  /** Headers and bodies, in order: the dictionary's page first, where there is one. */
  readonly pieces: readonly Uint8Array[];
  readonly dictionary: { readonly bytes: number; readonly uncompressedBytes: number } | null;
  readonly pages: readonly Page[];
  readonly slots: number;
  readonly nulls: number;
  readonly nans: number;
  /** Known where every page used the dictionary. */
  readonly distinct: number | null;
  readonly bounds: ColumnBounds | null;
  readonly bloomFilter: Uint8Array | null;
}

/** Encodes one leaf column: values come in runs, pages are closed and compressed as they fill, and a column chunk is taken at the end of a row group. */
export class ColumnWriter {
  readonly leaf: Leaf;
  readonly #memory: EncoderMemory;
  readonly #limits: PageLimits;
  readonly #values: PageValues;
  readonly #definitions: LevelBuffer;
  readonly #repetitions: LevelBuffer;
  readonly #bloom: BloomFilter | null;
  #rows = 0;
  #slots = 0;
  #pieces: Uint8Array[] = [];
  #pages: Page[] = [];
  /** Whether differences were smaller, as the chunk's first plain page of integers showed; null before it. */
  #isDelta: boolean | null = null;
  #hasBounds: boolean;

  constructor(memory: EncoderMemory, leaf: Leaf, limits: PageLimits, wantsBloomFilter: boolean) {
    this.leaf = leaf;
    this.#hasBounds = leaf.type.bound !== null;
    this.#memory = memory;
    this.#limits = limits;
    this.#values = new PageValues(memory, leaf, limits.dictionaryBytesMax);
    this.#definitions = new LevelBuffer(memory, leaf.definitionMax, leaf.definitionMax);
    this.#repetitions = new LevelBuffer(memory, leaf.repetitionMax, 0);
    this.#bloom = wantsBloomFilter && leaf.type.kind !== "flag" ? new BloomFilter(memory) : null;
  }

  /** Keeps the column's values out of statistics, page indexes and manifests. */
  withoutBounds(): void {
    this.#hasBounds = false;
  }

  /** Bytes of finished pages that are held until the row group ends. */
  get heldBytes(): number {
    return this.#pages.reduce((sum, page) => sum + page.bytes, 0);
  }

  append(run: LeafRun): void {
    this.#values.append(run);
    this.#definitions.add(run.definitions, run.slots);
    this.#repetitions.add(run.repetitions, run.slots);
    this.#rows += run.fileRows;
    this.#slots += run.slots;
    if (this.#slots >= this.#limits.rowsMax || this.#values.bytes >= this.#limits.bytesMax) this.#closePage();
  }

  /** The column of the row group that ends here. */
  closeChunk(): ColumnChunk {
    if (this.#rows > 0) this.#closePage();
    const dictionary = this.#values.usedDictionary ? this.#values.dictionary : null;
    const head = dictionary === null ? null : this.#dictionaryPage(dictionary);
    const pages = this.#pages;
    const chunk: ColumnChunk = {
      leaf: this.leaf,
      pieces: [...(head?.pieces ?? []), ...this.#pieces],
      dictionary: head,
      pages,
      slots: pages.reduce((sum, page) => sum + page.slots, 0),
      nulls: pages.reduce((sum, page) => sum + page.nulls, 0),
      nans: this.#values.nans,
      distinct: dictionary !== null && this.#values.isCoded ? dictionary.count : null,
      bounds: pages.reduce<ColumnBounds | null>((bounds, page) => joinBounds(bounds, page.bounds), null),
      bloomFilter: this.#bloom?.finish() ?? null,
    };
    this.#values.endChunk();
    this.#pieces = [];
    this.#pages = [];
    this.#isDelta = null;
    return chunk;
  }

  release(): void {
    for (const part of [this.#values, this.#definitions, this.#repetitions, this.#bloom]) part?.release();
  }

  #closePage(): void {
    const { body } = this.#memory;
    const values = this.#values;
    values.settle();
    const { count } = values;
    const bounds = this.#hasBounds ? values.bounds() : null;
    // The hybrid of runs and bits takes at most 5 bytes a value, differences 9.
    const valuesMax = values.isCoded ? count * 5 + 64 : Math.max(values.bytes + 64, count * 9 + 256);
    body.ensure(this.#repetitions.encodedMax + this.#definitions.encodedMax + valuesMax, 0);
    const start = this.#definitions.encode(this.#repetitions.encode(body.address));
    const { end, encoding } = this.#encodeValues(start);
    const compressed = compressPage(this.#memory.arena.u8.subarray(body.address, end));
    const uncompressedBytes = end - body.address;
    const header = pageHeader({ type: PageType.data, uncompressedBytes, body: compressed, values: this.#slots, encoding });
    this.#pieces.push(header, compressed);
    this.#pages.push({
      bytes: header.length + compressed.length,
      uncompressedBytes: header.length + uncompressedBytes,
      rows: this.#rows,
      slots: this.#slots,
      nulls: this.#slots - count,
      encoding,
      bounds,
    });
    values.endPage();
    this.#rows = 0;
    this.#slots = 0;
  }

  #encodeValues(out: number): { end: number; encoding: number } {
    const { kernels } = this.#memory;
    const { address, count, bytes, isCoded } = this.#values;
    const { kind, isUtf8, width: fixed } = this.leaf.type;
    if (count === 0) return { end: out, encoding: Encoding.plain };
    if (isCoded) {
      const width = 32 - Math.clz32((this.#values.dictionary as Dictionary).count - 1);
      this.#memory.arena.u8[out] = width;
      return { end: kernels.hybridNumbers(address, count, width, out + 1) >>> 0, encoding: Encoding.rleDictionary };
    }
    if (kind === "flag") return { end: kernels.packFlags(address, count, out) >>> 0, encoding: Encoding.plain };
    if (kind === "text") {
      if (isUtf8) this.#demandUtf8(address, address + bytes);
      this.#bloom?.addTexts(address, address + bytes, count);
      if (fixed > 0) return { end: this.#writeFixed(address, bytes, count, out), encoding: Encoding.plain };
    }
    if (kind === "text" || kind === "wide") {
      this.#memory.copy(address, out, bytes);
      if (kind === "wide") this.#bloom?.addFixed(address, count, this.leaf.type.width);
      return { end: out + bytes, encoding: Encoding.plain };
    }
    return this.#encodeNumbers(out, address, count);
  }

  #encodeNumbers(out: number, address: number, count: number): { end: number; encoding: number } {
    const plain = { end: this.#writePlain(out, address, count), encoding: Encoding.plain };
    this.#bloom?.addFixed(out, count, this.leaf.type.width);
    if (this.leaf.type.kind !== "long" || count < deltaValuesMin || this.#isDelta === false) return plain;
    const { arena } = this.#memory;
    // The chunk's first page says which is smaller once compressed.
    const plainBytes = this.#isDelta === null ? compressPage(arena.u8.subarray(out, plain.end)).length : 0;
    const end = this.#writeDeltas(out, address, count);
    this.#isDelta ??= compressPage(arena.u8.subarray(out, end)).length < plainBytes * 0.9;
    if (this.#isDelta) return { end, encoding: Encoding.deltaBinaryPacked };
    return { ...plain, end: this.#writePlain(out, address, count) };
  }

  #writeDeltas(out: number, address: number, count: number): number {
    const { kernels, results } = this.#memory;
    return kernels.deltaLongs(address, count, this.leaf.type.width === 4 ? 1 : 0, results.address, out) >>> 0;
  }

  /** Numbers of 8 bytes as a PLAIN page holds them; answers where they end. */
  #writePlain(out: number, address: number, count: number): number {
    const { width, kind } = this.leaf.type;
    if (width === 8) this.#memory.copy(address, out, count * 8);
    else this.#memory.kernels[kind === "single" ? "narrowDoubles" : "narrowLongs"](address, count, out);
    return out + count * width;
  }

  /** Texts of the leaf's width without their lengths; answers where they end. */
  #writeFixed(address: number, bytes: number, count: number, out: number): number {
    const { width } = this.leaf.type;
    demand(width === uuidSize && bytes === count * (width + 4), `column ${this.leaf.path.join(".")} holds values of another length`);
    this.#memory.kernels.dropLengths(address, count, out);
    return out + count * width;
  }

  #dictionaryPage(dictionary: Dictionary): { pieces: Uint8Array[]; bytes: number; uncompressedBytes: number } {
    const { arena, body } = this.#memory;
    const { count } = dictionary;
    let from = dictionary.area;
    let end = from + dictionary.areaUsed;
    if (dictionary.isText) {
      if (this.leaf.type.isUtf8) this.#demandUtf8(from, end);
      this.#bloom?.addTexts(from, end, count);
      if (this.leaf.type.width > 0) {
        body.ensure(count * this.leaf.type.width, 0);
        end = this.#writeFixed(from, dictionary.areaUsed, count, body.address);
        from = body.address;
      }
    } else {
      body.ensure(count * 8, 0);
      from = body.address;
      end = this.#writePlain(from, dictionary.entries, count);
      this.#bloom?.addFixed(from, count, this.leaf.type.width);
    }
    const compressed = compressPage(arena.u8.subarray(from, end));
    const page = { type: PageType.dictionary, uncompressedBytes: end - from, body: compressed, values: count, encoding: Encoding.plain };
    const header = pageHeader(page);
    return {
      pieces: [header, compressed],
      bytes: header.length + compressed.length,
      uncompressedBytes: header.length + end - from,
    };
  }

  #demandUtf8(from: number, end: number): void {
    if (this.#memory.kernels.areTexts(from, end) === 0) throw new Error(`column ${this.leaf.path.join(".")} holds text that is no UTF-8`);
  }
}
