import type { Contract } from "../../src/core/contract.ts";
import type { Lake } from "../../src/core/ports.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import { makeWindow } from "../adapters/lake/lake-fixture.ts";
import { nanoQuestions } from "./nano-questions.ts";
import type { Cell, Condition, Question, Row } from "./question.ts";

const key = { topic: "orders", topicId: "topic-a", partition: 0 };

/** A contract of one table. */
async function contractOf(table: string, version: number, properties: readonly string[], settings: readonly string[]): Promise<Contract> {
  const text = `apiVersion: v3.2.0
kind: DataContract
id: ${table}
version: ${version}.0.0
status: active
schema:
  - name: ${table}
    logicalType: object
    customProperties: [{ property: sluice, value: { ${settings.join(", ")} } }]
    properties:
${properties.map((property) => `      - ${property}`).join("\n")}
`;
  return (await loadContract(`${table}.odcs.yaml`, () => Promise.resolve(text))).contract;
}

/** A table in the making: its rows go through windows, as the gate would commit them. */
class MatrixTable {
  readonly name: string;
  readonly #lake: Lake;
  readonly #settings: readonly string[];
  #contract: Contract | null = null;
  #next = 0;
  #version = 0;

  constructor(lake: Lake, name: string, settings: readonly string[]) {
    this.#lake = lake;
    this.name = name;
    this.#settings = settings;
  }

  async follow(properties: readonly string[], more: readonly string[] = []): Promise<this> {
    this.#contract = await contractOf(this.name, ++this.#version, properties, [...this.#settings, ...more]);
    await this.#lake.activate(this.#contract);
    if (this.#version === 1) await this.#lake.recordStart(this.name, [{ ...key, next: 0n }]);
    return this;
  }

  /** Commits rows, as JSON texts; answers the snapshot's id. */
  async promote(rows: readonly string[], hold = false): Promise<{ readonly snapshotId: string; readonly windowId: string }> {
    const { schema, layout } = await this.#lake.state(this.name);
    const windowId = `${this.name}-${this.#next}`.slice(0, 60).replaceAll(/[^A-Za-z0-9_-]/g, "-");
    const window = makeWindow({
      id: windowId,
      from: BigInt(this.#next),
      values: rows,
      contract: this.#contract as Contract,
      schema,
      layout,
      ...(hold && { verdict: "hold" as const }),
    });
    const result = await this.#lake.commitWindow({ ...window, from: [{ ...key, next: BigInt(this.#next) }] });
    this.#next += rows.length;
    if (result.status !== "committed") throw new Error(result.message);
    return { snapshotId: result.snapshotId, windowId };
  }

  ask(topic: string, what: string, rows: readonly Row[], more: Partial<Pick<Question, "snapshotId" | "ref" | "where">> = {}): Question {
    return {
      topic,
      what,
      table: this.name,
      formatVersion: 2,
      snapshotId: null,
      ref: null,
      where: null,
      columns: Object.keys(rows[0] ?? { id: 0 }),
      rows,
      ...more,
    };
  }
}

/** One that is below zero as Java's long, the least, and one that is not below it. */
const uuids = [
  "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
  "00000000-0000-0000-0000-000000000000",
  "0f8fad5b-d9cb-469f-a165-70867728950e",
] as const;
const isUuid = (op: string, text: string): Condition => ({
  sql: `v ${op} '${text}'`,
  trino: `v ${op} UUID '${text}'`,
  polars: `col("v") ${op === "=" ? "==" : op} bytes.fromhex("${text.replaceAll("-", "")}")`,
  pyiceberg: `v ${op} '${text}'`,
});

/** A type: how a contract says it, a usual value and two extremes in JSON, and what readers must find. */
interface TypeCase {
  readonly name: string;
  readonly property: string;
  readonly json: readonly [string, string, string];
  readonly cells: readonly [Cell, Cell, Cell];
}

const types: readonly TypeCase[] = [
  { name: "boolean", property: "logicalType: boolean", json: ["true", "false", "true"], cells: [true, false, true] },
  {
    name: "int",
    property: "logicalType: integer, physicalType: int",
    json: ["7", "-2147483648", "2147483647"],
    cells: [7, -2147483648, 2147483647],
  },
  {
    name: "long",
    property: "logicalType: integer",
    json: ["7", "-9223372036854775808", "9223372036854775807"],
    cells: [7, "-9223372036854775808", "9223372036854775807"],
  },
  {
    name: "float",
    property: "logicalType: number, physicalType: float",
    json: ["1.5", "-0.25", "16777216"],
    cells: [1.5, -0.25, 16777216],
  },
  {
    name: "double",
    property: "logicalType: number",
    json: ["0.1", "-1.7976931348623157e308", "5e-324"],
    cells: [0.1, -Number.MAX_VALUE, Number.MIN_VALUE],
  },
  {
    name: "decimal(9,2)",
    property: 'logicalType: number, physicalType: "decimal(9,2)"',
    json: ["10.65", "-9999999.99", "0.01"],
    cells: ["10.65", "-9999999.99", "0.01"],
  },
  {
    name: "decimal(18,4)",
    property: 'logicalType: number, physicalType: "decimal(18,4)"',
    json: ["1.5", "-99999999999999.9999", "0.0001"],
    cells: ["1.5", "-99999999999999.9999", "0.0001"],
  },
  {
    name: "decimal(38,10)",
    property: 'logicalType: number, physicalType: "decimal(38,10)"',
    json: ["1", "-1234567890123456789012345678.0123456789", "0.0000000001"],
    cells: ["1", "-1234567890123456789012345678.0123456789", "0.0000000001"],
  },
  {
    name: "date",
    property: "logicalType: date",
    json: ['"2026-01-31"', '"1969-12-31"', '"0001-01-01"'],
    cells: ["2026-01-31", "1969-12-31", "0001-01-01"],
  },
  {
    name: "time (as text)",
    property: "logicalType: time",
    json: ['"23:59:59.999999"', '"00:00:00"', '"12:30:00"'],
    cells: ["23:59:59.999999", "00:00:00", "12:30:00"],
  },
  {
    name: "timestamp",
    property: "logicalType: timestamp, logicalTypeOptions: { timezone: false }",
    json: ['"2026-03-01T01:00:00.000001"', '"1969-12-31T23:59:59.999999"', '"1970-01-01T00:00:00"'],
    cells: ["2026-03-01T01:00:00.000001", "1969-12-31T23:59:59.999999", "1970-01-01T00:00:00.000000"],
  },
  {
    name: "timestamptz",
    property: "logicalType: timestamp",
    json: ['"2026-03-01T01:00:00.123456+02:00"', '"1969-12-31T23:59:59.999999Z"', '"1970-01-01T00:00:00Z"'],
    cells: ["2026-02-28T23:00:00.123456", "1969-12-31T23:59:59.999999", "1970-01-01T00:00:00.000000"],
  },
  {
    name: "string",
    property: "logicalType: string",
    json: ['"\\u0000\\ud83d\\ude00"', '""', '"\uffff"'],
    cells: ["\0\u{1f600}", "", "\uffff"],
  },
  {
    name: "binary",
    property: "logicalType: string, physicalType: binary",
    json: ['"AP/+"', '""', '"AA=="'],
    cells: ["0x00fffe", "0x", "0x00"],
  },
  {
    name: "uuid",
    property: "logicalType: string, physicalType: uuid",
    json: [`"${uuids[0].toUpperCase()}"`, `"${uuids[1]}"`, `"${uuids[2]}"`],
    cells: uuids,
  },
  {
    name: "JSON (as text)",
    property: "logicalType: object",
    json: ['{"n":1.0,"big":12345678901234567890}', "[]", '"x"'],
    cells: ['{"n":1.0,"big":12345678901234567890}', "[]", '"x"'],
  },
  {
    name: "struct",
    property:
      "logicalType: object, properties: [{ name: x, logicalType: integer }, { name: in, logicalType: object, properties: [{ name: y, logicalType: string }] }]",
    json: ['{"x":7,"in":{"y":"deep"}}', "{}", '{"in":{}}'],
    cells: [
      { x: 7, in: { y: "deep" } },
      { x: null, in: null },
      { x: null, in: { y: null } },
    ],
  },
  {
    name: "list",
    property: "logicalType: array, items: { logicalType: integer }",
    json: ["[1,null,3]", "[]", "[9]"],
    cells: [[1, null, 3], [], [9]],
  },
  {
    name: "list of structs",
    property:
      'logicalType: array, items: { logicalType: object, properties: [{ name: z, logicalType: number, physicalType: "decimal(5,2)" }] }',
    json: ['[{"z":1.25},{}]', "[]", "[null]"],
    cells: [[{ z: "1.25" }, { z: null }], [], [null]],
  },
  {
    name: "list of lists",
    property: "logicalType: array, items: { logicalType: array, items: { logicalType: string } }",
    json: ['[["a"],[],null]', "[]", '[["b","c"]]'],
    cells: [[["a"], [], null], [], [["b", "c"]]],
  },
  {
    name: "map",
    property: "logicalType: map, map: { key: { logicalType: string }, value: { logicalType: number } }",
    json: ['{"a":1.5,"b":null}', '{"c":0}', '{"":-1}'],
    cells: [{ a: 1.5, b: null }, { c: 0 }, { "": -1 }],
  },
];

/** One table a type: usual value, extremes, and a null. */
async function typeQuestions(lake: Lake, settings: readonly string[], suffix: string): Promise<Question[]> {
  const questions: Question[] = [];
  for (const [i, { name, property, json, cells }] of types.entries()) {
    const table = await new MatrixTable(lake, `type_${i}${suffix}`, settings).follow([
      "{ name: id, logicalType: integer }",
      `{ name: v, ${property} }`,
    ]);
    await table.promote([...json.map((value, id) => `{"id":${id},"v":${value}}`), '{"id":3,"v":null}']);
    questions.push(table.ask("Types", name, [...cells.map((v, id) => ({ id, v })), { id: 3, v: null }]));
  }
  return questions;
}

const typed = (name: string): TypeCase => types.find((each) => each.name === name) as TypeCase;
const moment = (text: string): Condition => ({
  sql: `v = TIMESTAMP '${text}'`,
  duckdb: `v = TIMESTAMPTZ '${text}+00'`,
  trino: `v = TIMESTAMP '${text} UTC'`,
  polars: `col("v") == datetime.datetime.fromisoformat("${text}+00:00")`,
  pyiceberg: `v = '${text.replace(" ", "T")}+00:00'`,
});
const quoted = (text: string): Condition => ({ sql: `v = ${text}`, pyiceberg: `v = ${text}` });

/** Transforms of types, with a condition that finds the first row only. */
const partitions: readonly (readonly [string, string, Condition])[] = [
  ["identity", "boolean", { sql: "v = false", pyiceberg: "v = false" }],
  ["identity", "int", quoted("7")],
  ["identity", "long", quoted("7")],
  ["identity", "decimal(9,2)", { sql: "v = 10.65", pyiceberg: "v = 10.65" }],
  ["identity", "date", { sql: "v = DATE '2026-01-31'", pyiceberg: "v = '2026-01-31'" }],
  ["identity", "timestamptz", moment("2026-02-28 23:00:00.123456")],
  ["identity", "string", { sql: "v = ''", pyiceberg: "v = ''" }],
  ["identity", "binary", { sql: "v = X'00FFFE'", duckdb: "v = '\\x00\\xFF\\xFE'::BLOB", pyiceberg: "id = 0" }],
  ["year", "timestamptz", moment("2026-02-28 23:00:00.123456")],
  ["month", "date", { sql: "v = DATE '2026-01-31'", pyiceberg: "v = '2026-01-31'" }],
  [
    "day",
    "timestamp",
    {
      sql: "v = TIMESTAMP_NTZ '2026-03-01 01:00:00.000001'",
      duckdb: "v = TIMESTAMP '2026-03-01 01:00:00.000001'",
      trino: "v = TIMESTAMP '2026-03-01 01:00:00.000001'",
      polars: 'col("v") == datetime.datetime.fromisoformat("2026-03-01 01:00:00.000001")',
      pyiceberg: "v = '2026-03-01T01:00:00.000001'",
    },
  ],
  ["hour", "timestamptz", moment("2026-02-28 23:00:00.123456")],
  ["bucket(4)", "int", quoted("7")],
  ["bucket(4)", "long", quoted("7")],
  ["bucket(4)", "decimal(38,10)", { sql: "v = 1.0000000000", pyiceberg: "v = 1.0000000000" }],
  ["bucket(4)", "date", { sql: "v = DATE '2026-01-31'", pyiceberg: "v = '2026-01-31'" }],
  ["bucket(4)", "timestamptz", moment("2026-02-28 23:00:00.123456")],
  ["bucket(4)", "string", { sql: "v = ''", pyiceberg: "v = ''" }],
  ["bucket(4)", "binary", { sql: "v = X'00FFFE'", duckdb: "v = '\\x00\\xFF\\xFE'::BLOB", pyiceberg: "id = 0" }],
  ["bucket(4)", "uuid", isUuid("=", uuids[0])],
  ["truncate(10)", "int", quoted("7")],
  ["truncate(10)", "long", quoted("7")],
  ["truncate(50)", "decimal(9,2)", { sql: "v = 10.65", pyiceberg: "v = 10.65" }],
  ["truncate(1)", "string", { sql: "v = ''", pyiceberg: "v = ''" }],
  ["truncate(2)", "binary", { sql: "v = X'00FFFE'", duckdb: "v = '\\x00\\xFF\\xFE'::BLOB", pyiceberg: "id = 0" }],
];

/** Rows that a condition is meant to find: most ask for the first value. */
function foundBy(condition: Condition, rows: readonly Row[]): Row[] {
  if (condition.sql === "v = false") return rows.filter((row) => row["v"] === false);
  if (condition.sql === "v = ''") return rows.filter((row) => row["v"] === "");
  return rows.slice(0, 1);
}

async function partitionQuestions(lake: Lake, settings: readonly string[], suffix: string): Promise<Question[]> {
  const questions: Question[] = [];
  for (const [i, [transform, name, where]] of partitions.entries()) {
    const { property, json, cells } = typed(name);
    const table = new MatrixTable(lake, `part_${i}${suffix}`, settings);
    await table.follow(
      ["{ name: id, logicalType: integer }", `{ name: v, ${property} }`],
      [`partitionBy: [{ column: v, transform: ${transform} }]`],
    );
    await table.promote([...json.map((value, id) => `{"id":${id},"v":${value}}`), '{"id":3,"v":null}']);
    const rows = [...cells.map((v, id) => ({ id, v })), { id: 3, v: null }];
    questions.push(table.ask("Partitions", `${transform} of ${name}: all rows`, rows));
    questions.push(table.ask("Partitions", `${transform} of ${name}: by a condition`, foundBy(where, rows), { where }));
  }
  return questions;
}

/** UUIDs of no partition by conditions, which readers hold against what files say of them. */
async function uuidQuestions(lake: Lake, settings: readonly string[], suffix: string): Promise<Question[]> {
  const table = await new MatrixTable(lake, `uuids${suffix}`, settings).follow([
    "{ name: id, logicalType: integer, required: true, unique: true }",
    "{ name: v, logicalType: string, physicalType: uuid, unique: true }",
  ]);
  const rows = uuids.map((v, id) => ({ id, v }));
  await table.promote([...rows.map((row) => JSON.stringify(row)), '{"id":3,"v":null}']);
  const least = "80000000-0000-0000-0000-000000000000";
  return [
    ...rows.map((row) => table.ask("UUIDs", `equal to ${row.v}`, [row], { where: isUuid("=", row.v) })),
    table.ask("UUIDs", `from ${least} on, as bytes or text are ordered`, rows.slice(0, 1), { where: isUuid(">=", least) }),
    table.ask("UUIDs", `below ${least}`, rows.slice(1), { where: isUuid("<", least) }),
  ];
}

const past = (name: string): string => `customProperties: [{ property: sluice, value: { previousName: ${name} } }]`;

async function evolutionQuestions(lake: Lake, settings: readonly string[], suffix: string): Promise<Question[]> {
  const table = await new MatrixTable(lake, `evolved${suffix}`, settings).follow([
    "{ name: id, logicalType: integer, physicalType: int }",
    "{ name: price, logicalType: number, physicalType: float }",
    '{ name: total, logicalType: number, physicalType: "decimal(9,2)" }',
    "{ name: note, logicalType: string }",
    "{ name: gone, logicalType: string }",
    "{ name: place, logicalType: object, properties: [{ name: city, logicalType: string }, { name: zip, logicalType: integer, physicalType: int }] }",
    "{ name: items, logicalType: array, items: { logicalType: object, properties: [{ name: sku, logicalType: string }] } }",
  ]);
  const before = await table.promote([
    '{"id":1,"price":1.5,"total":99.50,"note":"one","gone":"x","place":{"city":"Ulm","zip":89073},"items":[{"sku":"a"}]}',
  ]);
  await table.follow([
    `{ name: remark, logicalType: string, ${past("note")} }`,
    "{ name: id, logicalType: integer }",
    "{ name: price, logicalType: number }",
    '{ name: total, logicalType: number, physicalType: "decimal(20,2)" }',
    `{ name: place, logicalType: object, properties: [{ name: zip, logicalType: integer }, { name: town, logicalType: string, ${past("city")} }] }`,
    `{ name: items, logicalType: array, items: { logicalType: object, properties: [{ name: article, logicalType: string, ${past("sku")} }, { name: n, logicalType: integer }] } }`,
    "{ name: added, logicalType: integer }",
  ]);
  await table.promote([
    '{"id":8589934592,"price":0.1,"total":123456789012345678.90,"remark":"two","place":{"zip":8589934592,"town":"Bern"},"items":[{"article":"b","n":2}],"added":5}',
  ]);
  const first = {
    id: 1,
    remark: "one",
    price: 1.5,
    total: "99.5",
    place: { zip: 89073, town: "Ulm" },
    items: [{ article: "a", n: null }],
    added: null,
  };
  const second = {
    id: 8589934592,
    remark: "two",
    price: 0.1,
    total: "123456789012345678.9",
    place: { zip: 8589934592, town: "Bern" },
    items: [{ article: "b", n: 2 }],
    added: 5,
  };
  const columns = Object.keys(first) as (keyof typeof first)[];
  const said = {
    remark: "a renamed column",
    id: "int to long",
    price: "float to double",
    total: "a wider decimal",
    place: "renamed, widened and moved in a struct",
    items: "renamed and added in a list",
    added: "an added column",
  };
  const each = columns.map((name) => {
    const row = (of: typeof first | typeof second): Row => ({ id: of.id, [name]: of[name] });
    return { ...table.ask("Evolved schemas", said[name], [row(first), row(second)]) };
  });
  const old = { id: 1, note: "one", gone: "x" };
  return [
    ...each,
    table.ask("Evolved schemas", "a condition on a renamed column", [{ id: 1, remark: "one" }], {
      where: { sql: "remark = 'one'", pyiceberg: "remark = 'one'" },
    }),
    table.ask("Evolved schemas", "a condition on a widened column", [{ id: 8589934592, added: 5 }], {
      where: { sql: "id > 2147483648", pyiceberg: "id > 2147483648" },
    }),
    table.ask("Evolved schemas", "a dropped and a renamed column, at an earlier snapshot", [old], { snapshotId: before.snapshotId }),
  ];
}

async function versionQuestions(lake: Lake, settings: readonly string[], suffix: string): Promise<Question[]> {
  const table = await new MatrixTable(lake, `versions${suffix}`, settings).follow(["{ name: id, logicalType: integer }"]);
  const rows = (...ids: readonly number[]): Row[] => ids.map((id) => ({ id }));
  const first = await table.promote(['{"id":1}', '{"id":2}']);
  const by = { author: "matrix", reason: "read by all" };
  await lake.refs.create(table.name, { ...by, kind: "tag", name: "v1", version: "main", keepMs: null });
  await lake.refs.create(table.name, { ...by, kind: "branch", name: "try", version: "main", keepMs: null });
  const held = await table.promote(['{"id":3}'], true);
  await table.promote(['{"id":4}']);
  return [
    table.ask("Versions", "main", rows(1, 2, 4)),
    table.ask("Versions", "an earlier snapshot, by its id", rows(1, 2), { snapshotId: first.snapshotId }),
    table.ask("Versions", "a tag", rows(1, 2), { ref: "v1" }),
    table.ask("Versions", "a branch", rows(1, 2), { ref: "try" }),
    table.ask("Versions", "a held window's branch", rows(1, 2, 3), { ref: `held/${held.windowId}` }),
  ];
}

async function layoutQuestions(lake: Lake, settings: readonly string[], suffix: string): Promise<Question[]> {
  const columns = ["{ name: id, logicalType: integer }", "{ name: day, logicalType: date }", "{ name: k, logicalType: string }"];
  const table = await new MatrixTable(lake, `layout${suffix}`, settings).follow(columns);
  const row = (id: number, day: number, k: string): Row => ({ id, day: `2026-01-0${day}`, k });
  const all = [row(1, 1, "b"), row(2, 2, "a"), row(3, 1, "c"), row(4, 2, "a"), row(5, 3, "b"), row(6, 2, "c")];
  const json = all.map((each) => JSON.stringify(each));
  await table.promote(json.slice(0, 2));
  await table.follow(columns, ["partitionBy: [{ column: day }]", "sortBy: [{ column: k, direction: desc }]"]);
  await table.promote(json.slice(2, 4));
  await table.follow(columns, [
    "partitionBy: [{ column: day, transform: month }, { column: k, transform: bucket(4) }]",
    "sortBy: [{ column: k }]",
  ]);
  await table.promote(json.slice(4));
  const day: Condition = { sql: "day = DATE '2026-01-02'", pyiceberg: "day = '2026-01-02'" };
  return [
    table.ask("Layouts that change", "three partition specs and two sort orders: all rows", all),
    table.ask(
      "Layouts that change",
      "by a condition on a partition",
      all.filter((each) => each["day"] === "2026-01-02"),
      { where: day },
    ),
    table.ask(
      "Layouts that change",
      "by a condition on the sorted column",
      all.filter((each) => each["k"] === "a"),
      { where: { sql: "k = 'a'", pyiceberg: "k = 'a'" } },
    ),
  ];
}

/** Row ids of v3: given in the order of commits, and the same whenever they are read. */
async function lineageQuestions(lake: Lake): Promise<Question[]> {
  const table = await new MatrixTable(lake, "lineage_v3", ["formatVersion: 3"]).follow(["{ name: id, logicalType: integer }"]);
  await table.promote(['{"id":1}', '{"id":2}']);
  // Enough commits that manifests are merged.
  for (let id = 3; id < 40; id++) await table.promote([`{"id":${id}}`]);
  const rows = Array.from({ length: 39 }, (_, i) => ({ id: i + 1, _row_id: i }));
  return [table.ask("Row lineage (version 3)", "`_row_id` of rows in 38 files", rows)];
}

/** Types that have no default values: bytes, and what is no plain value. */
const withoutDefault: ReadonlySet<string> = new Set([
  "binary",
  "JSON (as text)",
  "struct",
  "list",
  "list of structs",
  "list of lists",
  "map",
]);

/** Default values of v3: what rows have that came before a required column. */
async function defaultQuestions(lake: Lake): Promise<Question[]> {
  const questions: Question[] = [];
  for (const [i, { name, property, json, cells }] of types.entries()) {
    if (withoutDefault.has(name)) continue;
    // Of text not the empty one, which might stand for none; of floats a whole one, which Java takes with a point alone.
    const at = name === "string" || name === "float" ? 2 : 1;
    const table = await new MatrixTable(lake, `default_${i}_v3`, ["formatVersion: 3"]).follow(["{ name: id, logicalType: integer }"]);
    await table.promote(['{"id":1}']);
    const value = `customProperties: [{ property: sluice, value: { default: ${json[at]} } }]`;
    await table.follow(["{ name: id, logicalType: integer }", `{ name: v, ${property}, required: true, ${value} }`]);
    await table.promote([`{"id":2,"v":${json[0]}}`]);
    const rows = [
      { id: 1, v: cells[at] },
      { id: 2, v: cells[0] },
    ];
    questions.push(table.ask("Default values (version 3)", `a required ${name} in rows from before it`, rows));
    if (name !== "long") continue;
    const where = { sql: `v = ${cells[at] as string}`, pyiceberg: `v = ${cells[at] as string}` };
    questions.push(table.ask("Default values (version 3)", "a condition that only the default meets", rows.slice(0, 1), { where }));
  }
  return questions;
}

const people = ["Ada", "Bob", "Cem", "Dee"];

/** Tables that Spark is to delete rows of, and which. */
export const sparkDeletions = { by_spark: "id = 2", by_spark_v3: "id = 2" } as const;

/** Rows that were deleted: by an erasure, which rewrites files, and where Spark is here by its position deletes or, in version 3, deletion vectors. */
async function deleteQuestions(lake: Lake, settings: readonly string[], suffix: string, hasSpark: boolean): Promise<Question[]> {
  const columns = ["{ name: id, logicalType: integer }", "{ name: who, logicalType: string }"];
  const rows = people.map((who, id) => ({ id, who }));
  const json = rows.map((each) => JSON.stringify(each));
  const questions: Question[] = [];
  if (suffix === "") {
    const erased = await new MatrixTable(lake, "erased", settings).follow(columns);
    await erased.promote(json.slice(0, 3));
    const by = { author: "matrix", reason: "read by all" };
    await lake.refs.create("erased", { ...by, kind: "tag", name: "before", version: "main", keepMs: null });
    await erased.promote(json.slice(3));
    await lake.maintenance.erase("erased", { target: { kind: "column", column: "who", value: "Bob" }, ...by });
    const left = rows.filter(({ who }) => who !== "Bob");
    questions.push(erased.ask("Deletes", "a subject that `sluice erase` took out", left));
    questions.push(erased.ask("Deletes", "the same, under a tag from before", left.slice(0, 2), { ref: "before" }));
  }
  const table = await new MatrixTable(lake, `by_spark${suffix}`, settings).follow(columns);
  await table.promote(json);
  if (!hasSpark) return questions;
  const left = rows.filter(({ id }) => id !== 2);
  questions.push(table.ask("Deletes", "rows that Spark deleted (position deletes; deletion vectors in version 3)", left));
  const where = { sql: "id > 1", pyiceberg: "id > 1" };
  questions.push(table.ask("Deletes", "the same, by a condition", left.slice(2), { where }));
  return questions;
}

/** Tables of one format version. */
async function questionsOf(lake: Lake, formatVersion: 2 | 3, hasSpark: boolean): Promise<Question[]> {
  const settings = formatVersion === 2 ? [] : ["formatVersion: 3"];
  const suffix = formatVersion === 2 ? "" : "_v3";
  const questions = [
    ...(await typeQuestions(lake, settings, suffix)),
    ...(await partitionQuestions(lake, settings, suffix)),
    ...(await uuidQuestions(lake, settings, suffix)),
    ...(await layoutQuestions(lake, settings, suffix)),
    ...(await evolutionQuestions(lake, settings, suffix)),
    ...(await versionQuestions(lake, settings, suffix)),
    ...(await deleteQuestions(lake, settings, suffix, hasSpark)),
  ];
  return questions.map((question) => ({ ...question, formatVersion }));
}

/** Makes every table of the matrix in a lake; answers what to ask of them. `hasSpark`: that it makes `sparkDeletions` before anything is asked. */
export async function makeQuestions(lake: Lake, hasSpark: boolean): Promise<Question[]> {
  const later = [...(await lineageQuestions(lake)), ...(await defaultQuestions(lake)), ...(await nanoQuestions(lake))];
  const lineage = later.map((question) => ({ ...question, formatVersion: 3 as const }));
  return [...(await questionsOf(lake, 2, hasSpark)), ...(await questionsOf(lake, 3, hasSpark)), ...lineage];
}
