import type { Batch } from "../core/batch.ts";
import type { BytesColumn, Column, InvalidCells } from "../core/column.ts";
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

/** Texts no larger than this are copied whole, without a look at which of them the rows use. */
const wholeBytesMax = 1 << 18;

/** Copies a column's text: in one piece where the rows' texts stand close together, else text by text. */
function putText(column: BytesColumn, layout: ColumnLayout, arena: Arena, text: TextCursor): void {
  const { length } = column;
  const starts = arena.u32(layout.starts, length);
  arena.u32(layout.lengths, length).set(column.lengths.subarray(0, length));
  const { from, to } = column.bytes.length <= wholeBytesMax ? { from: 0, to: column.bytes.length } : extentOf(column);
  if (from <= to) {
    const shift = text.put(column.bytes.subarray(from, to)) - from;
    for (let i = 0; i < length; i++) starts[i] = (column.starts[i] as number) + shift;
    return;
  }
  for (let i = 0; i < length; i++) {
    const start = column.starts[i] as number;
    const count = column.lengths[i] as number;
    starts[i] = count === 0 ? 0 : text.put(column.bytes.subarray(start, start + count));
  }
}

/** Where the rows' texts stand; `from` is behind `to` where there is so much else between them that each is better copied by itself. */
function extentOf({ length, starts, lengths }: BytesColumn): { readonly from: number; readonly to: number } {
  let size = 0;
  let from = Infinity;
  let to = 0;
  for (let i = 0; i < length; i++) {
    const count = lengths[i] as number;
    if (count === 0) continue;
    const start = starts[i] as number;
    size += count;
    if (start < from) from = start;
    if (start + count > to) to = start + count;
  }
  if (size === 0) return { from: 0, to: 0 };
  return to - from <= 2 * size + 4096 ? { from, to } : { from: 1, to: 0 };
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
    case "bytes":
      putText(column, layout, arena, text);
      return;
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
