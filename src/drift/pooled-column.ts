import type { ColumnProfile, DistinctSketch, Moments, QuantileSketch, TopValues, WatchedParts } from "../core/profile.ts";
import { mergeDistinct } from "../sketches/distinct.ts";
import { boundTop } from "../sketches/heavy-hitters.ts";
import { mergeWatched, outermost } from "../sketches/merge-profiles.ts";
import { mergeMoments } from "../sketches/moments.ts";
import { WeightedSketch } from "../sketches/weighted-values.ts";
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
    const sum = (count: (column: ColumnProfile) => number): number => columns.reduce((all, column) => all + count(column), 0);
    this.path = path;
    this.kind = kind;
    this.count = sum((column) => column.count);
    this.nulls = sum((column) => column.nulls);
    this.missing = sum((column) => column.missing);
    this.nan = sum((column) => column.nan);
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
      const sketches = this.#columns.flatMap(({ quantiles }) => quantiles ?? []);
      const sum = (count: (sketch: QuantileSketch) => number): number => sketches.reduce((all, sketch) => all + count(sketch), 0);
      if (sketches.length === 0) return null;
      this.#quantiles = new WeightedSketch(
        pooledValues.of(this.#columns),
        sum(({ count }) => count),
        sum(({ compactions }) => compactions),
      );
    }
    return this.#quantiles;
  }

  get top(): TopValues | null {
    if (this.#top === null) {
      const tops = this.#columns.flatMap(({ top }) => top ?? []);
      const sum = (count: (top: TopValues) => number): number => tops.reduce((all, top) => all + count(top), 0);
      if (tops.length === 0) return null;
      this.#top = boundTop(
        sum(({ total }) => total),
        sum(({ error }) => error),
        pooledEntries.of(this.#columns),
      );
    }
    return this.#top;
  }

  #merge<T>(part: (column: ColumnProfile) => T | null, merge: (a: T, b: T) => T): T | null {
    const parts = this.#columns.flatMap((column) => part(column) ?? []) as T[];
    return parts.length === 0 ? null : parts.reduce(merge);
  }
}
