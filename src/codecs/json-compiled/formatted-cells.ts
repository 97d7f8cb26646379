import { Cell, InvalidCause } from "../../core/column.ts";
import type { TimeParser } from "../../core/time-format.ts";
import type { Field } from "../../core/schema.ts";
import type { Arena } from "../../wasm/arena.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import type { ColumnPlace } from "./column-records.ts";
import type { NoteInvalid } from "./reference-row.ts";

/** Columns whose text is read by a format of the contract: the module notes where each cell's text stands, and this makes it a value. */
export class FormattedCells {
  readonly #arena: Arena;
  readonly #parsers: ReadonlyMap<Field, TimeParser>;
  readonly #note: NoteInvalid;

  constructor(arena: Arena, parsers: ReadonlyMap<Field, TimeParser>, note: NoteInvalid) {
    this.#arena = arena;
    this.#parsers = parsers;
    this.#note = note;
  }

  /** Reads the formatted columns at and below a place of `count` rows. */
  read(place: ColumnPlace, count: number): void {
    if (this.#parsers.size === 0) return;
    if (place.spans.starts !== 0) this.#column(place, count);
    for (const child of place.children) this.read(child, count);
    if (place.element !== null) this.read(place.element, this.#arena.u32(place.counter, 1)[0] as number);
  }

  #column(place: ColumnPlace, count: number): void {
    const layout = place.layout as ColumnLayout;
    const parse = this.#parsers.get(place.field) as TimeParser;
    const starts = this.#arena.u32(place.spans.starts, count);
    const lengths = this.#arena.u32(place.spans.lengths, count);
    const state = this.#arena.bytes(layout.state, count);
    const exact = this.#arena.i64(layout.exact, count);
    const values = this.#arena.f64(layout.values, count);
    const { memory } = this.#arena;
    for (let row = 0; row < count; row++) {
      const start = starts[row] as number;
      if (start === 0) continue;
      const length = lengths[row] as number;
      const value = parse(Buffer.from(memory.buffer, start, length).toString("utf8"));
      exact[row] = value ?? 0n;
      values[row] = Number(value ?? 0n);
      if (value !== null) continue;
      state[row] = Cell.invalid;
      this.#note(layout, row, start, length, InvalidCause.form);
    }
  }
}
