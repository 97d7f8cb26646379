import type { QuantileSketch } from "../core/profile.ts";
import { PooledSketch, WeightedSketch } from "./weighted-values.ts";

/** Ascending values of a sketch: each of one weight, or with how many the values up to it stand for. */
export interface Run {
  readonly values: Float64Array;
  readonly weight: number;
  readonly reached: Float64Array | null;
}

/** An item, and the share of values that are at or below it. */
export interface Quantile {
  readonly value: number;
  readonly share: number;
}

/** Steps from a guess, one item each, before the range is halved instead. */
const stepsMax = 8;
/** Runs whose own quantiles make a guess. */
const guessesMax = 5;

/** Places in the runs of the sketch that is asked. */
let begins = new Int32Array(64);
let ends = new Int32Array(64);
let middles = new Int32Array(64);

/**
 * Shares and quantiles of a sketch, the same as its distribution's to the last bit (`distributionOf`), without putting that together: what is asked for is looked up in
 * each level, or in each part of a pool. For few questions of a sketch that comes once.
 */
export class SketchRanks {
  readonly #runs: readonly Run[];
  readonly #count: number;

  constructor(sketch: QuantileSketch) {
    this.#runs = runsOf(sketch);
    this.#count = sketch.count;
  }

  /** The smallest item; infinite for a sketch of no values. */
  get least(): number {
    return this.#runs.reduce((least, { values }) => Math.min(least, values[0] as number), Infinity) + 0;
  }

  /** The largest item; infinite for a sketch of no values. */
  get most(): number {
    return this.#runs.reduce((most, { values }) => Math.max(most, values[values.length - 1] as number), -Infinity) + 0;
  }

  /** Share of values at or below `value` (`inclusive`), or below it. */
  shareBelow(value: number, inclusive: boolean): number {
    let reached = 0;
    for (const run of this.#runs) {
      const { values } = run;
      reached += reachedOf(run, inclusive ? upperBound(values, value, 0, values.length) : lowerBound(values, value));
    }
    return reached / this.#count;
  }

  /** The smallest item that at least the share `q` of values is at or below, and their share; NaN for a sketch of no values. */
  quantile(q: number): Quantile {
    const runs = this.#runs;
    if (runs.length === 0) return { value: NaN, share: 0 };
    if (begins.length < runs.length) {
      begins = new Int32Array(2 * runs.length);
      ends = new Int32Array(2 * runs.length);
      middles = new Int32Array(2 * runs.length);
    }
    const guess = this.#guess(q);
    let reached = 0;
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i] as Run;
      const at = upperBound(run.values, guess, 0, run.values.length);
      middles[i] = at;
      reached += reachedOf(run, at);
    }
    return isEnough(reached, this.#count, q) ? this.#stepDown(q, reached) : this.#stepUp(q, reached);
  }

  #quantile(value: number, reached: number): Quantile {
    // Zero without its sign.
    return { value: value + 0, share: reached / this.#count };
  }

  /** Near the quantile, where the runs are much alike. */
  #guess(q: number): number {
    const runs = this.#runs;
    const stride = Math.ceil(runs.length / guessesMax);
    let sum = 0;
    let asked = 0;
    for (let i = runs.length - 1; i >= 0; i -= stride, asked++) {
      sum += ownQuantile(runs[i] as Run, q);
    }
    return sum / asked;
  }

  /** From places that are too low: the next item, and the next, until it is enough. */
  #stepUp(q: number, before: number): Quantile {
    const runs = this.#runs;
    let reached = before;
    for (let step = 0; step < stepsMax; step++) {
      let next = Infinity;
      for (let i = 0; i < runs.length; i++) {
        const { values } = runs[i] as Run;
        const at = middles[i] as number;
        if (at < values.length) next = Math.min(next, values[at] as number);
      }
      if (next === Infinity) return this.#quantile(this.most, reached);
      for (let i = 0; i < runs.length; i++) {
        const { values, weight, reached: sums } = runs[i] as Run;
        let at = middles[i] as number;
        for (; values[at] === next; at++)
          reached += sums === null ? weight : (sums[at] as number) - (at === 0 ? 0 : (sums[at - 1] as number));
        middles[i] = at;
      }
      if (isEnough(reached, this.#count, q)) return this.#quantile(next, reached);
    }
    for (let i = 0; i < runs.length; i++) {
      begins[i] = middles[i] as number;
      ends[i] = (runs[i] as Run).values.length;
    }
    return this.#halve(q, this.most, this.#count);
  }

  /** From places that are enough: what the last item is, and whether it is needed. */
  #stepDown(q: number, before: number): Quantile {
    const runs = this.#runs;
    let reached = before;
    let last = -Infinity;
    let upTo = before;
    for (let step = 0; step < stepsMax; step++) {
      last = -Infinity;
      upTo = reached;
      for (let i = 0; i < runs.length; i++) {
        const at = middles[i] as number;
        if (at > 0) last = Math.max(last, (runs[i] as Run).values[at - 1] as number);
      }
      for (let i = 0; i < runs.length; i++) {
        const { values, weight, reached: sums } = runs[i] as Run;
        let at = middles[i] as number;
        for (; at > 0 && values[at - 1] === last; at--)
          reached -= sums === null ? weight : (sums[at - 1] as number) - (at === 1 ? 0 : (sums[at - 2] as number));
        middles[i] = at;
      }
      if (!isEnough(reached, this.#count, q)) return this.#quantile(last, upTo);
    }
    for (let i = 0; i < runs.length; i++) {
      begins[i] = 0;
      ends[i] = middles[i] as number;
    }
    return this.#halve(q, last, upTo);
  }

  /** The quantile is between places, or else it is what is known to be enough. */
  #halve(q: number, enough: number, upTo: number): Quantile {
    const runs = this.#runs;
    let found = enough;
    let share = upTo;
    for (;;) {
      let widest = 0;
      let width = 0;
      for (let i = 0; i < runs.length; i++) {
        const between = (ends[i] as number) - (begins[i] as number);
        if (between <= width) continue;
        widest = i;
        width = between;
      }
      if (width === 0) return this.#quantile(found, share);
      const pivot = (runs[widest] as Run).values[(begins[widest] as number) + (width >> 1)] as number;
      let reached = 0;
      for (let i = 0; i < runs.length; i++) {
        const run = runs[i] as Run;
        const at = upperBound(run.values, pivot, begins[i] as number, ends[i] as number);
        middles[i] = at;
        reached += reachedOf(run, at);
      }
      if (!isEnough(reached, this.#count, q)) {
        for (let i = 0; i < runs.length; i++) begins[i] = middles[i] as number;
        continue;
      }
      found = pivot;
      share = reached;
      for (let i = 0; i < runs.length; i++) {
        const { values } = runs[i] as Run;
        let at = middles[i] as number;
        while (at > (begins[i] as number) && values[at - 1] === pivot) at--;
        ends[i] = at;
      }
    }
  }
}

/** Whether so many of `count` values are at least the share `q` of them. */
export function isEnough(reached: number, count: number, q: number): boolean {
  // A share is a quotient of whole numbers: forgive its rounding, or q = 0.3 of 10 values would be the fourth.
  return reached > 0 && reached / count >= q - 1e-12;
}

function runsOf(sketch: QuantileSketch): Run[] {
  const runs: Run[] = [];
  for (const part of sketch instanceof PooledSketch ? sketch.parts : [sketch]) {
    if (part instanceof WeightedSketch) addRun(runs, part.weighted.values, 0, part.reached);
    else for (const [level, values] of part.levels.entries()) addRun(runs, values, 2 ** level, null);
  }
  return runs;
}

function addRun(runs: Run[], values: Float64Array, weight: number, reached: Float64Array | null): void {
  if (values.length > 0) runs.push({ values, weight, reached });
}

/** About where a run's share `q` is, as if each of its values stood for those halfway to its neighbours. */
function ownQuantile(run: Run, q: number): number {
  const { values, weight, reached } = run;
  const last = values.length - 1;
  const wanted = q * reachedOf(run, last + 1);
  const at = Math.min(last, reached === null ? Math.floor(wanted / weight) : lowerBound(reached, wanted));
  const before = reachedOf(run, at);
  const part = (wanted - before) / (reachedOf(run, at + 1) - before) - 0.5;
  const [lower, upper] = [values[Math.max(0, at - 1)] as number, values[Math.min(last, at + 1)] as number];
  return (values[at] as number) + (part * (upper - lower)) / 2;
}

/** How many the first `at` values of a run stand for. */
export function reachedOf({ weight, reached }: Run, at: number): number {
  if (reached === null) return at * weight;
  return at === 0 ? 0 : (reached[at - 1] as number);
}

/** How many of ascending values are at or below a value: between two places. */
export function upperBound(values: Float64Array, value: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of ascending values are below a value. */
function lowerBound(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
