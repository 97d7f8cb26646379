import { describe, expect, test } from "vitest";
import type { QuantileSketch } from "../../src/core/profile.ts";
import { referenceProfiler } from "../../src/sketches/index.ts";
import {
  addCounted,
  addSorted,
  distributionOf,
  emptyQuantiles,
  emptyStack,
  quantileK,
  isExact,
  mergeQuantiles,
  quantileOf,
  rankErrorMax,
  shareBelow,
  sketchOf,
} from "../../src/sketches/quantiles.ts";
import { batchOf, columnOf, contractOf, fieldOf, normal, seededRandom } from "./columns.ts";

function sketchOfSorted(values: Float64Array): QuantileSketch {
  const stack = emptyStack();
  addSorted(stack, 0, values.slice().sort());
  return sketchOf(stack);
}

const field = fieldOf("x", { kind: "double" });
const contract = contractOf([field]);
const profiler = referenceProfiler(contract);

/** The sketch of windows of `window` values, merged, each added in chunks of at most 2,048. */
function windowsSketch(values: Float64Array, window: number): QuantileSketch {
  let sketch = emptyQuantiles;
  for (let from = 0; from < values.length; from += window) {
    const to = Math.min(values.length, from + window);
    profiler.reset();
    for (let at = from; at < to; at += 2048) {
      const chunk = batchOf([columnOf(field, Array.from(values.subarray(at, Math.min(to, at + 2048))))]);
      profiler.add(
        chunk,
        Uint32Array.from({ length: chunk.rows }, (_, row) => row),
      );
    }
    sketch = mergeQuantiles(sketch, profiler.finish().columns.get("x")!.quantiles!);
  }
  return sketch;
}

function weight(sketch: QuantileSketch): number {
  return sketch.levels.reduce((sum, items, level) => sum + items.length * 2 ** level, 0);
}

/** Rank errors at 99 points of a sketch of values that came in windows; of ties, what is left beyond the tie. */
function rankErrors(values: Float64Array, window: number): number[] {
  const sketch = windowsSketch(values, window);
  expect(weight(sketch)).toBe(values.length);
  expect(sketch.count).toBe(values.length);
  const distribution = distributionOf(sketch);
  const sorted = values.slice().sort();
  return Array.from({ length: 99 }, (_, i) => {
    let at = Math.floor(((i + 1) / 100) * sorted.length);
    const value = sorted[at]!;
    while (sorted[at + 1] === value) at++;
    return Math.abs(shareBelow(distribution, value, true) - (at + 1) / sorted.length);
  });
}

type Shape = (i: number, random: () => number) => number;

const shapes: Readonly<Record<string, Shape>> = {
  normal: (_, random) => normal(random),
  lognormal: (_, random) => Math.exp(4 * normal(random)),
  sorted: (i) => i,
  reversed: (i) => -i,
  scattered: (i) => (i * 2_654_435_761) % 1_000_003,
  "large base": (i, random) => 1_700_000_000 + i + random(),
  "heavy ties": (_, random) => (random() < 0.6 ? 0 : Math.floor(1e5 * random())),
  "alternating extremes": (i, random) => (i % 2 === 0 ? -1e300 * random() : 1e300 * random()),
  zipf: (_, random) => Math.floor(1e6 ** random()),
  "period of a block": (i, random) => (i % 8) * 1000 + random(),
};

describe("quantiles", () => {
  test("rank errors stay under the stated bound in 99 of 100, whatever the shape, the order and the windows", () => {
    const errors: number[] = [];
    for (const [at, shape] of Object.values(shapes).entries()) {
      for (const window of [700, 5000, 150_000]) {
        const random = seededRandom(at * 31 + window);
        errors.push(
          ...rankErrors(
            Float64Array.from({ length: window === 150_000 ? 150_000 : 30_000 }, (_, i) => shape(i, random)),
            window,
          ),
        );
      }
    }
    errors.sort((a, b) => a - b);
    const ninetyNinth = errors[Math.floor(0.99 * errors.length)]!;
    expect(ninetyNinth).toBeLessThan(rankErrorMax);
    expect(errors.at(-1)!).toBeLessThan(2 * rankErrorMax);
  });

  test("is exact while every value is held, and of few distinct values whatever their number", () => {
    const sketch = sketchOfSorted(Float64Array.from({ length: quantileK }, (_, i) => i));
    const distribution = distributionOf(sketch);
    expect(quantileOf(distribution, 0.5)).toBe(255);
    expect(quantileOf(distribution, 0)).toBe(0);
    expect(quantileOf(distribution, 1)).toBe(511);
    expect(shareBelow(distribution, 127, true)).toBe(0.25);
    expect(shareBelow(distribution, 128, false)).toBe(0.25);
    const ten = distributionOf(sketchOfSorted(Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])));
    expect(quantileOf(ten, 0.3)).toBe(3);
    const ties = Float64Array.from({ length: 50_000 }, (_, i) => (i % 10 < 6 ? 0 : i % 10));
    const tied = windowsSketch(ties, 7000);
    expect(isExact(tied)).toBe(true);
    expect(shareBelow(distributionOf(tied), 0, true)).toBe(0.6);
    expect(shareBelow(distributionOf(tied), 0, false)).toBe(0);
    const stack = emptyStack();
    addCounted(stack, Float64Array.of(0, 6, 7, 8, 9), Uint32Array.of(30_000, 5000, 5000, 5000, 5000));
    expect(tied).toEqual(sketchOf(stack));
  });

  test("the same values give the same sketch, and memory stays bounded", () => {
    const random = seededRandom(1);
    const values = Float64Array.from({ length: 100_000 }, () => random());
    const sketch = windowsSketch(values, 100_000);
    expect(windowsSketch(values, 100_000)).toEqual(sketch);
    expect(sketch.levels.reduce((sum, items) => sum + items.length, 0)).toBeLessThan(1700);
    expect(isExact(sketch)).toBe(false);
  });
});
