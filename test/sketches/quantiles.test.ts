import { describe, expect, test } from "vitest";
import type { QuantileSketch } from "../../src/core/profile.ts";
import {
  distributionOf,
  emptyQuantiles,
  exactQuantilesMax,
  mergeQuantiles,
  quantileOf,
  quantilesOf,
  rankErrorMax,
  shareBelow,
} from "../../src/sketches/quantiles.ts";
import { expandCounts, sortNumbers } from "../../src/sketches/sort-numbers.ts";
import { normal, seededRandom } from "./columns.ts";

function sketchOf(values: Float64Array): QuantileSketch {
  return quantilesOf(values.slice().sort());
}

function weight(sketch: QuantileSketch): number {
  return sketch.levels.reduce((sum, items, level) => sum + items.length * 2 ** level, 0);
}

/** Rank errors at 99 points of a sketch of values that came in pieces. */
function rankErrors(values: Float64Array, piece: number): number[] {
  let sketch = emptyQuantiles;
  for (let at = 0; at < values.length; at += piece) sketch = mergeQuantiles(sketch, sketchOf(values.subarray(at, at + piece)));
  expect(weight(sketch)).toBe(values.length);
  expect(sketch.count).toBe(values.length);
  const distribution = distributionOf(sketch);
  const sorted = values.slice().sort();
  return Array.from({ length: 99 }, (_, i) => {
    const at = Math.floor(((i + 1) / 100) * sorted.length);
    return Math.abs(shareBelow(distribution, sorted[at]!, true) - (at + 1) / sorted.length);
  });
}

describe("quantiles", () => {
  test("rank errors stay under the stated bound in 99 of 100, whatever the shape, the order and the pieces", () => {
    const errors: number[] = [];
    const shapes: ((i: number, random: () => number) => number)[] = [
      (_, random) => normal(random),
      (_, random) => Math.exp(4 * normal(random)),
      (i) => i,
      (i) => -i,
      (i) => (i * 2_654_435_761) % 1_000_003,
      (i, random) => 1_700_000_000 + i + random(),
    ];
    for (const [at, shape] of shapes.entries()) {
      for (const piece of [700, 5000, 100_000]) {
        const random = seededRandom(at * 31 + piece);
        errors.push(
          ...rankErrors(
            Float64Array.from({ length: 100_000 }, (_, i) => shape(i, random)),
            piece,
          ),
        );
      }
    }
    errors.sort((a, b) => a - b);
    const ninetyNinth = errors[Math.floor(0.99 * errors.length)]!;
    expect(ninetyNinth).toBeLessThan(rankErrorMax);
    expect(errors.at(-1)!).toBeLessThan(2 * rankErrorMax);
  });

  test("is exact while every value is held", () => {
    const sketch = sketchOf(Float64Array.from({ length: exactQuantilesMax }, (_, i) => i));
    const distribution = distributionOf(sketch);
    expect(quantileOf(distribution, 0.5)).toBe(255);
    expect(quantileOf(distribution, 0)).toBe(0);
    expect(quantileOf(distribution, 1)).toBe(511);
    expect(shareBelow(distribution, 127, true)).toBe(0.25);
    expect(shareBelow(distribution, 128, false)).toBe(0.25);
    const ten = distributionOf(sketchOf(Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])));
    expect(quantileOf(ten, 0.3)).toBe(3);
  });

  test("ties count whole", () => {
    const distribution = distributionOf(sketchOf(Float64Array.from({ length: 50_000 }, (_, i) => (i % 10 < 6 ? 0 : i % 10))));
    expect(shareBelow(distribution, 0, true)).toBeCloseTo(0.6, 2);
    expect(shareBelow(distribution, 0, false)).toBe(0);
  });

  test("the same values give the same sketch, and memory stays bounded", () => {
    const random = seededRandom(1);
    const values = Float64Array.from({ length: 300_000 }, () => random());
    expect(sketchOf(values)).toEqual(sketchOf(values));
    expect(sketchOf(values).levels.reduce((sum, items) => sum + items.length, 0)).toBeLessThan(1700);
  });

  test("numbers are ordered alike by counting, by sorting and from their distinct values", () => {
    const random = seededRandom(2);
    for (const [scale, whole] of [
      [100, true],
      [1e6, true],
      [100, false],
      [3, true],
    ] as const) {
      const values = Float64Array.from({ length: 3000 }, () => (whole ? Math.floor(scale * (random() - 0.5)) + 0 : scale * random()));
      const expected = values.slice().sort();
      const sorted = values.slice();
      sortNumbers(sorted, sorted.length, expected[0]!, expected.at(-1)!);
      expect(sorted).toEqual(expected);
      const counts = new Map<number, number>();
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
      const expanded = new Float64Array(3000);
      expandCounts(Float64Array.from(counts.keys()), Float64Array.from(counts.values()), expanded);
      expect(expanded).toEqual(expected);
    }
  });
});
