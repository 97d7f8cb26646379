import { Cell, type BytesColumn } from "../../core/column.ts";
import { ByteArea } from "../byte-area.ts";
import { UnknownFields } from "../unknown-fields.ts";

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
