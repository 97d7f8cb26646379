import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { QuantileSketch } from "../../src/core/profile.ts";
import { evenQuantiles } from "../../src/sketches/carried-quantiles.ts";
import { addSorted, distributionOf, emptyQuantiles, emptyStack, quantileOf, shareBelow, sketchOf } from "../../src/sketches/quantiles.ts";
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

/** What is answered of parts together beside what their distribution says, to the last bit. */
function expectSame(parts: readonly QuantileSketch[], cuts: number): void {
  const sketch = pool(parts);
  const { least, most, quantiles } = evenQuantiles(sketch, cuts);
  const distribution = distributionOf(sketch);
  expect(Object.is(least, distribution.values[0] ?? Infinity)).toBe(true);
  expect(Object.is(most, distribution.values.at(-1) ?? -Infinity)).toBe(true);
  expect(quantiles).toHaveLength(cuts - 1);
  quantiles.forEach(({ value, share }, i) => {
    const expected = quantileOf(distribution, (i + 1) / cuts);
    expect(Object.is(value, expected), `${value} is the quantile ${i + 1} of ${cuts}, ${expected}`).toBe(true);
    expect(share).toBe(sketch.count === 0 ? 0 : shareBelow(distribution, expected, true));
  });
}

const random = seededRandom(14);
const draws: Record<string, (window: number) => number> = {
  alike: () => normal(random),
  "ever higher": (window) => 0.3 * window + normal(random),
  "elsewhere from the middle on": (window) => (window < 30 ? 0 : 1000) + normal(random),
  "few steps and many values": () => (random() < 0.5 ? Math.floor(5 * random()) : 5 * random()),
  "heavy tails": () => 1 / (1e-6 + random()) - 1 / (1e-6 + random()),
  "one value, with either sign": () => (random() < 0.5 ? -0 : 0),
};

describe("quantiles that are looked for from where they were", () => {
  for (const [name, draw] of Object.entries(draws)) {
    test(`are those of a pool's distribution as windows come and go: ${name}`, () => {
      const windows = Array.from({ length: 60 }, (_, i) =>
        summarizeSketch(sketchOfValues(Array.from({ length: [40, 300, 1500][i % 3]! }, () => draw(i)))),
      );
      for (let end = 1; end <= windows.length; end += end % 7 === 0 ? 3 : 1) {
        const parts = windows.slice(Math.max(0, end - 12), end);
        expectSame(parts, 10);
        // The same once more, and cut otherwise: neither takes the other's for its own.
        expectSame(parts, 10);
        if (end % 4 === 0) expectSame(parts, 3);
        // A spread leaves each out in turn; a decision that was refused is made again from what there was before.
        if (end % 9 === 0 && parts.length > 2) parts.forEach((_, i) => expectSame(parts.toSpliced(i, 1), 10));
        if (end % 5 === 0) expectSame(windows.slice(Math.max(0, end - 13), end - 1), 10);
      }
    });
  }

  test("are the same whichever pool came before", () => {
    const item = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-0, 0));
    const part = fc.array(item, { maxLength: 20 }).map((values) => summarizeSketch(sketchOfValues(values)));
    const pools = fc.array(fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 8, maxLength: 8 }), pools, fc.integer({ min: 2, max: 10 }), (parts, orders, cuts) => {
        // In any order, some left out, some twice.
        for (const order of orders) {
          expectSame(
            order.map((i) => parts[i]!),
            cuts,
          );
        }
      }),
    );
  });

  test("are looked up where a part is no summary, or empty, and of a single sketch", () => {
    const sketches = Array.from({ length: 8 }, () => sketchOfValues(Array.from({ length: 900 }, () => normal(random))));
    const summaries = sketches.map(summarizeSketch);
    expectSame(summaries, 10);
    expectSame([...summaries.slice(1), sketches[0]!], 10);
    expectSame([...summaries.slice(1), summarizeSketch(emptyQuantiles)], 10);
    expectSame([emptyQuantiles], 10);
    const alone = evenQuantiles(sketches[0]!, 4);
    expect(alone.quantiles.map(({ value }) => value)).toEqual([1, 2, 3].map((i) => quantileOf(distributionOf(sketches[0]!), i / 4)));
  });
});
