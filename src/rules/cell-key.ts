import { Cell, type Column } from "../core/column.ts";

/** Writes cells as bytes that are equal exactly where the cells are. */
export class CellKeys {
  bytes = new Uint8Array(1024);
  length = 0;

  #reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.length + extra, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = value;
  }

  #word(value: number): void {
    this.#reserve(4);
    const { bytes } = this;
    bytes[this.length++] = value & 255;
    bytes[this.length++] = (value >>> 8) & 255;
    bytes[this.length++] = (value >>> 16) & 255;
    bytes[this.length++] = value >>> 24;
  }

  /** Appends one cell: its state, then its value. Null and missing are one. */
  append(column: Column, cell: number): void {
    const state = column.state[cell] as number;
    this.#byte(state === Cell.missing ? Cell.null : state);
    if (state !== Cell.value) return;
    switch (column.kind) {
      case "boolean":
        return this.#byte(column.values[cell] as number);
      case "float": {
        // Adding zero makes -0 and 0, which are equal, the same bits.
        double[0] = (column.values[cell] as number) + 0;
        this.#word(doubleWords[0] as number);
        return this.#word(doubleWords[1] as number);
      }
      case "integer": {
        const words = new Uint32Array(column.exact.buffer, column.exact.byteOffset + cell * 8, 2);
        this.#word(words[0] as number);
        return this.#word(words[1] as number);
      }
      case "decimal":
        for (let i = 0; i < 4; i++) this.#word(column.unscaled[cell * 4 + i] as number);
        return;
      case "bytes": {
        const start = column.starts[cell] as number;
        const length = column.lengths[cell] as number;
        this.#word(length);
        this.#reserve(length);
        const { bytes } = this;
        if (length < 64) for (let i = 0; i < length; i++) bytes[this.length + i] = column.bytes[start + i] as number;
        else bytes.set(column.bytes.subarray(start, start + length), this.length);
        this.length += length;
        return;
      }
      case "struct":
        for (const child of column.children) this.append(child, cell);
        return;
      case "list": {
        const from = column.offsets[cell] as number;
        const to = column.offsets[cell + 1] as number;
        this.#word(to - from);
        for (let i = from; i < to; i++) {
          if (column.keys !== null) this.append(column.keys, i);
          this.append(column.element, i);
        }
      }
    }
  }
}

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);
