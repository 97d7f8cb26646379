import { describe, expect, test } from "vitest";
import { driftTestNames, fieldTestNames, modelTestNames } from "../../../src/core/drift.ts";
import { driftTestKinds } from "../../../src/core/drift-test-kinds.ts";
import type { DriftTest } from "../../../src/drift/drift-test.ts";
import { driftTests } from "../../../src/drift/drift-tests.ts";
import { distinctCount } from "../../../src/drift/measures/distinct-count.ts";
import { length } from "../../../src/drift/measures/length.ts";
import { mean } from "../../../src/drift/measures/means.ts";
import { newValues } from "../../../src/drift/measures/new-values.ts";
import { pearson } from "../../../src/drift/measures/pearson.ts";
import { range } from "../../../src/drift/measures/range.ts";
import { spread } from "../../../src/drift/measures/spread.ts";
import { vanishedValues } from "../../../src/drift/measures/vanished-values.ts";
import { wasserstein } from "../../../src/drift/measures/wasserstein.ts";
import { normal, seededRandom } from "../../sketches/columns.ts";
import { measureOf, number, ofType, profileColumn, repeated, text } from "./columns.ts";

function draws(count: number, seed: number, value: (random: () => number) => number = normal): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => value(random));
}

/** The default floor separates what a person calls a change from what nobody would. */
function floorBetween(each: DriftTest, small: number, large: number): void {
  expect(small).toBeLessThan(each.limitDefault);
  expect(large).toBeGreaterThan(each.limitDefault);
}

describe("texts and other categories", () => {
  const before = repeated({ UA: 500, AA: 400, WN: 100 });

  test("chi-squared: Cohen's w of a share that doubles", () => {
    const found = measureOf(pearson, text, before, repeated({ UA: 450, AA: 350, WN: 200 }));
    // (1000 50^2/475/1000 ...) by hand: sum of (q - p)^2 / pooled.
    expect(found.statistic ** 2).toBeCloseTo(0.05 ** 2 / 0.475 + 0.05 ** 2 / 0.375 + 0.1 ** 2 / 0.15, 3);
    expect(found.freedom).toBe(2);
    expect(found.explain()).toMatch(/^share of WN rose from 10\.\d% to 20\.0%, of /);
  });

  test("new values are named with their shares, vanished ones with those that they had", () => {
    const now = repeated({ UA: 500, AA: 440, ZZ: 50, YY: 8, XX: 1, "": 1 });
    const found = measureOf(newValues, text, before, now);
    expect(found.statistic).toBeCloseTo(0.06, 12);
    expect(found.explain()).toBe("new values: ZZ (5.0% of values), YY (0.80%), empty text (0.10%) and 1 other".replace(" of values", ""));
    const gone = measureOf(vanishedValues, text, before, now);
    expect(gone.statistic).toBeCloseTo(0.1, 12);
    expect(gone.explain()).toBe("vanished values: WN (10.0% before)");
    expect(measureOf(newValues, text, before, before).statistic).toBe(0);
    expect(measureOf(vanishedValues, text, before, before).statistic).toBe(0);
  });

  test("new values of a column with more values than are counted: only what is surely new counts", () => {
    const random = seededRandom(5);
    const ids = (count: number): string[] => Array.from({ length: count }, () => `id${Math.floor(1e9 * random())}`);
    expect(measureOf(newValues, text, ids(5000), ids(1000)).statistic).toBe(0);
    const found = measureOf(newValues, text, ids(5000), [...ids(900), ...repeated({ unknown: 100 })]);
    expect(found.statistic).toBeGreaterThan(0.03);
    expect(found.statistic).toBeLessThanOrEqual(0.1);
    expect(found.explain()).toMatch(/^new values: unknown \((9|10)\.\d%\)$/);
  });

  test("a sentinel among numbers that are all different is a new value", () => {
    const now = [...draws(850, 2), ...Array.from({ length: 150 }, () => -999)];
    const found = measureOf(newValues, number, draws(4000, 1), now);
    expect(found.statistic).toBeGreaterThan(newValues.limitDefault);
    expect(found.explain()).toMatch(/^new values: -999 /);
  });

  test("distinct values are compared with those of as many records", () => {
    const random = seededRandom(7);
    const among = (values: number, count: number): string[] => Array.from({ length: count }, () => `v${Math.floor(values * random())}`);
    const same = measureOf(distinctCount, text, among(200, 4000), among(200, 150)).statistic;
    const other = measureOf(distinctCount, text, among(200, 4000), among(90, 150));
    floorBetween(distinctCount, same, other.statistic);
    expect(other.explain()).toMatch(/^fewer distinct values than so many records had: \d+ instead of about 10\d$/);
    const ids = (count: number): string[] => Array.from({ length: count }, () => `id${Math.floor(1e9 * random())}`);
    expect(measureOf(distinctCount, text, ids(20_000), ids(2000)).statistic).toBeLessThan(0.1);
    const repeats = ids(1000);
    const doubled = measureOf(distinctCount, text, ids(20_000), [...repeats, ...repeats]);
    expect(doubled.statistic).toBeCloseTo(Math.LN2, 0);
    expect(doubled.explain()).toMatch(/^fewer distinct values/);
    expect(measureOf(distinctCount, text, [...repeats, ...repeats], ids(20_000)).explain()).toMatch(/^more distinct values/);
  });

  test("lengths: codes of one length need no deviation", () => {
    const found = measureOf(length, text, repeated({ AB: 300, CD: 200 }), repeated({ AB: 300, CDEF: 200 }));
    expect(found.statistic).toBeCloseTo(0.8 / 0.5, 12);
    expect(found.explain()).toBe("the mean length rose from 2.0 (2 to 2) to 2.8 (2 to 4) characters");
    const binary = ofType({ kind: "binary" });
    const bytes = (size: number): Uint8Array[] => Array.from({ length: 100 }, () => new Uint8Array(size));
    expect(measureOf(length, binary, bytes(4), bytes(3)).explain()).toBe("the mean length fell from 4.0 (4 to 4) to 3.0 (3 to 3) bytes");
  });
});

describe("numbers and times", () => {
  test("means, in standard deviations", () => {
    const before = draws(4000, 1, (random) => 10 + 5 * normal(random));
    const moved = (by: number) =>
      measureOf(
        mean,
        number,
        before,
        draws(1000, 2, (random) => 10 + by + 5 * normal(random)),
      );
    floorBetween(mean, moved(0.25).statistic, moved(1.5).statistic);
    expect(moved(10).explain()).toMatch(/^the mean rose from (9\.9|10\.)\d* to (19\.|20\.)\d*; the median went from /);
  });

  test("standard deviations, by their ratio", () => {
    const before = draws(4000, 1);
    const wide = (scale: number) =>
      measureOf(
        spread,
        number,
        before,
        draws(1000, 2, (random) => scale * normal(random)),
      );
    floorBetween(spread, wide(1.1).statistic, wide(1.5).statistic);
    expect(wide(2).explain()).toMatch(/^the standard deviation rose from 0\.99\d* to 2\.0\d*$/);
    expect(wide(0.5).explain()).toMatch(/fell/);
    const days = ofType({ kind: "date" });
    const spans = (size: number): bigint[] => Array.from({ length: 200 }, (_, i) => BigInt(i % size));
    expect(measureOf(spread, days, spans(10), spans(40)).explain()).toMatch(/seconds$/);
  });

  test("values beyond the baseline's range, on either side", () => {
    const before = draws(4000, 1, (random) => 100 * random());
    const inside = draws(500, 2, (random) => 100 * random());
    floorBetween(range, measureOf(range, number, before, inside).statistic, measureOf(range, number, before, [...inside, 900]).statistic);
    expect(measureOf(range, number, before, [...inside, 900]).explain()).toMatch(/^the greatest value rose from (99|100)(\.\d+)? to 900$/);
    expect(measureOf(range, number, before, [...inside, -50]).explain()).toMatch(/^the least value fell from 0?\.?\d+(\.\d+)? to -50$/);
    expect(measureOf(range, number, before, inside.slice(0, 40)).statistic).toBe(0);
  });

  test("values that move by half a standard deviation move by half a Wasserstein distance; outliers alone do not", () => {
    const before = draws(4000, 1);
    const found = measureOf(
      wasserstein,
      number,
      before,
      draws(4000, 2, (random) => normal(random) + 0.5),
    );
    expect(Math.abs(found.statistic - 0.5)).toBeLessThan(0.08);
    expect(found.explain()).toMatch(/^values moved by 0\.\d+ of the baseline's standard deviations on average; .+ went from/);
    const outliers = measureOf(wasserstein, number, before, [...draws(3990, 2), ...Array.from({ length: 10 }, () => 1e9)]);
    expect(outliers.statistic).toBeLessThan(0.1);
  });

  test("equal or immeasurable values are skipped with a reason", () => {
    const five = Array.from({ length: 100 }, () => 5);
    const huge = draws(100, 1, (random) => 1e300 * normal(random));
    for (const each of [mean, spread, range, wasserstein]) {
      expect(each.measure(profileColumn(number, five), profileColumn(number, draws(100, 3)), number)).toHaveProperty("skipped");
    }
    for (const each of [mean, spread]) {
      expect(each.measure(profileColumn(number, huge), profileColumn(number, huge), number)).toHaveProperty("skipped");
    }
  });
});

/** Tests that need what the profiler was asked to watch. */
const watched: ReadonlySet<string> = new Set([
  "pattern-mix",
  "event-lag",
  "volume",
  "correlation",
  "joint-mean",
  ...fieldTestNames,
  ...modelTestNames,
]);

test("every test skips the kinds of columns that its table leaves out, and judges the others", () => {
  expect(Object.keys(driftTestKinds)).toEqual(expect.arrayContaining([...driftTestNames]));
  const samples = {
    number: profileColumn(
      number,
      draws(300, 1).map((value) => Math.round(2 * value)),
    ),
    text: profileColumn(text, repeated({ A: 100, BB: 200 })),
    boolean: profileColumn(
      ofType({ kind: "boolean" }),
      draws(300, 1).map((value) => value > 0),
    ),
    json: profileColumn(ofType({ kind: "json" }), repeated({ "{}": 300 })),
    time: profileColumn(
      ofType({ kind: "date" }),
      draws(300, 1).map((value) => BigInt(Math.round(10 * value))),
    ),
    binary: profileColumn(
      ofType({ kind: "binary" }),
      draws(300, 1).map((value) => Uint8Array.of(value, 2)),
    ),
  };
  for (const each of driftTests.filter(({ name }) => !watched.has(name))) {
    for (const [kind, column] of Object.entries(samples)) {
      const found = each.measure(column, column, ofType({ kind: "string" }));
      const applies = driftTestKinds[each.name].includes(column.kind);
      expect([each.name, kind, !("skipped" in found)]).toEqual([each.name, kind, applies]);
    }
  }
});
