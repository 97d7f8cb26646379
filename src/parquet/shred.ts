import type { Block } from "./block-pool.ts";
import type { LeafRun } from "./column-writer.ts";
import type { EncoderMemory } from "./encoder-memory.ts";
import type { LeafNode, ListNode, SchemaNode } from "./file-schema.ts";
import type { PlacedColumn } from "./placement.ts";

/** Rows of a column on their way to its leaves: row numbers (u32), definition and repetition levels (a byte each), by address. */
interface Slots {
  readonly rows: number;
  readonly count: number;
  readonly definitions: number;
  readonly repetitions: number;
}

type Take = (leaf: number, run: LeafRun) => void;

/**
 * Turns rows of columns into runs of leaf values with their levels, as Dremel's paper and Parquet have it: `definition` counts what is there of a path,
 * `repetition` at which list a slot goes on. Throws where a cell that the table requires is absent.
 */
export class Shredder {
  readonly #memory: EncoderMemory;
  readonly #take: Take;
  /** Blocks of the column that is being shredded. */
  #blocks: Block[] = [];
  #fileRows = 0;

  constructor(memory: EncoderMemory, take: Take) {
    this.#memory = memory;
    this.#take = take;
  }

  /** Shreds one top-level column: `count` row numbers at `rows`. */
  shred(node: SchemaNode, column: PlacedColumn, rows: number, count: number): void {
    this.#fileRows = count;
    try {
      if (node.kind === "leaf") this.#shredFlat(node, column, rows, count);
      else {
        const levels = this.#block(count);
        this.#memory.arena.u8.fill(0, levels, levels + count);
        this.#descend(node, column, { rows, count, definitions: levels, repetitions: levels });
      }
    } finally {
      for (const block of this.#blocks) block.release();
      this.#blocks = [];
    }
  }

  /** A leaf at the top needs no levels where every row has a value. */
  #shredFlat(node: LeafNode, column: PlacedColumn, rows: number, count: number): void {
    const { kernels } = this.#memory;
    const state = column.state.address;
    const first = kernels.firstAbsent(rows, count, state, 0, 0);
    const run = { column, fileRows: count, slots: count, repetitions: 0 };
    if (first === count) {
      this.#take(node.index, { ...run, rows, count, definitions: 0 });
      return;
    }
    if (node.field.required) this.#refuse(column, rows + first * 4);
    const definitions = this.#block(count);
    const present = this.#block(count * 4 + 4);
    const values = kernels.presentRows(rows, count, state, definitions, present);
    this.#take(node.index, { ...run, rows: present, count: values, definitions });
  }

  #descend(node: SchemaNode, column: PlacedColumn, above: Slots): void {
    const { kernels } = this.#memory;
    const { level } = node;
    const state = column.state.address;
    let slots = above;
    if (node.field.required) {
      const first = kernels.firstAbsent(slots.rows, slots.count, state, slots.definitions, level);
      if (first !== slots.count) this.#refuse(column, slots.rows + first * 4);
    } else {
      // Siblings go on from the same levels.
      const definitions = this.#block(slots.count);
      this.#memory.copy(slots.definitions, definitions, slots.count);
      kernels.deepen(slots.rows, slots.count, definitions, state, level);
      slots = { ...slots, definitions };
    }
    const present = node.field.required ? level : level + 1;
    if (node.kind === "leaf") this.#deliver(node, column, slots, present);
    else if (node.kind === "struct") {
      for (const child of node.children) this.#descend(child.node, column.children[child.index] as PlacedColumn, slots);
    } else this.#spread(node, column, slots, present);
  }

  #spread(node: ListNode, column: PlacedColumn, slots: Slots, level: number): void {
    const element = column.element as PlacedColumn;
    const room = slots.count + element.column.length;
    const rows = this.#block(room * 4);
    const definitions = this.#block(room);
    const repetitions = this.#block(room);
    const count = this.#memory.kernels.spread(
      slots.rows,
      slots.count,
      slots.definitions,
      slots.repetitions,
      column.offsets.address,
      level,
      node.repetition,
      rows,
      definitions,
      repetitions,
    );
    const below = { rows, count, definitions, repetitions };
    if (node.keys !== null) this.#descend(node.keys, column.keys as PlacedColumn, below);
    this.#descend(node.element, element, below);
  }

  #deliver(node: LeafNode, column: PlacedColumn, slots: Slots, level: number): void {
    const rows = this.#block(slots.count * 4 + 4);
    const count = this.#memory.kernels.presentSlots(slots.rows, slots.count, slots.definitions, level, rows);
    const { definitions, repetitions } = slots;
    this.#take(node.index, { column, rows, count, fileRows: this.#fileRows, slots: slots.count, definitions, repetitions });
  }

  #refuse(column: PlacedColumn, rowAddress: number): never {
    throw new Error(`row ${this.#memory.readU32(rowAddress)} has no value in ${column.column.field.path}, which the table requires`);
  }

  #block(size: number): number {
    const block = this.#memory.pool.take(Math.max(1, size));
    this.#blocks.push(block);
    return block.address;
  }
}
