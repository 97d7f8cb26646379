import type { Batch } from "../../core/batch.ts";
import { Cell } from "../../core/column.ts";
import { CellKeys } from "../cell-key.ts";
import { locate, type ColumnPath } from "../column-path.ts";
import { KeyIndex } from "../key-index.ts";
import { hashSpan } from "../verdict-cache.ts";
import type { MetricFold } from "./metric.ts";

/** Up to so many different values are counted one by one; beyond, only those of a sample (chosen by hash) are. */
export const countedKeysMax = 1 << 17;
/** And so many bytes of them. */
const countedBytesMax = 1 << 25;

/**
 * How often each value of a column stood. With `level` 0 every value is here; else those whose hash begins with `level` zero bits: a sample of the
 * different values, with exact counts (Gibbons 2001, "Distinct sampling"). The level depends on the set of values only.
 */
export interface ValueCounts {
  readonly level: number;
  /** Values seen, all of them. */
  readonly total: number;
  /** One a key: `lengths` of `bytes`, in turn. */
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
  readonly counts: Float64Array;
}

/** Counts keys, and thins them out where they become too many. */
class KeyCounter {
  #index = new KeyIndex();
  #counts: number[] = [];
  #level = 0;
  #total = 0;

  add(bytes: Uint8Array, start: number, end: number, count: number): void {
    this.#total += count;
    if (this.#level > 0 && Math.clz32(hashSpan(bytes, start, end)) < this.#level) return;
    const at = this.#index.add(bytes, start, end);
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
    while (this.#index.count > countedKeysMax || this.#index.bytes > countedBytesMax) this.thin(this.#level + 1);
  }

  /** Keeps only keys of a level. */
  thin(level: number): void {
    if (level <= this.#level) return;
    this.#level = level;
    const old = this.#index;
    const counts = this.#counts;
    this.#index = new KeyIndex();
    this.#counts = [];
    for (let i = 0; i < old.count; i++) {
      const key = old.key(i);
      if (Math.clz32(hashSpan(key, 0, key.length)) < level) continue;
      this.#counts[this.#index.add(key, 0, key.length)] = counts[i] as number;
    }
  }

  merge(counts: ValueCounts): void {
    this.thin(counts.level);
    const total = this.#total + counts.total;
    let at = 0;
    for (let i = 0; i < counts.lengths.length; i++) {
      const end = at + (counts.lengths[i] as number);
      this.add(counts.bytes, at, end, counts.counts[i] as number);
      at = end;
    }
    // A sample's counts are not all that was seen.
    this.#total = total;
  }

  counts(): ValueCounts {
    const index = this.#index;
    const bytes = new Uint8Array(index.bytes);
    const lengths = new Uint32Array(index.count);
    let at = 0;
    for (let i = 0; i < index.count; i++) {
      const key = index.key(i);
      bytes.set(key, at);
      lengths[i] = key.length;
      at += key.length;
    }
    return { level: this.#level, total: this.#total, bytes, lengths, counts: Float64Array.from(this.#counts) };
  }
}

/** Counts the values of a column over a window. */
export function countValues(path: ColumnPath): MetricFold<ValueCounts> {
  const counter = new KeyCounter();
  const keys = new CellKeys();
  return {
    add: (batch: Batch, applies: Uint8Array) => {
      const { column } = locate(batch, path);
      const { state } = column;
      for (let row = 0; row < batch.rows; row++) {
        if (applies[row] === 0 || state[row] !== Cell.value) continue;
        if (column.kind === "bytes") {
          const start = column.starts[row] as number;
          counter.add(column.bytes, start, start + (column.lengths[row] as number), 1);
          continue;
        }
        keys.length = 0;
        keys.append(column, row);
        counter.add(keys.bytes, 0, keys.length, 1);
      }
    },
    state: () => counter.counts(),
  };
}

/** The counts of both together. */
export function mergeCounts(a: ValueCounts, b: ValueCounts): ValueCounts {
  const counter = new KeyCounter();
  counter.merge(a);
  counter.merge(b);
  return counter.counts();
}

/**
 * A count of different values (or of some of them) from the `kept` ones of a sample, with bounds three standard deviations away; above, with
 * what a Poisson count may hide besides: none in the sample does not mean none at all.
 */
export function scaleSample(kept: number, level: number): { readonly value: number; readonly low: number; readonly high: number } {
  const scale = 2 ** level;
  // Each value is in the sample with the chance 1/scale.
  const chance = 1 - 1 / scale;
  const low = (kept - 3 * Math.sqrt(kept * chance)) * scale;
  return { value: kept * scale, low: Math.max(kept, low), high: (kept + 3 * Math.sqrt((kept + 1) * chance) + 3 * chance) * scale };
}
