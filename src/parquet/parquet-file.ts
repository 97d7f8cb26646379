import type { Batch } from "../core/batch.ts";
import { demand } from "../core/broken-invariant.ts";
import type { FileMetrics } from "../core/encoded-file.ts";
import type { Arena } from "../wasm/arena.ts";
import type { Block } from "./block-pool.ts";
import { ColumnWriter } from "./column-writer.ts";
import { EncoderMemory } from "./encoder-memory.ts";
import { FileBody } from "./file-body.ts";
import { FileSchema } from "./file-schema.ts";
import { giveArena, takeArena } from "./idle-arenas.ts";
import { pageLimitsOf } from "./page-limits.ts";
import { Placement, type PlacedColumn, type Spot } from "./placement.ts";
import { RowBytes } from "./row-bytes.ts";
import { Shredder } from "./shred.ts";
import { SourceColumns } from "./source-columns.ts";
import type { ParquetFile, ParquetFileInput, RowGroupLimits } from "./written-file.ts";

/** Pages of the open row group are held, compressed, until it ends: this bounds them. */
const defaultLimits: RowGroupLimits = { rowsMax: 262_144, bytesMax: 64 << 20 };

/** What is encoded at a time: between two runs pages can end. */
const runRowsMax = 2048;
const runBytesMax = 1 << 20;

/** Opens a Parquet file in memory; see `ParquetFile`. */
export function openParquetFile(input: ParquetFileInput): ParquetFile {
  return new OpenFile(input);
}

class OpenFile implements ParquetFile {
  readonly #input: ParquetFileInput;
  readonly #limits: RowGroupLimits;
  readonly #arena: Arena;
  readonly #body = new FileBody();
  readonly #source = new SourceColumns();
  #schema: FileSchema | null = null;
  #memory: EncoderMemory | null = null;
  #shredder: Shredder | null = null;
  #columns: ColumnWriter[] = [];
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
    const groups = this.#body.rowGroups;
    const blocks = [placement.settle(memory.pool), ...derived.map((derive) => derive(memory))];
    try {
      this.#cut({ placed, rows: chosen, sizes }, rows.length);
    } finally {
      for (const block of blocks) block?.release();
    }
    return this.#body.rowGroups > groups ? this.#body.takePieces() : [];
  }

  finish(): { pieces: readonly Uint8Array[]; file: FileMetrics } {
    const schema = this.#schema;
    if (schema === null) throw new Error("a Parquet file needs at least one row");
    if (this.#groupRows > 0) this.#closeRowGroup();
    const file = this.#body.finish(schema);
    this.discard();
    return { pieces: this.#body.takePieces(), file };
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
    const limits = this.#input.pageLimits ?? pageLimitsOf(schema.leaves.length);
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
    this.#body.closeRowGroup(this.#columns, this.#groupRows);
    this.#groupRows = 0;
    this.#groupBytes = 0;
  }
}

interface Run {
  readonly placed: readonly PlacedColumn[];
  /** Row numbers, u32. */
  readonly rows: Spot;
  readonly sizes: RowBytes;
}
