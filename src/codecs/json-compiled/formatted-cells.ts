import { Cell, InvalidCause } from "../../core/column.ts";
import type { TimeParser } from "../../core/time-format.ts";
import type { Field } from "../../core/schema.ts";
import type { Arena } from "../../wasm/arena.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import type { ColumnPlace } from "./column-records.ts";
import { RememberedTexts } from "./remembered-texts.ts";
import type { NoteInvalid } from "./reference-row.ts";

/** Columns whose text is read by a format of the contract: the module notes where each cell's text stands, and this makes it a value. */
export class FormattedCells {
  readonly #arena: Arena;
  readonly #parsers: ReadonlyMap<Field, TimeParser>;
  readonly #note: NoteInvalid;
  readonly #remembered = new Map<ColumnPlace, RememberedTexts>();

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

  #texts(place: ColumnPlace): RememberedTexts {
    let texts = this.#remembered.get(place);
    if (texts === undefined) {
      texts = new RememberedTexts(this.#parsers.get(place.field) as TimeParser);
      this.#remembered.set(place, texts);
    }
    return texts;
  }

  #column(place: ColumnPlace, count: number): void {
    const layout = place.layout as ColumnLayout;
    const texts = this.#texts(place);
    const starts = this.#arena.u32(place.spans.starts, count);
    const lengths = this.#arena.u32(place.spans.lengths, count);
    const state = this.#arena.bytes(layout.state, count);
    const exact = this.#arena.i32(layout.exact, count * 2);
    const values = this.#arena.f64(layout.values, count);
    const bytes = Buffer.from(this.#arena.memory.buffer);
    for (let row = 0; row < count; row++) {
      const start = starts[row] as number;
      if (start === 0) continue;
      const length = lengths[row] as number;
      const slot = texts.find(bytes, start, length);
      exact[row * 2] = texts.word(slot, 0);
      exact[row * 2 + 1] = texts.word(slot, 1);
      values[row] = texts.double(slot);
      if (texts.known(slot)) continue;
      state[row] = Cell.invalid;
      this.#note(layout, row, start, length, InvalidCause.form);
    }
  }
}
