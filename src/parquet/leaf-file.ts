import type { Column } from "../core/column.ts";
import type { FileMetrics } from "../core/encoded-file.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { Arena } from "../wasm/arena.ts";
import type { Block } from "./block-pool.ts";
import { ColumnWriter } from "./column-writer.ts";
import { EncoderMemory } from "./encoder-memory.ts";
import { FileBody } from "./file-body.ts";
import type { Leaf } from "./file-schema.ts";
import { FileSchema } from "./file-schema.ts";
import { giveArena, takeArena } from "./idle-arenas.ts";
import { pageLimitsOf } from "./page-limits.ts";
import { Placement } from "./placement.ts";
import { schemaColumns } from "./schema-columns.ts";

/** Between two runs pages can end. */
const runRowsMax = 2048;
const runBytesMax = 1 << 20;

/** One leaf's part of some rows: values that are there, in order, and where among the slots they stand. */
export interface LeafSlots {
  /** Flat, of the leaf's own kind. */
  readonly column: Column;
  /** Which of the column's rows are the values, in the order of the slots that hold one. */
  readonly rows: Uint32Array;
  /** A level a slot; null where every slot holds a value. */
  readonly definitions: Uint8Array | null;
  /** A level a slot; null where every slot begins a row. */
  readonly repetitions: Uint8Array | null;
  readonly slots: number;
}

/** Writes a Parquet file leaf by leaf, from values that another file held: rows are never put together. Pure and synchronous. */
export class LeafFile {
  readonly leaves: readonly Leaf[];
  readonly #schema: FileSchema;
  readonly #arena: Arena;
  readonly #memory: EncoderMemory;
  readonly #columns: ColumnWriter[];
  readonly #body = new FileBody();
  #isOver = false;

  /** Throws Error where the schema has a type that Sluice does not write. `unbounded`: fields whose values stand in no statistics. */
  constructor(input: { readonly schema: IcebergSchema; readonly unboundedIds?: ReadonlySet<number> }) {
    this.#schema = new FileSchema(input.schema, schemaColumns(input.schema));
    this.leaves = this.#schema.leaves;
    this.#arena = takeArena();
    this.#memory = EncoderMemory.over(this.#arena);
    const limits = pageLimitsOf(this.leaves.length);
    this.#columns = this.leaves.map((leaf) => {
      const writer = new ColumnWriter(this.#memory, leaf, limits, false);
      if (input.unboundedIds?.has(leaf.id) === true) writer.withoutBounds();
      return writer;
    });
  }

  /** Adds a leaf's part of the open row group; every leaf gets the same rows before the group ends. */
  append(index: number, leafSlots: LeafSlots): void {
    const placement = new Placement(this.#arena);
    const placed = placement.column(leafSlots.column);
    const rows = placement.array(leafSlots.rows);
    const definitions = leafSlots.definitions === null ? null : placement.array(leafSlots.definitions);
    const repetitions = leafSlots.repetitions === null ? null : placement.array(leafSlots.repetitions);
    const block: Block | null = placement.settle(this.#memory.pool);
    try {
      const writer = this.#columns[index] as ColumnWriter;
      for (const run of runsOf(leafSlots, writer.leaf.definitionMax)) {
        writer.append({
          column: placed,
          rows: rows.address + 4 * run.firstValue,
          count: run.values,
          fileRows: run.rows,
          slots: run.slots,
          definitions: definitions === null ? 0 : definitions.address + run.firstSlot,
          repetitions: repetitions === null ? 0 : repetitions.address + run.firstSlot,
        });
      }
    } finally {
      block?.release();
    }
  }

  /** Ends the row group; answers the next pieces of the file. */
  closeRowGroup(rows: number): Uint8Array[] {
    this.#body.closeRowGroup(this.#columns, rows);
    return this.#body.takePieces();
  }

  /** The last pieces, and what a manifest says of the file. */
  finish(): { readonly pieces: readonly Uint8Array[]; readonly file: FileMetrics } {
    const file = this.#body.finish(this.#schema);
    this.discard();
    return { pieces: this.#body.takePieces(), file };
  }

  /** Gives the file's memory back; may be called at any time. */
  discard(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const column of this.#columns) column.release();
    giveArena(this.#arena);
  }
}

interface Run {
  readonly firstSlot: number;
  readonly slots: number;
  readonly firstValue: number;
  readonly values: number;
  readonly rows: number;
}

/** Cuts slots between rows, so that no run holds much more than a page. */
function* runsOf({ column, rows, definitions, repetitions, slots }: LeafSlots, definitionMax: number): Iterable<Run> {
  let firstSlot = 0;
  let firstValue = 0;
  let value = 0;
  let row = 0;
  let bytes = 0;
  for (let slot = 0; slot <= slots; slot++) {
    const isRow = slot === slots || repetitions === null || repetitions[slot] === 0;
    if (isRow && slot > firstSlot && (slot === slots || row >= runRowsMax || bytes >= runBytesMax)) {
      yield { firstSlot, slots: slot - firstSlot, firstValue, values: value - firstValue, rows: row };
      firstSlot = slot;
      firstValue = value;
      row = 0;
      bytes = 0;
    }
    if (slot === slots) return;
    if (isRow) row++;
    if (definitions !== null && definitions[slot] !== definitionMax) continue;
    if (column.kind === "bytes") bytes += column.lengths[rows[value] as number] as number;
    value++;
  }
}
