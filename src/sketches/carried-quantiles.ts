import type { QuantileSketch } from "../core/profile.ts";
import type { Quantile, Run } from "./sketch-ranks.ts";
import { isEnough, reachedOf, SketchRanks, upperBound } from "./sketch-ranks.ts";
import { PooledSketch, WeightedSketch } from "./weighted-values.ts";

/** The ends of a sketch, infinite where it has no values, and its quantiles that cut it into equal parts, ascending. */
export interface EvenQuantiles {
  readonly least: number;
  readonly most: number;
  readonly quantiles: readonly Quantile[];
}

/** Where quantiles are in the runs of a pool: run by run for the first, then for the next. */
interface Places {
  /** How many of the run's values are at or below the quantile. */
  readonly at: Int32Array;
  /** The values on either side, infinite where there is none: side by side, for runs are far from each other in memory. */
  readonly below: Float64Array;
  readonly above: Float64Array;
}

/** The quantiles of a pool of summaries, and where they are in each of them. */
interface Placed extends EvenQuantiles {
  readonly parts: readonly QuantileSketch[];
  readonly runs: readonly Run[];
  /** The first and the last value of each run. */
  readonly firsts: Float64Array;
  readonly lasts: Float64Array;
  /** Of each quantile: how many values are at or below it. */
  readonly reached: Float64Array;
  readonly places: Places;
}

/** How the runs of a pool follow from those of the pool before. */
interface Move {
  readonly before: Placed;
  readonly runs: readonly Run[];
  /** Of each run, which one it was; -1 where it is new. */
  readonly sources: Int32Array;
  /** The runs that are gone. */
  readonly gone: readonly number[];
}

/** Steps from where a quantile was, one item each, before all are looked up anew. */
const stepsMax = 64;

/** By the newest part of the pool, and how many parts it was cut into. One is kept of each pool that moves, as long as its newest part is. */
const newest = new Map<number, WeakMap<QuantileSketch, Placed>>();

/**
 * What cuts a sketch into so many equal parts, the same as `SketchRanks` finds to the last bit. Of a pool whose parts come and go, quantiles are looked for from where they
 * were: a window that joins twenty others moves them by a few items.
 */
export function evenQuantiles(sketch: QuantileSketch, parts: number): EvenQuantiles {
  if (!(sketch instanceof PooledSketch) || !sketch.parts.every(isFilled)) return lookUp(sketch, parts);
  const known = newest.get(parts) ?? new WeakMap<QuantileSketch, Placed>();
  newest.set(parts, known);
  const nearest = sketch.parts.findLast((part) => known.has(part));
  const placed = moveOn(nearest && known.get(nearest), sketch, parts) ?? placeAnew(sketch, sketch.parts.map(runOf), parts);
  if (nearest !== undefined) known.delete(nearest);
  known.set(sketch.parts.at(-1) as QuantileSketch, placed);
  return placed;
}

function isFilled(part: QuantileSketch): part is WeightedSketch {
  return part instanceof WeightedSketch && part.weighted.values.length > 0;
}

function runOf(part: QuantileSketch): Run {
  const { weighted, reached } = part as WeightedSketch;
  return { values: weighted.values, weight: 0, reached };
}

function lookUp(sketch: QuantileSketch, parts: number): EvenQuantiles {
  const ranks = new SketchRanks(sketch);
  const quantiles = Array.from({ length: parts - 1 }, (_, i) => ranks.quantile((i + 1) / parts));
  return { least: ranks.least, most: ranks.most, quantiles };
}

function placeAnew(sketch: PooledSketch, runs: readonly Run[], parts: number): Placed {
  const found = lookUp(sketch, parts);
  const firsts = Float64Array.from(runs, ({ values }) => values[0] as number);
  const lasts = Float64Array.from(runs, ({ values }) => values[values.length - 1] as number);
  const reached = new Float64Array(parts - 1);
  const places = noPlaces((parts - 1) * runs.length);
  found.quantiles.forEach(({ value }, cut) => {
    runs.forEach((run, i) => {
      const at = upperBound(run.values, value, 0, run.values.length);
      put(places, cut * runs.length + i, run, at);
      reached[cut] = (reached[cut] as number) + reachedOf(run, at);
    });
  });
  return { ...found, parts: sketch.parts, runs, firsts, lasts, reached, places };
}

function noPlaces(length: number): Places {
  return { at: new Int32Array(length), below: new Float64Array(length), above: new Float64Array(length) };
}

function put({ at, below, above }: Places, i: number, { values }: Run, place: number): void {
  at[i] = place;
  below[i] = place === 0 ? -Infinity : (values[place - 1] as number);
  above[i] = place === values.length ? Infinity : (values[place] as number);
}

/** Null where too little of the pool stayed, or a quantile is far from where it was. */
function moveOn(before: Placed | undefined, { parts, count }: PooledSketch, cuts: number): Placed | null {
  const move = before === undefined ? null : moveTo(before, parts);
  if (move === null) return null;
  const { runs } = move;
  const [firsts, lasts] = [ends(move, "firsts"), ends(move, "lasts")];
  const reached = new Float64Array(cuts - 1);
  const places = noPlaces((cuts - 1) * runs.length);
  const quantiles: Quantile[] = [];
  for (let cut = 0; cut < cuts - 1; cut++) {
    const from = carryPlaces(move, cut, places);
    const found = findFrom(runs, places, cut * runs.length, { reached: from, count, q: (cut + 1) / cuts });
    if (found === null) return null;
    reached[cut] = found.reached;
    quantiles.push({ value: found.value, share: found.reached / count });
  }
  return { least: Math.min(...firsts), most: Math.max(...lasts), quantiles, parts, runs, firsts, lasts, reached, places };
}

/** Both are in the order in which windows came. */
function moveTo(before: Placed, parts: readonly QuantileSketch[]): Move | null {
  const sources = new Int32Array(parts.length);
  const gone: number[] = [];
  let next = 0;
  let entered = 0;
  for (let i = 0; i < parts.length; i++) {
    const source = before.parts.indexOf(parts[i] as QuantileSketch, next);
    sources[i] = source;
    if (source < 0) {
      entered++;
      continue;
    }
    for (; next < source; next++) gone.push(next);
    next = source + 1;
  }
  for (; next < before.parts.length; next++) gone.push(next);
  if (2 * (entered + gone.length) > parts.length) return null;
  const runs = parts.map((part, i) => before.runs[sources[i] as number] ?? runOf(part));
  return { before, runs, sources, gone };
}

function ends({ before, runs, sources }: Move, end: "firsts" | "lasts"): Float64Array {
  return Float64Array.from(sources, (source, i) => {
    if (source >= 0) return before[end][source] as number;
    return (runs[i] as Run).values.at(end === "firsts" ? 0 : -1) as number;
  });
}

/** Writes the places of a quantile as it was; answers how many values are at or below it now. */
function carryPlaces({ before, runs, sources, gone }: Move, cut: number, places: Places): number {
  const { at, below, above } = before.places;
  const from = cut * before.runs.length;
  const to = cut * runs.length;
  const { value } = before.quantiles[cut] as Quantile;
  let reached = before.reached[cut] as number;
  for (const i of gone) reached -= reachedOf(before.runs[i] as Run, at[from + i] as number);
  for (let i = 0; i < runs.length; i++) {
    const source = sources[i] as number;
    if (source >= 0) {
      places.at[to + i] = at[from + source] as number;
      places.below[to + i] = below[from + source] as number;
      places.above[to + i] = above[from + source] as number;
      continue;
    }
    const run = runs[i] as Run;
    const place = upperBound(run.values, value, 0, run.values.length);
    put(places, to + i, run, place);
    reached += reachedOf(run, place);
  }
  return reached;
}

interface Wanted {
  /** How many values are at or below the places. */
  readonly reached: number;
  readonly count: number;
  readonly q: number;
}

/** Moves the places of a quantile, which begin at `from`, to where it is, item by item. A summary's values are distinct. */
function findFrom(
  runs: readonly Run[],
  places: Places,
  from: number,
  wanted: Wanted,
): { readonly value: number; readonly reached: number } | null {
  const { below, above, at } = places;
  const { count, q } = wanted;
  const to = from + runs.length;
  let { reached } = wanted;
  if (!isEnough(reached, count, q)) {
    for (let step = 0; step < stepsMax; step++) {
      let next = Infinity;
      for (let i = from; i < to; i++) if ((above[i] as number) < next) next = above[i] as number;
      if (next === Infinity) return null;
      for (let i = from; i < to; i++) {
        if (above[i] !== next) continue;
        const run = runs[i - from] as Run;
        reached += weightAt(run, at[i] as number);
        put(places, i, run, (at[i] as number) + 1);
      }
      if (isEnough(reached, count, q)) return { value: next, reached };
    }
    return null;
  }
  for (let step = 0; step < stepsMax; step++) {
    let last = -Infinity;
    for (let i = from; i < to; i++) if ((below[i] as number) > last) last = below[i] as number;
    let without = reached;
    for (let i = from; i < to; i++) {
      if (below[i] === last) without -= weightAt(runs[i - from] as Run, (at[i] as number) - 1);
    }
    if (!isEnough(without, count, q)) return { value: last, reached };
    for (let i = from; i < to; i++) if (below[i] === last) put(places, i, runs[i - from] as Run, (at[i] as number) - 1);
    reached = without;
  }
  return null;
}

/** How many the value at a place of a run stands for. */
function weightAt(run: Run, at: number): number {
  return reachedOf(run, at + 1) - reachedOf(run, at);
}
