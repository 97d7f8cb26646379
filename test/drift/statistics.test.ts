import { describe, expect, test } from "vitest";
import { jensenShannon, jensenShannonOf } from "../../src/drift/measures/jensen-shannon.ts";
import { nullShare } from "../../src/drift/measures/null-share.ts";
import { psi, psiOf } from "../../src/drift/measures/psi.ts";
import type { DriftMeasure } from "../../src/drift/drift-test.ts";
import { seededRandom } from "../sketches/columns.ts";
import { carrier, delay, draw, profileOf } from "./windows.ts";

describe("known answers", () => {
  test("PSI and Jensen-Shannon equal numpy and scipy", () => {
    const [p, q] = [
      [0.4, 0.3, 0.2, 0.1],
      [0.25, 0.35, 0.25, 0.15],
    ];
    expect(psiOf(p, q)).toBeCloseTo(0.10963851134934195, 14);
    expect(jensenShannonOf(p, q)).toBeCloseTo(0.013603528958509406, 14);
    expect(psiOf([0.12, 0.88], [0.31, 0.69])).toBeCloseTo(0.22653906426983772, 14);
    expect(jensenShannonOf([0.12, 0.88], [0.31, 0.69])).toBeCloseTo(0.027493556626350637, 14);
    expect(jensenShannonOf([1, 0], [0, 1])).toBeCloseTo(Math.LN2, 14);
    expect(jensenShannonOf([0.3, 0.7], [0.3, 0.7])).toBe(0);
  });

  test("the statistic of profiles is that of their shares", () => {
    const values = (wn: number) => Array.from({ length: 10_000 }, (_, i) => (i < wn ? "WN" : "UA"));
    const before = profileOf(values(1200), []).columns.get("carrier")!;
    const now = profileOf(values(3100), []).columns.get("carrier")!;
    const measure = psi.measure(before, now, carrier) as DriftMeasure;
    expect(measure.statistic).toBeCloseTo(0.2265, 3);
    expect(measure.freedom).toBe(1);
    expect(measure.explain()).toBe("share of WN rose from 12.0% to 31.0%, of UA fell from 88.0% to 69.0%");
    expect((jensenShannon.measure(before, now, carrier) as DriftMeasure).statistic).toBeCloseTo(0.02749, 3);
  });

  test("the share of missing values is a difference of proportions", () => {
    const nulls = (count: number) => Array.from({ length: 2000 }, (_, i) => (i < count ? null : 1));
    const before = profileOf([], nulls(20)).columns.get("delay")!;
    const now = profileOf([], nulls(100)).columns.get("delay")!;
    const measure = nullShare.measure(before, now, delay) as DriftMeasure;
    expect(measure.statistic).toBeCloseTo(0.04, 12);
    expect(measure.expected).toBeCloseTo((122 / 4004) * (1 - 122 / 4004) * (2 / 2000), 12);
    expect(measure.explain()).toBe("share of missing values rose from 1.0% to 5.0% (100 of 2000 rows)");
  });

  test("where nothing drifts the energy is chance's on average, for every test and kind", () => {
    const random = seededRandom(3);
    const shares = { UA: 0.4, AA: 0.3, WN: 0.2, B6: 0.1 };
    const window = (size: number) =>
      profileOf(
        Array.from({ length: size }, () => (random() < 0.1 ? null : draw(random, shares))),
        Array.from({ length: size }, () => (random() < 0.1 ? null : random())),
      );
    for (const [path, field] of [
      ["carrier", carrier],
      ["delay", delay],
    ] as const) {
      for (const each of [psi, jensenShannon, nullShare]) {
        let ratio = 0;
        const rounds = 150;
        for (let round = 0; round < rounds; round++) {
          const measure = each.measure(window(450).columns.get(path)!, window(350).columns.get(path)!, field) as DriftMeasure;
          ratio += measure.energy / measure.expected / rounds;
        }
        expect([path, each.name, ratio > 0.75 && ratio < 1.25, ratio]).toEqual([path, each.name, true, ratio]);
      }
    }
  });

  test("a constant column that takes other values is seen, on either side", () => {
    const constant = profileOf(
      [],
      Array.from({ length: 500 }, () => 5),
    ).columns.get("delay")!;
    for (const other of [4, 6]) {
      const moved = profileOf(
        [],
        Array.from({ length: 500 }, (_, i) => (i < 150 ? other : 5)),
      ).columns.get("delay")!;
      const measure = psi.measure(constant, moved, delay) as DriftMeasure;
      expect(measure.statistic).toBeGreaterThan(1);
      expect(measure.explain()).toContain("outside the baseline's range rose");
    }
  });

  test("a new frequent value is named", () => {
    const before = profileOf(
      Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? "UA" : "AA")),
      [],
    ).columns.get("carrier")!;
    const now = profileOf(
      Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? "ZZ" : "AA")),
      [],
    ).columns.get("carrier")!;
    const measure = psi.measure(before, now, carrier) as DriftMeasure;
    expect(measure.statistic).toBeGreaterThan(1);
    expect(measure.explain()).toMatch(/ZZ|UA/);
  });
});
