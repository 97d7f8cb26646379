import type { ColumnProfile } from "../../src/core/profile.ts";
import { hashKey } from "../../src/drift/measures/share-bins.ts";
import type { Distribution } from "../../src/sketches/quantiles.ts";
import { distributionOf } from "../../src/sketches/quantiles.ts";

/** A column in one sample, without its nulls, as the rules of other tools see it. */
export interface PeerSample {
  readonly count: number;
  /** Of numbers and times; null elsewhere. */
  readonly numbers: Distribution | null;
  /** Standard deviation of numbers, of the population. */
  readonly deviation: number;
  /** Least and greatest number. */
  readonly range: readonly [number, number];
  /** How often each value comes, of all but numbers; the key is the rules' own affair. */
  readonly categories: ReadonlyMap<string, number> | null;
}

const noNumbers = { numbers: null, deviation: NaN, range: [NaN, NaN] } as const;

/** What a profile knows of a column: exact for up to 512 numbers or 256 categories, else within its sketches' errors. Null for columns that no rule compares. */
export function sampleOfProfile(column: ColumnProfile): PeerSample | null {
  if (column.quantiles !== null && column.moments !== null) {
    const { count, m2, min, max } = column.moments;
    return {
      count: column.quantiles.count,
      numbers: distributionOf(column.quantiles),
      deviation: Math.sqrt(m2 / count),
      range: [min, max],
      categories: null,
    };
  }
  if (column.top === null) return null;
  const categories = new Map(column.top.entries.map((entry) => [hashKey(entry), entry.count]));
  const rest = column.top.total - column.top.entries.reduce((sum, entry) => sum + entry.count, 0);
  if (rest > 0) categories.set("other", rest);
  return { count: column.top.total, ...noNumbers, categories };
}

/** Every value of a sample, numbers or texts. */
export function sampleOfValues(values: readonly (number | string | null)[]): PeerSample {
  const present = values.filter((value) => value !== null);
  const count = present.length;
  if (present.every((value) => typeof value === "number")) {
    const sorted = Float64Array.from(present).toSorted();
    const distinct = sorted.filter((value, i) => value !== sorted[i + 1]);
    const shares = new Float64Array(distinct.length);
    let at = 0;
    distinct.forEach((value, i) => {
      while (at < count && (sorted[at] as number) <= value) at++;
      shares[i] = at / count;
    });
    const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
    const deviation = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
    return { count, numbers: { values: distinct, shares }, deviation, range: [sorted[0] ?? NaN, sorted.at(-1) ?? NaN], categories: null };
  }
  const categories = new Map<string, number>();
  for (const value of present) categories.set(String(value), (categories.get(String(value)) ?? 0) + 1);
  return { count, ...noNumbers, categories };
}
