import type { ColumnProfile, TopEntry } from "../core/profile.ts";
import { exchangeEntries } from "../sketches/heavy-hitters.ts";
import type { WeightedValues } from "../sketches/weighted-values.ts";
import { exchangeWeighted, mergeWeighted, weightedOf } from "../sketches/weighted-values.ts";

/** How one part of columns is put together, and taken apart again: exactly, so that it says nothing of which way it came about. */
interface Pooling<T> {
  readonly merge: (columns: readonly ColumnProfile[]) => T;
  readonly exchange: (pool: T, leaving: readonly ColumnProfile[], entering: readonly ColumnProfile[]) => T;
}

interface Pool<T> {
  readonly columns: readonly ColumnProfile[];
  readonly pooled: T;
}

/**
 * What columns of a baseline's windows are together. As windows come and go, the newest pool that has most of them goes on: a baseline of 20 windows costs one pass over
 * its values, not 20. One pool is kept of each baseline's column, as long as the newest of its windows is.
 */
class Pools<T> {
  readonly #pooling: Pooling<T>;
  readonly #byNewest = new WeakMap<ColumnProfile, Pool<T>>();

  constructor(pooling: Pooling<T>) {
    this.#pooling = pooling;
  }

  of(columns: readonly ColumnProfile[]): T {
    const newest = columns.at(-1);
    const nearest = columns.findLast((column) => this.#byNewest.has(column));
    const pooled = this.#goOn(nearest, columns);
    if (nearest !== undefined) this.#byNewest.delete(nearest);
    if (newest !== undefined) this.#byNewest.set(newest, { columns, pooled });
    return pooled;
  }

  #goOn(nearest: ColumnProfile | undefined, columns: readonly ColumnProfile[]): T {
    const pool = nearest === undefined ? undefined : this.#byNewest.get(nearest);
    if (pool === undefined) return this.#pooling.merge(columns);
    if (isMoved(pool.columns, columns)) return this.#pooling.exchange(pool.pooled, pool.columns.slice(0, 1), columns.slice(-1));
    const [before, now] = [new Set(pool.columns), new Set(columns)];
    const leaving = pool.columns.filter((column) => !now.has(column));
    const entering = columns.filter((column) => !before.has(column));
    if (leaving.length + entering.length === 0) return pool.pooled;
    if (leaving.length + entering.length >= columns.length) return this.#pooling.merge(columns);
    return this.#pooling.exchange(pool.pooled, leaving, entering);
  }
}

/** Whether the oldest went and one came, as mostly. */
function isMoved(before: readonly ColumnProfile[], now: readonly ColumnProfile[]): boolean {
  if (before.length !== now.length || before.length < 3) return false;
  for (let i = 1; i < before.length; i++) if (before[i] !== now[i - 1]) return false;
  return true;
}

function mergeValues(columns: readonly ColumnProfile[]): WeightedValues {
  return mergeWeighted(columns.flatMap(({ quantiles }) => (quantiles === null ? [] : [weightedOf(quantiles)])));
}

function mergeEntries(columns: readonly ColumnProfile[]): readonly TopEntry[] {
  let lists = columns.flatMap(({ top }) => (top === null ? [] : [top.entries]));
  // In pairs, and pairs of these: all are of about one length.
  while (lists.length > 1) lists = lists.flatMap((list, i) => (i % 2 === 1 ? [] : [exchangeEntries(list, [], lists[i + 1] ?? [])]));
  return lists[0] ?? [];
}

/** The values of columns' quantile sketches together. */
export const pooledValues = new Pools<WeightedValues>({
  merge: mergeValues,
  exchange: (pool, leaving, entering) => exchangeWeighted(pool, mergeValues(leaving), mergeValues(entering)),
});

/** The frequent values of columns together, with none left out. */
export const pooledEntries = new Pools<readonly TopEntry[]>({
  merge: mergeEntries,
  exchange: (pool, leaving, entering) => exchangeEntries(pool, mergeEntries(leaving), mergeEntries(entering)),
});
