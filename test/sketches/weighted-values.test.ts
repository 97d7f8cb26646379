import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { QuantileSketch } from "../../src/core/profile.ts";
import { addSorted, distributionOf, emptyStack, quantileK, shareBelow, sketchOf } from "../../src/sketches/quantiles.ts";
import type { WeightedValues } from "../../src/sketches/weighted-values.ts";
import { exchangeWeighted, mergeWeighted, noWeighted, summarizeSketch, weightedOf } from "../../src/sketches/weighted-values.ts";
import { normal, seededRandom } from "./columns.ts";

function sketchOfValues(values: Float64Array): QuantileSketch {
  const stack = emptyStack();
  addSorted(stack, 0, values.toSorted());
  return sketchOf(stack);
}

function weightedFrom(counts: ReadonlyMap<number, number>): WeightedValues {
  const ascending = [...counts].toSorted(([a], [b]) => a - b);
  return { values: Float64Array.from(ascending, ([value]) => value), counts: Float64Array.from(ascending, ([, count]) => count) };
}

function plain({ values, counts }: WeightedValues): [number, number][] {
  return Array.from(values, (value, i) => [value, counts[i]!]);
}

const someWeighted = fc
  .array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 1, max: 2 ** 40 })))
  .map((pairs) => weightedFrom(new Map(pairs)));

describe("weighted values", () => {
  test("come and go without a trace: what is left is what never went, in whatever order", () => {
    fc.assert(
      fc.property(fc.array(someWeighted, { minLength: 1, maxLength: 8 }), someWeighted, fc.nat(), (parts, entering, pick) => {
        const leaving = parts[pick % parts.length]!;
        const stay = parts.toSpliced(pick % parts.length, 1);
        const sums = new Map<number, number>();
        for (const part of [...stay, entering]) for (const [value, count] of plain(part)) sums.set(value, (sums.get(value) ?? 0) + count);
        const expected = plain(weightedFrom(sums));
        expect(plain(exchangeWeighted(mergeWeighted(parts), leaving, entering))).toEqual(expected);
        expect(plain(mergeWeighted([entering, ...stay.toReversed()]))).toEqual(expected);
      }),
    );
  });

  test("of a sketch are its items, with what they stand for on all levels", () => {
    const levels = [Float64Array.of(-0, 1, 5), Float64Array.of(0, 5, 7), Float64Array.of(), Float64Array.of(1)];
    const weighted = weightedOf({ kind: "quantiles", count: 17, levels, compactions: 0 });
    expect(plain(weighted)).toEqual([
      [0, 3],
      [1, 9],
      [5, 3],
      [7, 2],
    ]);
    expect(Object.is(weighted.values[0], 0)).toBe(true);
  });
});

describe("a sketch's summary", () => {
  test("has every value while they are few, and stands for the same sketch", () => {
    const random = seededRandom(3);
    const values = Float64Array.from({ length: 20_000 }, () => Math.floor(100 * random() ** 2));
    const sketch = sketchOfValues(values);
    const summary = summarizeSketch(sketch);
    expect([summary.count, summary.compactions]).toEqual([20_000, 0]);
    expect(distributionOf(summary)).toEqual(distributionOf(sketch));
    const again = { kind: "quantiles" as const, count: summary.count, levels: summary.levels, compactions: 0 };
    expect(plain(weightedOf(again))).toEqual(plain(weightedOf(sketch)));
  });

  const shapes: Record<string, (random: () => number) => number> = {
    normal: (random) => normal(random),
    "heavy tails": (random) => 1 / (1e-6 + random()) - 1 / (1e-6 + random()),
    "a third of zeros": (random) => (random() < 1 / 3 ? 0 : normal(random)),
    "few steps and many values": (random) => (random() < 0.5 ? Math.floor(5 * random()) : 5 * random()),
  };
  for (const [name, draw] of Object.entries(shapes)) {
    test(`of many values keeps 192, the ends as they are, and no share moves by more than 1/256: ${name}`, () => {
      const random = seededRandom(17);
      let square = 0;
      let places = 0;
      for (let round = 0; round < 20; round++) {
        const sketch = sketchOfValues(Float64Array.from({ length: 30_000 }, () => draw(random)));
        const summary = summarizeSketch(sketch);
        const [whole, short] = [weightedOf(sketch), summary.weighted];
        expect(whole.values.length).toBeGreaterThan(quantileK);
        expect(short.values.length).toBeLessThanOrEqual(192);
        // No view of a longer buffer, which would stay in memory.
        expect(short.values.buffer.byteLength).toBe(8 * short.values.length);
        expect([summary.count, short.counts.reduce((sum, count) => sum + count)]).toEqual([30_000, 30_000]);
        expect(plain(short).slice(0, 32)).toEqual(plain(whole).slice(0, 32));
        expect(plain(short).slice(-32)).toEqual(plain(whole).slice(-32));
        const [before, now] = [distributionOf(sketch), distributionOf(summary)];
        for (const value of before.values) {
          const error = shareBelow(now, value, true) - shareBelow(before, value, true);
          expect(Math.abs(error)).toBeLessThanOrEqual(1 / 256 + 1e-9);
          square += error ** 2;
          places++;
        }
      }
      expect(Math.sqrt(square / places)).toBeLessThan(1.05 / 443);
      expect(summarizeSketch(sketchOfValues(new Float64Array(0))).weighted).toEqual(noWeighted);
    });
  }
});
