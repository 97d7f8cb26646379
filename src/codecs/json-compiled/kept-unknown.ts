import { Cell, type BytesColumn } from "../../core/column.ts";
import type { Arena } from "../../wasm/arena.ts";
import { ByteArea } from "../byte-area.ts";
import { UnknownFields } from "../unknown-fields.ts";
import { cell, type DecoderMemory } from "./decoder-memory.ts";

const { field } = new UnknownFields(0).finish();

/** The column of the fields that the contract doesn't name, put together from single rows; it is the batch's own. */
export class KeptUnknown {
  #area = new ByteArea();
  #state = new Uint8Array(0);
  #starts = new Uint32Array(0);
  #lengths = new Uint32Array(0);

  /** Begins a chunk of at most `rows` rows. */
  begin(rows: number): void {
    this.#area = new ByteArea();
    this.#state = new Uint8Array(rows).fill(Cell.missing);
    this.#starts = new Uint32Array(rows);
    this.#lengths = new Uint32Array(rows);
  }

  /** Takes over the fields that the module has noted, row by row. */
  drain(memory: DecoderMemory, arena: Arena): void {
    const count = arena.u32(memory.cells + cell.keptCount, 1);
    const notes = arena.u32(memory.kept, (count[0] as number) * 5);
    const area = this.#area;
    for (let i = 0; i < notes.length; i += 5) {
      const row = notes[i] as number;
      const first = this.#state[row] !== Cell.value;
      if (first) {
        this.#state[row] = Cell.value;
        this.#starts[row] = area.length;
        area.push(0x7b);
        // The closing brace of the row gives way to a comma.
      } else area.bytes[area.length - 1] = 0x2c;
      area.append(arena.u8, notes[i + 1] as number, notes[i + 2] as number);
      area.push(0x3a);
      area.append(arena.u8, notes[i + 3] as number, notes[i + 4] as number);
      area.push(0x7d);
      this.#lengths[row] = area.length - (this.#starts[row] as number);
    }
    count[0] = 0;
  }

  /** Takes the one row of a column. */
  put(row: number, from: BytesColumn): void {
    if (from.state[0] !== Cell.value) return;
    const start = from.starts[0] as number;
    const length = from.lengths[0] as number;
    this.#state[row] = Cell.value;
    this.#starts[row] = this.#area.length;
    this.#lengths[row] = length;
    this.#area.append(from.bytes, start, start + length);
  }

  finish(rows: number): BytesColumn {
    const { bytes, length } = this.#area;
    return {
      field,
      length: rows,
      state: this.#state.subarray(0, rows),
      kind: "bytes",
      bytes: bytes.subarray(0, length),
      starts: this.#starts.subarray(0, rows),
      lengths: this.#lengths.subarray(0, rows),
    };
  }
}
