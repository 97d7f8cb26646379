import type { Batch } from "../core/batch.ts";
import type { Column, InvalidCells } from "../core/column.ts";
import type { Arena } from "./arena.ts";
import { columnView } from "./column-view.ts";
import type { BatchLayout, ColumnLayout } from "./layout.ts";

/** A batch that does not fit its layout: too many rows, elements or bytes of text. */
export class ChunkOverflow extends Error {}

/** Text written into the arena one piece after the other: the slab first, then the area. */
class TextCursor {
  readonly #arena: Arena;
  readonly #regions: { at: number; end: number }[];

  constructor(layout: BatchLayout, arena: Arena) {
    this.#arena = arena;
    this.#regions = [
      { at: layout.slab, end: layout.slab + layout.slabBytesMax },
      { at: layout.area, end: layout.area + layout.areaBytesMax },
    ];
  }

  /** The address of the copied bytes. */
  put(bytes: Uint8Array): number {
    const region = this.#regions.find((each) => each.at + bytes.length <= each.end);
    if (region === undefined) throw new ChunkOverflow("the text does not fit the chunk");
    const address = region.at;
    this.#arena.u8.set(bytes, address);
    region.at += bytes.length;
    return address;
  }
}

function putColumn(column: Column, layout: ColumnLayout, arena: Arena, text: TextCursor, invalid: Map<ColumnLayout, InvalidCells>): void {
  const { length } = column;
  if (length > layout.capacity) throw new ChunkOverflow(`${length} rows of ${layout.field.path} do not fit the chunk`);
  arena.bytes(layout.state, length).set(column.state.subarray(0, length));
  if (column.invalid !== null && column.invalid !== undefined) invalid.set(layout, column.invalid);
  switch (column.kind) {
    case "boolean":
      arena.bytes(layout.values, length).set(column.values.subarray(0, length));
      return;
    case "float":
      arena.f64(layout.values, length).set(column.values.subarray(0, length));
      return;
    case "integer":
      arena.f64(layout.values, length).set(column.values.subarray(0, length));
      arena.i64(layout.exact, length).set(column.exact.subarray(0, length));
      return;
    case "decimal":
      arena.f64(layout.values, length).set(column.values.subarray(0, length));
      arena.u32(layout.unscaled, length * 4).set(column.unscaled.subarray(0, length * 4));
      return;
    case "bytes": {
      const starts = arena.u32(layout.starts, length);
      const lengths = arena.u32(layout.lengths, length);
      for (let i = 0; i < length; i++) {
        const start = column.starts[i] as number;
        const size = column.lengths[i] as number;
        lengths[i] = size;
        starts[i] = size === 0 ? 0 : text.put(column.bytes.subarray(start, start + size));
      }
      return;
    }
    case "struct":
      column.children.forEach((child, i) => putColumn(child, layout.children[i] as ColumnLayout, arena, text, invalid));
      return;
    case "list":
      arena.i32(layout.offsets, length + 1).set(column.offsets.subarray(0, length + 1));
      putColumn(column.element, layout.element as ColumnLayout, arena, text, invalid);
      if (column.keys !== null) putColumn(column.keys, layout.keys as ColumnLayout, arena, text, invalid);
  }
}

/** Copies any batch of the layout's contract into the arena, and answers the resident batch; its text is no longer the slab's. Throws ChunkOverflow. */
export function makeResident(batch: Batch, layout: BatchLayout, arena: Arena): Batch {
  if (batch.rows > layout.rowsMax) throw new ChunkOverflow(`${batch.rows} rows do not fit the chunk`);
  const text = new TextCursor(layout, arena);
  const invalid = new Map<ColumnLayout, InvalidCells>();
  batch.columns.forEach((column, i) => putColumn(column, layout.columns[i] as ColumnLayout, arena, text, invalid));
  arena.bytes(layout.undecoded, batch.rows).set(batch.undecoded);
  const columns = layout.columns.map((column) => columnView(column, arena, batch.rows, invalid));
  return { ...batch, columns, undecoded: batch.undecoded, resident: layout };
}
