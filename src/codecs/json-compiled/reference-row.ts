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
  #bytes: Uint8Array = new Uint8Array(0);
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
    if (fault !== null) return { ...fault, row };
    const { children } = this.#memory.records.root;
    if (!children.every((place, i) => this.#fits(place, decoder.columns[i] as ColumnBuilder))) return "full";
    children.forEach((place, i) => this.#put(place, decoder.columns[i] as ColumnBuilder, 1, row));
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
      this.#decoder = new JsonDecoder(this.#plan, 1, bytes);
    } else this.#decoder.clear(1);
    return this.#decoder;
  }

  #word(address: number): Uint32Array {
    return this.#arena.u32(address, 1);
  }

  #fits(place: ColumnPlace, from: ColumnBuilder): boolean {
    if (place.element !== null) {
      const element = from.element as ColumnBuilder;
      const room = (place.element.layout as ColumnLayout).capacity - (this.#word(place.counter)[0] as number);
      if (element.length > room || !this.#fits(place.element, element)) return false;
    }
    return place.children.every((child, i) => this.#fits(child, from.children[i] as ColumnBuilder));
  }

  /** Copies the first `count` rows of a builder to the rows from `base` on. */
  #put(place: ColumnPlace, from: ColumnBuilder, count: number, base: number): void {
    const layout = place.layout as ColumnLayout;
    const arena = this.#arena;
    arena.bytes(layout.state + base, count).set(from.state.subarray(0, count));
    if (layout.kind === "boolean") arena.bytes(layout.values + base, count).set(from.booleans.subarray(0, count));
    else if (layout.values !== 0) arena.f64(layout.values + base * 8, count).set(from.doubles.subarray(0, count));
    if (layout.exact !== 0) arena.i32(layout.exact + base * 8, count * 2).set(from.words.subarray(0, count * 2));
    if (layout.unscaled !== 0) arena.i32(layout.unscaled + base * 16, count * 4).set(from.words.subarray(0, count * 4));
    // What the reference has read needs no second reading by its format.
    if (place.spans.starts !== 0) arena.u32(place.spans.starts + base * 4, count).fill(0);
    if (layout.kind === "bytes") this.#putText(layout, from, count, base);
    if (place.element !== null) this.#putElements(place, from, count, base);
    place.children.forEach((child, i) => this.#put(child, from.children[i] as ColumnBuilder, count, base));
    const invalid = from.invalidCells();
    if (invalid === null) return;
    for (const [i, row] of invalid.rows.entries())
      this.#note(layout, base + row, invalid.starts[i] as number, invalid.lengths[i] as number, invalid.causes[i] as number);
  }

  #putText(layout: ColumnLayout, from: ColumnBuilder, count: number, base: number): void {
    const starts = this.#arena.u32(layout.starts + base * 4, count);
    const lengths = this.#arena.u32(layout.lengths + base * 4, count);
    const { area } = this.#decoder as JsonDecoder;
    const slabLength = this.#bytes.length;
    const areaEnd = this.#word(this.#memory.cells + cell.rollback);
    for (let i = 0; i < count; i++) {
      const start = from.starts[i] as number;
      const length = from.lengths[i] as number;
      lengths[i] = length;
      starts[i] = start;
      if (start < slabLength) continue;
      const to = areaEnd[0] as number;
      this.#bytes.set(area.bytes.subarray(start - slabLength, start - slabLength + length), to);
      starts[i] = to;
      areaEnd[0] = to + length;
    }
  }

  #putElements(place: ColumnPlace, from: ColumnBuilder, count: number, base: number): void {
    const layout = place.layout as ColumnLayout;
    const ends = this.#arena.i32(layout.offsets + 4 + base * 4, count);
    const counter = this.#word(place.counter);
    const first = counter[0] as number;
    const element = from.element as ColumnBuilder;
    let last = 0;
    for (let i = 0; i < count; i++) {
      // A row without a list ends where the one before it ended.
      if (from.state[i] === Cell.value) last = from.offsets[i + 1] as number;
      ends[i] = first + last;
    }
    counter[0] = first + element.length;
    this.#put(place.element as ColumnPlace, element, element.length, first);
    if (place.keys !== null) this.#put(place.keys, from.keys as ColumnBuilder, element.length, first);
  }
}
