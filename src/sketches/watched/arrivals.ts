import type { LeafColumn } from "../leaf-columns.ts";
import { Cell } from "../../core/column.ts";
import type { Records } from "../../core/records.ts";
import type { Arrival } from "../../core/profile.ts";
import { millisecondsAt } from "./event-lags.ts";

/** Counts a column's values, and tells when the first and the last of their records reached the broker. Records without a timestamp count for nothing. */
export class Arrivals {
  #values = 0;
  #firstMs = Infinity;
  #lastMs = -Infinity;

  reset(): void {
    this.#values = 0;
    this.#firstMs = Infinity;
    this.#lastMs = -Infinity;
  }

  add({ state }: LeafColumn, rows: Uint32Array, { timestamps }: Records): void {
    const words = new Int32Array(timestamps.buffer, timestamps.byteOffset, 2 * timestamps.length);
    for (const row of rows) {
      if (state[row] !== Cell.value) continue;
      const ms = millisecondsAt(words, row);
      if (ms < 0) continue;
      this.#values++;
      if (ms < this.#firstMs) this.#firstMs = ms;
      if (ms > this.#lastMs) this.#lastMs = ms;
    }
  }

  finish(): Arrival {
    return { values: this.#values, spansMs: this.#values === 0 ? [] : [this.#firstMs, this.#lastMs] };
  }
}

/** Spans of time that an arrival keeps: beyond, those nearest to each other are joined. */
export const arrivalSpansMax = 64;

/** The arrival of both: values add up, spans that touch become one. */
export function mergeArrivals(a: Arrival, b: Arrival): Arrival {
  const spans = [...pairsOf(a.spansMs), ...pairsOf(b.spansMs)].toSorted((left, right) => left.from - right.from);
  const joined: { from: number; to: number }[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else joined.push({ ...span });
  }
  while (joined.length > arrivalSpansMax) joinNearest(joined);
  return { values: a.values + b.values, spansMs: joined.flatMap(({ from, to }) => [from, to]) };
}

function pairsOf(spansMs: readonly number[]): { from: number; to: number }[] {
  return spansMs.flatMap((from, i) => (i % 2 === 0 ? [{ from, to: spansMs[i + 1] as number }] : []));
}

function joinNearest(spans: { from: number; to: number }[]): void {
  let nearest = 1;
  const gap = (at: number): number => (spans[at]?.from as number) - (spans[at - 1]?.to as number);
  for (let i = 2; i < spans.length; i++) if (gap(i) < gap(nearest)) nearest = i;
  const [removed] = spans.splice(nearest, 1);
  if (removed !== undefined) (spans[nearest - 1] as { to: number }).to = removed.to;
}

/** Seconds in which the values came. */
export function arrivalSeconds({ spansMs }: Arrival): number {
  return pairsOf(spansMs).reduce((sum, { from, to }) => sum + (to - from), 0) / 1000;
}
