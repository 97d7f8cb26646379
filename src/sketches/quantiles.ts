import type { QuantileSketch } from "../core/profile.ts";
import { mixWord } from "./mix-word.ts";
import { weightedOf } from "./weighted-values.ts";

/**
 * KLL's k: up to this many values a sketch holds every one. The highest level holds this many items; lower levels 2/3 of the one above, and at least 8
 * (as Apache DataSketches has it).
 */
export const quantileK = 512;
const leastCapacity = 8;

/** Rank error of one answer, as a share of all values: below this in 99 of 100 (tested); its standard deviation is about a third. */
export const rankErrorMax = 0.01;
/** Levels of a sketch: enough for 2^60 values. */
export const quantileLevelsMax = 60;

/** A sketch of no values. */
export const emptyQuantiles: QuantileSketch = { kind: "quantiles", count: 0, levels: [], compactions: 0 };

/** A sketch that is being built. */
export interface QuantileStack {
  readonly levels: Float64Array[];
  compactions: number;
}

/** A stack without values. */
export function emptyStack(): QuantileStack {
  return { levels: [], compactions: 0 };
}

const none = new Float64Array(0);

/**
 * Adds ascending finite values, each standing for 2^level. Equal neighbours are first joined, two of a level to one of the next: nothing is
 * lost by it, so that columns of few distinct values stay exact.
 */
export function addSorted(stack: QuantileStack, level: number, items: Float64Array): void {
  const { levels } = stack;
  while (levels.length <= level) levels.push(none);
  for (let at = level, carried = items; carried.length > 0; at++) {
    if (at === levels.length) levels.push(none);
    const merged = mergeSorted(levels[at] as Float64Array, carried);
    carried = joinEqual(merged);
    levels[at] = carried.length === 0 ? merged : merged.subarray(0, merged.length - 2 * carried.length);
  }
}

/** Takes pairs of equal neighbours out of ascending values, which close up to the front; answers one of each pair. */
function joinEqual(items: Float64Array): Float64Array {
  let pairs = 0;
  for (let i = 1; i < items.length; i++) {
    if (items[i] === items[i - 1]) {
      pairs++;
      i++;
    }
  }
  if (pairs === 0) return none;
  const joined = new Float64Array(pairs);
  let kept = 0;
  let at = 0;
  for (let i = 0; i < items.length; i++) {
    const value = items[i] as number;
    if (value === items[i + 1]) {
      joined[at++] = value;
      i++;
    } else items[kept++] = value;
  }
  return joined;
}

/** Adds ascending values, each as often as its count says: at most 2^32 - 1 times. */
export function addCounted(stack: QuantileStack, values: Float64Array, counts: Uint32Array): void {
  const sizes = new Uint32Array(32);
  for (const count of counts) {
    for (let rest = count; rest !== 0; rest &= rest - 1) {
      const level = 31 - Math.clz32(rest & -rest);
      sizes[level] = (sizes[level] as number) + 1;
    }
  }
  const parts = Array.from(sizes, (size) => new Float64Array(size));
  sizes.fill(0);
  for (let i = 0; i < values.length; i++) {
    for (let rest = counts[i] as number; rest !== 0; rest &= rest - 1) {
      const level = 31 - Math.clz32(rest & -rest);
      const at = sizes[level] as number;
      (parts[level] as Float64Array)[at] = values[i] as number;
      sizes[level] = at + 1;
    }
  }
  // Distinct values need no joining: without others, the parts are the levels.
  if (stack.levels.length === 0 && isDistinct(values)) stack.levels.push(...parts);
  else
    parts.forEach((part, level) => {
      if (part.length > 0) addSorted(stack, level, part);
    });
}

function isDistinct(ascending: Float64Array): boolean {
  for (let i = 1; i < ascending.length; i++) if (ascending[i] === ascending[i - 1]) return false;
  return true;
}

/** Compacts levels, the lowest full one first, until the items fit the sketch. */
export function compress(stack: QuantileStack): void {
  const { levels } = stack;
  for (;;) {
    let size = 0;
    let room = 0;
    for (let level = 0; level < levels.length; level++) {
      size += (levels[level] as Float64Array).length;
      room += levelCapacity(level, levels.length);
    }
    if (size <= room) return;
    compact(
      stack,
      levels.findIndex((items, level) => items.length >= levelCapacity(level, levels.length)),
    );
  }
}

/** Items that a level should hold: k times 2/3 for each level above it, rounded, at least 8. */
export function levelCapacity(level: number, levels: number): number {
  return depthCapacities[levels - 1 - level] as number;
}

const depthCapacities = Array.from({ length: quantileLevelsMax + 1 }, (_, depth) =>
  Math.max(leastCapacity, Math.round(quantileK * (2 / 3) ** depth)),
);

/** Replaces neighbours in pairs by one of the two, of double weight; an odd item stays. Total weight is kept exactly. */
function compact(stack: QuantileStack, level: number): void {
  const items = stack.levels[level] as Float64Array;
  const coin = flip(items, stack.compactions++);
  const odd = items.length & 1;
  const stays = odd === 1 ? ((coin & 2) === 0 ? 0 : items.length - 1) : -1;
  const first = stays === 0 ? 1 : 0;
  const promoted = new Float64Array((items.length - odd) / 2);
  for (let i = 0, from = first + (coin & 1); i < promoted.length; i++, from += 2) promoted[i] = items[from] as number;
  stack.levels[level] = stays < 0 ? none : items.slice(stays, stays + 1);
  addSorted(stack, level + 1, promoted);
}

const coinValue = new Float64Array(3);
const coinWords = new Uint32Array(coinValue.buffer);

/** The coin comes from the values compacted: the same values give the same sketch, and windows have different coins. */
function flip(items: Float64Array, compactions: number): number {
  coinValue[0] = items[items.length >> 1] as number;
  coinValue[1] = items[items.length >> 3] as number;
  coinValue[2] = items[items.length - 1] as number;
  let state = mixWord(compactions + 0x9e3779b9);
  for (const word of coinWords) state = mixWord(state + Math.imul(word, 0x85ebca6b));
  return state >>> 30;
}

/** A new array of both, ascending. */
function mergeSorted(a: Float64Array, b: Float64Array): Float64Array {
  const merged = new Float64Array(a.length + b.length);
  if (a.length === 0 || b.length === 0) {
    merged.set(a.length === 0 ? b : a);
    return merged;
  }
  // Numbers often come in their order: times, and ids.
  if ((a[a.length - 1] as number) <= (b[0] as number)) {
    merged.set(a);
    merged.set(b, a.length);
    return merged;
  }
  let i = 0;
  let j = 0;
  for (let at = 0; at < merged.length; at++) {
    const takeFirst = j >= b.length || (i < a.length && (a[i] as number) <= (b[j] as number));
    merged[at] = (takeFirst ? a[i++] : b[j++]) as number;
  }
  return merged;
}

/** The finished sketch of a stack's values; the stack may be added to afterwards. */
export function sketchOf(stack: QuantileStack): QuantileSketch {
  const compressed: QuantileStack = { levels: [...stack.levels], compactions: stack.compactions };
  compress(compressed);
  const { levels, compactions } = compressed;
  while (levels.length > 0 && (levels.at(-1) as Float64Array).length === 0) levels.pop();
  let count = 0;
  for (const [level, items] of levels.entries()) count += items.length * 2 ** level;
  return { kind: "quantiles", count, levels: levels.map((items) => items.slice()), compactions };
}

/** A sketch of both together, with the error bound of one sketch of all values; exact where both are and together they fit. */
export function mergeQuantiles(a: QuantileSketch, b: QuantileSketch): QuantileSketch {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const stack: QuantileStack = { levels: a.levels.slice(), compactions: a.compactions + b.compactions };
  for (const [level, items] of b.levels.entries()) addSorted(stack, level, items);
  return sketchOf(stack);
}

/** Distinct items of a sketch ascending, each with the share of values that are at or below it. */
export interface Distribution {
  readonly values: Float64Array;
  readonly shares: Float64Array;
}

/** Whether a sketch lost nothing, so that its answers are exact. */
export function isExact(sketch: QuantileSketch): boolean {
  return sketch.compactions === 0;
}

/** Of sketches that were asked for: several drift tests ask for the same ones. */
const known = new WeakMap<QuantileSketch, Distribution>();

/** The step function that a sketch stands for; not to be written to. */
export function distributionOf(sketch: QuantileSketch): Distribution {
  let distribution = known.get(sketch);
  if (distribution === undefined) {
    distribution = stepsOf(sketch);
    known.set(sketch, distribution);
  }
  return distribution;
}

function stepsOf(sketch: QuantileSketch): Distribution {
  const { values, counts } = weightedOf(sketch);
  const shares = new Float64Array(counts.length);
  let reached = 0;
  for (let i = 0; i < counts.length; i++) {
    reached += counts[i] as number;
    shares[i] = reached / sketch.count;
  }
  return { values, shares };
}

/** The smallest item that at least the share `q` of values is at or below; NaN for a sketch of no values. */
export function quantileOf(distribution: Distribution, q: number): number {
  const { values, shares } = distribution;
  if (values.length === 0) return NaN;
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    // A share is a quotient of whole numbers: forgive its rounding, or q = 0.3 of 10 values would be the fourth.
    if ((shares[middle] as number) >= q - 1e-12) high = middle;
    else low = middle + 1;
  }
  return values[low] as number;
}

/** Share of values at or below `value` (`inclusive`), or below it. */
export function shareBelow(distribution: Distribution, value: number, inclusive: boolean): number {
  const { values, shares } = distribution;
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = values[middle] as number;
    if (inclusive ? item <= value : item < value) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : (shares[low - 1] as number);
}
