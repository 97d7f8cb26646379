import { Cell, type Column } from "../core/column.ts";
import { CellKeys } from "./cell-key.ts";

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);

/** Writes cells that have values as 32-bit words that are equal exactly where the cells of one column are: shorter and sooner done than bytes. */
export class WordKeys {
  words = new Uint32Array(256);
  length = 0;
  readonly #nested = new CellKeys();

  /** Room for so many more words. */
  reserve(extra: number): void {
    if (this.length + extra <= this.words.length) return;
    const words = new Uint32Array(Math.max(this.length + extra, this.words.length * 2));
    words.set(this.words.subarray(0, this.length));
    this.words = words;
  }

  /** Appends one cell whose state is `value`. */
  append(column: Column, cell: number): void {
    this.reserve(4);
    const { words } = this;
    switch (column.kind) {
      case "boolean":
        words[this.length++] = column.values[cell] as number;
        return;
      case "integer": {
        const value = column.values[cell] as number;
        if (Number.isSafeInteger(value)) {
          words[this.length++] = value | 0;
          words[this.length++] = Math.floor(value / 4294967296) | 0;
        } else this.#long(column.exact[cell] as bigint);
        return;
      }
      case "float": {
        // Adding zero makes -0 and 0, which are equal, the same bits; of NaN there are many.
        double[0] = (column.values[cell] as number) + 0;
        const none = Number.isNaN(double[0]);
        words[this.length++] = none ? 0 : (doubleWords[0] as number);
        words[this.length++] = none ? 0x7ff80000 : (doubleWords[1] as number);
        return;
      }
      case "decimal":
        for (let i = 0; i < 4; i++) words[this.length++] = column.unscaled[cell * 4 + i] as number;
        return;
      case "bytes":
        return this.#bytes(column.bytes, column.starts[cell] as number, column.lengths[cell] as number);
      default:
        this.#nested.length = 0;
        this.#nested.append(column, cell);
        this.#bytes(this.#nested.bytes, 0, this.#nested.length);
    }
  }

  #long(value: bigint): void {
    this.words[this.length++] = Number(BigInt.asUintN(32, value));
    this.words[this.length++] = Number(BigInt.asUintN(32, value >> 32n));
  }

  /** The number of bytes, and the bytes, four a word, with zeros behind the last. */
  #bytes(bytes: Uint8Array, start: number, count: number): void {
    this.reserve(2 + (count >> 2));
    const { words } = this;
    words[this.length++] = count;
    const end = start + count;
    let at = start;
    for (; at + 4 <= end; at += 4)
      words[this.length++] =
        (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    if (at === end) return;
    let word = 0;
    for (let shift = 0; at < end; at++, shift += 8) word |= (bytes[at] as number) << shift;
    words[this.length++] = word;
  }
}

/** A hash of words. */
export function hashWords(words: Uint32Array, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ (words[i] as number), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0xc2b2ae35) ^ (hash >>> 13);
}

/** Whether a row has a value in each of the columns. */
export function haveValues(columns: readonly Column[], row: number): boolean {
  for (const column of columns) if (column.state[row] !== Cell.value) return false;
  return true;
}
