import { describe, expect, test } from "vitest";
import { chanceEnergy } from "../../src/drift/drift-limit.ts";
import { driftTests } from "../../src/drift/drift-tests.ts";
import { driftTestNames } from "../../src/core/drift.ts";
import type { Field, FieldType } from "../../src/core/schema.ts";
import { profileBatch } from "../../src/sketches/index.ts";
import type { TestValue } from "../sketches/columns.ts";
import { batchOf, columnOf, contractOf, fieldOf, normal, seededRandom } from "../sketches/columns.ts";

const kinds: readonly {
  readonly type: FieldType;
  readonly value: (random: () => number) => TestValue;
  readonly shifted: (random: () => number) => TestValue;
}[] = [
  { type: { kind: "boolean" }, value: (random) => random() < 0.2, shifted: (random) => random() < 0.6 },
  { type: { kind: "double" }, value: normal, shifted: (random) => normal(random) + 1 },
  { type: { kind: "long" }, value: (random) => Math.floor(50 * random()), shifted: (random) => Math.floor(80 * random()) },
  { type: { kind: "date" }, value: (random) => Math.floor(50 * random()), shifted: (random) => 30 + Math.floor(50 * random()) },
  {
    type: { kind: "string" },
    value: (random) => "abcd"[Math.floor(4 * random() ** 2)]!,
    shifted: (random) => "abcd"[Math.floor(4 * random())]!,
  },
  { type: { kind: "binary" }, value: (random) => Uint8Array.of(255 * random()), shifted: () => Uint8Array.of(1) },
  { type: { kind: "json" }, value: () => "{}", shifted: () => "[]" },
];

function column(field: Field, values: readonly TestValue[]) {
  return profileBatch(contractOf([field]), batchOf([columnOf(field, values)]), null).columns.get(field.path)!;
}

function many(value: (random: () => number) => TestValue, seed: number, size = 1500): TestValue[] {
  const random = seededRandom(seed);
  return Array.from({ length: size }, () => value(random));
}

test("the registry holds one test of every name that contracts can use", () => {
  expect(driftTests.map((each) => each.name)).toEqual([...driftTestNames]);
});

for (const each of driftTests) {
  describe(`drift test ${each.name}`, () => {
    for (const { type, value, shifted } of kinds) {
      const field = fieldOf("c", type, type.kind === "date" ? "restricted" : null);
      const base = column(field, many(value, 1));

      test(`${type.kind}: equal samples measure nearly 0, the measure is deterministic, finite and no NaN`, () => {
        const measure = each.measure(base, base, field);
        if ("skipped" in measure) return expect(measure.skipped).not.toBe("");
        expect(measure.statistic).toBeLessThan(1e-3);
        const other = column(field, many(shifted, 2));
        const [first, second] = [each.measure(base, other, field), each.measure(base, other, field)];
        if ("skipped" in first || "skipped" in second) throw new Error("skipped");
        expect(first.statistic).toBe(second.statistic);
        expect(first.explain()).toBe(second.explain());
        for (const number of [first.statistic, first.energy, first.expected, first.freedom]) expect(Number.isFinite(number)).toBe(true);
        expect(each.statisticOf(each.energyOf(first.statistic))).toBeCloseTo(first.statistic, 12);
        expect(each.energyOf(first.statistic)).toBeCloseTo(first.energy, 12);
        expect(chanceEnergy(first, 1e-6)).toBeGreaterThan(chanceEnergy(first, 1e-3));
      });

      test(`${type.kind}: empty, all-null, tiny and NaN-only samples are skipped or finite, never thrown`, () => {
        const odd: TestValue[][] = [[], [null, undefined, null], Array.from({ length: 500 }, () => null), [many(value, 3)[0]]];
        if (type.kind === "double") odd.push(Array.from({ length: 500 }, () => NaN));
        for (const values of odd) {
          for (const measure of [each.measure(base, column(field, values), field), each.measure(column(field, values), base, field)]) {
            if ("skipped" in measure) expect(measure.skipped).not.toBe("");
            else expect(Number.isFinite(measure.statistic)).toBe(true);
          }
        }
      });

      test(`${type.kind}: a classified column's explanation has no figures`, () => {
        const masked = { ...field, classification: "restricted" };
        const measure = each.measure(base, column(field, [...many(shifted, 4), ...Array.from({ length: 700 }, () => null)]), masked);
        if (!("skipped" in measure)) expect(measure.explain()).not.toMatch(/\d/);
      });
    }
  });
}
