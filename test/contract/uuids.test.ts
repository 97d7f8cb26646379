import { describe, expect, test } from "vitest";
import { reloadContract } from "../../src/contract/reload-contract.ts";
import { documentOf, errorsOf, load } from "./contract-text.ts";

const settings = (more = ""): string => `    customProperties: [{ property: sluice, value: { unsupported: refuse${more} } }]\n`;
const columns = `    properties:
      - { name: id, logicalType: string, physicalType: uuid, required: true }
      - { name: parent, logicalType: string, physicalType: UUID }
      - { name: text, logicalType: string, logicalTypeOptions: { format: uuid } }
`;
const custom = (implementation: string): string =>
  `    quality:\n      - { id: r, type: custom, engine: sluice, implementation: ${implementation} }\n`;
const codesWith = async (rule: string): Promise<readonly string[]> =>
  (await errorsOf(documentOf(settings() + columns + rule))).map((each) => each.split(" ").at(-1) as string);
const property = (more: string): string => documentOf(`${settings()}    properties: [{ name: x, ${more} }]\n`);
const one = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
const other = "0f8fad5b-d9cb-469f-a165-70867728950e";

describe("uuid columns", () => {
  test.each([
    ["logicalType: string, physicalType: uuid", "uuid"],
    ["logicalType: string, physicalType: UUID, logicalTypeOptions: { format: uuid }", "uuid"],
    ["physicalType: uuid", "uuid"],
    ["logicalType: string, logicalTypeOptions: { format: uuid }", "string"],
    ["logicalType: string, physicalType: varchar(36), logicalTypeOptions: { format: uuid }", "string"],
    ["logicalType: string, physicalType: uuid, logicalTypeOptions: { format: binary }", "binary"],
  ])("are what { %s } says: %s", async (more, kind) => {
    const { contract } = await load(property(more));
    expect(contract.fields[0]?.type).toEqual({ kind });
    // The type says all that the format would.
    expect(contract.rules.map(({ check }) => check.family)).toEqual(kind === "string" ? ["type", "format"] : ["type"]);
  });

  test.each([
    "logicalTypeOptions: { minLength: 36 }",
    "logicalTypeOptions: { maxLength: 36 }",
    "logicalTypeOptions: { format: uuid-v4 }",
    "logicalTypeOptions: { format: email }",
  ])("have no { %s }", async (more) => {
    expect((await errorsOf(property(`logicalType: string, physicalType: uuid, ${more}`))).map((each) => each.split(" ").at(-1))).toEqual([
      "column-type",
    ]);
  });

  test("have no pattern", async () => {
    const errors = await errorsOf(property(`logicalType: string, physicalType: uuid, logicalTypeOptions: { pattern: "^f" }`));
    expect(errors.map((each) => each.split(" ").at(-1))).toEqual(["pattern-unsupported"]);
  });

  test.each([
    [custom("{ check: compare, left: id, operator: equals, right: text, tolerance: { rows: 0 } }"), "column-type"],
    [custom("{ check: length, column: id, maxLength: 36, tolerance: { rows: 0 } }"), "column-type"],
    [custom("{ check: format, column: id, format: uuid-v7, tolerance: { rows: 0 } }"), "column-type"],
    [custom('{ check: pattern, column: id, pattern: "^f", tolerance: { rows: 0 } }'), "column-type"],
    [custom(`{ check: range, column: id, minimum: "${one}", tolerance: { rows: 0 } }`), "column-type"],
    [custom("{ check: empty, column: id, tolerance: { rows: 0 } }"), "column-type"],
    [custom("{ check: sequence, column: id }"), "column-type"],
    [custom("{ check: max, column: id, threshold: { mustBeLessThan: 3 } }"), "column-type"],
    [custom("{ check: mean, of: length, column: id, threshold: { mustBeLessThan: 37 } }"), "column-type"],
    [custom('{ check: set, column: id, allowed: ["x"], tolerance: { rows: 0 } }'), "value-type"],
    [custom('{ check: condition, condition: { column: id, equals: "x" }, tolerance: { rows: 0 } }'), "value-type"],
    [custom('{ check: cel, expression: "id > 1" }'), "cel-expression"],
  ])("are refused by rules that have nothing to judge in them: %s", async (rule, code) => {
    expect(await codesWith(rule)).toEqual([code]);
  });

  test.each([
    [custom("{ check: compare, left: id, operator: notEquals, right: parent, tolerance: { rows: 0 } }")],
    [custom(`{ check: set, column: id, allowed: ["${one.toUpperCase()}"], tolerance: { rows: 0 } }`)],
    [custom(`{ check: condition, condition: { column: id, greaterThan: "${other}" }, tolerance: { rows: 0 } }`)],
    [custom("{ check: duplicate, columns: [id, parent], scope: dataset }")],
    [custom("{ check: foreignKey, column: parent, dataset: others, foreignColumn: id }")],
    [custom("{ check: monotonic, column: id, direction: increasing }")],
    [custom("{ check: cel, expression: \"id.startsWith('f8') && id != text\" }")],
    [custom("{ check: uniqueness, column: id, threshold: { mustBe: 100, unit: percent } }")],
    [custom(`{ check: distinctSet, column: id, relation: subset, values: ["${one}"], threshold: { mustBe: 0 } }`)],
    ["    quality:\n      - { id: r, type: sql, query: SELECT count(*) FROM orders, mustBe: 1 }\n"],
  ])("are judged by those that have: %s", async (rule) => {
    await load(documentOf(settings() + columns + rule));
  });

  test("have constants of one form, however they are written", async () => {
    const rule = custom(`{ check: set, column: id, allowed: ["${one.toUpperCase()}", "${other}"], tolerance: { rows: 0 } }`);
    const { contract } = await load(documentOf(settings() + columns + rule));
    expect(contract.rules.find(({ id }) => id === "r")?.check).toMatchObject({
      values: [
        { type: "string", value: one },
        { type: "string", value: other },
      ],
    });
  });

  test("have defaults, and partitions by bucket alone", async () => {
    const value = "customProperties: [{ property: sluice, value: { default: F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6 } }]";
    const text = (by: string): string =>
      documentOf(
        `${settings(`, formatVersion: 3, partitionBy: [{ column: x, transform: "${by}" }]`)}    properties: [{ name: x, logicalType: string, physicalType: uuid, required: true, ${value} }]\n`,
      );
    const { contract } = await load(text("bucket[8]"));
    expect(contract.table?.columns.get("x")?.default).toBe(one);
    for (const wrong of ["identity", "truncate[4]", "day"]) expect((await errorsOf(text(wrong))).length).toBe(1);
  });

  test("do not come of text by a change of the contract", async () => {
    const text = documentOf(settings() + columns);
    const { contract } = await load(text);
    const next = text
      .replaceAll("version: 1.0.0", "version: 1.1.0")
      .replace("{ name: text, logicalType: string,", "{ name: text, logicalType: string, physicalType: uuid,");
    const result = await reloadContract(contract, () => Promise.resolve(next));
    if (result.kind !== "broken") throw new Error("the change was taken");
    expect(result.error.message).toContain(`"text" can't change from string to uuid`);
  });
});
