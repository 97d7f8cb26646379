import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Contract } from "../../src/core/contract.ts";
import type { Batch } from "../../src/core/batch.ts";
import type { Arrival, Profile, WatchedParts } from "../../src/core/profile.ts";
import { allocateRecords } from "../../src/core/records.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { decodeProfile, encodeProfile, mergeProfiles, profileBatch } from "../../src/sketches/index.ts";
import { arrivalSeconds, mergeArrivals } from "../../src/sketches/watched/arrivals.ts";
import { check, planOf } from "../drift/windows.ts";
import type { TestValue } from "./columns.ts";
import { batchOf, columnOf, contractOf, fieldOf, normal, seededRandom } from "./columns.ts";

const code = fieldOf("code", { kind: "string" });
const at = fieldOf("at", { kind: "timestamp", zoned: true, unit: "micros" });
const x = fieldOf("x", { kind: "double" });
const y = fieldOf("y", { kind: "long" });
const fields = [code, at, x, y];
const contract: Contract = contractOf(
  fields,
  planOf([check("code", ["pattern-mix"]), check("at", ["event-lag", "volume"]), { ...check("x", ["correlation"]), with: ["y"] }]),
);

interface Row {
  readonly code: TestValue;
  readonly atMs: number | null;
  readonly x: TestValue;
  readonly y: TestValue;
  /** When its record came. */
  readonly cameMs: number;
}

function batchWith(rows: readonly Row[]): Batch {
  const records = allocateRecords(rows.length, new Uint8Array(0), []);
  rows.forEach(({ cameMs }, row) => (records.timestamps[row] = BigInt(cameMs)));
  const columns = [
    columnOf(
      code,
      rows.map((row) => row.code),
    ),
    columnOf(
      at,
      rows.map(({ atMs }) => (atMs === null ? null : BigInt(atMs) * 1000n)),
    ),
    columnOf(
      x,
      rows.map((row) => row.x),
    ),
    columnOf(
      y,
      rows.map((row) => row.y),
    ),
  ];
  return { ...batchOf(columns), records };
}

const profileOf = (rows: readonly Row[]): Profile => profileBatch(contract, batchWith(rows), null);
const watchedOf = (rows: readonly Row[], path: string): WatchedParts => profileOf(rows).columns.get(path)?.watched ?? {};
const row = (change: Partial<Row>): Row => ({ code: "AB-1", atMs: 0, x: 1, y: 1, cameMs: 1000, ...change });

function manyRows(count: number, seed: number): Row[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const value = normal(random);
    return row({
      code: random() < 0.05 ? null : `N${Math.floor(10 ** (1 + Math.floor(4 * random())) * random())}`,
      atMs: random() < 0.1 ? null : 1000 * i,
      x: random() < 0.1 ? null : value,
      y: BigInt(Math.round(10 * value + 5 * normal(random))),
      cameMs: 1000 * i + Math.floor(5000 * random()),
    });
  });
}

describe("patterns", () => {
  test("classes of characters, whatever their bytes", () => {
    const told = (text: string): string | undefined => watchedOf([row({ code: text })], "code").patterns?.entries[0]?.value;
    expect(told("Ab-12 x")).toBe("Aa-99 a");
    expect(told("Zürich 8001")).toBe("Aéaaaa 9999");
    expect(told("日本😀")).toBe("ééé");
    expect(told("a\tb")).toBe("a¿a");
    expect(told("")).toBe("");
    expect(told("x".repeat(64))).toBe("a".repeat(64));
    expect(told("x".repeat(65))).toBe(`${"a".repeat(64)}·`);
    expect(told("x".repeat(500))).toBe(`${"a".repeat(64)}·`);
  });

  test("are counted exactly while they are few, and within the stated error when they are many", () => {
    const random = seededRandom(3);
    const texts = Array.from({ length: 20_000 }, (_, i) =>
      i % 4 === 0 ? "AB12" : Array.from({ length: 14 }, () => "a9- _"[Math.floor(5 * random())]).join(""),
    );
    const { patterns } = watchedOf(
      texts.map((text) => row({ code: text })),
      "code",
    );
    const frequent = patterns?.entries.find(({ value }) => value === "AA99");
    expect(patterns?.total).toBe(20_000);
    expect(patterns?.error).toBeGreaterThan(0);
    expect(patterns?.entries.length).toBeLessThanOrEqual(128);
    expect(frequent?.count).toBeLessThanOrEqual(5000);
    expect((frequent?.count ?? 0) + (patterns?.error ?? 0)).toBeGreaterThanOrEqual(5000);
  });
});

describe("lags, arrivals and joint moments", () => {
  test("a lag is the record's time less the column's; neither is counted where one is missing", () => {
    const { lag } = watchedOf(
      [row({ atMs: 1000, cameMs: 3500 }), row({ atMs: null }), row({ atMs: 0, cameMs: -1 }), row({ atMs: 5000, cameMs: 4000 })],
      "at",
    );
    expect(lag?.moments).toMatchObject({ count: 2, min: -1, max: 2.5, mean: 0.75 });
  });

  test("arrivals are merged where they touch, and a gap between windows is no time in which values came", () => {
    const first = { values: 10, spansMs: [0, 5000] };
    expect(mergeArrivals(first, { values: 5, spansMs: [4000, 9000] })).toEqual({ values: 15, spansMs: [0, 9000] });
    const apart = mergeArrivals(first, { values: 5, spansMs: [60_000, 70_000] });
    expect(apart).toEqual({ values: 15, spansMs: [0, 5000, 60_000, 70_000] });
    expect(arrivalSeconds(apart)).toBe(15);
    let many: Arrival = first;
    for (let i = 1; i < 200; i++) many = mergeArrivals(many, { values: 1, spansMs: [i * 100_000, i * 100_000 + 1000 * (i % 7)] });
    expect(many.values).toBe(209);
    expect(many.spansMs.length).toBe(128);
    expect([...many.spansMs].toSorted((a, b) => a - b)).toEqual(many.spansMs);
  });

  test("merging is commutative and associative, but for what more than 64 spans lose", () => {
    const span = fc.tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 500 }), fc.nat(100));
    const arrival = span.map(([from, length, values]) => ({ values, spansMs: [from, from + length] }));
    fc.assert(
      fc.property(arrival, arrival, arrival, (a, b, c) => {
        expect(mergeArrivals(a, b)).toEqual(mergeArrivals(b, a));
        expect(mergeArrivals(mergeArrivals(a, b), c)).toEqual(mergeArrivals(a, mergeArrivals(b, c)));
      }),
    );
  });

  test("joint moments take the rows in which every column has a finite number", () => {
    const rows = [row({ x: 1, y: 10 }), row({ x: 3, y: 30 }), row({ x: null, y: 7 }), row({ x: Infinity, y: 7 }), row({ x: NaN, y: 7 })];
    expect(watchedOf(rows, "x").joint).toEqual({ columns: ["x", "y"], count: 2, means: [2, 20], products: [2, 20, 200] });
  });
});

test("merge(profile(A), profile(B)) is profile(A u B)", () => {
  const [a, b] = [manyRows(400, 1), manyRows(700, 2)];
  const [merged, whole] = [mergeProfiles(profileOf(a), profileOf(b)), profileOf([...a, ...b])];
  const part = (profile: Profile, path: string): WatchedParts => profile.columns.get(path)!.watched!;
  expect(part(merged, "code").patterns).toEqual(part(whole, "code").patterns);
  expect(part(merged, "at").arrival).toEqual(part(whole, "at").arrival);
  const [lag, lagOfAll] = [part(merged, "at").lag!, part(whole, "at").lag!];
  expect(lag.quantiles.count).toBe(lagOfAll.quantiles.count);
  expect(lag.moments.mean).toBeCloseTo(lagOfAll.moments.mean, 10);
  const [joint, jointOfAll] = [part(merged, "x").joint!, part(whole, "x").joint!];
  expect(joint.count).toBe(jointOfAll.count);
  [...joint.means, ...joint.products].forEach((value, i) => {
    const exact = [...jointOfAll.means, ...jointOfAll.products][i]!;
    expect(Math.abs(value - exact)).toBeLessThan(1e-10 * Math.max(1, Math.abs(exact)));
  });
  expect(mergeProfiles(profileOf([]), profileOf(a))).toEqual(profileOf(a));
});

test("bytes: what is written is read again, and damage is refused or read as something else, never thrown", () => {
  const bytes = encodeProfile(profileOf(manyRows(900, 4)));
  expect(encodeProfile(decodeProfile(bytes))).toEqual(bytes);
  expect(decodeProfile(bytes).columns.get("x")?.watched?.joint?.columns).toEqual(["x", "y"]);
  for (const end of [bytes.length - 9, bytes.length - 40, bytes.length - 200]) {
    expect(() => decodeProfile(bytes.subarray(0, end))).toThrow(SluiceError);
  }
});
