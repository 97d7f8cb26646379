import type { TopEntry, TopValues } from "../core/profile.ts";
import type { HashWords } from "./hash.ts";

/** Counters that survive a purge. */
const kept = 128;
/** Most counters at a time: with no more distinct values than this, all counts are exact. A summary that is not exact has half as many. */
export const topEntriesMax = 2 * kept;
/** A count is short of the truth by at most `error`, and `error` is at most this share of all values: 1 / 129. */
export const topErrorShareMax = 1 / (kept + 1);

const slotCount = 1024;

/** A summary of no values. */
export const emptyTop: TopValues = { kind: "top", total: 0, error: 0, entries: [] };

/**
 * Builds a Misra-Gries summary with purges in bulk (Agarwal et al., "Mergeable summaries", 2012): when the table is full, the 129th largest
 * count is subtracted from all. A value is given by its 64-bit hash; its text is asked for once, at the end, if it is still there.
 */
export class TopAccumulator {
  readonly #slots = new Int16Array(slotCount).fill(-1);
  readonly #high = new Uint32Array(topEntriesMax);
  readonly #low = new Uint32Array(topEntriesMax);
  readonly #counts = new Float64Array(topEntriesMax);
  /** What `textOf` needs to find a value again: a row of the batch. */
  readonly #origin = new Uint32Array(topEntriesMax);
  #size = 0;
  #total = 0;
  #error = 0;

  /** Adds `count` hashed values; `origins[i]` says where value i is found again. */
  add(hashes: HashWords, origins: Uint32Array, count: number): void {
    const slots = this.#slots;
    const { high, low } = hashes;
    const highs = this.#high;
    const lows = this.#low;
    const counts = this.#counts;
    for (let i = 0; i < count; i++) {
      const h = high[i] as number;
      const l = low[i] as number;
      let slot = h & (slotCount - 1);
      let entry = slots[slot] as number;
      while (entry >= 0 && (highs[entry] !== h || lows[entry] !== l)) {
        slot = (slot + 1) & (slotCount - 1);
        entry = slots[slot] as number;
      }
      if (entry >= 0) counts[entry] = (counts[entry] as number) + 1;
      else this.#insert(slot, h, l, origins[i] as number);
    }
    this.#total += count;
  }

  #insert(freeSlot: number, high: number, low: number, origin: number): void {
    let slot = freeSlot;
    if (this.#size === topEntriesMax) {
      this.#purge();
      slot = this.#freeSlot(high);
    }
    const entry = this.#size++;
    this.#slots[slot] = entry;
    this.#high[entry] = high;
    this.#low[entry] = low;
    this.#counts[entry] = 1;
    this.#origin[entry] = origin;
  }

  #freeSlot(high: number): number {
    let slot = high & (slotCount - 1);
    while ((this.#slots[slot] as number) >= 0) slot = (slot + 1) & (slotCount - 1);
    return slot;
  }

  #purge(): void {
    const counts = this.#counts;
    const cut = purgeCut(counts, this.#size);
    this.#error += cut;
    this.#slots.fill(-1);
    const size = this.#size;
    this.#size = 0;
    for (let entry = 0; entry < size; entry++) {
      const rest = (counts[entry] as number) - cut;
      if (rest <= 0) continue;
      const to = this.#size++;
      const high = this.#high[entry] as number;
      this.#high[to] = high;
      this.#low[to] = this.#low[entry] as number;
      counts[to] = rest;
      this.#origin[to] = this.#origin[entry] as number;
      this.#slots[this.#freeSlot(high)] = to;
    }
  }

  /** Every value added, by where it is found again, with its count; null once one had to be dropped. */
  exactCounts(): { readonly origins: Uint32Array; readonly counts: Float64Array } | null {
    if (this.#error > 0) return null;
    return { origins: this.#origin.subarray(0, this.#size), counts: this.#counts.subarray(0, this.#size) };
  }

  /** The summary of everything added; `textOf(origin)` gives a value's text. */
  finish(textOf: (origin: number) => string): TopValues {
    // A summary that is inexact anyway is not worth twice its size.
    if (this.#error > 0 && this.#size > kept) this.#purge();
    const entries: TopEntry[] = [];
    for (let entry = 0; entry < this.#size; entry++) {
      entries.push({
        hashHigh: this.#high[entry] as number,
        hashLow: this.#low[entry] as number,
        value: textOf(this.#origin[entry] as number),
        count: this.#counts[entry] as number,
      });
    }
    entries.sort(byHash);
    return { kind: "top", total: this.#total, error: this.#error, entries };
  }
}

function byHash(a: TopEntry, b: TopEntry): number {
  return a.hashHigh - b.hashHigh || a.hashLow - b.hashLow;
}

/** The 129th largest of the first `size` counts, which leaves at most 128 above it. */
function purgeCut(counts: Float64Array, size: number): number {
  let least = Infinity;
  let ties = 0;
  for (let i = 0; i < size; i++) {
    const count = counts[i] as number;
    if (count < least) {
      least = count;
      ties = 1;
    } else if (count === least) ties++;
  }
  // Almost always true of columns with many values, and spares the sort.
  if (size - ties <= kept) return least;
  return counts.slice(0, size).sort()[size - kept - 1] as number;
}

/** A summary of both together: counts and errors add up; exact where both are and together they fit. */
export function mergeTop(a: TopValues, b: TopValues): TopValues {
  if (a.total === 0) return b;
  if (b.total === 0) return a;
  const entries: TopEntry[] = [];
  let i = 0;
  let j = 0;
  while (i < a.entries.length || j < b.entries.length) {
    const left = a.entries[i];
    const right = b.entries[j];
    const order = left === undefined ? 1 : right === undefined ? -1 : byHash(left, right);
    if (order < 0) entries.push(left as TopEntry);
    else if (order > 0) entries.push(right as TopEntry);
    else entries.push({ ...(left as TopEntry), count: (left as TopEntry).count + (right as TopEntry).count });
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  const total = a.total + b.total;
  const error = a.error + b.error;
  if (entries.length <= (error > 0 ? kept : topEntriesMax)) return { kind: "top", total, error, entries };
  const cut = purgeCut(
    Float64Array.from(entries, (entry) => entry.count),
    entries.length,
  );
  const rest = entries.filter((entry) => entry.count > cut).map((entry) => ({ ...entry, count: entry.count - cut }));
  return { kind: "top", total, error: error + cut, entries: rest };
}

/** Entries by count, largest first; equal counts by text, so that the order is always the same. */
export function rankTop(top: TopValues): readonly TopEntry[] {
  return top.entries.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
}
