import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonCodec } from "../../../src/codecs/json.ts";
import type { MetricCheck, RuleOutcome, RulePlan, Threshold, WindowMetric } from "../../../src/core/rule.ts";
import { compileValidator } from "../../../src/rules/compile-validator.ts";
import { ExactSum } from "../../../src/rules/metrics/exact-sum.ts";
import { fractionToNumber } from "../../../src/rules/metrics/measure.ts";
import { exactValuesMax } from "../../../src/rules/metrics/quantile.ts";
import { countedKeysMax, scaleSample } from "../../../src/rules/metrics/value-counts.ts";
import { makeContract, makeRecords, type FieldSketch } from "../../fixtures/contract.ts";
import { validate } from "../../fixtures/validate.ts";

const fields = {
  i: { type: "long" },
  d: { type: { kind: "decimal", precision: 30, scale: 2 } },
  f: { type: "double" },
  s: { type: "string" },
  t: { type: "timestamp" },
  on: { type: "date" },
} as const;

type Limit = readonly [Threshold["operator"], ...number[]];

interface Sketch {
  readonly check: MetricCheck;
  readonly path?: string | null;
  readonly limit?: Limit;
  readonly unit?: Threshold["unit"];
  readonly more?: Partial<RulePlan>;
  readonly fields?: Readonly<Record<string, FieldSketch>>;
}

function contractOf({ check, path = null, limit = ["mustBe", -1], unit = "value", more = {}, fields: given = fields }: Sketch) {
  const [operator, ...values] = limit;
  return makeContract(given, { rules: [{ check, path, id: "rule", scope: "window", threshold: { operator, values, unit }, ...more }] });
}

/** A rule's outcome over a window of records, cut into batches. */
function outcome(sketch: Sketch, ...parts: (readonly unknown[])[]): RuleOutcome {
  const texts = parts.map((records) => records.map((record) => (typeof record === "string" ? record : JSON.stringify(record))));
  return validate(contractOf(sketch), ...texts).outcomes.at(-1) as RuleOutcome;
}

const column = (name: string, values: readonly unknown[]): Record<string, unknown>[] => values.map((value) => ({ [name]: value }));

function measured(sketch: Sketch, ...parts: (readonly unknown[])[]): number | undefined {
  return outcome(sketch, ...parts).measured?.value;
}

describe("known answers", () => {
  const of = "value" as const;
  test.each<[string, MetricCheck, string, readonly unknown[], number]>([
    ["mean", { family: "mean", of }, "i", [1, 2, 4], 7 / 3],
    ["mean of decimals", { family: "mean", of }, "d", [0.1, 0.2], 0.15],
    ["mean of doubles", { family: "mean", of }, "f", [0.1, 0.2, 0.3], 0.2],
    ["sum of doubles that plain addition loses", { family: "sum", of }, "f", [1e16, 1, -1e16, 1e-3], 1.001],
    ["sum", { family: "sum", of }, "i", [1, 2, 3], 6],
    ["sample standard deviation", { family: "stdev", of }, "f", [2, 4, 4, 4, 5, 5, 7, 9], Math.sqrt(32 / 7)],
    ["least", { family: "min", of }, "d", [3.5, -1.25, 2], -1.25],
    ["greatest length in code points", { family: "max", of: "length" }, "s", ["a", "é😀b", ""], 3],
    ["median", { family: "quantile", q: 0.5, of }, "i", [5, 1, 3, 9], 3],
    ["first of ten at q = 0.1", { family: "quantile", q: 0.1, of }, "i", [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 1],
    ["third of ten at q = 0.3", { family: "quantile", q: 0.3, of }, "i", [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 3],
    ["entropy of four equally common", { family: "entropy" }, "s", ["a", "b", "c", "d"], 2],
    ["entropy of one", { family: "entropy" }, "s", ["a", "a"], 0],
    ["different values; 1 and 1.0 are one", { family: "distinctCount" }, "i", [1, "raw:1.0", 2, 2], 2],
  ])("%s", (_, check, path, values, expected) => {
    const records = values.map((value) =>
      typeof value === "string" && value.startsWith("raw:") ? `{"${path}":${value.slice(4)}}` : { [path]: value },
    );
    expect(measured({ check, path }, records)).toBeCloseTo(expected, 12);
  });

  test("shares, in percent and in rows", () => {
    const values = [0, -1, 5, 0, null, 5, 5];
    const share = (
      family: "zeros" | "negatives" | "mostCommon" | "uniqueness" | "completeness",
      unit: "rows" | "percent",
    ): number | undefined => measured({ check: { family }, path: "i", unit }, column("i", values));
    expect(share("zeros", "rows")).toBe(2);
    expect(share("zeros", "percent")).toBeCloseTo(100 / 3);
    expect(share("negatives", "rows")).toBe(1);
    expect(share("mostCommon", "percent")).toBe(50);
    expect(share("uniqueness", "rows")).toBe(1);
    expect(share("completeness", "percent")).toBeCloseTo(600 / 7);
  });

  test("the correlation of Anscombe's first set, and of a column that never changes", () => {
    const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
    const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    const check: MetricCheck = { family: "correlation", left: "i", right: "f" };
    const records = x.map((i, row) => ({ i, f: y[row] }));
    expect(measured({ check }, [...records, { i: 3 }, { f: 2 }])).toBeCloseTo(0.81642, 5);
    expect(outcome({ check }, column("i", [1, 2]))).toMatchObject({
      status: "skipped",
      note: "fewer than two rows have values of both i and f",
    });
    expect(
      outcome({ check }, [
        { i: 1, f: 1 },
        { i: 1, f: 2 },
      ]),
    ).toMatchObject({
      status: "skipped",
      note: "i is the same in all rows, so there is no correlation",
    });
  });

  test("values so far apart that their squares leave the doubles are skipped, not told as infinite or uncorrelated", () => {
    const far = [0, 1, 2, 1e308];
    const records = far.map((f, i) => ({ i: i % 2, f }));
    const why = "are so far apart that their squares are no doubles";
    expect(outcome({ check: { family: "stdev", of }, path: "f" }, records)).toMatchObject({
      status: "skipped",
      note: `values of f ${why}`,
    });
    expect(outcome({ check: { family: "correlation", left: "i", right: "f" } }, records)).toMatchObject({
      status: "skipped",
      note: `values of i or f ${why}`,
    });
    expect(measured({ check: { family: "stdev", of }, path: "f" }, column("f", [1e150, -1e150]))).toBeCloseTo(Math.SQRT2 * 1e150, -140);
  });

  test("dates and times are told as such", () => {
    const june = Date.UTC(2024, 5, 1) * 1000;
    const check: MetricCheck = { family: "max", of };
    expect(outcome({ check, path: "t", limit: ["mustBeLessThan", june] }, column("t", ["2024-07-01T00:00:00Z"])).breach).toBe(
      "rule: the greatest value of t is 2024-07-01T00:00:00Z, must be less than 2024-06-01T00:00:00Z",
    );
    expect(outcome({ check: { family: "min", of }, path: "on", limit: ["mustBe", 0] }, column("on", ["1970-01-02"])).breach).toBe(
      "rule: the least value of on is 1970-01-02, must be 1970-01-01",
    );
  });
});

describe("exactness", () => {
  test("whole numbers and decimals beyond doubles", () => {
    const big = ['{"i":9007199254740993}', '{"i":9007199254740992}'];
    const above: Limit = ["mustBeGreaterThan", 9007199254740992];
    expect(outcome({ check: { family: "max", of: "value" }, path: "i", limit: above }, big).status).toBe("pass");
    expect(outcome({ check: { family: "max", of: "value" }, path: "i", limit: above }, big.slice(1)).status).toBe("fail");
    expect(outcome({ check: { family: "mean", of: "value" }, path: "i", limit: above }, big).status).toBe("pass");
    const cents = ['{"d":12345678901234567890.01}', '{"d":-12345678901234567890}'];
    expect(outcome({ check: { family: "sum", of: "value" }, path: "d", limit: ["mustBe", 0.01] }, cents).status).toBe("pass");
  });

  test("a share is compared as the decimal number that the contract writes", () => {
    const sketch: Sketch = { check: { family: "completeness" }, path: "s", unit: "percent", limit: ["mustBeGreaterOrEqualTo", 99.7] };
    const rows = (missing: number): unknown[] =>
      column(
        "s",
        Array.from({ length: 1000 }, (_, i) => (i < missing ? null : "x")),
      );
    expect(outcome(sketch, rows(3)).status).toBe("pass");
    expect(outcome(sketch, rows(4)).breach).toBe("rule: the completeness of s is 99.6%, must be at least 99.7%");
  });

  test("a superaccumulator gives the sum of doubles, rounded once", () => {
    const double = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(5e-324, -5e-324, 1.7976931348623157e308, -0, 2 ** -1022),
    );
    fc.assert(
      fc.property(fc.array(double, { maxLength: 30 }), (values) => {
        const sum = new ExactSum();
        let exact = 0n;
        for (const value of values) {
          sum.add(value);
          exact += unitsOf(value);
        }
        expect(sum.total()).toBe(exact);
        if (values.length === 1) expect(fractionToNumber(exact, 1n << 1074n)).toBe((values[0] as number) + 0);
      }),
      { numRuns: 500 },
    );
  });

  test("fractions become their nearest doubles", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
        fc.bigInt({ min: 1n, max: 10n ** 40n }),
        (value, by) => {
          expect(fractionToNumber(unitsOf(value) * by, (1n << 1074n) * by)).toBe(value + 0);
        },
      ),
      { numRuns: 500 },
    );
    expect(fractionToNumber(1n, 3n)).toBe(1 / 3);
    expect(fractionToNumber(2n ** 200n + 1n, 2n ** 200n)).toBe(1);
  });
});

/** A double in units of 2^-1074. */
function unitsOf(value: number): bigint {
  let scaled = value;
  let shift = 0n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    shift++;
  }
  return BigInt(scaled) << (1074n - shift);
}

describe("against brute force", () => {
  const number = fc.option(
    fc.integer({ min: -20, max: 20 }).map((n) => n / 4),
    { freq: 5 },
  );
  const brute: Readonly<Record<string, (values: readonly number[], rows: number) => number | null>> = {
    mean: (values) => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length),
    sum: (values) => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0)),
    min: (values) => (values.length === 0 ? null : Math.min(...values)),
    max: (values) => (values.length === 0 ? null : Math.max(...values)),
    stdev: (values) => {
      if (values.length < 2) return null;
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1));
    },
    quantile: (values) =>
      values.length === 0 ? null : (values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(0.25 * values.length)) - 1] as number),
    distinctCount: (values) => (values.length === 0 ? null : new Set(values).size),
    uniqueness: (values) =>
      values.length === 0 ? null : (values.filter((a) => values.filter((b) => a === b).length === 1).length / values.length) * 100,
    mostCommon: (values) =>
      values.length === 0 ? null : (Math.max(...values.map((a) => values.filter((b) => a === b).length)) / values.length) * 100,
    entropy: (values) => {
      if (values.length === 0) return null;
      const shares = [...new Set(values)].map((a) => values.filter((b) => a === b).length / values.length);
      return -shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
    },
    zeros: (values) => (values.length === 0 ? null : (values.filter((a) => a === 0).length / values.length) * 100),
    completeness: (values, rows) => (rows === 0 ? null : (values.length / rows) * 100),
  };
  const shares = new Set(["uniqueness", "mostCommon", "zeros", "completeness"]);

  test.each(Object.keys(brute))("%s", (family) => {
    const check = {
      family,
      ...(family === "quantile" ? { q: 0.25 } : {}),
      ...(["mean", "sum", "min", "max", "stdev", "quantile"].includes(family) ? { of: "value" } : {}),
    };
    fc.assert(
      fc.property(fc.array(number, { maxLength: 15 }), fc.constantFrom("f", "d"), (values, path) => {
        const sketch = { check: check as MetricCheck, path, unit: shares.has(family) ? ("percent" as const) : ("value" as const) };
        const found = outcome(sketch, column(path, values));
        const expected = (brute[family] as (typeof brute)[string])(
          values.filter((value) => value !== null),
          values.length,
        );
        if (expected === null) expect(found.status).toBe("skipped");
        else expect(found.measured?.value).toBeCloseTo(expected, 9);
      }),
      { numRuns: 100 },
    );
  });
});

describe("what is measured", () => {
  const check: MetricCheck = { family: "mean", of: "value" };

  test("rows that pass the filter, also where other rules reject them; nulls, wrong types and undecodable rows are no values", () => {
    const where: RulePlan["where"] = { op: "eq", path: "s", value: { type: "string", value: "in" } };
    const records = [
      '{"i":1,"s":"in"}',
      '{"i":100,"s":"out"}',
      '{"i":4,"s":"in","f":"x"}',
      '{"i":"x","s":"in"}',
      '{"i":null,"s":"in"}',
      "{",
    ];
    expect(outcome({ check, path: "i", more: { where } }, records)).toMatchObject({ checked: 4, measured: { value: 2.5 }, failed: 0 });
  });

  test("a window without rows or without values is skipped, and says why", () => {
    expect(outcome({ check, path: "i" })).toMatchObject({
      status: "skipped",
      checked: 0,
      note: "the window has no rows for it",
      breach: null,
    });
    expect(outcome({ check, path: "i" }, [{}, {}])).toMatchObject({ status: "skipped", checked: 2, note: "i has no value in the window" });
  });

  test("a number of a classified column is not told; counts are", () => {
    const secret = { a: { type: "long", classification: "secret" } } as const;
    const hidden = outcome({ check, path: "a", fields: secret }, column("a", [7]));
    expect(hidden.breach).toBe("rule: the mean of a is <masked>, must be -1");
    expect(hidden.measured).toBeUndefined();
    expect(
      outcome({ check: { family: "completeness" }, path: "a", unit: "percent", fields: secret }, column("a", [7])).measured?.value,
    ).toBe(100);
  });

  test("the owner of a rule is in its outcome", () => {
    expect(outcome({ check, path: "i", more: { owner: "Ann" } }, column("i", [1])).owner).toBe("Ann");
  });

  test("a set of values", () => {
    const values = ["EWR", "JFK"].map((value) => ({ type: "string" as const, value }));
    const of = (relation: "equal" | "subset" | "superset", seen: readonly string[]): RuleOutcome =>
      outcome({ check: { family: "distinctSet", relation, values }, path: "s", limit: ["mustBe", 0] }, column("s", seen));
    expect(of("equal", ["JFK", "EWR", "JFK"]).status).toBe("pass");
    expect(of("equal", ["JFK", "PHL"]).breach).toBe(
      'rule: the number of values in which s differs from the set is 2 (not seen: "EWR"; not in the set: PHL), must be 0',
    );
    expect(of("subset", ["JFK"]).status).toBe("pass");
    expect(of("superset", ["JFK", "EWR", "PHL"]).status).toBe("pass");
    expect(of("superset", ["JFK"]).breach).toContain('the number of values of the set that s does not have is 1 (not seen: "EWR")');
  });

  test("groups: each against the threshold, bounded in number", () => {
    const groups: MetricCheck = { family: "groups", by: ["s"], aggregate: "sum", column: "i", groupsMax: 3 };
    const rows = [{ s: "a", i: 1 }, { s: "b", i: 20 }, { s: "a", i: 3 }, { i: 30 }];
    expect(outcome({ check: groups, limit: ["mustBeLessThan", 10] }, rows).breach).toBe(
      "rule: the sum of i by s fails in 2 of 3 groups, must be less than 10: b 20; null 30",
    );
    expect(outcome({ check: groups, limit: ["mustBeLessThan", 100] }, rows)).toMatchObject({ status: "pass", measured: { value: 0 } });
    expect(outcome({ check: groups }, [...rows, { s: "c", i: 1 }])).toMatchObject({
      status: "error",
      breach: "there are more than 3 groups (groupsMax)",
    });
    const counts: MetricCheck = { family: "groups", by: ["s", "i"], aggregate: "count", column: null, groupsMax: 10 };
    expect(outcome({ check: counts, limit: ["mustBe", 1] }, [...rows, { s: "b", i: 20 }]).breach).toContain("must be 1: b, 20 2");
  });

  test("ratios, exactly; of nothing there is none", () => {
    const ratio: MetricCheck = {
      family: "ratio",
      numerator: { check: { family: "sum", of: "value" }, path: "d", where: null },
      denominator: { check: { family: "rowCount" }, path: null, where: { op: "notNull", path: "s" } },
    };
    const rows = [{ d: 0.1, s: "x" }, { d: 0.2, s: "x" }, { d: 0.3 }];
    expect(outcome({ check: ratio, limit: ["mustBe", 0.3] }, rows).status).toBe("pass");
    expect(outcome({ check: ratio, limit: ["mustBe", 0.4] }, rows).breach).toBe(
      "rule: the ratio of the sum of d to the number of rows is 0.3, must be 0.4",
    );
    expect(outcome({ check: ratio }, [{ d: 1 }])).toMatchObject({
      status: "skipped",
      note: "the number of rows is 0, so there is no ratio",
    });
  });

  test("columns that no row has, fields that the contract has not, types that changed", () => {
    const missing: MetricCheck = { family: "missingColumns", columns: ["i", "s", "f"] };
    expect(outcome({ check: missing, limit: ["mustBe", 0] }, [{ i: null }, { s: "x" }]).breach).toBe(
      "rule: the number of columns that no row has is 1 (f), must be 0",
    );
    const changes: MetricCheck = { family: "typeChanges", columns: ["i", "f"] };
    expect(
      outcome({ check: changes, unit: "percent", limit: ["mustBeLessThan", 50] }, [{ i: "1", f: 1 }, { i: 2, f: "x" }, { f: "y" }]).breach,
    ).toBe("rule: the greatest share of cells that are not of their column's type is 66.67% (f), must be less than 50%");
    const contract = makeContract(
      { o: { type: "struct", of: { x: { type: "int" } } }, l: { type: "list", of: { type: "struct", of: { y: { type: "int" } } } } },
      {
        policies: { unknownFields: "keep" },
        rules: [
          {
            check: { family: "newColumns", allowed: ["o.ok"] },
            id: "new",
            scope: "window",
            threshold: { operator: "mustBe", values: [0], unit: "value" },
          },
          { check: { family: "unknownColumns", allowed: ["o.ok"] }, id: "row" },
        ],
      },
    );
    const { outcomes, offenders, reasons } = validate(contract, ['{"o":{"x":1,"ok":1}}', '{"o":{"z":1},"l":[{"y":1},{"q":2}],"top":1}']);
    expect(outcomes.find(({ rule }) => rule === "new")?.breach).toBe(
      "new: the number of fields that the contract does not name is 3 (l[].q, o.z, top), must be 0",
    );
    expect(offenders["row"]).toEqual([1]);
    expect(reasons(1)[0]?.message).toBe(
      "the record has fields that the contract does not name: o.z, l[].q, top, expected no others but o.ok",
    );
  });
});

describe("estimates", () => {
  test("quantiles of more values than are kept: within the stated error, and a limit within it is said to be", () => {
    const count = exactValuesMax + 40_000;
    const values = Array.from({ length: count }, (_, i) => (i * 7919) % count);
    const check: MetricCheck = { family: "quantile", q: 0.5, of: "value" };
    const half = [values.slice(0, 50_000), values.slice(50_000)].map((part) => column("i", part));
    const found = outcome({ check, path: "i", limit: ["mustBe", -1] }, ...half);
    expect(found.measured).toBeDefined();
    const { value, low, high } = found.measured as { value: number; low: number; high: number };
    expect(low).toBeLessThan(high);
    expect(Math.abs(value - count / 2)).toBeLessThan(0.01 * count);
    expect(low <= count / 2 && count / 2 <= high).toBe(true);
    expect(found.note).toContain("an estimate: its rank is off by at most");
    const near = outcome({ check, path: "i", limit: ["mustBeLessThan", value] }, ...half);
    expect(near.note).toContain("the limit lies within the error, so this may be wrong");
    expect(near.breach).toContain("the median of i is about");
    expect(outcome({ check, path: "i", limit: ["mustBeLessThan", 0.6 * count] }, ...half).note).not.toContain("may be wrong");
  });

  test("many different values: a sample with exact counts, whatever the order and the cut", () => {
    const count = countedKeysMax + 70_000;
    const values = Array.from({ length: count }, (_, i) => `k${i % (count - 5000)}`);
    const sketch: Sketch = { check: { family: "distinctCount" }, path: "s" };
    const found = outcome(sketch, column("s", values));
    const { value, low, high } = found.measured as { value: number; low: number; high: number };
    expect(Math.abs(value - (count - 5000)) / count).toBeLessThan(0.02);
    expect(low < count - 5000 && count - 5000 < high).toBe(true);
    const turned = outcome(sketch, column("s", values.toReversed().slice(0, 90_000)), column("s", values.toReversed().slice(90_000)));
    expect(turned).toEqual(found);
    expect(outcome({ check: { family: "entropy" }, path: "s" }, column("s", values))).toMatchObject({
      status: "skipped",
      note: expect.stringContaining("too many to count each") as string,
    });
    const unique = outcome({ check: { family: "uniqueness" }, path: "s", unit: "percent" }, column("s", values)).measured as {
      low: number;
      high: number;
    };
    const truth = ((count - 10_000) / count) * 100;
    expect(unique.low < truth && truth < unique.high).toBe(true);
  });

  test("none in a sample does not mean none at all", () => {
    expect(scaleSample(0, 3)).toEqual({ value: 0, low: 0, high: expect.closeTo(43.4, 0) as number });
    expect(scaleSample(7, 0)).toEqual({ value: 7, low: 7, high: 7 });
  });
});

describe("states of metrics", () => {
  const of = "value" as const;
  const checks: readonly (readonly [MetricCheck, string | null])[] = [
    [{ family: "mean", of }, "f"],
    [{ family: "sum", of }, "f"],
    [{ family: "stdev", of }, "f"],
    [{ family: "min", of }, "i"],
    [{ family: "quantile", q: 0.5, of }, "f"],
    [{ family: "distinctCount" }, "s"],
    [{ family: "entropy" }, "s"],
    [{ family: "distinctSet", relation: "equal", values: [{ type: "string", value: "a" }] }, "s"],
    [{ family: "correlation", left: "i", right: "f" }, null],
    [{ family: "missingColumns", columns: ["i", "s"] }, null],
    [
      {
        family: "ratio",
        numerator: { check: { family: "sum", of }, path: "f", where: null },
        denominator: { check: { family: "rowCount" }, path: null, where: null },
      },
      null,
    ],
  ];
  // Not any double: squares of the smallest vanish, and whether a column varies at all is then a matter of the order of additions.
  const thousandths = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 1000);
  const value = fc.record({ i: fc.integer({ min: -5, max: 5 }), f: thousandths, s: fc.constantFrom("a", "b", "c") }, { requiredKeys: [] });

  test.each(checks.map(([check, path]) => [check.family, check, path] as const))("%s: windows merged are one window", (_, check, path) => {
    // A limit that no measure is at: the last bit of a double is a matter of the order of additions.
    const contract = contractOf({ check, path, limit: ["mustBeGreaterThan", 0.123456789] });
    const validator = compileValidator(contract);
    const metric = validator.metrics?.get("rule") as WindowMetric;
    const close = (records: readonly unknown[]) => {
      const window = validator.open();
      window.add(jsonCodec.compile(contract)(makeRecords(records.map((record) => JSON.stringify(record)))));
      return window.close();
    };
    const stateOf = (records: readonly unknown[]) =>
      close(records).metrics?.find(({ rule }) => rule === "rule") as Parameters<WindowMetric["judge"]>[0];
    fc.assert(
      fc.property(fc.array(value, { maxLength: 12 }), fc.array(value, { maxLength: 12 }), (a, b) => {
        // As states travel between threads.
        const merged = metric.merge(globalThis.structuredClone(stateOf(a)), globalThis.structuredClone(stateOf(b)));
        const together = close([...a, ...b]).outcomes.find(({ rule }) => rule === "rule") as RuleOutcome;
        const judged = metric.judge(merged);
        expect({ ...judged, measured: null, breach: null }).toEqual({ ...together, measured: null, breach: null });
        expect(judged.measured === undefined).toBe(together.measured === undefined);
        if (judged.measured !== undefined) expect(judged.measured.value).toBeCloseTo((together.measured as { value: number }).value, 7);
        const read = metric.read(merged);
        if (typeof read !== "string") expect(read).toEqual(judged.measured);
        else expect(judged.note).toBeDefined();
      }),
      { numRuns: 60 },
    );
  });
});
