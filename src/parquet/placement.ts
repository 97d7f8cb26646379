import { demand } from "../core/broken-invariant.ts";
import { timeText } from "../core/civil.ts";
import { Cell } from "../core/column.ts";
import type { BytesColumn, Column, IntegerColumn } from "../core/column.ts";
import type { Arena } from "../wasm/arena.ts";
import { slackBytes } from "../wasm/layout.ts";
import type { Block, BlockPool } from "./block-pool.ts";

/** Where an array stands in the arena: known once its placement is settled. */
export interface Spot {
  readonly address: number;
}

/** A column in the arena: spots of its arrays, as `core/column.ts` describes them. */
export interface PlacedColumn {
  readonly column: Column;
  readonly state: Spot;
  /** boolean: a byte a row; float: an f64; integer: an i64; decimal: 16 bytes; texts: their starts, u32. */
  readonly values: Spot;
  /** Texts: what starts count from, and lengths, u32. */
  readonly base: Spot;
  readonly lengths: Spot;
  /** Lists: i32 a row, and one more. */
  readonly offsets: Spot;
  readonly children: readonly PlacedColumn[];
  readonly element: PlacedColumn | null;
  readonly keys: PlacedColumn | null;
}

const nowhere: Spot = { address: 0 };

/**
 * Brings columns into an arena: arrays that stand there already stay where they are, others are copied. Addresses of the former are taken before the
 * arena may grow, which would void their views: first `column` and `array` for all, then `settle`.
 */
export class Placement {
  readonly #arena: Arena;
  readonly #spots = new Map<ArrayBufferView, { address: number }>();
  readonly #waiting: { readonly bytes: Uint8Array; readonly spot: { address: number } }[] = [];
  #size = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  array(view: ArrayBufferView): Spot {
    const known = this.#spots.get(view);
    if (known !== undefined) return known;
    const spot = { address: 0 };
    if (view.buffer === this.#arena.memory.buffer) spot.address = view.byteOffset;
    else {
      this.#waiting.push({ bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength), spot });
      this.#size += padded(view.byteLength);
    }
    this.#spots.set(view, spot);
    return spot;
  }

  column(column: Column): PlacedColumn {
    demand(column.state.length >= column.length, `the memory of column ${column.field.path} moved before its rows were written`);
    if (column.kind === "integer" && column.field.type.kind === "time") return this.column(timeTexts(column));
    const base: PlacedColumn = {
      column,
      state: this.array(column.state),
      values: nowhere,
      base: nowhere,
      lengths: nowhere,
      offsets: nowhere,
      children: [],
      element: null,
      keys: null,
    };
    switch (column.kind) {
      case "boolean":
      case "float":
        return { ...base, values: this.array(column.values) };
      case "integer":
        return { ...base, values: this.array(column.exact) };
      case "decimal":
        return { ...base, values: this.array(column.unscaled) };
      case "bytes":
        return { ...base, values: this.array(column.starts), base: this.array(column.bytes), lengths: this.array(column.lengths) };
      case "struct":
        return { ...base, children: column.children.map((child) => this.column(child)) };
      default: {
        const keys = column.keys === null ? null : this.column(column.keys);
        return { ...base, offsets: this.array(column.offsets), element: this.column(column.element), keys };
      }
    }
  }

  /** Copies what is not in the arena into one block, which the caller releases; null where there is nothing to copy. */
  settle(pool: BlockPool): Block | null {
    if (this.#size === 0) return null;
    const block = pool.take(this.#size);
    const { u8 } = this.#arena;
    let at = block.address;
    for (const { bytes, spot } of this.#waiting) {
      u8.set(bytes, at);
      spot.address = at;
      at += padded(bytes.length);
    }
    return block;
  }
}

/** Kernels may read a little behind a text. */
function padded(bytes: number): number {
  return Math.ceil((bytes + slackBytes) / 16) * 16;
}

/** Times of day as the text that the lake stores. */
function timeTexts(column: IntegerColumn): BytesColumn {
  const { length, state, values } = column;
  const starts = new Uint32Array(length);
  const lengths = new Uint32Array(length);
  const bytes = Buffer.alloc(length * 15);
  let at = 0;
  for (let row = 0; row < length; row++) {
    if (state[row] !== Cell.value) continue;
    starts[row] = at;
    const size = bytes.write(timeText(values[row] as number), at, "latin1");
    lengths[row] = size;
    at += size;
  }
  return { kind: "bytes", field: column.field, length, state, bytes: bytes.subarray(0, at), starts, lengths };
}
