import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey } from "../../core/position.ts";
import { sliceRecords } from "../../core/record-chunks.ts";
import { allocateRecords, type Records } from "../../core/records.ts";
import { type AbortedTransaction, createAbortFilter } from "./aborted-transactions.ts";
import { Compression, decompress } from "./compression.ts";
import { FetchMemory } from "./fetch-memory.ts";
import { type BatchHeader, batchHeaderBytes, batchSize, checkCount, readBatchHeader, readRecords } from "./record-batch.ts";

/** One step of decoding: records, perhaps none, and the offset behind them and behind every batch passed over on the way. */
export interface DecodedRun {
  readonly records: Records;
  readonly from: bigint;
  readonly next: bigint;
  /** Whether the records stand in the response itself, which then has to be held as long as they are. */
  readonly viewsResponse: boolean;
}

export interface RunDecoderOptions {
  readonly key: PartitionKey;
  /** The batches of one partition in one fetch response; the last may be cut. */
  readonly bytes: Buffer;
  /** Where reading stands: records before it are left out (batches are handed out whole). */
  readonly position: bigint;
  /** The end of the log as the response says, a little before it was read: a batch far beyond it is corrupt. -1n: unknown. */
  readonly highWatermark: bigint;
  /** Null: read_uncommitted. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
  /** The most that one batch may take once decompressed. */
  readonly batchBytesMax: number;
  /** A run is ended once it holds this many bytes. */
  readonly runBytesMax: number;
  /** Where decompressed batches are put together; default: memory of their own. */
  readonly memory?: FetchMemory;
}

/** More than anyone appends between a broker's look at the log's end and its reading of the log. */
const appendedMeanwhile = 2n ** 32n;

/** Batches that will share one slab. */
interface Section {
  readonly header: BatchHeader;
  /** Plain records: a span of the response, or of a decompressed buffer of its own. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Turns fetched bytes into runs, a run a call, so that no more is decompressed than the budget has room for. */
export class RunDecoder {
  readonly #options: RunDecoderOptions;
  readonly #leftOut: ReturnType<typeof createAbortFilter>;
  #at = 0;
  #position: bigint;
  /** Last offset of the batch before. */
  #behind = -1n;

  constructor(options: RunDecoderOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#leftOut = createAbortFilter(options.abortedTransactions ?? []);
  }

  /** Where reading stands after the runs so far. */
  get position(): bigint {
    return this.#position;
  }

  /** All that was fetched. */
  get bytes(): Buffer {
    return this.#options.bytes;
  }

  /** Fetched bytes not decoded yet. */
  get remaining(): number {
    return this.#options.bytes.length - this.#at;
  }

  /** Bytes of the first batch if the response holds not even that one whole; else null. */
  get cutAtStart(): number | null {
    const { bytes } = this.#options;
    if (this.#at > 0 || batchSize(bytes, 0) !== null) return null;
    return bytes.length >= 12 ? 12 + bytes.readInt32BE(8) : 12;
  }

  /**
   * The next run, or null where the response is used up. A fault in a batch is thrown when it is the first of a call, so that what is good before it
   * is handed out first. Throws SOURCE_CORRUPT, SOURCE_OVERSIZED, SOURCE_UNREADABLE.
   */
  next(): DecodedRun | null {
    const from = this.#position;
    const sections: Section[] = [];
    let held = 0;
    while (held < this.#options.runBytesMax) {
      const size = batchSize(this.#options.bytes, this.#at);
      if (size === null) {
        this.#at = this.#options.bytes.length;
        break;
      }
      try {
        const section = this.#take(size);
        if (section === null) continue;
        sections.push(section);
        held += section.end - section.start;
      } catch (error) {
        if (this.#position === from) throw error;
        break;
      }
    }
    if (this.#position === from) return null;
    const records = this.#join(sections, from);
    return { records, from, next: this.#position, viewsResponse: records.bytes.buffer === this.#options.bytes.buffer };
  }

  /** The batch at the cursor, checked and plain; null where it has nothing to hand out. Moves past it only if it is good. */
  #take(size: number): Section | null {
    const { bytes, abortedTransactions, batchBytesMax, highWatermark } = this.#options;
    const header = readBatchHeader(bytes, this.#at, size);
    const base = header.baseOffset;
    // The offset stands outside the checksum: it is held against the order of batches and, roughly, the log's end instead.
    if (
      base < 0n ||
      base > Number.MAX_SAFE_INTEGER ||
      (highWatermark >= 0n && base > highWatermark + appendedMeanwhile) ||
      base <= this.#behind
    ) {
      throw new SluiceError("SOURCE_CORRUPT", `a batch claims offset ${base}, which can't be at ${this.#position} of ${highWatermark}`);
    }
    const leftOut = abortedTransactions !== null && this.#leftOut(header);
    let section: Section | null = null;
    if (!header.control && !leftOut && header.count > 0 && header.lastOffset >= this.#position) {
      const start = header.start + batchHeaderBytes;
      if (header.codec === Compression.none) section = { header, bytes, start, end: header.end };
      else {
        const plain = decompress(header.codec, bytes.subarray(start, header.end), batchBytesMax);
        section = { header, bytes: plain, start: 0, end: plain.length };
      }
      checkCount(header, section.end - section.start);
    }
    this.#at += size;
    this.#behind = header.lastOffset;
    if (header.lastOffset >= this.#position) this.#position = header.lastOffset + 1n;
    return section;
  }

  #join(sections: readonly Section[], from: bigint): Records {
    const first = sections[0];
    const last = sections.at(-1);
    let count = 0;
    for (const { header } of sections) count += header.count;
    if (first === undefined || last === undefined) return allocateRecords(0, new Uint8Array(0), [this.#options.key]);
    // Plain batches of one response already stand in one slab, headers between them and all; only decompressed ones are copied together.
    const shared = sections.every((section) => section.bytes === first.bytes);
    let slab: Uint8Array;
    const starts: number[] = [];
    if (shared) {
      slab = first.bytes.subarray(first.start, last.end);
      for (const { start } of sections) starts.push(start - first.start);
    } else {
      let size = 0;
      for (const { start, end } of sections) {
        starts.push(size);
        size += end - start;
      }
      slab = (this.#options.memory ?? new FetchMemory(0)).take(size);
      sections.forEach(({ bytes, start, end }, i) => slab.set(bytes.subarray(start, end), starts[i]));
    }
    const out = allocateRecords(count, slab, [this.#options.key]);
    let row = 0;
    sections.forEach(({ header, start, end }, i) => {
      const at = starts[i] as number;
      row = readRecords(header, out, row, at, at + end - start, from);
    });
    return row === count ? out : sliceRecords(out, 0, row);
  }
}
