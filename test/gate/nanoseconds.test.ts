import { expect, it } from "vitest";
import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import { createDuckDbQueries } from "../../src/adapters/duckdb/duckdb-queries.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import { jsonCodec } from "../../src/codecs/json.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { SqlQuery } from "../../src/core/sql-queries.ts";
import type { EngineKind } from "../../src/gate/compiled.ts";
import { lateRows } from "../../src/gate/late.ts";
import type { JudgedRows, SettledRows } from "../../src/gate/judged-rows.ts";
import { scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { makeRecords } from "../fixtures/contract.ts";
import { pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { GateBench } from "./gate-bench.ts";

const custom = (id: string, implementation: string): string =>
  `      - { id: ${id}, type: custom, engine: sluice, implementation: ${implementation} }\n`;

async function nanoContract(rules: string): Promise<Contract> {
  const text = `apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    physicalName: orders
    physicalType: topic
    logicalType: object
    quality:
${rules}
    customProperties:
      - property: sluice
        value: { formatVersion: 3, window: { rows: 1000, seconds: 600 } }
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: at, logicalType: timestamp, physicalType: timestamptz_ns }
      - { name: seen, logicalType: timestamp, physicalType: timestamptz_ns }
      - { name: wall, logicalType: timestamp, physicalType: timestamp_ns, logicalTypeOptions: { timezone: false } }
`;
  return (await loadContract("orders.odcs.yaml", () => Promise.resolve(text))).contract;
}

const second = "2026-03-01T01:00:00";
const times = ["123456788", "123456789", "123456790", "123456789", "000000000", null];
const records = times.map((digits, id) => {
  const at = digits === null ? null : `${second}.${digits}Z`;
  return JSON.stringify({ id, at, seen: `${second}.123456789Z`, wall: digits === null ? null : `${second}.${digits}` });
});

async function settle(kind: EngineKind, contract: Contract): Promise<{ judged: JudgedRows; settled: SettledRows }> {
  const window = openInlineEngine().open({ contract, schema: schemaOfContract(contract, null).schema, kind });
  const made = makeRecords(records);
  const judged = await window.add([{ ...made, timestamps: made.timestamps.map(() => BigInt(recordedMs)) }]);
  return { judged, settled: await window.settle(1_800_000_000_000) };
}

/** When records reached their topic. */
const recordedMs = 1_790_000_000_000;
const at = `${second}.123456789Z`;

const essence = (settled: SettledRows): unknown => ({
  ...settled,
  profile: { ...settled.profile, bytes: Buffer.from(settled.profile.bytes).toString("hex") },
  files: settled.files.map((file) => Buffer.concat(file.pieces.map((piece) => Buffer.from(piece))).toString("hex")),
});

it("rules tell one nanosecond from the next, compiled or not", async () => {
  const contract = await nanoContract(
    [
      custom("range", `{ check: range, column: at, minimum: "${at}", tolerance: { rows: 9 } }`),
      custom("compare", "{ check: compare, left: at, operator: lessOrEqualTo, right: seen, tolerance: { rows: 9 } }"),
      custom("cel", `{ check: cel, expression: 'at == null || at != timestamp("${at}")', tolerance: { rows: 9 } }`),
      custom("fields", `{ check: cel, expression: 'at == null || at <= seen', tolerance: { rows: 9 } }`),
      custom("monotonic", "{ check: monotonic, column: at, direction: increasing, strict: true, tolerance: { rows: 9 } }"),
      custom("once", "{ check: duplicate, columns: [at], tolerance: { rows: 9 } }"),
      custom("where", `{ check: "null", column: id, where: { column: at, equals: "${at}" } }`),
      custom("least", `{ check: min, column: wall, threshold: { mustBeGreaterThan: "${second}.12345" } }`),
      custom("greatest", `{ check: max, column: at, threshold: { mustBeLessThan: "${second}Z" } }`),
      custom("fresh", "{ check: freshness, column: at, threshold: { mustBeLessThan: 1 } }"),
      custom("lag", "{ check: eventLag, column: at, q: 0.75, threshold: { mustBeLessThan: 1 } }"),
    ].join(""),
  );
  const [reference, compiled] = [await settle("reference", contract), await settle("compiled", contract)];
  expect(essence(compiled.settled)).toEqual(essence(reference.settled));
  const { outcomes, rejected, profile } = compiled.settled;
  const failed = Object.fromEntries(
    outcomes.filter(({ status }) => status === "fail").map(({ rule, failed, breach }) => [rule, breach ?? failed]),
  );
  expect(failed).toMatchObject({
    range: 2,
    compare: 1,
    cel: 2,
    fields: 1,
    monotonic: 2,
    once: 1,
    least: `least: the least value of wall is ${second}, must be more than ${second}.123450`,
    greatest: `greatest: the greatest value of at is ${second}.123456790Z, must be less than ${second}Z`,
  });
  expect(outcomes.find(({ rule }) => rule === "where")?.checked).toBe(2);
  const whole = Date.parse(`${second}Z`);
  // Freshness goes on in microseconds, lags are seconds.
  expect(outcomes.find(({ rule }) => rule === "fresh")?.measured?.value).toBeCloseTo(whole * 1000 + 123_456.79, 0);
  expect(outcomes.find(({ rule }) => rule === "lag")?.measured?.value).toBeCloseTo((recordedMs - whole) / 1000 - 0.123_456_788, 9);
  expect(rejected.map(({ row, reasons }) => [row, ...reasons.map(({ rule }) => rule)])).toEqual([
    [0, "range"],
    [1, "cel"],
    [2, "compare", "fields"],
    [3, "cel", "monotonic", "once"],
    [4, "range", "monotonic"],
  ]);
  expect(rejected[0]?.reasons[0]?.message).toBe(`at is ${second}.123456788Z, expected at least ${at}`);
  expect(profile.columns.find(({ path }) => path === "seen")).toMatchObject({
    min: at,
    max: at,
    distinct: 1,
    top: [{ value: at, count: 1 }],
  });
});

it("expressions have every nanosecond of an instant, at the ends of 64 bits and before the epoch too", async () => {
  const ends = [
    "1677-09-21T00:12:43.145224192Z",
    "1969-12-31T23:59:59.999999999Z",
    "1969-12-31T23:59:59.000000001Z",
    at,
    "2262-04-11T23:47:16.854775807Z",
  ];
  const listed = ends.map((each) => `timestamp("${each}")`).join(", ");
  const cel = (id: string, expression: string): string => custom(id, `{ check: cel, expression: '${expression}', tolerance: { rows: 9 } }`);
  const contract = await nanoContract(
    [
      cel("text", "timestamp(string(at)) == at"),
      cel("next", 'at + duration("1ns") > at && at - duration("1ns") < at'),
      cel("between", '(at + duration("1ns")) - at == duration("1ns") && at - seen == duration("0s")'),
      cel("listed", `at in [${listed}] && string(at) in [${ends.map((each) => `"${each}"`).join(", ")}]`),
      cel("above", 'at >= timestamp("1677-09-21T00:12:43.145224192Z") && at <= timestamp("2262-04-11T23:47:16.854775807Z")'),
      cel("last", 'at < timestamp("2262-04-11T23:47:16.854775807Z")'),
      cel("first", 'at > timestamp("1677-09-21T00:12:43.145224192Z")'),
    ].join(""),
  );
  const window = openInlineEngine().open({ contract, schema: schemaOfContract(contract, null).schema, kind: "compiled" });
  await window.add([makeRecords(ends.map((each, id) => JSON.stringify({ id, at: each, seen: each })))]);
  const { outcomes, rejected } = await window.settle(1_800_000_000_000);
  // None was in error, which counts as a row that fails, or left a row out.
  const judged = outcomes.filter(({ family }) => family === "cel").map(({ rule, failed, checked }) => [rule, failed, checked]);
  expect(judged).toEqual(
    ["text", "next", "between", "listed", "above", "last", "first"].map((rule) => [rule, rule === "last" || rule === "first" ? 1 : 0, 5]),
  );
  expect(rejected.map(({ row, reasons }) => [row, ...reasons.map(({ rule }) => rule)])).toEqual([
    [0, "first"],
    [4, "last"],
  ]);
});

it("SQL tells one nanosecond of local times from the next", async () => {
  const contract = await nanoContract("      - { metric: rowCount, mustBeGreaterThan: 0 }\n");
  const { settled } = await settle("compiled", contract);
  const query = (sql: string): SqlQuery => ({ rule: "r", sql });
  const files = settled.files.map((file) => file.pieces);
  const answers = await createDuckDbQueries().run(
    [
      query("SELECT count(DISTINCT wall) FROM orders"),
      query(`SELECT count(*) FROM orders WHERE wall > TIMESTAMP_NS '${second}.123456789'`),
      query(`SELECT count(*) FROM orders WHERE wall > TIMESTAMP '${second}.123456'`),
      query(`SELECT max(epoch_ns(wall)) - min(epoch_ns(wall)) FROM orders`),
    ],
    "orders",
    files,
  );
  expect(answers).toEqual([{ value: 4 }, { value: 1 }, { value: 4 }, { value: 123_456_790 }]);
});

it.skipIf(!pythonHere)("go from JSON through a gate into a table of version 3, where PyIceberg finds every nanosecond", async () => {
  using scratch = scratchFolder();
  const contract = await nanoContract(custom("range", `{ check: range, column: at, minimum: "${at}" }`));
  const bench = await GateBench.open(scratch.folder, contract);
  bench.source.append(0, records);
  await bench.source.assign(0);
  await bench.stop();
  const read = `
import sys, json, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
table = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false").load_table("db.orders")
rows = table.scan().to_arrow().sort_by("id")
texts = lambda name: [None if each is None else str(each) for each in rows[name].cast(pa.int64()).to_pylist()]
print(json.dumps({"version": table.metadata.format_version, "types": [str(table.schema().find_type(name)) for name in ("at", "wall")], "id": rows["id"].to_pylist(), "at": texts("at"), "wall": texts("wall")}))
`;
  const nanos = (below: number): string => String(BigInt(Date.parse(`${second}Z`)) * 1_000_000n + BigInt(below));
  const kept = [nanos(123_456_789), nanos(123_456_790), nanos(123_456_789), null];
  expect(JSON.parse(await runPython((await pythonReaders()) as string, read, [scratch.folder]))).toEqual({
    version: 3,
    types: ["timestamptz_ns", "timestamp_ns"],
    id: [1, 2, 3, 5],
    at: kept,
    wall: kept,
  });
});

it("late records are told to the nanosecond", async () => {
  const contract = await nanoContract("      - { metric: rowCount, mustBeGreaterThan: 0 }\n");
  const late = { column: "at", seconds: 60, action: "skip" } as const;
  const closedAtMs = Date.parse(`${second}Z`) + 60_123;
  const texts = ["122999999", "123000000", "123000001"].map((digits, id) => JSON.stringify({ id, at: `${second}.${digits}Z` }));
  const batch = jsonCodec.compile(contract)(makeRecords(texts));
  expect([...lateRows({ ...contract, policies: { ...contract.policies, late } }, batch, closedAtMs)]).toEqual([0]);
});
