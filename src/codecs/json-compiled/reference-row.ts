import { Cell, type BytesColumn, type DecodeFault } from "../../core/column.ts";
import type { Arena } from "../../wasm/arena.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";
import type { ColumnBuilder } from "../column-builder.ts";
import { JsonDecoder, type JsonPlan } from "../json-decoder.ts";
import type { ColumnPlace } from "./column-records.ts";
import { cell, type DecoderMemory } from "./decoder-memory.ts";

/** Where an invalid cell is noted: its source text by its address in the arena. */
export type NoteInvalid = (column: ColumnLayout, row: number, address: number, length: number, cause: number) => void;

/** Reads single records by the reference decoder, straight from the arena's slab, and puts their cells into the arena's columns. */
export class ReferenceRow {
  readonly #plan: JsonPlan;
  readonly #memory: DecoderMemory;
  readonly #arena: Arena;
  readonly #note: NoteInvalid;
  /** The arena's memory, as it is seen while it doesn't grow. */
  #bytes: Uint8Array = new Uint8Array(0);
  #words = new Int32Array(0);
  #doubles = new Float64Array(0);
  /** Whether the last record left cells in the decoder. */
  #used = false;
  #decoder: JsonDecoder | null = null;

  constructor(plan: JsonPlan, memory: DecoderMemory, arena: Arena, note: NoteInvalid) {
    this.#plan = plan;
    this.#memory = memory;
    this.#arena = arena;
    this.#note = note;
  }

  /** Reads the record at `[start, end)` into row `row`. Answers its fault (and no cell is written), or null, or `full` where its elements don't fit. */
  read(row: number, start: number, end: number): DecodeFault | "full" | null {
    const decoder = this.#fresh();
    const fault = decoder.row(0, start, end);
    this.#used = fault === null;
    if (fault !== null) return { ...fault, row };
    const { children } = this.#memory.records.root;
    if (!children.every((place, i) => this.#fits(place, decoder.columns[i] as ColumnBuilder))) return "full";
    for (const [i, place] of children.entries()) this.#put(place, decoder.columns[i] as ColumnBuilder, 1, row);
    return null;
  }

  /** The unknown fields of the record read last, where the contract keeps them: a column of one row. */
  get unknown(): BytesColumn | null {
    return this.#decoder?.unknown?.finish() ?? null;
  }

  #fresh(): JsonDecoder {
    const bytes = this.#arena.u8;
    if (this.#decoder === null || this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#words = new Int32Array(bytes.buffer);
      this.#doubles = new Float64Array(bytes.buffer);
      this.#decoder = new JsonDecoder(this.#plan, 1, bytes);
    } else if (this.#used) this.#decoder.clear(1);
    return this.#decoder;
  }

  #fits(place: ColumnPlace, from: ColumnBuilder): boolean {
    if (place.element !== null) {
      const element = from.element as ColumnBuilder;
      const room = (place.element.layout as ColumnLayout).capacity - (this.#words[place.counter >> 2] as number);
      if (element.length > room || !this.#fits(place.element, element)) return false;
    }
    return place.children.every((child, i) => this.#fits(child, from.children[i] as ColumnBuilder));
  }

  /** Copies the first `count` rows of a builder to the rows from `base` on. */
  #put(place: ColumnPlace, from: ColumnBuilder, count: number, base: number): void {
    const layout = place.layout as ColumnLayout;
    const bytes = this.#bytes;
    const words = this.#words;
    const { wordsPerRow } = from;
    const exact = (layout.exact + layout.unscaled) / 4;
    for (let i = 0; i < count; i++) {
      const row = base + i;
      bytes[layout.state + row] = from.state[i] as number;
      if (layout.kind === "boolean") bytes[layout.values + row] = from.booleans[i] as number;
      else if (layout.values !== 0) this.#doubles[layout.values / 8 + row] = from.doubles[i] as number;
      for (let k = 0; k < wordsPerRow; k++) words[exact + row * wordsPerRow + k] = from.words[i * wordsPerRow + k] as number;
      // What the reference has read needs no second reading by its format.
      if (place.spans.starts !== 0) words[place.spans.starts / 4 + row] = 0;
    }
    if (layout.kind === "bytes") this.#putText(layout, from, count, base);
    if (place.element !== null) this.#putElements(place, from, count, base);
    for (const [i, child] of place.children.entries()) this.#put(child, from.children[i] as ColumnBuilder, count, base);
    if (from.invalidCount > 0) this.#putInvalid(layout, from, base);
  }

  #putInvalid(layout: ColumnLayout, from: ColumnBuilder, base: number): void {
    const invalid = from.invalidCells();
    if (invalid === null) return;
    for (const [i, row] of invalid.rows.entries())
      this.#note(layout, base + row, invalid.starts[i] as number, invalid.lengths[i] as number, invalid.causes[i] as number);
  }

  #putText(layout: ColumnLayout, from: ColumnBuilder, count: number, base: number): void {
    const words = this.#words;
    const { area } = this.#decoder as JsonDecoder;
    const slabLength = this.#bytes.length;
    const areaEnd = (this.#memory.cells + cell.area) / 4;
    for (let i = 0; i < count; i++) {
      const start = from.starts[i] as number;
      const length = from.lengths[i] as number;
      words[layout.lengths / 4 + base + i] = length;
      words[layout.starts / 4 + base + i] = start;
      if (start < slabLength) continue;
      const to = words[areaEnd] as number;
      this.#bytes.set(area.bytes.subarray(start - slabLength, start - slabLength + length), to);
      words[layout.starts / 4 + base + i] = to;
      words[areaEnd] = to + length;
    }
  }

  #putElements(place: ColumnPlace, from: ColumnBuilder, count: number, base: number): void {
    const layout = place.layout as ColumnLayout;
    const words = this.#words;
    const first = words[place.counter / 4] as number;
    const element = from.element as ColumnBuilder;
    let last = 0;
    for (let i = 0; i < count; i++) {
      // A row without a list ends where the one before it ended.
      if (from.state[i] === Cell.value) last = from.offsets[i + 1] as number;
      words[layout.offsets / 4 + 1 + base + i] = first + last;
    }
    words[place.counter / 4] = first + element.length;
    this.#put(place.element as ColumnPlace, element, element.length, first);
    if (place.keys !== null) this.#put(place.keys, from.keys as ColumnBuilder, element.length, first);
  }
}
