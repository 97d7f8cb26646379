import type { Batch } from "../../core/batch.ts";
import type { ChunkDecoder } from "../../core/codec.ts";
import { Cell, InvalidCause, type Column } from "../../core/column.ts";
import type { Contract } from "../../core/contract.ts";
import { sliceRecords } from "../../core/record-chunks.ts";
import type { Records } from "../../core/records.ts";
import type { Arena } from "../../wasm/arena.ts";
import { columnView } from "../../wasm/column-view.ts";
import type { BatchLayout, ColumnLayout } from "../../wasm/layout.ts";
import { ByteArea } from "../byte-area.ts";
import { chunkEnd, chunkLimits, type ChunkLimits } from "../chunked.ts";
import { InvalidNotes } from "../json-compiled/invalid-notes.ts";
import { SlabLoader } from "../json-compiled/slab-loader.ts";
import { RowSet, type DecodeRow } from "../row-set.ts";
import { UnknownFields } from "../unknown-fields.ts";
import { isUtf8 } from "../utf8.ts";
import { isDecoded, type UndecodedRows } from "../value-policy.ts";
import type { ColumnPlaces } from "./column-places.ts";
import { type AreaCursor, RowScatter } from "./scatter-row.ts";

/** A format's compiled decoder and its reference. */
export interface CompiledFormat {
  /** Decodes the loaded rows from `row` on; answers the first that it leaves to the reference (or that has no value), or `rows`. */
  readonly decode: (row: number, rows: number) => number;
  /** The reference over a row set. */
  readonly reference: (rows: RowSet) => DecodeRow;
  /** The whole reference, for records that don't fit the layout. */
  readonly alone: (records: Records) => Batch;
}

/** How far the area is filled, which compiled code and host both go on with. */
class AreaEnd implements AreaCursor {
  readonly #arena: Arena;
  readonly #address: number;
  readonly end: number;

  constructor(arena: Arena, { areaEnd, areaLimit }: ColumnPlaces) {
    this.#arena = arena;
    this.#address = areaEnd;
    this.end = areaLimit;
  }

  get at(): number {
    return this.#arena.u32(this.#address, 1)[0] as number;
  }

  set at(address: number) {
    this.#arena.u32(this.#address, 1)[0] = address;
  }
}

/** Decodes a binary format chunk by chunk into an arena: rows that the compiled code leaves are decoded by the reference and put among the others. */
export class CompiledRows implements ChunkDecoder {
  readonly #contract: Contract;
  readonly #layout: BatchLayout;
  readonly #arena: Arena;
  readonly #places: ColumnPlaces;
  readonly #format: CompiledFormat;
  readonly #loader: SlabLoader;
  readonly #limits: ChunkLimits;
  readonly #invalid = new InvalidNotes();
  readonly #notes = new ByteArea();
  readonly #cursor: AreaEnd;
  readonly #scatter: RowScatter;
  readonly #keyColumn: ColumnLayout | null;
  #rowSet: RowSet | null = null;
  #decodeRow: DecodeRow | null = null;

  constructor(
    contract: Contract,
    layout: BatchLayout,
    { arena, places, format }: { arena: Arena; places: ColumnPlaces; format: CompiledFormat },
  ) {
    this.#contract = contract;
    this.#layout = layout;
    this.#arena = arena;
    this.#places = places;
    this.#format = format;
    this.#loader = new SlabLoader(layout, arena);
    this.#limits = {
      rowsMax: Math.min(chunkLimits.rowsMax, layout.rowsMax),
      bytesMax: Math.min(chunkLimits.bytesMax, layout.slabBytesMax),
    };
    this.#cursor = new AreaEnd(arena, places);
    this.#scatter = new RowScatter(arena, places, this.#cursor, (column, row, start, length, cause) => {
      const mark = this.#notes.length;
      const { notes } = this.#rowSet as RowSet;
      this.#notes.append(notes.bytes, start, start + length);
      this.#invalid.add(column, row, mark, length, cause);
    });
    const { key } = contract.policies;
    this.#keyColumn = key.action === "column" ? (layout.columns.find(({ field }) => field.name === key.name) ?? null) : null;
  }

  decode(records: Records, from: number): Batch {
    const to = chunkEnd(records, from, this.#limits);
    const { bytes: bytesMax } = this.#contract.policies.oversized;
    const first = records.valueLength[from] as number;
    if (first <= bytesMax && first > this.#layout.slabBytesMax) return this.#format.alone(sliceRecords(records, from, from + 1));
    this.#loader.load(records, from, to, bytesMax);
    this.#begin(to - from);
    const noted: UndecodedRows = { faults: [], skipped: [] };
    const rows = this.#run(records, from, to - from, noted);
    if (rows === 0) return this.#format.alone(sliceRecords(records, from, from + 1));
    return this.#finish(sliceRecords(records, from, from + rows), noted);
  }

  #begin(rows: number): void {
    this.#arena.bytes(this.#places.counts, this.#places.countBytes).fill(0);
    this.#arena.bytes(this.#layout.undecoded, rows).fill(0);
    this.#cursor.at = this.#layout.area;
    this.#invalid.clear();
    this.#notes.length = 0;
  }

  /** Decodes the loaded records; answers how many had room in the columns. */
  #run(records: Records, from: number, rows: number, noted: UndecodedRows): number {
    for (let row = 0; ; row++) {
      row = this.#format.decode(row, rows);
      if (row === rows || !this.#rest(records, from, row, noted)) return row;
    }
  }

  /** Does what the module doesn't do with row `row`; false where it has no room. */
  #rest(records: Records, from: number, row: number, noted: UndecodedRows): boolean {
    const length = records.valueLength[from + row] as number;
    if (!isDecoded(this.#contract.policies, row, length, noted)) {
      this.#blank(row);
      return true;
    }
    const rowSet = this.#fresh();
    const start = this.#arena.u32(this.#layout.rowStarts, row + 1)[row] as number;
    const fault = (this.#decodeRow as DecodeRow)(0, start, start + length);
    if (fault !== null) {
      noted.faults.push({ ...fault, row });
      this.#blank(row);
      return true;
    }
    const placed = this.#scatter.put(this.#layout.columns, rowSet.columns, rowSet.area, row);
    rowSet.rewind(0);
    return placed;
  }

  #fresh(): RowSet {
    const bytes = this.#arena.u8;
    if (this.#rowSet === null || this.#rowSet.slab !== bytes) {
      this.#rowSet = new RowSet(this.#contract, 1, bytes);
      this.#decodeRow = this.#format.reference(this.#rowSet);
    }
    return this.#rowSet;
  }

  /** A row without any cell. */
  #blank(row: number): void {
    const empty = this.#fresh();
    empty.begin(0);
    this.#scatter.put(this.#layout.columns, empty.columns, empty.area, row);
    this.#arena.bytes(this.#layout.undecoded + row, 1)[0] = 1;
  }

  #finish(records: Records, noted: UndecodedRows): Batch {
    const rows = records.count;
    const arena = this.#arena;
    const layout = this.#layout;
    if (this.#keyColumn !== null && !this.#writeKeys(records, this.#keyColumn)) return this.#format.alone(records);
    for (const list of this.#places.counters.keys()) arena.i32(list.offsets, 1)[0] = 0;
    const invalid = this.#invalid.finish();
    const columns = layout.columns.map((column): Column => columnView(column, arena, rows, invalid));
    const undecoded = arena.bytes(layout.undecoded, rows);
    // Formats that meet unknown fields to keep are not compiled.
    const unknown = this.#contract.policies.unknownFields === "keep" ? new UnknownFields(rows).finish() : null;
    const batch = { records, rows, columns, ...noted, undecoded, unknown, resident: layout };
    if (this.#notes.length === 0) return batch;
    const bytes = this.#notes.bytes.slice(0, this.#notes.length);
    const valueLength = new Int32Array(rows).fill(-1);
    return { ...batch, payload: { ...records, bytes, valueStart: new Uint32Array(rows), valueLength } };
  }

  /** Fills the column that the contract takes from the records' keys; false where they have no room. */
  #writeKeys(records: Records, column: ColumnLayout): boolean {
    const { count, bytes } = records;
    const arena = this.#arena;
    const state = arena.bytes(column.state, count);
    const starts = arena.u32(column.starts, count);
    const lengths = arena.u32(column.lengths, count);
    const undecoded = arena.bytes(this.#layout.undecoded, count);
    let { at } = this.#cursor;
    for (let row = 0; row < count; row++) {
      starts[row] = 0;
      lengths[row] = 0;
      state[row] = Cell.missing;
      if (undecoded[row] === 1) continue;
      const length = records.keyLength[row] as number;
      state[row] = Cell.null;
      if (length < 0) continue;
      const start = records.keyStart[row] as number;
      if (!isUtf8(bytes, start, start + length)) {
        const mark = this.#notes.length;
        this.#notes.append(bytes, start, start + length);
        this.#invalid.add(column, row, mark, length, InvalidCause.utf8);
        state[row] = Cell.invalid;
        continue;
      }
      if (at + length > this.#cursor.end) return false;
      arena.u8.set(bytes.subarray(start, start + length), at);
      starts[row] = at;
      lengths[row] = length;
      state[row] = Cell.value;
      at += length;
    }
    this.#cursor.at = at;
    return true;
  }
}
