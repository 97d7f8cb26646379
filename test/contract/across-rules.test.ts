import { describe, expect, test } from "vitest";
import { lintContract } from "../../src/contract/lint-contract.ts";
import type { RulePlan } from "../../src/core/rule.ts";
import { documentOf, errorsOf, load } from "./contract-text.ts";

const columns = `    properties:
      - { name: id, logicalType: string, physicalType: string }
      - { name: n, logicalType: integer, physicalType: bigint }
      - { name: day, logicalType: date, physicalType: date }
      - { name: at, logicalType: timestamp, physicalType: timestamptz, logicalTypeOptions: { timezone: true } }
      - { name: local, logicalType: timestamp, physicalType: timestamp_ntz, logicalTypeOptions: { timezone: false } }
      - { name: where, logicalType: object, properties: [{ name: city, logicalType: string }] }
`;

const quality = (rule: string): string => `    quality:\n      - ${rule}\n`;
const custom = (implementation: string): string => quality(`{ id: r, type: custom, engine: sluice, implementation: ${implementation} }`);

async function ruleOf(entry: string, files: Readonly<Record<string, string>> = {}): Promise<RulePlan> {
  const { contract } = await load(documentOf(columns + entry), files);
  return contract.rules.at(-1) as RulePlan;
}

/** Codes of the errors of a rule. */
async function codesOf(entry: string, files: Readonly<Record<string, string>> = {}): Promise<string[]> {
  return (await errorsOf(documentOf(columns + entry), files)).map((each) => each.split(" ").at(-1) as string);
}

describe("uniqueness beyond the window", () => {
  test("has a scope and a horizon", async () => {
    expect((await ruleOf(custom("{ check: duplicate, columns: [id, n], scope: dataset }"))).check).toEqual({
      family: "duplicate",
      columns: ["id", "n"],
      keep: "first",
      horizon: { seconds: null },
    });
    expect((await ruleOf(custom("{ check: duplicate, columns: [id], scope: dataset, horizonSeconds: 3600 }"))).check).toMatchObject({
      horizon: { seconds: 3600 },
    });
    expect((await ruleOf(custom("{ check: duplicate, columns: [id] }"))).check).toMatchObject({ horizon: null });
  });

  test("does not go with what it can't mean", async () => {
    expect(await codesOf(custom("{ check: duplicate, columns: [id], horizonSeconds: 5 }"))).toEqual(["keys-conflict"]);
    expect(await codesOf(custom("{ check: duplicate, columns: [id], scope: dataset, keep: none }"))).toEqual(["keys-conflict"]);
    expect(await codesOf(custom("{ check: duplicate, columns: [where.city], scope: dataset }"))).toEqual(["column-type"]);
  });
});

describe("sequences", () => {
  test("have a key, a scope and a step", async () => {
    const rule = await ruleOf(custom("{ check: sequence, column: n, by: [id, day], step: 10, tolerance: { rows: 0 } }"));
    expect([rule.check, rule.path, rule.scope, rule.tolerance]).toEqual([
      { family: "sequence", by: ["id", "day"], scope: "partition", step: 10 },
      "n",
      "row",
      { rows: 0 },
    ]);
    expect((await ruleOf(custom("{ check: sequence, column: n, scope: dataset }"))).check).toEqual({
      family: "sequence",
      by: [],
      scope: "dataset",
      step: 1,
    });
    const counted = await ruleOf(custom("{ check: sequence, column: n, threshold: { mustBeLessThan: 5 } }"));
    expect([counted.scope, counted.threshold]).toEqual(["window", { operator: "mustBeLessThan", values: [5], unit: "rows" }]);
  });

  test("are refused where they make no sense", async () => {
    expect(await codesOf(custom("{ check: sequence, column: id }"))).toEqual(["column-type"]);
    expect(await codesOf(custom("{ check: sequence, column: day }"))).toEqual(["column-type"]);
    expect(await codesOf(custom("{ check: sequence, column: n, by: [where.city] }"))).toEqual(["column-type"]);
    expect(await codesOf(custom("{ check: sequence, column: n, by: [nope] }"))).toEqual(["column-unknown"]);
    expect(await codesOf(custom("{ check: sequence, column: n, step: 0 }"))).toEqual(["number-too-small"]);
    expect(await codesOf(custom("{ check: sequence }"))).toEqual(["column-missing"]);
    expect(await codesOf(custom("{ check: not, rule: { check: sequence, column: n } }"))).toEqual(["unknown-value"]);
    const where = "where: { column: where.city, equals: x }";
    expect(await codesOf(custom(`{ check: sequence, column: n, ${where} }`))).toEqual(["column-type"]);
    expect(await codesOf(custom(`{ check: duplicate, columns: [id], scope: dataset, ${where} }`))).toEqual(["column-type"]);
    expect((await ruleOf(custom(`{ check: duplicate, columns: [id], ${where} }`))).where).not.toBeNull();
  });

  test("lint says where a scope may be wrong, and what a gap does", async () => {
    const lintOf = async (rule: string, settings = ""): Promise<string[]> => {
      const { contract } = await load(documentOf(settings + columns + custom(rule)));
      return lintContract(contract)
        .filter(({ code }) => code.startsWith("sequence"))
        .map(({ severity, code }) => `${severity} ${code}`);
    };
    const key = `    customProperties: [{ property: sluice, value: { key: { column: id } } }]\n`;
    const by = (more: string): string => `{ check: sequence, column: n, by: [id]${more} }`;
    expect(await lintOf(by(""))).toEqual(["warning sequence-partition", "info sequence-gaps"]);
    expect(await lintOf(by(", tolerance: { rows: 0 }"), key)).toEqual([]);
    expect(await lintOf("{ check: sequence, column: n, by: [day], severity: warning }", key)).toEqual(["warning sequence-partition"]);
    expect(await lintOf(by(", scope: dataset, severity: warning"))).toEqual(["info sequence-order"]);
    expect(await lintOf("{ check: sequence, column: n, severity: warning }")).toEqual([]);
  });
});

describe("metrics of time and of earlier windows", () => {
  test("compile", async () => {
    const volume = await ruleOf(custom("{ check: volume, threshold: { mustBeGreaterThan: 100 } }"));
    expect([volume.check, volume.scope, volume.threshold?.unit]).toEqual([{ family: "volume" }, "window", "value"]);
    const fresh = await ruleOf(custom("{ check: freshness, column: at, threshold: { mustBeLessThan: 900 } }"));
    expect([fresh.check, fresh.path]).toEqual([{ family: "freshness" }, "at"]);
    expect((await ruleOf(custom("{ check: eventLag, column: at, q: 0.95, threshold: { mustBeLessThan: 60 } }"))).check).toEqual({
      family: "eventLag",
      q: 0.95,
    });
    const change = await ruleOf(custom("{ check: change, metric: { check: mean, column: n }, threshold: { mustBeBetween: [-20, 20] } }"));
    expect(change.check).toEqual({
      family: "change",
      metric: { check: { family: "mean", of: "value" }, path: "n", where: null },
      windows: 20,
      windowsMin: 5,
      by: "percent",
    });
    expect(change.threshold).toEqual({ operator: "mustBeBetween", values: [-20, 20], unit: "percent" });
    const sigmas = await ruleOf(
      custom("{ check: change, metric: { check: rowCount }, by: deviations, windows: 10, threshold: { mustBeBetween: [-4, 4] } }"),
    );
    expect([sigmas.threshold?.unit, sigmas.path]).toEqual(["value", null]);
    const limit = "threshold: { mustBeLessThan: 9 }";
    expect((await ruleOf(custom(`{ check: change, metric: { check: mean, column: n }, against: v1, ${limit} }`))).check).toMatchObject({
      against: "v1",
      windowsMin: 1,
    });
    const apart = custom(`{ check: change, metric: { check: mean, column: n }, by: deviations, against: v1, ${limit} }`);
    expect((await ruleOf(apart)).check).toMatchObject({ windowsMin: 3 });
  });

  test("are refused where they make no sense", async () => {
    const limit = "threshold: { mustBeLessThan: 1 }";
    expect(await codesOf(custom(`{ check: freshness, column: local, ${limit} }`))).toEqual(["column-type"]);
    expect(await codesOf(custom(`{ check: eventLag, column: at, q: 95, ${limit} }`))).toEqual(["number-too-large"]);
    const mean = "metric: { check: mean, column: n }";
    expect(await codesOf(custom(`{ check: change, ${mean}, windows: 3, windowsMin: 4, ${limit} }`))).toEqual(["keys-conflict"]);
    expect(await codesOf(custom(`{ check: change, ${mean}, windows: 2, by: deviations, ${limit} }`))).toEqual(["number-too-small"]);
    expect(await codesOf(custom(`{ check: change, metric: { check: mean, column: id }, ${limit} }`))).toEqual(["column-type"]);
    expect(await codesOf(custom("{ check: volume }"))).toEqual(["missing-key"]);
  });
});

describe("reference files", () => {
  const rule = (file: string, more = ""): string => custom(`{ check: reference, column: id, file: ${file}${more} }`);

  test("are lists in JSON, text or CSV, and part of the contract's hash", async () => {
    const json = await ruleOf(rule("codes.json"), { "c/codes.json": '["a", "b", "a"]' });
    expect(json.check).toMatchObject({
      family: "reference",
      file: "codes.json",
      values: [
        { type: "string", value: "a" },
        { type: "string", value: "b" },
      ],
    });
    const csv = { "c/codes.csv": 'code,name\r\nx,"one, ""1"""\r\ny,two\r\n' };
    expect((await ruleOf(rule("codes.csv"), csv)).check).toMatchObject({ values: [{ value: "x" }, { value: "y" }] });
    expect((await ruleOf(rule("codes.csv", ", field: name"), csv)).check).toMatchObject({
      values: [{ value: 'one, "1"' }, { value: "two" }],
    });
    expect((await ruleOf(rule("codes.txt"), { "c/codes.txt": "a\nb\n" })).check).toMatchObject({
      values: [{ value: "a" }, { value: "b" }],
    });
    const hashOf = async (text: string): Promise<string> =>
      (await load(documentOf(columns + rule("codes.txt")), { "c/codes.txt": text })).contract.hash;
    expect(await hashOf("a\n")).not.toBe(await hashOf("b\n"));
  });

  test("keep numbers exact and know times", async () => {
    const numbers = custom("{ check: reference, column: n, file: n.json }");
    expect((await ruleOf(numbers, { "c/n.json": "[9007199254740993]" })).check).toMatchObject({ values: [{ text: "9007199254740993" }] });
    const days = custom("{ check: reference, column: day, file: d.txt }");
    expect((await ruleOf(days, { "c/d.txt": "1970-01-11\n" })).check).toMatchObject({ values: [{ text: "10" }] });
  });

  test("are refused where they are wrong", async () => {
    expect(await codesOf(rule("none.txt"))).toEqual(["file-not-found"]);
    expect(await codesOf(rule("c.json"), { "c/c.json": "{}" })).toEqual(["reference-invalid"]);
    expect(await codesOf(rule("c.csv", ", field: nope"), { "c/c.csv": "a,b\n1,2\n" })).toEqual(["reference-invalid"]);
    expect(await codesOf(rule("c.txt"), { "c/c.txt": "\n" })).toEqual(["reference-invalid"]);
    expect(await codesOf(custom("{ check: reference, column: n, file: c.txt }"), { "c/c.txt": "x\n" })).toEqual(["reference-invalid"]);
  });
});

test("foreign keys name a dataset and a column", async () => {
  expect((await ruleOf(custom("{ check: foreignKey, column: id, dataset: airports, foreignColumn: code }"))).check).toEqual({
    family: "foreignKey",
    dataset: "airports",
    column: "code",
  });
  expect((await ruleOf(custom("{ check: foreignKey, column: id, dataset: airports }"))).check).toMatchObject({ column: "id" });
  expect(await codesOf(custom("{ check: foreignKey, column: where.city, dataset: airports }"))).toEqual(["column-type"]);
});

describe("SQL", () => {
  test("names its table and its property by placeholders", async () => {
    const rule = await ruleOf(quality(`{ id: r, type: sql, query: "SELECT count(*) FROM {object} WHERE n < 0", mustBeLessThan: 5 }`));
    expect([rule.check, rule.scope, rule.threshold]).toEqual([
      { family: "sql", query: 'SELECT count(*) FROM "things" WHERE n < 0' },
      "window",
      { operator: "mustBeLessThan", values: [5], unit: "value" },
    ]);
    const under = `    properties:\n      - name: n\n        logicalType: integer\n        quality: [{ type: sql, query: "SELECT max(\${property}) FROM \${object}", mustBe: 7 }]\n`;
    const { contract } = await load(documentOf(under));
    expect(contract.rules.at(-1)?.check).toEqual({ family: "sql", query: 'SELECT max("n") FROM "things"' });
  });

  test("is listed as not enforced where it can't be", async () => {
    for (const entry of [
      `{ type: sql, query: "SELECT {property} FROM {object}", mustBe: 7 }`,
      `{ type: sql, query: "SELECT 1", mustBe: x }`,
    ]) {
      const { contract } = await load(documentOf(columns + quality(entry)));
      expect(contract.unenforced.join()).toContain("an SQL rule");
      expect(contract.rules.some(({ check }) => check.family === "sql")).toBe(false);
    }
  });
});
