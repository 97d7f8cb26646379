import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { QuantileSketch } from "../../src/core/profile.ts";
import { addSorted, distributionOf, emptyQuantiles, emptyStack, quantileOf, shareBelow, sketchOf } from "../../src/sketches/quantiles.ts";
import { SketchRanks } from "../../src/sketches/sketch-ranks.ts";
import { mergeWeighted, PooledSketch, summarizeSketch, weightedOf } from "../../src/sketches/weighted-values.ts";
import { normal, seededRandom } from "./columns.ts";

function sketchOfValues(values: readonly number[]): QuantileSketch {
  const stack = emptyStack();
  addSorted(stack, 0, Float64Array.from(values).sort());
  return sketchOf(stack);
}

function pool(parts: readonly QuantileSketch[]): PooledSketch {
  return new PooledSketch(parts, () => mergeWeighted(parts.map(weightedOf)));
}

/** Every answer that ranks give of a sketch, beside what its distribution says. */
function expectSame(sketch: QuantileSketch, besides: readonly number[] = []): void {
  const ranks = new SketchRanks(sketch);
  const distribution = distributionOf(sketch);
  const { values } = distribution;
  expect([ranks.least, ranks.most]).toEqual([values[0] ?? Infinity, values.at(-1) ?? -Infinity]);
  for (const q of [0, 1e-13, 0.001, 0.1, 0.25, 0.1 + 0.2, 0.5, 2 / 3, 0.9, 0.999, 1]) {
    const { value, share } = ranks.quantile(q);
    const expected = quantileOf(distribution, q);
    expect(Object.is(value, expected), `${value} is the quantile ${q}, ${expected}`).toBe(true);
    expect(share).toBe(sketch.count === 0 ? 0 : shareBelow(distribution, expected, true));
  }
  if (sketch.count === 0) return;
  const inside = Array.from({ length: 9 }, (_, i) => values[Math.floor((i * (values.length - 1)) / 8)]!);
  for (const value of [...inside, ...inside.map((each) => each + 0.3), -Infinity, Infinity, 0, -0, ...besides]) {
    for (const inclusive of [true, false]) expect(ranks.shareBelow(value, inclusive)).toBe(shareBelow(distribution, value, inclusive));
  }
}

const random = seededRandom(4);
const draws: Record<string, (window: number) => number> = {
  alike: () => normal(random),
  "each window elsewhere": (window) => 100 * window + normal(random),
  "few steps and many values": () => (random() < 0.5 ? Math.floor(5 * random()) : 5 * random()),
  "heavy tails": () => 1 / (1e-6 + random()) - 1 / (1e-6 + random()),
  "as large as doubles go": () => (random() < 0.5 ? 1 : -1) * 1.7e308 * random(),
  "one value": () => 7,
};

describe("ranks of a sketch", () => {
  test("are those of its distribution, whatever its items", () => {
    const item = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-0, 0));
    const part = fc.array(item, { maxLength: 40 }).map(sketchOfValues);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 7 }), item, (parts, value) => {
        for (const each of parts) {
          expectSame(each, [value]);
          expectSame(summarizeSketch(each), [value]);
        }
        if (parts.length > 0) expectSame(pool(parts), [value]);
      }),
    );
  });

  for (const [name, draw] of Object.entries(draws)) {
    test(`are those of its distribution, of many values and of pools: ${name}`, () => {
      const windows = Array.from({ length: 20 }, (_, i) => sketchOfValues(Array.from({ length: [40, 700, 6000][i % 3]! }, () => draw(i))));
      for (const window of windows.slice(0, 3)) {
        expectSame(window);
        expectSame(summarizeSketch(window));
      }
      expectSame(pool(windows.map(summarizeSketch)));
      // A day that goes on is not summarised.
      expectSame(pool([...windows.slice(0, 12).map(summarizeSketch), ...windows.slice(12)]));
    });
  }

  test("of more parts than any before, of few, and of none", () => {
    expectSame(emptyQuantiles);
    // .1 + .2 is more than .3: their third.
    expectSame(sketchOfValues([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    const parts = Array.from({ length: 150 }, (_, i) => summarizeSketch(sketchOfValues([i, i + 0.5, normal(random)])));
    expectSame(pool(parts));
  });
});
