import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allFields } from "../../../src/core/all-fields.ts";
import type { ColumnProfile, FieldCount, FieldCounts } from "../../../src/core/profile.ts";
import { chanceEnergy } from "../../../src/drift/drift-limit.ts";
import type { DriftMeasure, DriftTest } from "../../../src/drift/drift-test.ts";
import { missingFields, newFields, retypedFields } from "../../../src/drift/measures/field-changes.ts";
import { emptyColumnProfile } from "../../../src/sketches/finish-column.ts";
import { decodeProfile, encodeProfile, mergeProfiles } from "../../../src/sketches/index.ts";
import { fieldsMax, presenceOf } from "../../../src/sketches/watched/field-counts.ts";
import { seededRandom } from "../../sketches/columns.ts";

const numbers = (count: number): number[] => [0, 0, count, 0, 0, 0];
const texts = (count: number, ofNumbers = 0, nulls = 0): number[] => [nulls, 0, ofNumbers, count, 0, 0];

function sampleOf(records: number, fields: Readonly<Record<string, readonly number[]>>, weight = 1): ColumnProfile {
  const counts: FieldCounts = {
    records,
    squares: records * weight,
    fields: Object.entries(fields)
      .map(([path, types]) => ({ path, types }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
  return { ...emptyColumnProfile(allFields), count: records, watched: { fields: counts } };
}

function measure(test: DriftTest, before: ColumnProfile, now: ColumnProfile): DriftMeasure {
  const found = test.measure(before, now, allFields);
  if ("skipped" in found) throw new Error(found.skipped);
  return found;
}

describe("fields that came, went and changed their type", () => {
  const before = sampleOf(1000, { id: numbers(1000), carrier: texts(998), note: texts(40, 0, 10) });

  it("are measured as shares of records, and told in words", () => {
    const now = sampleOf(500, { id: [0, 0, 440, 60, 0, 0], note: texts(20, 0, 480), x: texts(155), y: [0, 0, 0, 0, 10, 0] });
    const found = measure(newFields, before, now);
    expect(found.statistic).toBe(0.31);
    expect(found.explain()).toBe("new field x (a string) in 31.0% of records, new field y (an object) in 2.0% of records");
    const gone = measure(missingFields, before, now);
    expect(gone.statistic).toBe(0.998);
    expect(gone.explain()).toBe("field carrier is in no record any more (was in 99.8%)");
    const retyped = measure(retypedFields, before, now);
    expect(retyped.statistic).toBeCloseTo(0.12, 12);
    expect(retyped.explain()).toBe("field id is a string in 12.0% of the records that have it (was in 0.0%, mostly a number)");
    expect(retyped.statistic).toBeGreaterThan(retypedFields.statisticOf(chanceEnergy(retyped, 1e-6)));
  });

  it("that stayed are no change, and more nulls are none of the type", () => {
    const now = sampleOf(1000, { id: numbers(1000), carrier: texts(500, 0, 500), note: texts(1) });
    for (const test of [newFields, missingFields, retypedFields])
      expect(measure(test, before, now)).toMatchObject({ statistic: 0, energy: 0 });
  });

  it("that one of both has no room for are told only where they are more frequent than what it keeps", () => {
    const wide = (prefix: string, records: number): Record<string, number[]> =>
      Object.fromEntries(Array.from({ length: fieldsMax }, (_, i) => [`${prefix}${i}`, numbers(records)]));
    const [older, newer] = [sampleOf(1000, wide("a", 200)), sampleOf(1000, { ...wide("b", 210), z: numbers(900) })];
    for (const [test, a, b] of [
      [newFields, older, newer],
      [missingFields, newer, older],
    ] as const) {
      const found = measure(test, a, b);
      expect(found.explain()).toMatch(/field z [^,]*90\.0%[^,]*$/u);
      expect(found.statistic).toBeGreaterThan(0.6);
      expect(found.statistic).toBeLessThan(0.7);
    }
    expect(measure(missingFields, older, newer).statistic).toBe(0);
  });

  it("of few records are not judged: of a sample only what was drawn counts", () => {
    const few = sampleOf(29, { id: numbers(29) });
    expect(newFields.measure(before, few, allFields)).toEqual({ skipped: "29 values are too few to compare; 30 are needed" });
    expect(newFields.measure(before, sampleOf(200, { id: numbers(200) }, 8), allFields)).toHaveProperty("skipped");
    expect(retypedFields.measure(before, sampleOf(100, { id: numbers(10) }), allFields)).toHaveProperty("skipped");
  });
});

it("where records are alike, no test exceeds its chance more often than it says", () => {
  const random = seededRandom(5);
  const shares = Array.from({ length: 40 }, (_, i) => 0.5 ** (i / 4));
  const draw = (records: number): ColumnProfile =>
    sampleOf(
      records,
      Object.fromEntries(
        shares.flatMap((share, i) => {
          let [asText, asNumber] = [0, 0];
          for (let n = 0; n < records; n++) {
            if (random() >= share) continue;
            if (random() < 0.3) asNumber++;
            else asText++;
          }
          return asText + asNumber === 0 ? [] : [[`f${String(i).padStart(2, "0")}`, texts(asText, asNumber)] as const];
        }),
      ),
    );
  const rounds = 200;
  const beyond = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const [older, newer] = [draw(800), draw(200)];
    for (const test of [newFields, missingFields, retypedFields]) {
      const found = measure(test, older, newer);
      if (found.energy > chanceEnergy(found, 0.01)) beyond.set(test.name, (beyond.get(test.name) ?? 0) + 1);
    }
  }
  for (const [name, count] of beyond) expect([name, count <= 0.02 * rounds]).toEqual([name, true]);
});

describe("counted fields", () => {
  const counted = fc.dictionary(fc.constantFrom("a", "b", "c.d", "e[]"), fc.array(fc.nat(5), { minLength: 6, maxLength: 6 }), {
    minKeys: 1,
  });
  const profileOf = (fields: Readonly<Record<string, readonly number[]>>) => ({
    rows: 100,
    columns: new Map([["*", sampleOf(100, fields)]]),
  });
  const fieldsIn = (profile: ReturnType<typeof profileOf>): readonly FieldCount[] => profile.columns.get("*")!.watched!.fields!.fields;

  it("add up in any order, and survive their bytes", () => {
    fc.assert(
      fc.property(counted, counted, counted, (x, y, z) => {
        const [a, b, c] = [profileOf(x), profileOf(y), profileOf(z)];
        const left = mergeProfiles(mergeProfiles(a, b), c) as ReturnType<typeof profileOf>;
        expect(mergeProfiles(a, mergeProfiles(b, c))).toEqual(left);
        expect(mergeProfiles(mergeProfiles(c, b), a)).toEqual(left);
        for (const { path, types } of fieldsIn(left)) {
          expect(types).toEqual([0, 1, 2, 3, 4, 5].map((i) => [x, y, z].reduce((sum, each) => sum + (each[path]?.[i] ?? 0), 0)));
        }
        expect(decodeProfile(encodeProfile(left))).toEqual(left);
      }),
    );
  });

  it("are bounded: the rarest go first", () => {
    const many = (from: number, count: number, each: number) =>
      profileOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${from + i}`, numbers(each)])));
    const merged = mergeProfiles(many(0, 800, 3), many(400, 800, 2)) as ReturnType<typeof profileOf>;
    const fields = fieldsIn(merged);
    expect(fields).toHaveLength(fieldsMax);
    expect(fields.filter((field) => presenceOf(field) === 5)).toHaveLength(400);
    expect(fields.filter((field) => presenceOf(field) === 3)).toHaveLength(400);
  });

  it("that contradict themselves are no profile", () => {
    const bytes = encodeProfile(profileOf({ a: numbers(101) }));
    expect(() => decodeProfile(bytes)).toThrow("its fields contradict themselves");
  });
});
