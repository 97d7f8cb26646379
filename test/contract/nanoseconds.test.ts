import { describe, expect, test } from "vitest";
import { reloadContract } from "../../src/contract/reload-contract.ts";
import { documentOf, errorsOf, load } from "./contract-text.ts";

const settings = (more = ""): string =>
  `    customProperties: [{ property: sluice, value: { formatVersion: 3, unsupported: refuse${more} } }]\n`;
const columns = `    properties:
      - { name: id, logicalType: string }
      - { name: at, logicalType: timestamp, physicalType: timestamptz_ns }
      - { name: seen, logicalType: timestamp, physicalType: timestamptz_ns }
      - { name: micros, logicalType: timestamp, physicalType: timestamptz }
`;
const custom = (implementation: string): string =>
  `    quality:\n      - { id: r, type: custom, engine: sluice, implementation: ${implementation} }\n`;
const errorsWith = (rule: string): Promise<readonly string[]> => errorsOf(documentOf(settings() + columns + rule));

describe("timestamps in nanoseconds", () => {
  test.each([
    ["timestamptz_ns", true, "nanos"],
    ["TIMESTAMPTZ_NS", true, "nanos"],
    ["timestamp_ns", true, "nanos"],
    ["timestamp_ns\nlogicalTypeOptions: { timezone: false }", false, "nanos"],
    ["timestamp-nanos", true, "nanos"],
    ["local-timestamp-nanos", false, "nanos"],
    ["timestamp[ns]", false, "nanos"],
    ["timestamp[ns, tz=Europe/Berlin]", true, "nanos"],
    ["datetime64[ns]", false, "nanos"],
    ["datetime64[ns, UTC]", true, "nanos"],
    ["timestamp", true, "micros"],
    ["timestamp(9)", true, "micros"],
    ["timestamp(9) without time zone", false, "micros"],
    ["timestamp[us]", true, "micros"],
  ])("are what physicalType %j says", async (physicalType, zoned, unit) => {
    const lines = physicalType.replace("\n", "\n        ");
    const property = `      - name: x\n        logicalType: timestamp\n        physicalType: ${lines.replace(/^[^\n]*/, (name) => JSON.stringify(name))}\n`;
    const { contract } = await load(documentOf(`${settings()}    properties:\n${property}`));
    expect(contract.fields[0]?.type).toEqual({ kind: "timestamp", zoned, unit });
  });

  test("take format version 3", async () => {
    expect(await errorsOf(documentOf(columns))).toEqual(["11:45 timestamp-unit", "12:47 timestamp-unit"]);
  });

  test("are not what a precision says, which is told", async () => {
    const { diagnostics } = await load(documentOf("    properties: [{ name: x, logicalType: timestamp, physicalType: timestamp(9) }]\n"));
    expect(diagnostics.filter(({ code }) => code === "timestamp-unit")).toMatchObject([
      { severity: "info", message: "x: timestamp(9) is kept in microseconds, and finer values are invalid" },
    ]);
  });

  test.each([
    [custom("{ check: compare, left: at, operator: lessThan, right: micros, tolerance: { rows: 0 } }")],
    [custom('{ check: quantile, column: at, q: 0.5, threshold: { mustBeLessThan: "2026-01-01T00:00:00Z" } }')],
    [custom('{ check: groups, by: [id], aggregate: max, column: at, threshold: { mustBeLessThan: "2026-01-01T00:00:00Z" } }')],
    [custom('{ check: max, column: at, threshold: { mustBeLessThan: "2026-01-01T00:00:00.123456789Z" } }')],
    ["    quality:\n      - { id: r, type: sql, query: SELECT 1, mustBe: 1 }\n"],
  ])("are refused in rules that would round them: %s", async (rule) => {
    expect((await errorsWith(rule)).map((each) => each.split(" ").at(-1))).toEqual(["timestamp-unit"]);
  });

  test.each([
    [custom("{ check: compare, left: at, operator: lessThan, right: seen, tolerance: { rows: 0 } }")],
    [custom('{ check: cel, expression: "at < micros" }')],
    [custom('{ check: max, column: at, threshold: { mustBeLessThan: "2026-01-01T00:00:00.123456Z" } }')],
    [custom('{ check: max, column: micros, threshold: { mustBeLessThan: "9999-12-31T23:59:59.999999Z" } }')],
    [custom("{ check: groups, by: [at], threshold: { mustBeLessThan: 3 } }")],
  ])("are taken by those that do not: %s", async (rule) => {
    await load(documentOf(settings() + columns + rule));
  });

  test("beyond 64 bits are no constants", async () => {
    const range = (minimum: string): string => custom(`{ check: range, column: at, minimum: "${minimum}", tolerance: { rows: 0 } }`);
    await load(documentOf(settings() + columns + range("2262-04-11T23:47:16.854775807Z")));
    for (const wrong of ["2262-04-11T23:47:16.854775808Z", "1677-09-21", "0001-01-01", "2026-01-01T00:00:00.1234567891Z"])
      expect((await errorsWith(range(wrong))).map((each) => each.split(" ").at(-1))).toEqual(["bound-malformed"]);
  });

  test("have defaults of nine digits", async () => {
    const property = `    properties: [{ name: x, logicalType: timestamp, physicalType: timestamptz_ns, required: true, customProperties: [{ property: sluice, value: { default: "2026-03-01T02:00:00.123456789+01:00" } }] }]\n`;
    const { contract } = await load(documentOf(settings() + property));
    expect(contract.table?.columns.get("x")?.default).toBe("2026-03-01T01:00:00.123456789+00:00");
  });

  test("do not come of microseconds by a change of the contract", async () => {
    const text = documentOf(settings() + columns);
    const { contract } = await load(text);
    const next = text
      .replaceAll("version: 1.0.0", "version: 1.1.0")
      .replace("physicalType: timestamptz }", "physicalType: timestamptz_ns }");
    const result = await reloadContract(contract, () => Promise.resolve(next));
    if (result.kind !== "broken") throw new Error("the change was taken");
    expect(result.error.message).toContain(`"micros" can't change from timestamp with zone to timestamp with zone in nanoseconds`);
  });
});
