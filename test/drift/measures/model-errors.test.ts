import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Column } from "../../../src/core/column.ts";
import type { ColumnProfile } from "../../../src/core/profile.ts";
import { chanceEnergy } from "../../../src/drift/drift-limit.ts";
import type { DriftMeasure, DriftTest } from "../../../src/drift/drift-test.ts";
import { errorRate, meanAbsoluteError } from "../../../src/drift/measures/model-errors.ts";
import type { LeafColumn } from "../../../src/sketches/leaf-columns.ts";
import { mergeColumns } from "../../../src/sketches/merge-profiles.ts";
import { errorColumn, ModelErrors } from "../../../src/sketches/watched/model-errors.ts";
import type { TestValue } from "../../sketches/columns.ts";
import { columnOf, fieldOf, normal, seededRandom } from "../../sketches/columns.ts";

const errors = errorColumn("guess~truth");
const leaf = (column: Column): LeafColumn => column as LeafColumn;

function profileErrors(
  kind: "string" | "long" | "double" | "boolean",
  task: "classification" | "regression",
  pairs: readonly (readonly [TestValue, TestValue])[],
): ColumnProfile {
  const found = new ModelErrors("guess~truth", task);
  const columns = [0, 1].map((side) =>
    leaf(
      columnOf(
        fieldOf(side === 0 ? "guess" : "truth", { kind }),
        pairs.map((pair) => pair[side]),
      ),
    ),
  );
  found.add(columns[0]!, columns[1]!, Uint32Array.from(pairs.keys()));
  return found.finish();
}

function measure(test: DriftTest, before: ColumnProfile, now: ColumnProfile, field = errors): DriftMeasure {
  const measured = test.measure(before, now, field);
  if ("skipped" in measured) throw new Error(measured.skipped);
  return measured;
}

/** As many rights and wrongs as said. */
const rights = (count: number, wrong: number): ColumnProfile =>
  profileErrors(
    "string",
    "classification",
    Array.from({ length: count }, (_, i) => ["cat", i < wrong ? "dog" : "cat"]),
  );

describe("a model's errors", () => {
  it("are counted where a record has prediction and label", () => {
    const value = fc.option(fc.constantFrom("a", "b", "bb"), { nil: null });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value)), (pairs) => {
        const both = pairs.filter(([a, b]) => a !== null && b !== null);
        const wrong = both.filter(([a, b]) => a !== b).length;
        const { count, missing, moments } = profileErrors("string", "classification", pairs);
        expect([count, missing, moments?.count]).toEqual([pairs.length, pairs.length - both.length, both.length]);
        expect(moments!.mean * moments!.count).toBeCloseTo(wrong, 9);
      }),
    );
    expect(
      profileErrors("boolean", "classification", [
        [true, false],
        [true, true],
      ]).moments?.mean,
    ).toBe(0.5);
    // Two longs that are one double.
    expect(profileErrors("long", "classification", [[9007199254740993n, 9007199254740992n]]).moments?.mean).toBe(1);
    const apart = profileErrors("double", "regression", [
      [1, 3],
      [5, 4],
      [null, 1],
      [NaN, 2],
      [Infinity, 1],
    ]);
    expect([apart.moments?.count, apart.moments?.mean, apart.missing]).toEqual([2, 1.5, 3]);
  });

  it("add up, window by window", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1 }),
        fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1 }),
        (x, y) => {
          const of = (pairs: readonly (readonly [number, number])[]) => profileErrors("long", "regression", pairs);
          const [whole, merged] = [of([...x, ...y]), mergeColumns(of(x), of(y))];
          expect(merged.count).toBe(whole.count);
          expect(merged.moments!.mean).toBeCloseTo(whole.moments!.mean, 9);
          expect(merged.moments!.m2).toBeCloseTo(whole.moments!.m2, 6);
        },
      ),
    );
  });

  it("are measured as the change of the error rate, or of the mean absolute error", () => {
    const worse = measure(errorRate, rights(1000, 100), rights(500, 90));
    expect(worse.statistic).toBeCloseTo(0.08, 12);
    expect(worse.explain()).toBe("the error rate rose from 10.0% to 18.0%, of 500 records that have both");
    expect(worse.energy).toBeGreaterThan(chanceEnergy(worse, 1e-4));
    const sizes = (each: number) =>
      profileErrors(
        "double",
        "regression",
        Array.from({ length: 400 }, (_, i) => [i % 2 === 0 ? each : -2 * each, 0]),
      );
    const larger = measure(meanAbsoluteError, sizes(2), sizes(4));
    expect(larger.statistic).toBeCloseTo(Math.LN2, 12);
    expect(larger.explain()).toBe("the mean absolute error rose from 3 to 6, of 400 records that have both");
    expect(measure(meanAbsoluteError, sizes(4), sizes(2)).explain()).toMatch(/ fell from 6 to 3,/);
    const secret = { ...errors, classification: "restricted" };
    expect(measure(errorRate, rights(100, 1), rights(100, 50), secret).explain()).not.toMatch(/\d/);
    expect(measure(meanAbsoluteError, sizes(2), sizes(4), secret).explain()).not.toMatch(/\d/);
  });

  it("that are few, of another kind, or none at all are not judged", () => {
    expect(errorRate.measure(rights(1000, 1), rights(29, 1), errors)).toEqual({
      skipped: "29 values are too few to compare; 30 are needed",
    });
    expect(meanAbsoluteError.measure(rights(100, 0), rights(100, 1), errors)).toHaveProperty("skipped");
    expect(measure(errorRate, rights(100, 0), rights(100, 0))).toMatchObject({ statistic: 0 });
  });

  it("of a model that stays as it is exceed their chance about as often as it says", () => {
    const random = seededRandom(8);
    const guesses = (count: number) =>
      profileErrors(
        "double",
        "regression",
        Array.from({ length: count }, () => [normal(random), normal(random)]),
      );
    const wrongs = (count: number) => rights(count, Array.from({ length: count }, () => random()).filter((each) => each < 0.2).length);
    const rounds = 300;
    let [far, wrong] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      const sizes = measure(meanAbsoluteError, guesses(400), guesses(200));
      const rates = measure(errorRate, wrongs(400), wrongs(200));
      if (sizes.energy > chanceEnergy(sizes, 0.05)) far++;
      if (rates.energy > chanceEnergy(rates, 0.05)) wrong++;
    }
    for (const count of [far, wrong]) {
      expect(count).toBeGreaterThan(0.01 * rounds);
      expect(count).toBeLessThan(0.1 * rounds);
    }
  });
});
