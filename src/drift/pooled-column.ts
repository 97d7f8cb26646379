import type { ColumnProfile, DistinctSketch, Moments, QuantileSketch, TopValues, WatchedParts } from "../core/profile.ts";
import { mergeDistinct } from "../sketches/distinct.ts";
import { boundTop } from "../sketches/heavy-hitters.ts";
import { mergeWatched, outermost } from "../sketches/merge-profiles.ts";
import { mergeMoments } from "../sketches/moments.ts";
import { PooledSketch } from "../sketches/weighted-values.ts";
import { pooledEntries, pooledValues } from "./pools.ts";

/** One column of several windows, at least one, all of one kind: each part is put together when a test first reads it. */
export class PooledColumn implements ColumnProfile {
  readonly path: string;
  readonly kind: ColumnProfile["kind"];
  readonly count: number;
  readonly nulls: number;
  readonly missing: number;
  readonly nan: number;
  readonly #columns: readonly ColumnProfile[];
  #quantiles: QuantileSketch | null = null;
  #top: TopValues | null = null;
  #moments: Moments | null = null;
  #lengths: Moments | null = null;
  #distinct: DistinctSketch | null = null;
  #watched: WatchedParts | null = null;

  constructor(columns: readonly ColumnProfile[]) {
    const [{ path, kind }] = columns as readonly [ColumnProfile];
    let [count, nulls, missing, nan] = [0, 0, 0, 0];
    for (const column of columns) {
      count += column.count;
      nulls += column.nulls;
      missing += column.missing;
      nan += column.nan;
    }
    this.path = path;
    this.kind = kind;
    this.count = count;
    this.nulls = nulls;
    this.missing = missing;
    this.nan = nan;
    this.#columns = columns;
  }

  get min(): string | null {
    return this.#columns.map(({ min }) => min).reduce((a, b) => outermost(this.kind, a, b, -1));
  }

  get max(): string | null {
    return this.#columns.map(({ max }) => max).reduce((a, b) => outermost(this.kind, a, b, 1));
  }

  get moments(): Moments | null {
    this.#moments ??= this.#merge(({ moments }) => moments, mergeMoments);
    return this.#moments;
  }

  get lengths(): Moments | null {
    this.#lengths ??= this.#merge(({ lengths }) => lengths, mergeMoments);
    return this.#lengths;
  }

  get distinct(): DistinctSketch {
    this.#distinct ??= this.#columns.map(({ distinct }) => distinct).reduce(mergeDistinct);
    return this.#distinct;
  }

  get watched(): WatchedParts {
    this.#watched ??= this.#merge(({ watched }) => watched ?? null, mergeWatched) ?? {};
    return this.#watched;
  }

  get quantiles(): QuantileSketch | null {
    if (this.#quantiles === null) {
      const sketches: QuantileSketch[] = [];
      for (const { quantiles } of this.#columns) if (quantiles !== null) sketches.push(quantiles);
      if (sketches.length === 0) return null;
      this.#quantiles = new PooledSketch(sketches, () => pooledValues.of(this.#columns));
    }
    return this.#quantiles;
  }

  get top(): TopValues | null {
    if (this.#top === null) {
      let [tops, total, error] = [0, 0, 0];
      for (const { top } of this.#columns) {
        if (top === null) continue;
        tops++;
        total += top.total;
        error += top.error;
      }
      if (tops === 0) return null;
      this.#top = boundTop(total, error, pooledEntries.of(this.#columns));
    }
    return this.#top;
  }

  #merge<T>(part: (column: ColumnProfile) => T | null, merge: (a: T, b: T) => T): T | null {
    const parts = this.#columns.flatMap((column) => part(column) ?? []) as T[];
    return parts.length === 0 ? null : parts.reduce(merge);
  }
}
