import { Cell } from "../../core/column.ts";
import type { Arena } from "../../wasm/arena.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import type { ByteArea } from "../byte-area.ts";
import type { ColumnBuilder } from "../column-builder.ts";
import type { ColumnPlaces } from "./column-places.ts";

/** Where the text of cells goes that stands nowhere in the arena. */
export interface AreaCursor {
  at: number;
  readonly end: number;
}

/** Where an invalid cell is noted; its text is a span of the row's notes. */
export type NoteInvalid = (column: ColumnLayout, row: number, start: number, length: number, cause: number) => void;

/** Copies rows that the reference decoded from the arena's own bytes into the arena's columns. */
export class RowScatter {
  readonly #arena: Arena;
  readonly #places: ColumnPlaces;
  readonly #cursor: AreaCursor;
  readonly #note: NoteInvalid;

  constructor(arena: Arena, places: ColumnPlaces, cursor: AreaCursor, note: NoteInvalid) {
    this.#arena = arena;
    this.#places = places;
    this.#cursor = cursor;
    this.#note = note;
  }

  /** Puts row 0 of the builders into row `row`; false, and nothing is written, where its elements or text don't fit. `area`: the builders' text beyond the arena's. */
  put(layouts: readonly ColumnLayout[], columns: readonly ColumnBuilder[], area: ByteArea, row: number): boolean {
    const fits = layouts.every((layout, i) => this.#fits(layout, columns[i] as ColumnBuilder));
    if (!fits || this.#cursor.at + area.length > this.#cursor.end) return false;
    layouts.forEach((layout, i) => this.#put(layout, columns[i] as ColumnBuilder, area, 1, row));
    return true;
  }

  #counter(layout: ColumnLayout): Uint32Array {
    return this.#arena.u32(this.#places.counters.get(layout) as number, 1);
  }

  #fits(layout: ColumnLayout, from: ColumnBuilder): boolean {
    if (layout.element !== null) {
      const element = from.element as ColumnBuilder;
      const room = layout.element.capacity - (this.#counter(layout)[0] as number);
      if (element.length > room || !this.#fits(layout.element, element)) return false;
    }
    return layout.children.every((child, i) => this.#fits(child, from.children[i] as ColumnBuilder));
  }

  /** Copies the first `count` rows of a builder to the rows from `base` on. */
  #put(layout: ColumnLayout, from: ColumnBuilder, area: ByteArea, count: number, base: number): void {
    const arena = this.#arena;
    arena.bytes(layout.state + base, count).set(from.state.subarray(0, count));
    if (layout.kind === "boolean") arena.bytes(layout.values + base, count).set(from.booleans.subarray(0, count));
    else if (layout.values !== 0) arena.f64(layout.values + base * 8, count).set(from.doubles.subarray(0, count));
    if (layout.exact !== 0) arena.i32(layout.exact + base * 8, count * 2).set(from.words.subarray(0, count * 2));
    if (layout.unscaled !== 0) arena.i32(layout.unscaled + base * 16, count * 4).set(from.words.subarray(0, count * 4));
    if (layout.kind === "bytes") this.#putText(layout, from, area, count, base);
    if (layout.element !== null) this.#putElements(layout, from, area, count, base);
    layout.children.forEach((child, i) => this.#put(child, from.children[i] as ColumnBuilder, area, count, base));
    const invalid = from.invalidCells();
    if (invalid === null) return;
    for (const [i, row] of invalid.rows.entries())
      this.#note(layout, base + row, invalid.starts[i] as number, invalid.lengths[i] as number, invalid.causes[i] as number);
  }

  #putText(layout: ColumnLayout, from: ColumnBuilder, area: ByteArea, count: number, base: number): void {
    const starts = this.#arena.u32(layout.starts + base * 4, count);
    const lengths = this.#arena.u32(layout.lengths + base * 4, count);
    const bytes = this.#arena.u8;
    for (let i = 0; i < count; i++) {
      const start = from.starts[i] as number;
      const length = from.lengths[i] as number;
      lengths[i] = length;
      starts[i] = start;
      if (start < bytes.length) continue;
      const at = start - bytes.length;
      bytes.set(area.bytes.subarray(at, at + length), this.#cursor.at);
      starts[i] = this.#cursor.at;
      this.#cursor.at += length;
    }
  }

  #putElements(layout: ColumnLayout, from: ColumnBuilder, area: ByteArea, count: number, base: number): void {
    const ends = this.#arena.i32(layout.offsets + 4 + base * 4, count);
    const counter = this.#counter(layout);
    const first = counter[0] as number;
    const element = from.element as ColumnBuilder;
    let last = 0;
    for (let i = 0; i < count; i++) {
      // A row without a list ends where the one before it ended.
      if (from.state[i] === Cell.value) last = from.offsets[i + 1] as number;
      ends[i] = first + last;
    }
    counter[0] = first + element.length;
    this.#put(layout.element as ColumnLayout, element, area, element.length, first);
    if (layout.keys !== null) this.#put(layout.keys, from.keys as ColumnBuilder, area, element.length, first);
  }
}
