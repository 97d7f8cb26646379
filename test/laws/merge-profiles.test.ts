import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ColumnProfile, Profile } from "../../src/core/profile.ts";
import type { FieldType } from "../../src/core/schema.ts";
import { countDistinct } from "../../src/sketches/summarize-profile.ts";
import { decodeProfile, emptyProfile, encodeProfile, mergeProfiles, profileBatch, summarizeProfile } from "../../src/sketches/index.ts";
import { distributionOf, rankErrorMax, shareBelow } from "../../src/sketches/quantiles.ts";
import type { TestValue } from "../sketches/columns.ts";
import { batchOf, columnOf, contractOf, fieldOf } from "../sketches/columns.ts";

/** One arbitrary of values for every type of leaf that a column can have; the compiler misses a new one here. */
const leaves: Record<Exclude<FieldType["kind"], "struct" | "list" | "map">, { type: FieldType; values: fc.Arbitrary<TestValue> }> = {
  boolean: { type: { kind: "boolean" }, values: fc.boolean() },
  int: { type: { kind: "int" }, values: fc.integer() },
  long: {
    type: { kind: "long" },
    values: fc.oneof(fc.integer({ min: -5, max: 5 }).map(BigInt), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  },
  float: { type: { kind: "float" }, values: fc.float() },
  double: { type: { kind: "double" }, values: fc.oneof(fc.double(), fc.constantFrom(-0, 0, NaN, Infinity, -Infinity, 1e308, -1e308)) },
  decimal: { type: { kind: "decimal", precision: 38, scale: 4 }, values: fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }) },
  date: { type: { kind: "date" }, values: fc.integer({ min: -800_000, max: 3_000_000 }) },
  time: { type: { kind: "time" }, values: fc.integer({ min: 0, max: 86_399_999 }).map((ms) => ms * 1000) },
  timestamp: { type: { kind: "timestamp", zoned: true, unit: "micros" }, values: fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }) },
  string: {
    type: { kind: "string" },
    values: fc.oneof(fc.string({ unit: "binary", maxLength: 80 }), fc.constantFrom("", "a", "b", "\uffff", "😀")),
  },
  binary: { type: { kind: "binary" }, values: fc.uint8Array({ maxLength: 70 }) },
  uuid: {
    type: { kind: "uuid" },
    values: fc.oneof(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.constantFrom(0, 1, 255).map((byte) => new Uint8Array(16).fill(byte)),
    ),
  },
  json: { type: { kind: "json" }, values: fc.json() },
};

function valuesOf(values: fc.Arbitrary<TestValue>): fc.Arbitrary<TestValue[]> {
  return fc.array(fc.oneof({ weight: 6, arbitrary: values }, fc.constantFrom(null, undefined)), { maxLength: 60 });
}

function profileOf(type: FieldType, values: readonly TestValue[]): Profile {
  const field = fieldOf("c", type);
  return profileBatch(contractOf([field]), batchOf([columnOf(field, values)]), null);
}

function only(profile: Profile): ColumnProfile {
  return profile.columns.get("c") as ColumnProfile;
}

/** What must be equal to the last bit; moments apart. */
function exactPart(profile: Profile): unknown {
  const { moments, lengths, ...rest } = only(profile);
  const counts = (each: typeof moments): unknown => each && { count: each.count, min: each.min, max: each.max };
  return { rows: profile.rows, ...rest, moments: counts(moments), lengths: counts(lengths) };
}

function expectClose(a: ColumnProfile["moments"], b: ColumnProfile["moments"]): void {
  expect(a === null).toBe(b === null);
  if (a === null || b === null || a.count === 0) return;
  const scale = Math.max(Math.abs(a.min), Math.abs(a.max), 1e-300);
  expect(Math.abs(a.mean - b.mean) / scale).toBeLessThan(1e-12);
  if (Number.isFinite(scale * scale * a.count) && Number.isFinite(b.m2))
    expect(Math.abs(a.m2 - b.m2) / (scale * scale * a.count + 1e-300)).toBeLessThan(1e-9);
}

for (const [kind, { type, values }] of Object.entries(leaves)) {
  describe(`profiles of ${kind} columns`, () => {
    test("merge(A, B) is the profile of A and B together; order and grouping do not matter", () => {
      fc.assert(
        fc.property(valuesOf(values), valuesOf(values), valuesOf(values), (a, b, c) => {
          const [pa, pb, pc] = [profileOf(type, a), profileOf(type, b), profileOf(type, c)];
          const together = profileOf(type, [...a, ...b, ...c]);
          const left = mergeProfiles(mergeProfiles(pa, pb), pc);
          const right = mergeProfiles(pa, mergeProfiles(pb, pc));
          for (const merged of [left, right, mergeProfiles(pc, mergeProfiles(pb, pa))]) {
            expect(exactPart(merged)).toEqual(exactPart(together));
            expectClose(only(merged).moments, only(together).moments);
            expectClose(only(merged).lengths, only(together).lengths);
          }
        }),
        { numRuns: 60, seed: 11 },
      );
    });

    test("nothing is neutral, and all-null columns have counts only", () => {
      const empty = emptyProfile(contractOf([fieldOf("c", type)]));
      const nulls = profileOf(type, [null, undefined, null]);
      expect(profileOf(type, [])).toEqual(empty);
      expect(mergeProfiles(empty, nulls)).toEqual(nulls);
      expect(mergeProfiles(nulls, empty)).toEqual(nulls);
      expect(mergeProfiles(empty, empty)).toEqual(empty);
      expect(only(nulls)).toEqual({ ...only(empty), count: 3, nulls: 2, missing: 1 });
      expect(countDistinct(only(nulls))).toBe(0);
      expect(summarizeProfile(nulls, contractOf([fieldOf("c", type)]))[0]).toMatchObject({
        distinct: 0,
        min: null,
        mean: null,
        quantiles: null,
      });
    });

    test("the same rows give the same bytes, and bytes give the profile back", () => {
      fc.assert(
        fc.property(valuesOf(values), (some) => {
          const profile = profileOf(type, some);
          expect(encodeProfile(profileOf(type, some))).toEqual(encodeProfile(profile));
          expect(decodeProfile(encodeProfile(profile))).toEqual(profile);
        }),
        { numRuns: 60, seed: 12 },
      );
    });
  });
}

describe("profiles of many rows", () => {
  test("merged sketches stay within their stated errors", () => {
    const type: FieldType = { kind: "double" };
    const all = Array.from({ length: 40_000 }, (_, i) => ((i * 7919) % 40_009) + 0.5);
    let merged = profileOf(type, []);
    for (let at = 0; at < all.length; at += 3000) merged = mergeProfiles(merged, profileOf(type, all.slice(at, at + 3000)));
    const column = only(merged);
    expect(Math.abs(countDistinct(column) / all.length - 1)).toBeLessThan(0.06);
    const distribution = distributionOf(column.quantiles!);
    for (const share of [0.01, 0.1, 0.5, 0.9, 0.99]) {
      expect(Math.abs(shareBelow(distribution, share * 40_009, true) - share)).toBeLessThan(2 * rankErrorMax);
    }
    expect(column.min).toBe("0.5");
    expect(decodeProfile(encodeProfile(merged))).toEqual(merged);
  });
});
