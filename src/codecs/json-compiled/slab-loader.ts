import type { Records } from "../../core/records.ts";
import type { Arena } from "../../wasm/arena.ts";
import { slackBytes, type BatchLayout } from "../../wasm/layout.ts";

/** Bytes between values (keys, headers) that are copied along rather than copying each value by itself: this share of the values' bytes, and some. */
const gapShare = 1;
const gapBytes = 4096;

/** Brings the values of a chunk into the arena's slab, and finds source positions again. */
export class SlabLoader {
  readonly #layout: BatchLayout;
  readonly #arena: Arena;
  #records: Records | null = null;
  #from = 0;
  #rows = 0;
  /** Where all values moved by the same distance: address less position; else null. */
  #distance: number | null = null;

  constructor(layout: BatchLayout, arena: Arena) {
    this.#layout = layout;
    this.#arena = arena;
  }

  /**
   * Copies the values of records `from` to `to` and writes their spans to `rowStarts` and `rowLengths`: a length of -1 where there is no value, or one of
   * more than `valueBytesMax`.
   */
  load(records: Records, from: number, to: number, valueBytesMax: number): void {
    const rows = to - from;
    const starts = this.#arena.u32(this.#layout.rowStarts, rows);
    const lengths = this.#arena.i32(this.#layout.rowLengths, rows);
    const { valueStart, valueLength } = records;
    let low = Infinity;
    let high = 0;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const length = valueLength[from + row] as number;
      if (length < 0 || length > valueBytesMax) {
        lengths[row] = -1;
        starts[row] = 0;
        continue;
      }
      const start = valueStart[from + row] as number;
      lengths[row] = length;
      if (start < low) low = start;
      if (start + length > high) high = start + length;
      sum += length;
    }
    this.#records = records;
    this.#from = from;
    this.#rows = rows;
    const { slab } = this.#layout;
    if (high - low <= Math.min(sum * (1 + gapShare) + gapBytes, this.#layout.slabBytesMax)) {
      const distance = slab - low;
      this.#distance = distance;
      for (let row = 0; row < rows; row++) starts[row] = (valueStart[from + row] as number) + distance;
      if (high > low) this.#arena.u8.set(records.bytes.subarray(low, high), slab);
      this.#end(slab + Math.max(0, high - low));
      return;
    }
    this.#distance = null;
    let at = slab;
    for (let row = 0; row < rows; row++) {
      const length = lengths[row] as number;
      starts[row] = at;
      if (length <= 0) continue;
      const start = valueStart[from + row] as number;
      this.#arena.u8.set(records.bytes.subarray(start, start + length), at);
      at += length;
    }
    this.#end(at);
  }

  /** Zeros behind the text: what reads beyond its end stops there. */
  #end(at: number): void {
    this.#arena.bytes(at, slackBytes).fill(0);
  }

  /** The position in the records' bytes of an address within a value. */
  position(address: number): number {
    if (this.#distance !== null) return address - this.#distance;
    const starts = this.#arena.u32(this.#layout.rowStarts, this.#rows);
    let low = 0;
    let high = this.#rows;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) <= address) low = middle;
      else high = middle;
    }
    // Records without a value stand where the next one does: the last of them that begins there has it.
    return ((this.#records as Records).valueStart[this.#from + low] as number) + address - (starts[low] as number);
  }
}
