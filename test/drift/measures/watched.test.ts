import { describe, expect, test } from "vitest";
import type { ColumnProfile, WatchedParts } from "../../../src/core/profile.ts";
import { chanceEnergy } from "../../../src/drift/drift-limit.ts";
import type { DriftMeasure, DriftTest } from "../../../src/drift/drift-test.ts";
import { correlation } from "../../../src/drift/measures/correlation.ts";
import { eventLag } from "../../../src/drift/measures/event-lag.ts";
import { jointMean } from "../../../src/drift/measures/joint-mean.ts";
import { missingShare } from "../../../src/drift/measures/null-share.ts";
import { patternMix } from "../../../src/drift/measures/pattern-mix.ts";
import { volume } from "../../../src/drift/measures/volume.ts";
import { symmetricEigen } from "../../../src/drift/symmetric-eigen.ts";
import { JointColumns } from "../../../src/sketches/watched/joint-columns.ts";
import { TextPatterns } from "../../../src/sketches/watched/text-patterns.ts";
import { columnOf, fieldOf, normal, seededRandom } from "../../sketches/columns.ts";
import { number, ofType, profileColumn, repeated, text } from "./columns.ts";

const rowsOf = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, row) => row);
const withParts = (column: ColumnProfile, watched: WatchedParts): ColumnProfile => ({ ...column, watched });
const time = ofType({ kind: "timestamp", zoned: true, unit: "micros" });
const someTexts = profileColumn(text, ["x"]);
const someNumbers = profileColumn(number, [1]);
const someTimes = profileColumn(time, [1n]);

function found(each: DriftTest, baseline: ColumnProfile, sample: ColumnProfile, field = text): DriftMeasure {
  const measure = each.measure(baseline, sample, field);
  if ("skipped" in measure) throw new Error(measure.skipped);
  return measure;
}

function patterned(values: readonly string[]): ColumnProfile {
  const patterns = new TextPatterns();
  const column = columnOf(text, values);
  if (column.kind === "bytes") patterns.add(column, rowsOf(values.length));
  return withParts(someTexts, { patterns: patterns.finish() });
}

describe("pattern mix", () => {
  test("a change of form is seen though every value is new, and named", () => {
    const random = seededRandom(1);
    const codes = (count: number, hyphens: number): string[] =>
      Array.from({ length: count }, (_, i) => `AB${i < hyphens ? "-" : ""}${String(Math.floor(1e5 * random())).padStart(5, "0")}`);
    const before = patterned(codes(2000, 200));
    expect(found(patternMix, before, patterned(codes(500, 50))).statistic).toBeLessThan(1e-9);
    const moved = found(patternMix, before, patterned(codes(500, 250)));
    expect(moved.statistic).toBeGreaterThan(patternMix.limitDefault);
    expect(moved.explain()).toMatch(
      /^share of values of the form AA-99999 rose from 10\.\d% to 50\.0%, of values of the form AA99999 fell from 89\.\d% to (49|50)\.\d%$/,
    );
  });

  test("is skipped where nothing was watched, or every form is different", () => {
    expect(patternMix.measure(someTexts, someTexts, text)).toHaveProperty("skipped");
    const different = patterned(Array.from({ length: 60 }, (_, i) => "a".repeat(i)));
    expect(patternMix.measure(different, different, text)).toEqual({
      skipped: "no pattern of its values is frequent enough to compare its share",
    });
  });
});

describe("volume", () => {
  const came = (values: number, ...spansMs: number[]): ColumnProfile => withParts(someTexts, { arrival: { values, spansMs } });

  test("is values a second of the records' own time, whatever the gaps between windows", () => {
    const before = came(12_000, 0, 60_000, 600_000, 660_000);
    expect(found(volume, before, came(3000, 1_000_000, 1_030_000)).statistic).toBe(0);
    const half = found(volume, before, came(1000, 1_000_000, 1_030_000));
    expect(half.statistic).toBeCloseTo(Math.log(3), 12);
    expect(half.expected).toBeCloseTo(1 / 12_000 + 1 / 1000, 12);
    expect(half.explain()).toBe("values that came in a second, by the records' timestamps, fell from 100 to 33.3");
    expect(volume.measure(before, came(50, 5, 900), text)).toEqual({ skipped: "the records' timestamps are less than a second apart" });
  });
});

describe("event lag", () => {
  const lagging = (seconds: (random: () => number) => number, seed: number, count = 2000): ColumnProfile => {
    const random = seededRandom(seed);
    const { moments, quantiles } = profileColumn(
      number,
      Array.from({ length: count }, () => seconds(random)),
    );
    return withParts(someTimes, { lag: { moments: moments!, quantiles: quantiles! } });
  };

  test("is told in seconds: from 4 minutes to 19 is found, from 5 milliseconds to 50 is not worth a word", () => {
    const before = lagging((random) => 240 + 20 * normal(random), 1);
    const late = found(
      eventLag,
      before,
      lagging((random) => 1140 + 60 * normal(random), 2, 500),
      time,
    );
    expect(Math.abs(late.statistic - 900)).toBeLessThan(15);
    expect(late.explain()).toMatch(/: the median lag went from 4\.?\d* min to (18\.9|19|19\.\d+) min, that of the slowest 5% from /);
    const quick = lagging((random) => 0.005 * random(), 3);
    expect(
      found(
        eventLag,
        quick,
        lagging((random) => 0.05 * random(), 4),
        time,
      ).statistic,
    ).toBeLessThan(eventLag.limitDefault);
    expect(eventLag.measure(someTimes, someTimes, time)).toHaveProperty("skipped");
  });

  test("lags that never differ have a scale too", () => {
    const still = lagging(() => 2, 1);
    expect(found(eventLag, still, still, time).statistic).toBe(0);
    expect(
      found(
        eventLag,
        still,
        lagging(() => 300, 1),
        time,
      ).statistic,
    ).toBeCloseTo(298, 9);
  });
});

function jointOf(rows: readonly (readonly number[])[]): ColumnProfile {
  const names = ["a", "b", "c"].slice(0, rows[0]?.length ?? 0);
  const joint = new JointColumns(names);
  const columns = names.map((name, i) =>
    columnOf(
      fieldOf(name, { kind: "double" }),
      rows.map((row) => row[i]),
    ),
  );
  joint.add(
    columns.flatMap((column) => (column.kind === "float" ? [column] : [])),
    rowsOf(rows.length),
  );
  return withParts(someNumbers, { joint: joint.finish() });
}

/** Three normal columns, the first two correlated by `rho`, moved by `move`. */
function normals(random: () => number, count: number, rho: number, move: readonly number[] = [0, 0, 0]): number[][] {
  return Array.from({ length: count }, () => {
    const [u, v, w] = [normal(random), normal(random), normal(random)];
    return [u + move[0]!, rho * u + Math.sqrt(1 - rho * rho) * v + move[1]!, 5 * w + 100 + move[2]!];
  });
}

describe("several columns together", () => {
  test("a correlation that is lost is named, though no column's own distribution moved", () => {
    const random = seededRandom(5);
    const before = jointOf(normals(random, 4000, 0.8));
    const lost = found(correlation, before, jointOf(normals(random, 1000, 0.3)), number);
    expect(lost.statistic).toBeGreaterThan(correlation.limitDefault);
    expect(lost.explain()).toMatch(/^the correlation of a and b went from 0\.\d\d to 0\.[23]\d$/);
    expect(found(correlation, before, jointOf(normals(random, 1000, 0.8)), number).statistic).toBeLessThan(correlation.limitDefault);
  });

  test("means that move against their correlation are far, though each moved little", () => {
    const random = seededRandom(6);
    const before = jointOf(normals(random, 4000, 0.95));
    const against = found(jointMean, before, jointOf(normals(random, 1000, 0.95, [0.12, -0.12, 0])), number);
    const along = found(jointMean, before, jointOf(normals(random, 1000, 0.95, [0.12, 0.12, 0])), number);
    expect(against.statistic).toBeGreaterThan(jointMean.limitDefault);
    expect(along.statistic).toBeLessThan(jointMean.limitDefault);
    expect(against.freedom).toBe(3);
    expect(against.explain()).toMatch(/^the means of a, b, c moved in a combination that is unusual for them: [ab] from /);
  });

  test("a column that follows from another adds no freedom", () => {
    const random = seededRandom(7);
    const twice = (count: number): number[][] => normals(random, count, 0).map(([a, b]) => [a!, b!, 2 * a!]);
    expect(found(jointMean, jointOf(twice(500)), jointOf(twice(300)), number).freedom).toBe(2);
  });

  test("chance: energies are as expected on average, and limits hold", () => {
    const random = seededRandom(8);
    const before = () => jointOf(normals(random, 1000, 0.6));
    const now = () => jointOf(normals(random, 400, 0.6));
    for (const each of [correlation, jointMean]) {
      let [ratio, beyond] = [0, 0];
      for (let round = 0; round < 120; round++) {
        const measure = found(each, before(), now(), number);
        ratio += measure.energy / measure.expected / 120;
        if (measure.energy > chanceEnergy(measure, 0.01)) beyond++;
      }
      expect([each.name, ratio > 0.75 && ratio < 1.25, ratio]).toEqual([each.name, true, ratio]);
      expect(beyond).toBeLessThanOrEqual(5);
    }
  });

  test("other columns, or none, are skipped", () => {
    const pair = jointOf(normals(seededRandom(9), 50, 0).map(([a, b]) => [a!, b!]));
    const three = jointOf(normals(seededRandom(9), 50, 0));
    for (const each of [correlation, jointMean]) {
      expect(each.measure(pair, three, number)).toEqual({ skipped: "the baseline has other columns together" });
      expect(each.measure(someNumbers, someNumbers, number)).toHaveProperty("skipped");
    }
  });

  test("classified columns are explained without figures", () => {
    const masked = { ...number, classification: "restricted" };
    const random = seededRandom(10);
    const [before, now] = [jointOf(normals(random, 300, 0.9)), jointOf(normals(random, 300, -0.9, [1, 1, 1]))];
    for (const each of [correlation, jointMean]) expect(found(each, before, now, masked).explain()).not.toMatch(/\d/);
    const came = (values: number): ColumnProfile => withParts(someTexts, { arrival: { values, spansMs: [0, 60_000] } });
    expect(found(volume, came(100), came(900), masked).explain()).not.toMatch(/\d/);
    expect(found(patternMix, patterned(repeated({ AA: 50 })), patterned(repeated({ "9": 50 })), masked).explain()).not.toMatch(/\d/);
  });
});

test("eigenvalues of a symmetric matrix: known answers, and the matrix again", () => {
  expect(
    [
      ...symmetricEigen([
        [2, 1],
        [1, 2],
      ]).values,
    ].toSorted((a, b) => a - b),
  ).toEqual([1, 3].map((value) => expect.closeTo(value, 12)));
  const random = seededRandom(11);
  const half = Array.from({ length: 6 }, () => Array.from({ length: 6 }, () => normal(random)));
  const matrix = half.map((a) => half.map((b) => a.reduce((sum, value, k) => sum + value * b[k]!, 0)));
  const { values, vectors } = symmetricEigen(matrix);
  matrix.forEach((line, i) =>
    line.forEach((value, j) => {
      const again = values.reduce((sum, eigen, k) => sum + eigen * vectors[k]![i]! * vectors[k]![j]!, 0);
      expect(again).toBeCloseTo(value, 9);
    }),
  );
});

test("records that lack the field are told apart from those with null", () => {
  const before = profileColumn(number, [...Array.from({ length: 180 }, () => 1), ...Array.from({ length: 20 }, () => null)]);
  const now = profileColumn(number, [...Array.from({ length: 180 }, () => 1), ...Array.from({ length: 20 }, () => undefined)]);
  const measure = found(missingShare, before, now, number);
  expect(measure.statistic).toBeCloseTo(0.1, 12);
  expect(measure.explain()).toBe("share of records without the field rose from 0.0% to 10.0% (20 of 200 rows)");
});
