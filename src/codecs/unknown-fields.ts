import { Cell, type BytesColumn } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import { ByteArea } from "./byte-area.ts";

const field: Field = {
  name: "_sluice_unknown",
  sourceName: "_sluice_unknown",
  path: "_sluice_unknown",
  type: { kind: "json" },
  required: false,
  doc: "Fields of the record that the contract doesn't name",
  // Nobody has classified what nobody has named.
  classification: "unknown",
  format: null,
};

/**
 * Collects the fields that the contract doesn't name, as one JSON object a row with their exact source text. A nested one keeps its
 * place: `{"extra":1,"order":{"note":"x"},"items":{"2":{"tag":true}}}` (list elements by their index).
 */
export class UnknownFields {
  readonly #area = new ByteArea();
  readonly #state: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  /** Keys, as JSON text, from the root to the object that is being read. */
  readonly #path: Uint8Array[] = [];
  /** Levels of the output that are open; the root is the first. */
  #open = 0;

  constructor(rows: number) {
    this.#state = new Uint8Array(rows).fill(Cell.missing);
    this.#starts = new Uint32Array(rows);
    this.#lengths = new Uint32Array(rows);
  }

  /** Goes down to a child; `key` is its JSON string. */
  enter(key: Uint8Array): void {
    this.#path.push(key);
  }

  leave(): void {
    if (this.#open > this.#path.length) {
      this.#area.push(0x7d);
      this.#open--;
    }
    this.#path.pop();
  }

  /** Adds a field by the spans of its key (with quotes) and value. */
  add(bytes: Uint8Array, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    const area = this.#area;
    if (this.#open === 0) {
      area.push(0x7b);
      this.#open = 1;
    }
    for (; this.#open <= this.#path.length; this.#open++) {
      this.#comma();
      const key = this.#path[this.#open - 1] as Uint8Array;
      area.append(key, 0, key.length);
      area.push(0x3a);
      area.push(0x7b);
    }
    this.#comma();
    area.append(bytes, keyStart, keyEnd);
    area.push(0x3a);
    area.append(bytes, valueStart, valueEnd);
  }

  #comma(): void {
    if (this.#area.bytes[this.#area.length - 1] !== 0x7b) this.#area.push(0x2c);
  }

  /** Ends a row; `start` is what `begin` answered. */
  end(row: number, start: number): void {
    if (this.#open === 0) return;
    this.#area.push(0x7d);
    this.#open = 0;
    this.#state[row] = Cell.value;
    this.#starts[row] = start;
    this.#lengths[row] = this.#area.length - start;
  }

  begin(): number {
    return this.#area.length;
  }

  /** Forgets what a row collected since `begin`. */
  rewind(start: number): void {
    this.#area.length = start;
    this.#path.length = 0;
    this.#open = 0;
  }

  /** Forgets rows 0 to `rows`, which are all there are. */
  clear(rows: number): void {
    this.rewind(0);
    this.#state.fill(Cell.missing, 0, rows);
    this.#starts.fill(0, 0, rows);
    this.#lengths.fill(0, 0, rows);
  }

  finish(): BytesColumn {
    const { bytes, length } = this.#area;
    return {
      field,
      length: this.#state.length,
      state: this.#state,
      kind: "bytes",
      bytes: bytes.subarray(0, length),
      starts: this.#starts,
      lengths: this.#lengths,
    };
  }
}
