import { expect, it } from "vitest";
import { createDuckDbQueries } from "../../src/adapters/duckdb/duckdb-queries.ts";
import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { EngineKind } from "../../src/gate/compiled.ts";
import type { JudgedRows, SettledRows } from "../../src/gate/judged-rows.ts";
import { scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { makeRecords } from "../fixtures/contract.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { GateBench } from "./gate-bench.ts";

const custom = (id: string, implementation: string): string =>
  `      - { id: ${id}, type: custom, engine: sluice, implementation: ${implementation} }\n`;

interface Sketch {
  readonly rules: string;
  readonly dataset?: string;
  readonly settings?: string;
}

async function uuidContract({ rules, dataset = "orders", settings = "" }: Sketch): Promise<Contract> {
  const text = `apiVersion: v3.1.0
kind: DataContract
id: ${dataset}
version: 1.0.0
status: active
schema:
  - name: ${dataset}
    physicalName: orders
    physicalType: topic
    logicalType: object
    quality:
${rules}
    customProperties:
      - property: sluice
        value: { window: { rows: 1000, seconds: 600 }${settings} }
    properties:
      - { name: n, logicalType: integer, required: true }
      - { name: id, logicalType: string, physicalType: uuid }
      - { name: parent, logicalType: string, physicalType: uuid }
      - { name: text, logicalType: string }
      - { name: many, logicalType: array, items: { logicalType: string, physicalType: uuid } }
`;
  return (await loadContract("orders.odcs.yaml", () => Promise.resolve(text))).contract;
}

const [one, two, three, most] = [
  "00000000-0000-7000-8000-000000000001",
  "0f8fad5b-d9cb-469f-a165-70867728950e",
  "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
] as const;
/** What is right, and wrong in the sixth: producers write either case. */
const ids = [two, three.toUpperCase(), one, three, null, "f81d4fae7dec41d0a76500a0c91e6bf6", most];
const records = ids.map((id, n) => JSON.stringify({ n, id, parent: n === 0 ? two.toUpperCase() : one, text: id, many: [id ?? one, one] }));

async function settle(kind: EngineKind, contract: Contract): Promise<{ judged: JudgedRows; settled: SettledRows }> {
  const window = openInlineEngine().open({ contract, schema: schemaOfContract(contract, null).schema, kind });
  const judged = await window.add([makeRecords(records)]);
  return { judged, settled: await window.settle(1_800_000_000_000) };
}

const essence = (settled: SettledRows): unknown => ({
  ...settled,
  profile: { ...settled.profile, bytes: Buffer.from(settled.profile.bytes).toString("hex") },
  files: settled.files.map((file) => Buffer.concat(file.pieces.map((piece) => Buffer.from(piece))).toString("hex")),
});

it("rules see the bits of UUIDs, expressions their text in lower case, compiled or not", async () => {
  const tolerant = "tolerance: { rows: 9 }";
  const contract = await uuidContract({
    rules: [
      custom("set", `{ check: set, column: id, allowed: ["${two.toUpperCase()}", "${three}", "${most}"], ${tolerant} }`),
      custom("none", `{ check: set, column: id, forbidden: ["${most}"], ${tolerant} }`),
      custom("more", `{ check: condition, condition: { column: id, greaterThan: "${one}" }, ${tolerant} }`),
      custom("pair", `{ check: compare, left: id, operator: notEquals, right: parent, ${tolerant} }`),
      custom("cel", `{ check: cel, expression: 'id == null || id.matches("^.{14}[47]")', ${tolerant} }`),
      custom("same", `{ check: cel, expression: 'id == null || id == text || text == null', ${tolerant} }`),
      custom("once", `{ check: duplicate, columns: [id], ${tolerant} }`),
      custom("rising", `{ check: monotonic, column: id, direction: increasing, ${tolerant} }`),
      custom("tuple", `{ check: tuples, columns: [id, parent], forbidden: [["${two}", "${two}"]], ${tolerant} }`),
      custom("where", `{ check: "null", column: n, where: { column: id, in: ["${three}", "${one}"] } }`),
      custom("many", "{ check: uniqueness, column: id, threshold: { mustBe: 100, unit: percent } }"),
      custom("seen", `{ check: distinctSet, column: id, relation: subset, values: ["${one}", "${two}"], threshold: { mustBe: 0 } }`),
      custom("distinct", "{ check: distinctCount, column: id, threshold: { mustBe: 99 } }"),
    ].join(""),
  });
  const [reference, compiled] = [await settle("reference", contract), await settle("compiled", contract)];
  expect(essence(compiled.settled)).toEqual(essence(reference.settled));
  const { outcomes, rejected } = compiled.settled;
  const failed = Object.fromEntries(
    outcomes.filter(({ status }) => status === "fail").map(({ rule, failed: count, breach }) => [rule, breach ?? count]),
  );
  expect(failed).toMatchObject({
    set: 1,
    none: 1,
    more: 2,
    pair: 2,
    cel: 1,
    same: 1,
    once: 1,
    rising: 1,
    tuple: 1,
    seen: expect.stringContaining("the number of values of id that are not in the set is 2"),
    distinct: expect.stringContaining("4"),
  });
  expect(outcomes.find(({ rule }) => rule === "where")?.checked).toBe(3);
  expect(rejected.map(({ row, reasons }) => [row, ...reasons.map(({ rule }) => rule)])).toEqual([
    [0, "pair", "tuple"],
    [1, "same"],
    [2, "set", "more", "pair", "rising"],
    [3, "once"],
    [4, "more"],
    [5, "id.type", "many[].type"],
    [6, "none", "cel"],
  ]);
  const reason = (row: number, rule: string): string | undefined =>
    rejected.find((each) => each.row === row)?.reasons.find((each) => each.rule === rule)?.message;
  expect(reason(2, "set")).toBe(`id is ${one}, expected one of "${two}", "${three}", "${most}"`);
  expect(reason(5, "id.type")).toBe(`id is f81d4fae7dec41d0a76500a0c91e6bf6, expected a UUID such as ${three}`);
});

it("SQL has DuckDB's UUIDs, and profiles their text", async () => {
  const contract = await uuidContract({ rules: "      - { metric: rowCount, mustBeGreaterThan: 0 }\n" });
  const { settled } = await settle("compiled", contract);
  expect(settled.profile.columns.find(({ path }) => path === "id")).toMatchObject({
    kind: "uuid",
    count: 6,
    nulls: 1,
    min: one,
    max: most,
    distinct: 4,
    top: expect.arrayContaining([{ value: three, count: 2 }]),
    lengths: null,
  });
  const answers = await createDuckDbQueries().run(
    [
      "SELECT count(DISTINCT id) FROM orders",
      `SELECT count(*) FROM orders WHERE id = '${three.toUpperCase()}'`,
      "SELECT count(*) FROM orders WHERE typeof(id) = 'UUID' AND typeof(many) = 'UUID[]'",
      `SELECT n FROM orders WHERE id = (SELECT max(id) FROM orders)`,
    ].map((sql, i) => ({ rule: `r${i}`, sql })),
    "orders",
    settled.files.map((file) => file.pieces),
  );
  expect(answers).toEqual([{ value: 4 }, { value: 2 }, { value: 6 }, { value: 6 }]);
});

it.skipIf(!pythonHere)("go from JSON through a gate into a table of buckets that PyIceberg and DuckDB read", async () => {
  using scratch = scratchFolder();
  const contract = await uuidContract({
    rules: custom("none", `{ check: set, column: id, forbidden: ["${one}"] }`),
    settings: `, partitionBy: [{ column: id, transform: "bucket[4]" }], sortBy: [{ column: id }]`,
  });
  const bench = await GateBench.open(scratch.folder, contract);
  bench.source.append(0, records);
  await bench.source.assign(0);
  await bench.stop();
  const read = `${duckdbWithIceberg}
import sys, json, uuid
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
table = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false").load_table("db.orders")
text = lambda each: None if each is None else str(uuid.UUID(bytes=each) if isinstance(each, bytes) else each)
rows = table.scan().to_arrow().sort_by("n")
print(json.dumps({
    "type": str(table.schema().find_type("id")),
    "n": rows["n"].to_pylist(),
    "id": [text(each) for each in rows["id"].to_pylist()],
    "many": [[text(e) for e in each] for each in rows["many"].to_pylist()],
    "found": sorted(table.scan(row_filter="id == '${three}'").to_arrow()["n"].to_pylist()),
    "duck": [[text(v) for v in row] for row in duck.sql(f"select id, typeof(id) from iceberg_scan('{table.metadata_location}') order by n").fetchall()],
}))
`;
  const kept = [two, three, three, null, most];
  expect(JSON.parse(await runPython((await pythonReaders()) as string, read, [scratch.folder]))).toEqual({
    type: "uuid",
    n: [0, 1, 3, 4, 6],
    id: kept,
    many: kept.map((id) => [id ?? one, one]),
    found: [1, 3],
    duck: kept.map((id) => [id, "UUID"]),
  });
});
