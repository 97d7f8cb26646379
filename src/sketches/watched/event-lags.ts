import type { IntegerColumn } from "../../core/column.ts";
import { Cell } from "../../core/column.ts";
import type { Moments, QuantileSketch } from "../../core/profile.ts";
import type { Records } from "../../core/records.ts";
import { ColumnState, floatShape, Head } from "../column-state.ts";
import { emptyMoments } from "../moments.ts";
import { emptyQuantiles, sketchOf } from "../quantiles.ts";
import { closeBlock, foldSamples, openBlock, sampleNumbers } from "../sampler.ts";
import { addMoments, momentsIn } from "../streaming.ts";

/**
 * How long after the time in a column its records reached the broker, in seconds: a derived column whose moments are exact, and whose quantiles are of a sample (every value up to
 * the 8,192nd, then fewer). Lags are seldom equal, so they are not counted.
 */
export class EventLags {
  readonly #state = new ColumnState(floatShape);
  #lags = new Float64Array(0);

  reset(): void {
    this.#state.reset();
  }

  add(column: IntegerColumn, rows: Uint32Array, { timestamps }: Records): void {
    if (this.#lags.length < rows.length) this.#lags = new Float64Array(rows.length);
    const lags = this.#lags;
    const { type } = column.field;
    const perMs = type.kind === "timestamp" && type.unit === "nanos" ? 1e6 : 1e3;
    // Words of 32 bits: a BigInt a record would cost more than the rest.
    const words = new Int32Array(timestamps.buffer, timestamps.byteOffset, 2 * timestamps.length);
    let count = 0;
    for (const row of rows) {
      const ms = millisecondsAt(words, row);
      if (column.state[row] !== Cell.value || ms < 0) continue;
      lags[count++] = (ms - (column.values[row] as number) / perMs) / 1000;
    }
    if (count === 0) return;
    if (this.#state.head[Head.streaming] === 0) {
      this.#state.head[Head.streaming] = 1;
      openBlock(this.#state, 0);
    }
    addMoments(this.#state, lags, count);
    sampleNumbers(this.#state, lags, count);
  }

  finish(): { readonly moments: Moments; readonly quantiles: QuantileSketch } {
    if (this.#state.head[Head.streaming] === 0) return { moments: emptyMoments, quantiles: emptyQuantiles };
    foldSamples(this.#state);
    closeBlock(this.#state);
    return { moments: momentsIn(this.#state), quantiles: sketchOf(this.#state.quantiles) };
  }
}

/** A record's timestamp as milliseconds since the epoch, of the words of a `BigInt64Array`; below 0 where it has none. */
export function millisecondsAt(words: Int32Array, row: number): number {
  return (words[2 * row + 1] as number) * 4_294_967_296 + ((words[2 * row] as number) >>> 0);
}
