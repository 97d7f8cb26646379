import type { QuantileSketch } from "../core/profile.ts";

/** Distinct finite values, ascending, each with how many it stands for: whole numbers above 0. */
export interface WeightedValues {
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/** No values. */
export const noWeighted: WeightedValues = { values: new Float64Array(0), counts: new Float64Array(0) };

/** What stays of values if some are taken away that are among them, and others come. Counts are whole: in whatever order values came and went, the result is the same. */
export function exchangeWeighted(pool: WeightedValues, leaving: WeightedValues, entering: WeightedValues): WeightedValues {
  const { values: poolValues, counts: poolCounts } = pool;
  const { values: leavingValues, counts: leavingCounts } = leaving;
  const { values: enteringValues, counts: enteringCounts } = entering;
  const [kept, gone, come] = [poolValues.length, leavingValues.length, enteringValues.length];
  const values = new Float64Array(kept + come);
  const counts = new Float64Array(kept + come);
  let [i, j, k, at] = [0, 0, 0, 0];
  let left = gone > 0 ? (leavingValues[0] as number) : Infinity;
  let next = come > 0 ? (enteringValues[0] as number) : Infinity;
  for (;;) {
    const change = Math.min(left, next);
    // Most of a pool stays as it was: runs up to the next change.
    for (let value = 0; i < kept && (value = poolValues[i] as number) < change; i++, at++) {
      values[at] = value;
      counts[at] = poolCounts[i] as number;
    }
    if (change === Infinity) break;
    let count = i < kept && poolValues[i] === change ? (poolCounts[i++] as number) : 0;
    if (left === change) {
      count -= leavingCounts[j++] as number;
      left = j < gone ? (leavingValues[j] as number) : Infinity;
    }
    if (next === change) {
      count += enteringCounts[k++] as number;
      next = k < come ? (enteringValues[k] as number) : Infinity;
    }
    values[at] = change;
    counts[at] = count;
    if (count > 0) at++;
  }
  return { values: values.subarray(0, at), counts: counts.subarray(0, at) };
}

function add(a: WeightedValues, b: WeightedValues): WeightedValues {
  const [longer, shorter] = a.values.length > b.values.length ? [a, b] : [b, a];
  return exchangeWeighted(longer, noWeighted, shorter);
}

/** All of them together, the two shortest first. */
export function mergeWeighted(parts: readonly WeightedValues[]): WeightedValues {
  const rest = parts.toSorted((a, b) => a.values.length - b.values.length);
  while (rest.length > 1) {
    const merged = add(rest.shift() as WeightedValues, rest.shift() as WeightedValues);
    const at = rest.findIndex((each) => each.values.length >= merged.values.length);
    rest.splice(at < 0 ? rest.length : at, 0, merged);
  }
  return rest[0] ?? noWeighted;
}

/** A sketch that is known by its weighted values. */
export class WeightedSketch implements QuantileSketch {
  readonly kind = "quantiles";
  readonly count: number;
  readonly compactions: number;
  readonly weighted: WeightedValues;
  #reached: Float64Array | null = null;

  constructor(weighted: WeightedValues, count: number, compactions: number) {
    this.weighted = weighted;
    this.count = count;
    this.compactions = compactions;
  }

  get levels(): readonly Float64Array[] {
    return levelsOf(this.weighted);
  }

  /** How many the values up to each one stand for. */
  get reached(): Float64Array {
    if (this.#reached === null) {
      const { counts } = this.weighted;
      const reached = new Float64Array(counts.length);
      let sum = 0;
      for (let i = 0; i < counts.length; i++) reached[i] = sum += counts[i] as number;
      this.#reached = reached;
    }
    return this.#reached;
  }
}

/** Several sketches as one, put together when somebody asks for more than ranks. */
export class PooledSketch implements QuantileSketch {
  readonly kind = "quantiles";
  readonly count: number;
  readonly compactions: number;
  readonly parts: readonly QuantileSketch[];
  readonly #pool: () => WeightedValues;
  #weighted: WeightedValues | null = null;

  constructor(parts: readonly QuantileSketch[], pool: () => WeightedValues) {
    this.parts = parts;
    this.count = parts.reduce((sum, { count }) => sum + count, 0);
    this.compactions = parts.reduce((sum, { compactions }) => sum + compactions, 0);
    this.#pool = pool;
  }

  get weighted(): WeightedValues {
    this.#weighted ??= this.#pool();
    return this.#weighted;
  }

  get levels(): readonly Float64Array[] {
    return levelsOf(this.weighted);
  }
}

/** Each value at the levels of its count's binary digits. */
function levelsOf({ values, counts }: WeightedValues): readonly Float64Array[] {
  const most = counts.reduce((largest, count) => Math.max(largest, count), 0);
  const height = most === 0 ? 0 : Math.floor(Math.log2(most)) + 1;
  return Array.from({ length: height }, (_, level) =>
    values.filter((_value, i) => Math.floor((counts[i] as number) / 2 ** level) % 2 === 1),
  );
}

/** Of sketches that were asked for: a window's are compared first, and summarised then. */
const known = new WeakMap<QuantileSketch, WeightedValues>();

/** The values of a sketch, each with all that it stands for on any level. */
export function weightedOf(sketch: QuantileSketch): WeightedValues {
  if (sketch instanceof WeightedSketch || sketch instanceof PooledSketch) return sketch.weighted;
  let weighted = known.get(sketch);
  if (weighted === undefined) {
    weighted = head(mergeLevels(sketch.levels));
    known.set(sketch, weighted);
  }
  return weighted;
}

/** The same for once: in arrays that the next sketch is put together in. */
function briefly(sketch: QuantileSketch): WeightedValues {
  if (sketch instanceof WeightedSketch || sketch instanceof PooledSketch) return sketch.weighted;
  return known.get(sketch) ?? mergeLevels(sketch.levels);
}

/** Where levels are put together, in turn. */
let scratch: readonly [WeightedValues, WeightedValues] = [noWeighted, noWeighted];

function mergeLevels(levels: readonly Float64Array[]): WeightedValues {
  let items = 0;
  for (const values of levels) items += values.length;
  if (scratch[0].values.length < items) {
    const room = (): WeightedValues => ({ values: new Float64Array(2 * items), counts: new Float64Array(2 * items) });
    scratch = [room(), room()];
  }
  let [from, to] = scratch;
  let size = 0;
  const order = [...levels.keys()].toSorted((a, b) => (levels[a] as Float64Array).length - (levels[b] as Float64Array).length);
  for (const level of order) {
    const values = levels[level] as Float64Array;
    if (values.length === 0) continue;
    mergeLevel(from, size, values, 2 ** level, to);
    size += values.length;
    [from, to] = [to, from];
  }
  const distinct = joinEqual(from, size);
  return { values: from.values.subarray(0, distinct), counts: from.counts.subarray(0, distinct) };
}

/** Writes the first `size` values of a list and the items of a level, all ascending. */
function mergeLevel(list: WeightedValues, size: number, items: Float64Array, weight: number, to: WeightedValues): void {
  const { values, counts } = list;
  const { values: merged, counts: sums } = to;
  let i = 0;
  let at = 0;
  for (let j = 0; j < items.length; j++) {
    const item = items[j] as number;
    for (let own = 0; i < size && (own = values[i] as number) <= item; i++, at++) {
      merged[at] = own;
      sums[at] = counts[i] as number;
    }
    merged[at] = item;
    sums[at++] = weight;
  }
  for (; i < size; i++, at++) {
    merged[at] = values[i] as number;
    sums[at] = counts[i] as number;
  }
}

/** Adds up the counts of equal neighbours, which close up to the front; answers how many values are left. Without its sign, zero is the same wherever it comes from. */
function joinEqual({ values, counts }: WeightedValues, size: number): number {
  if (size === 0) return 0;
  let at = 0;
  let last = (values[0] as number) + 0;
  values[0] = last;
  for (let i = 1; i < size; i++) {
    const value = values[i] as number;
    const count = counts[i] as number;
    if (value === last) counts[at] = (counts[at] as number) + count;
    else {
      last = value + 0;
      values[++at] = last;
      counts[at] = count;
    }
  }
  return at + 1;
}

/** Up to so many values a summary has all of them. */
const wholeMax = 512;
/** Values at either end that a shorter summary has as they were: tails, and what lies outside, are told by them. */
const endValues = 32;
/** All values between are told by so many of equal weight. */
const innerValues = 128;
const summaryMax = innerValues + 2 * endValues;
const summaryRoom: WeightedValues = { values: new Float64Array(summaryMax), counts: new Float64Array(summaryMax) };

/**
 * A sketch as a baseline keeps it: at most 512 values with their counts. Of more, the outermost 32 on either side stay as they are; what is between is cut into 128
 * parts of as many values, each told by its middle one. Shares move by at most 1/256, and by 1/443 in the root of the mean square.
 */
export function summarizeSketch(sketch: QuantileSketch): WeightedSketch {
  const whole = briefly(sketch);
  const size = whole.values.length;
  if (size <= wholeMax) return new WeightedSketch(head(whole), sketch.count, sketch.compactions);
  const { values, counts } = summaryRoom;
  values.set(whole.values.subarray(0, endValues));
  counts.set(whole.counts.subarray(0, endValues));
  counts.fill(0, endValues);
  const end = thin(whole, summaryRoom);
  values.set(whole.values.subarray(size - endValues), end);
  counts.set(whole.counts.subarray(size - endValues), end);
  const length = end + endValues;
  const summary: WeightedValues = { values: values.slice(0, length), counts: counts.slice(0, length) };
  return new WeightedSketch(summary, sketch.count, sketch.compactions + 1);
}

/** Writes the middle value of each part of what is between the ends, behind those of the lower end; answers where the upper end follows. */
function thin({ values, counts }: WeightedValues, summary: WeightedValues): number {
  const size = values.length - 2 * endValues;
  let total = 0;
  for (let i = 0; i < size; i++) total += counts[endValues + i] as number;
  let at = endValues - 1;
  let from = endValues;
  let reached = counts[from] as number;
  let begin = 0;
  for (let part = 1; part <= innerValues; part++) {
    const end = Math.floor((part * total) / innerValues);
    const middle = (begin + end) / 2;
    while (reached <= middle) reached += counts[++from] as number;
    if (summary.values[at] !== values[from]) summary.values[++at] = values[from] as number;
    summary.counts[at] = (summary.counts[at] as number) + end - begin;
    begin = end;
  }
  return at + 1;
}

/** Own arrays: those of a longer list would keep all of it in memory. */
function head({ values, counts }: WeightedValues): WeightedValues {
  return { values: values.slice(), counts: counts.slice() };
}
