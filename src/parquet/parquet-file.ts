import type { Batch } from "../core/batch.ts";
import { demand } from "../core/broken-invariant.ts";
import type { FileMetrics } from "../core/encoded-file.ts";
import type { Arena } from "../wasm/arena.ts";
import type { Block } from "./block-pool.ts";
import { ColumnWriter } from "./column-writer.ts";
import { EncoderMemory } from "./encoder-memory.ts";
import { FileMetricsTally } from "./file-metrics.ts";
import { FileSchema } from "./file-schema.ts";
import type { IndexPlaces, StoredChunk, StoredRowGroup } from "./footer.ts";
import { columnIndex, fileEnd, offsetIndex } from "./footer.ts";
import { giveArena, takeArena } from "./idle-arenas.ts";
import { Placement, type PlacedColumn, type Spot } from "./placement.ts";
import { RowBytes } from "./row-bytes.ts";
import { Shredder } from "./shred.ts";
import { SourceColumns } from "./source-columns.ts";
import type { PageLimits, ParquetFile, ParquetFileInput, RowGroupLimits } from "./written-file.ts";

const magic = Uint8Array.of(0x50, 0x41, 0x52, 0x31);

/** Pages of the open row group are held, compressed, until it ends: this bounds them. */
const defaultLimits: RowGroupLimits = { rowsMax: 262_144, bytesMax: 64 << 20 };

/** What is encoded at a time: between two runs pages can end. */
const runRowsMax = 2048;
const runBytesMax = 1 << 20;

/** Open pages and dictionaries of all columns share these; a column has at least the least and at most the most of either. */
const openBytes = {
  pages: 64 << 20,
  pageMin: 32 << 10,
  pageMax: 1 << 20,
  dictionaries: 64 << 20,
  dictionaryMin: 16 << 10,
  dictionaryMax: 1 << 20,
};
const pageRowsMax = 65_536;
/** Pieces of the file are joined up to here. */
const pieceBytes = 1 << 20;

/** Opens a Parquet file in memory; see `ParquetFile`. */
export function openParquetFile(input: ParquetFileInput): ParquetFile {
  return new OpenFile(input);
}

class OpenFile implements ParquetFile {
  readonly #input: ParquetFileInput;
  readonly #limits: RowGroupLimits;
  readonly #arena: Arena;
  readonly #metrics = new FileMetricsTally();
  readonly #source = new SourceColumns();
  #schema: FileSchema | null = null;
  #memory: EncoderMemory | null = null;
  #shredder: Shredder | null = null;
  #columns: ColumnWriter[] = [];
  #rowGroups: StoredRowGroup[] = [];
  #indexes: { readonly column: Uint8Array | null; readonly offsets: Uint8Array }[][] = [];
  #pieces: Uint8Array[] = [magic];
  #offset = magic.length;
  #rows = 0;
  #isOver = false;
  #groupRows = 0;
  #groupBytes = 0;

  constructor(input: ParquetFileInput) {
    this.#input = input;
    this.#limits = input.limits ?? defaultLimits;
    this.#arena = input.arena ?? takeArena();
  }

  get rows(): number {
    return this.#rows;
  }

  get memoryBytes(): number {
    return (this.#memory?.pool.bytes ?? 0) + this.#columns.reduce((sum, column) => sum + column.heldBytes, 0);
  }

  append(batch: Batch, rows: Uint32Array): Uint8Array[] {
    demand(!this.#isOver, "a file that is over takes no rows");
    if (rows.length === 0) return [];
    const all = [...batch.columns, ...(batch.unknown === null ? [] : [batch.unknown]), ...this.#source.of(batch.records)];
    const schema = this.#schema ?? new FileSchema(this.#input.schema, all);
    const columns = schema.arrange(all);
    // Views of the arena are read before anything is allocated in it.
    const placement = new Placement(this.#arena);
    const derived: ((memory: EncoderMemory) => Block)[] = [];
    const placed = columns.map((column) => {
      const own = placement.column(column);
      if (!this.#source.isTimes(column)) return own;
      const times = this.#source.placeTimes(column, own);
      derived.push(times.derive);
      return times.placed;
    });
    const chosen = placement.array(rows);
    const sizes = new RowBytes(placed);
    const memory = this.#memory ?? this.#begin(schema);
    const groups = this.#rowGroups.length;
    const blocks = [placement.settle(memory.pool), ...derived.map((derive) => derive(memory))];
    try {
      this.#cut({ placed, rows: chosen, sizes }, rows.length);
    } finally {
      for (const block of blocks) block?.release();
    }
    return this.#rowGroups.length > groups ? this.#takePieces() : [];
  }

  finish(): { pieces: readonly Uint8Array[]; file: FileMetrics } {
    const schema = this.#schema;
    if (schema === null) throw new Error("a Parquet file needs at least one row");
    if (this.#groupRows > 0) this.#closeRowGroup();
    const places = this.#indexes.map((group) =>
      group.map(() => ({ columnIndex: { offset: 0, bytes: 0 }, offsetIndex: { offset: 0, bytes: 0 } })),
    );
    for (const part of ["columnIndex", "offsetIndex"] as const) {
      for (const [g, group] of this.#indexes.entries()) {
        for (const [c, { column, offsets }] of group.entries()) {
          const bytes = part === "columnIndex" ? column : offsets;
          if (bytes === null) continue;
          ((places[g] as IndexPlaces[])[c] as { [key in typeof part]: IndexPlaces["columnIndex"] })[part] = {
            offset: this.#offset,
            bytes: bytes.length,
          };
          this.#put(bytes);
        }
      }
    }
    this.#put(fileEnd({ schema, rowGroups: this.#rowGroups, indexes: places }));
    const splitOffsets = this.#rowGroups.map(({ offset }) => offset);
    const file = { recordCount: this.#rows, fileSizeBytes: this.#offset, ...this.#metrics.finish(), splitOffsets };
    this.discard();
    return { pieces: this.#takePieces(), file };
  }

  discard(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const column of this.#columns) column.release();
    this.#columns = [];
    if (this.#input.arena === undefined) giveArena(this.#arena);
  }

  #begin(schema: FileSchema): EncoderMemory {
    const memory = EncoderMemory.over(this.#arena);
    const columns = schema.leaves.length;
    const share = (all: number, least: number, most: number): number => Math.max(least, Math.min(most, Math.floor(all / columns)));
    const limits: PageLimits = this.#input.pageLimits ?? {
      rowsMax: pageRowsMax,
      bytesMax: share(openBytes.pages, openBytes.pageMin, openBytes.pageMax),
      dictionaryBytesMax: share(openBytes.dictionaries, openBytes.dictionaryMin, openBytes.dictionaryMax),
    };
    const filtered = this.#input.bloomFilterIds;
    this.#columns = schema.leaves.map((leaf) => new ColumnWriter(memory, leaf, limits, filtered?.has(leaf.id) === true));
    this.#shredder = new Shredder(memory, (leaf, run) => (this.#columns[leaf] as ColumnWriter).append(run));
    this.#schema = schema;
    this.#memory = memory;
    return memory;
  }

  /** Takes as many rows at once as fit a run and the row group; a row that doesn't fit begins the next row group. */
  #cut(run: Run, count: number): void {
    const { rowsMax, bytesMax } = this.#limits;
    const { kernels } = this.#memory as EncoderMemory;
    let from = 0;
    while (from < count) {
      let rows = Math.min(count - from, runRowsMax, this.#input.pageLimits?.rowsMax ?? runRowsMax, rowsMax - this.#groupRows);
      let bytes = run.sizes.of(kernels, run.rows.address + from * 4, rows);
      while (rows > 1 && (bytes > runBytesMax || this.#groupBytes + bytes > bytesMax)) {
        rows = rows >> 1;
        bytes = run.sizes.of(kernels, run.rows.address + from * 4, rows);
      }
      if (this.#groupRows > 0 && this.#groupBytes + bytes > bytesMax) {
        this.#closeRowGroup();
        continue;
      }
      this.#take(run, from, rows, bytes);
      from += rows;
    }
  }

  #take({ placed, rows }: Run, from: number, count: number, bytes: number): void {
    const { nodes } = this.#schema as FileSchema;
    const shredder = this.#shredder as Shredder;
    for (const [i, node] of nodes.entries()) shredder.shred(node, placed[i] as PlacedColumn, rows.address + from * 4, count);
    this.#rows += count;
    this.#groupRows += count;
    this.#groupBytes += bytes;
    if (this.#groupRows >= this.#limits.rowsMax) this.#closeRowGroup();
  }

  #closeRowGroup(): void {
    const offset = this.#offset;
    const closed = this.#columns.map((column) => {
      const chunk = column.closeChunk();
      const start = this.#offset;
      for (const piece of chunk.pieces) this.#put(piece);
      const uncompressedBytes = chunk.pages.reduce((sum, page) => sum + page.uncompressedBytes, chunk.dictionary?.uncompressedBytes ?? 0);
      return { chunk, offset: start, compressedBytes: this.#offset - start, uncompressedBytes };
    });
    const chunks: StoredChunk[] = closed.map((each) => {
      const bloomFilterOffset = this.#offset;
      if (each.chunk.bloomFilter !== null) this.#put(each.chunk.bloomFilter);
      return { ...each, chunk: { ...each.chunk, pieces: [] }, bloomFilterOffset };
    });
    for (const chunk of chunks) this.#metrics.add(chunk);
    this.#rowGroups.push({ rows: this.#groupRows, offset, chunks });
    this.#indexes.push(chunks.map((stored) => ({ column: columnIndex(stored.chunk), offsets: offsetIndex(stored) })));
    this.#groupRows = 0;
    this.#groupBytes = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#offset += bytes.length;
  }

  #takePieces(): Uint8Array[] {
    const pieces = joinSmall(this.#pieces);
    this.#pieces = [];
    return pieces;
  }
}

/** A write for each page would cost more than their bytes: small neighbours become one piece. */
function joinSmall(pieces: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let waiting: Uint8Array[] = [];
  let size = 0;
  const flush = (): void => {
    if (size === 0) return;
    const piece = new Uint8Array(size);
    let at = 0;
    for (const bytes of waiting) {
      piece.set(bytes, at);
      at += bytes.length;
    }
    joined.push(piece);
    waiting = [];
    size = 0;
  };
  for (const piece of pieces) {
    if (size + piece.length > pieceBytes) flush();
    if (piece.length > pieceBytes) joined.push(piece);
    else {
      waiting.push(piece);
      size += piece.length;
    }
  }
  flush();
  return joined;
}

interface Run {
  readonly placed: readonly PlacedColumn[];
  /** Row numbers, u32. */
  readonly rows: Spot;
  readonly sizes: RowBytes;
}
