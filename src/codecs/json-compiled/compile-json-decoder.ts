import type { Batch } from "../../core/batch.ts";
import type { ChunkDecoder } from "../../core/codec.ts";
import { Cell, InvalidCause, type Column } from "../../core/column.ts";
import type { Contract } from "../../core/contract.ts";
import { sliceRecords } from "../../core/record-chunks.ts";
import type { Records } from "../../core/records.ts";
import type { Arena, WasmExports } from "../../wasm/arena.ts";
import { columnView } from "../../wasm/column-view.ts";
import type { BatchLayout, ColumnLayout } from "../../wasm/layout.ts";
import { chunkEnd, chunkLimits, type ChunkLimits } from "../chunked.ts";
import { jsonCodec, jsonPlan, keyColumnName } from "../json.ts";
import { isDecoded, type UndecodedRows } from "../value-policy.ts";
import type { ColumnPlace } from "./column-records.ts";
import { cell, forgetStamps, layoutsMax, missRowsMax, placeDecoder, type DecoderMemory } from "./decoder-memory.ts";
import { FormattedCells } from "./formatted-cells.ts";
import { InvalidNotes } from "./invalid-notes.ts";
import { KeptUnknown } from "./kept-unknown.ts";
import { ReferenceRow } from "./reference-row.ts";
import { runtimeModule } from "./runtime-module.ts";
import { ShapeLearner } from "./shape-learner.ts";
import { SlabLoader } from "./slab-loader.ts";
import { straightModule } from "./straight-module.ts";

/** Records that each way of reading took since the decoder was made. */
export interface Tally {
  /** By straight-line code of a learned layout. */
  straight: number;
  /** By the module's strict reader of any order. */
  general: number;
  /** By the interpreter, those without a row (faults, tombstones) among them. */
  reference: number;
}

export interface JsonChunkDecoder extends ChunkDecoder {
  readonly tally: Readonly<Tally>;
}

/**
 * A decoder of JSON records by WebAssembly made for the contract, into the columns of `layout`: cell by cell what the interpreter (`jsonCodec`) gives.
 * A record that doesn't fit the layout at all comes alone, in a batch with columns of its own (`resident` null).
 */
export function compileJsonDecoder(contract: Contract, layout: BatchLayout, arena: Arena): JsonChunkDecoder {
  return new CompiledJsonDecoder(contract, layout, arena);
}

class CompiledJsonDecoder implements JsonChunkDecoder {
  readonly tally: Tally = { straight: 0, general: 0, reference: 0 };
  readonly #contract: Contract;
  readonly #layout: BatchLayout;
  readonly #arena: Arena;
  readonly #memory: DecoderMemory;
  readonly #runtime: WasmExports;
  readonly #loader: SlabLoader;
  readonly #learner: ShapeLearner;
  readonly #reference: ReferenceRow;
  readonly #formatted: FormattedCells;
  readonly #notes = new InvalidNotes();
  readonly #kept: KeptUnknown | null;
  readonly #alone: (records: Records) => Batch;
  readonly #keyColumn: ColumnLayout | null;
  readonly #limits: ChunkLimits;
  #decode: (row: number, rows: number) => number;

  constructor(contract: Contract, layout: BatchLayout, arena: Arena) {
    const { unknownFields } = contract.policies;
    const plan = jsonPlan(contract);
    const keyed = keyColumnName(contract);
    this.#contract = contract;
    this.#layout = layout;
    this.#arena = arena;
    this.#memory = placeDecoder(contract, layout, arena);
    this.#runtime = arena.instantiate(runtimeModule(this.#memory, unknownFields));
    this.#loader = new SlabLoader(layout, arena);
    this.#learner = new ShapeLearner(this.#memory.records.root, { unknownFields, keyed });
    const note = (column: ColumnLayout, row: number, address: number, length: number, cause: number): void =>
      this.#notes.add(column, row, this.#loader.position(address), length, cause);
    this.#reference = new ReferenceRow(plan, this.#memory, arena, note);
    this.#formatted = new FormattedCells(arena, plan.parsers, note);
    this.#kept = unknownFields === "keep" ? new KeptUnknown() : null;
    this.#alone = jsonCodec.compile(contract);
    this.#keyColumn = layout.columns.find(({ field }) => field.name === keyed) ?? null;
    const bytesMax = Math.min(chunkLimits.bytesMax, layout.slabBytesMax, layout.areaBytesMax);
    this.#limits = { rowsMax: Math.min(chunkLimits.rowsMax, layout.rowsMax), bytesMax };
    this.#decode = this.#instantiate();
  }

  #instantiate(): (row: number, rows: number) => number {
    const module = straightModule(this.#memory, this.#learner.shapes);
    return this.#arena.instantiate(module, this.#runtime)["decode"] as (row: number, rows: number) => number;
  }

  decode(records: Records, from: number): Batch {
    const to = this.#chunkEnd(records, from);
    if (to === from) return this.#alone(sliceRecords(records, from, from + 1));
    const { bytes: bytesMax } = this.#contract.policies.oversized;
    this.#loader.load(records, from, to, bytesMax);
    if (this.#learner.fresh && to - from >= missRowsMax) {
      this.#learner.sample(
        this.#values(
          records,
          from,
          Array.from({ length: missRowsMax }, (_, row) => row),
        ),
      );
      if (this.#learner.learn()) this.#decode = this.#instantiate();
    }
    this.#begin(to - from);
    const noted: UndecodedRows = { faults: [], skipped: [] };
    const rows = this.#run(records, from, to - from, noted);
    if (rows === 0) return this.#alone(sliceRecords(records, from, from + 1));
    this.#observe(records, from, rows - noted.faults.length - noted.skipped.length);
    return this.#finish(sliceRecords(records, from, from + rows), noted);
  }

  /** Where the chunk ends; `from` where not even its first record has room. */
  #chunkEnd(records: Records, from: number): number {
    let to = chunkEnd(records, from, this.#limits);
    if (to === from + 1 && Math.max(0, records.valueLength[from] as number) > this.#roomMax) {
      // A record that is not decoded takes no room.
      if ((records.valueLength[from] as number) <= this.#contract.policies.oversized.bytes) return from;
    }
    if (this.#keyColumn === null) return to;
    let left = this.#layout.areaBytesMax;
    for (let row = from; row < to; row++) {
      left -= Math.max(0, records.keyLength[row] as number) + Math.max(0, records.valueLength[row] as number);
      if (left < 0) to = row;
    }
    return to;
  }

  get #roomMax(): number {
    return Math.min(this.#layout.slabBytesMax, this.#layout.areaBytesMax);
  }

  /** Views of the values of some rows of a chunk, without those that are not decoded. */
  *#values(records: Records, from: number, rows: Iterable<number>): Iterable<Uint8Array> {
    for (const row of rows) {
      const start = records.valueStart[from + row] as number;
      const length = records.valueLength[from + row] as number;
      if (length > 0 && length <= this.#roomMax) yield records.bytes.subarray(start, start + length);
    }
  }

  #begin(rows: number): void {
    const { cells, rollbackWords } = this.#memory;
    const words = this.#arena.u32(cells, cell.area / 4 + rollbackWords);
    words.fill(0, cell.misses / 4);
    words[cell.area / 4] = this.#layout.area;
    // Stamps tell object instances apart: long before they come round again, all begin anew.
    if ((words[cell.stamp / 4] as number) > 0xf000_0000) forgetStamps(this.#memory, this.#arena);
    this.#arena.bytes(this.#layout.undecoded, rows).fill(0);
    this.#notes.clear();
    this.#kept?.begin(rows);
  }

  /** Decodes the loaded records; answers how many had room in the columns. */
  #run(records: Records, from: number, rows: number, noted: UndecodedRows): number {
    const { cells } = this.#memory;
    const full = this.#arena.u32(cells + cell.full, 1);
    for (let row = 0; ;) {
      full[0] = 0;
      row = this.#decode(row, rows);
      this.#drainInvalid();
      this.#kept?.drain(this.#memory, this.#arena);
      if (row === rows) return rows;
      if (full[0] !== 0 || !this.#rest(records, from, row, noted)) return row;
      this.tally.reference++;
      row++;
    }
  }

  /** Does what the module doesn't do with row `row`; false where it has no room. */
  #rest(records: Records, from: number, row: number, noted: UndecodedRows): boolean {
    const length = records.valueLength[from + row] as number;
    if (!isDecoded(this.#contract.policies, row, length, noted)) {
      this.#blank(row);
      return true;
    }
    const start = this.#arena.u32(this.#layout.rowStarts, row + 1)[row] as number;
    const fault = this.#reference.read(row, start, start + length);
    if (fault === "full") return false;
    if (fault === null) {
      const { unknown } = this.#reference;
      if (unknown !== null) this.#kept?.put(row, unknown);
      return true;
    }
    noted.faults.push(fault);
    this.#blank(row);
    return true;
  }

  /** A row without any cell. */
  #blank(row: number): void {
    this.#runtime["empty"]?.(this.#memory.records.root.address, row, Cell.missing);
    this.#arena.bytes(this.#layout.undecoded + row, 1)[0] = 1;
  }

  /** Takes over the invalid cells that the module has noted. */
  #drainInvalid(): void {
    const { cells, invalid, records } = this.#memory;
    const count = this.#arena.u32(cells + cell.invalidCount, 1);
    const notes = this.#arena.u32(invalid, (count[0] as number) * 4);
    for (let i = 0; i < notes.length; i += 4) {
      const first = notes[i] as number;
      const { layout } = records.places[first & 0xff_ffff] as ColumnPlace;
      const position = this.#loader.position(notes[i + 2] as number);
      this.#notes.add(layout as ColumnLayout, notes[i + 1] as number, position, notes[i + 3] as number, first >>> 24);
    }
    count[0] = 0;
  }

  /** Learns from the records of the chunk that no shape took. */
  #observe(records: Records, from: number, decoded: number): void {
    const words = this.#arena.u32(this.#memory.cells, cell.area / 4);
    const misses = words[cell.misses / 4] as number;
    const hits = Array.from(words.subarray(cell.hits / 4, cell.hits / 4 + layoutsMax));
    this.tally.straight += hits.reduce((sum, each) => sum + each, 0);
    this.tally.general += misses;
    if (!this.#learner.observe(decoded, misses, hits)) return;
    const missed = words.subarray(cell.missRows / 4, cell.missRows / 4 + Math.min(misses, missRowsMax));
    this.#learner.sample(this.#values(records, from, missed));
    if (this.#learner.learn()) this.#decode = this.#instantiate();
  }

  #finish(records: Records, noted: UndecodedRows): Batch {
    const rows = records.count;
    const arena = this.#arena;
    const layout = this.#layout;
    this.#formatted.read(this.#memory.records.root, rows);
    if (this.#keyColumn !== null) this.#writeKeys(records, this.#keyColumn);
    const invalid = this.#notes.finish();
    const columns = layout.columns.map((column): Column => columnView(column, arena, rows, invalid));
    const undecoded = arena.bytes(layout.undecoded, rows);
    const unknown = this.#kept === null ? null : this.#kept.finish(rows);
    return { records, rows, columns, ...noted, undecoded, unknown, resident: layout };
  }

  /** Fills the column that the contract takes from the records' keys. */
  #writeKeys(records: Records, column: ColumnLayout): void {
    const { count } = records;
    const arena = this.#arena;
    const state = arena.bytes(column.state, count);
    const starts = arena.u32(column.starts, count);
    const lengths = arena.u32(column.lengths, count);
    const undecoded = arena.bytes(this.#layout.undecoded, count);
    const area = arena.u32(this.#memory.cells + cell.area, 1);
    for (let row = 0; row < count; row++) {
      starts[row] = 0;
      lengths[row] = 0;
      state[row] = Cell.missing;
      if (undecoded[row] === 1) continue;
      const length = records.keyLength[row] as number;
      state[row] = Cell.null;
      if (length < 0) continue;
      const from = records.keyStart[row] as number;
      const at = area[0] as number;
      arena.u8.set(records.bytes.subarray(from, from + length), at);
      if (this.#runtime["utf8"]?.(at, at + length) !== 1) {
        state[row] = Cell.invalid;
        this.#notes.add(column, row, from, length, InvalidCause.utf8);
        continue;
      }
      starts[row] = at;
      lengths[row] = length;
      state[row] = Cell.value;
      area[0] = at + length;
    }
  }
}
