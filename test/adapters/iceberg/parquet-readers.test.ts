import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeQuarantineFile } from "../../../src/adapters/iceberg/parquet-quarantine-file.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { allocateRecords } from "../../../src/core/records.ts";
import type { Field } from "../../../src/core/schema.ts";
import { pythonHere, pythonReaders, runPython } from "../../live/harness/python-readers.ts";
import type { Value } from "./parquet-fixture.ts";
import { batchOf, field, icebergSchema, writeDataFile } from "./parquet-fixture.ts";

/** Readers that share no code with the writers: DuckDB, PyArrow, and parquetjs-lite for the types that it knows. */
const fields: readonly Field[] = [
  field("flag", { kind: "boolean" }),
  field("i", { kind: "int" }),
  field("l", { kind: "long" }, true),
  field("f", { kind: "float" }),
  field("d", { kind: "double" }),
  field("d9", { kind: "decimal", precision: 9, scale: 2 }),
  field("d38", { kind: "decimal", precision: 38, scale: 10 }),
  field("day", { kind: "date" }),
  field("clock", { kind: "time" }),
  field("at", { kind: "timestamp", zoned: true, unit: "micros" }),
  field("local", { kind: "timestamp", zoned: false, unit: "micros" }),
  field("text", { kind: "string" }),
  field("json", { kind: "json" }),
  field("raw", { kind: "binary" }),
  field("tags", { kind: "list", element: field("element", { kind: "string" }) }),
  field("props", { kind: "map", value: field("value", { kind: "long" }) }),
  field("legs", {
    kind: "list",
    element: field("element", { kind: "struct", fields: [field("to", { kind: "string" }, true), field("miles", { kind: "int" })] }),
  }),
];

const full: Record<string, Value> = {
  flag: true,
  i: -2147483648n,
  l: 9223372036854775807n,
  f: 1.5,
  d: 0.1,
  d9: -123n,
  d38: -12345678901234567890123456789012345678n,
  day: 15706n,
  clock: 86_399_000_001n,
  at: 1_357_034_400_000_001n,
  local: -1n,
  text: "Zürich \u{1f6eb}",
  json: '{"n":1.0}',
  raw: Uint8Array.of(0, 255),
  tags: ["a", null, ""],
  props: [
    ["x", 1n],
    ["y", null],
  ],
  legs: [{ to: "IAH", miles: 1400n }, null, { to: "JFK", miles: null }],
};
const empty: Record<string, Value> = { ...Object.fromEntries(fields.map((of) => [of.name, null])), l: 0n, tags: [], props: [], legs: [] };

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-readers-"));
  const storage = createLocalStorage(folder);
  const rows = [full, empty, full];
  const slices = [{ batch: batchOf(fields, rows), rows: Uint32Array.of(0, 1, 2) }];
  // A row group a row: the footers of three encodings are joined.
  await writeDataFile({ storage, path: "data.parquet", schema: icebergSchema(fields), slices, limits: { rowsMax: 1, bytesMax: 1 << 20 } });
  const records = allocateRecords(2, Buffer.from('k{"a"\x02\x02a\x04vv', "latin1"), [{ topic: "t", topicId: "id", partition: 4 }]);
  records.offsets.set([7n, 9n]);
  records.timestamps.set([-1n, 5n]);
  records.keyLength.set([1, -1]);
  records.valueStart.set([1, 1]);
  records.valueLength.set([4, 0]);
  records.headersStart.set([5, 5]);
  records.headersLength.set([6, 0]);
  const reason = { rule: "r", family: "type", column: null, severity: "error", message: "m", observed: null, limit: "1" } as const;
  const judged = {
    contractHash: "c",
    decisionHash: "d",
    windowId: "w",
    attempt: 0,
    state: "open",
    quarantinedAtMs: 1_357_034_400_001,
  } as const;
  const quarantined = [0, 1].map((row) => ({ records, row, reasons: row === 0 ? [reason, reason] : [], ...judged }));
  await writeQuarantineFile({ storage, path: "quarantine.parquet", rows: quarantined });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function duck(sql: string): Promise<unknown[]> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    await connection.run("set timezone = 'UTC'");
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
  }
}

const fullInDuck = {
  flag: true,
  i: -2147483648,
  l: "9223372036854775807",
  f: 1.5,
  d: 0.1,
  d9: "-1.23",
  d38: "-1234567890123456789012345678.9012345678",
  day: "2013-01-01",
  clock: "23:59:59.000001",
  at: "2013-01-01 10:00:00.000001+00",
  local: "1969-12-31 23:59:59.999999",
  text: "Zürich \u{1f6eb}",
  json: '{"n":1.0}',
  raw: "\\x00\\xFF",
  tags: ["a", null, ""],
  props: [
    { key: "x", value: "1" },
    { key: "y", value: null },
  ],
  legs: [{ to: "IAH", miles: 1400 }, null, { to: "JFK", miles: null }],
};

test("DuckDB reads every type of a data file, in all its row groups", async () => {
  const names = fields.map((of) => `"${of.name}"`).join(", ");
  const rows = await duck(`select ${names} from '${folder}/data.parquet' order by _sluice_offset`);
  const emptyInDuck = { ...Object.fromEntries(fields.map((of) => [of.name, null])), l: "0", tags: [], props: [], legs: [] };
  expect(rows).toEqual([fullInDuck, emptyInDuck, fullInDuck]);
  expect(await duck(`select count(*) n, min(d9)::varchar low, max("at")::varchar high from '${folder}/data.parquet' where l > 5`)).toEqual([
    { n: "2", low: "-1.23", high: "2013-01-01 10:00:00.000001+00" },
  ]);
});

test("DuckDB reads a quarantine file", async () => {
  const rows = await duck(
    `select "offset", timestamp_ms, key, value, headers, headers_raw, len(reasons) n, reasons[1].rule as rule, quarantined_at::varchar as at from '${folder}/quarantine.parquet'`,
  );
  expect(rows).toEqual([
    {
      offset: "7",
      timestamp_ms: "-1",
      key: "k",
      value: "{\\x22a\\x22",
      headers: [{ key: "a", value: "vv" }],
      headers_raw: "\\x02\\x02a\\x04vv",
      n: "2",
      rule: "r",
      at: "2013-01-01 10:00:00.001+00",
    },
    {
      offset: "9",
      timestamp_ms: "5",
      key: null,
      value: "",
      headers: [],
      headers_raw: null,
      n: "0",
      rule: null,
      at: "2013-01-01 10:00:00.001+00",
    },
  ]);
});

test.skipIf(!pythonHere)("PyArrow reads both files, with field ids on every level", { timeout: 900_000 }, async () => {
  const script = `
import sys, json, pyarrow.parquet as pq
data = pq.read_table(sys.argv[1] + "/data.parquet")
row = data.to_pylist()[0]
schema = pq.read_schema(sys.argv[1] + "/data.parquet")
ids = {}
def walk(field, path):
    ids[path] = int(field.metadata[b"PARQUET:field_id"]) if field.metadata and b"PARQUET:field_id" in field.metadata else None
    for i in range(field.type.num_fields):
        child = field.type.field(i)
        walk(child, path + "." + child.name)
for field in schema: walk(field, field.name)
quarantine = pq.read_table(sys.argv[1] + "/quarantine.parquet").to_pylist()
print(json.dumps({"rows": data.num_rows, "groups": pq.ParquetFile(sys.argv[1] + "/data.parquet").num_row_groups, "row": {k: str(v) for k, v in row.items()}, "ids": ids,
  "value": quarantine[0]["value"].hex(), "empty": quarantine[1]["value"].hex(), "key": quarantine[1]["key"], "headers": str(quarantine[0]["headers"])}))
`;
  const read = JSON.parse(await runPython((await pythonReaders()) as string, script, [folder])) as Record<string, unknown>;
  expect(read).toMatchObject({
    rows: 3,
    groups: 3,
    value: Buffer.from('{"a"').toString("hex"),
    empty: "",
    key: null,
    headers: "[{'key': 'a', 'value': b'vv'}]",
    row: {
      l: "9223372036854775807",
      d9: "-1.23",
      d38: "-1234567890123456789012345678.9012345678",
      day: "2013-01-01",
      at: "2013-01-01 10:00:00.000001+00:00",
      local: "1969-12-31 23:59:59.999999",
      text: "Zürich \u{1f6eb}",
      raw: "b'\\x00\\xff'",
      tags: "['a', None, '']",
      props: "[('x', 1), ('y', None)]",
      legs: "[{'to': 'IAH', 'miles': 1400}, None, {'to': 'JFK', 'miles': None}]",
    },
    ids: {
      flag: 1,
      tags: 15,
      "tags.element": 16,
      props: 17,
      legs: 20,
      "legs.element": 21,
      "legs.element.to": 22,
      "legs.element.miles": 23,
      _sluice_source: 24,
    },
  });
});

interface ParquetJs {
  readonly ParquetReader: {
    openFile(path: string): Promise<{
      getCursor(columns: readonly (readonly string[])[]): { next(): Promise<Record<string, unknown> | null> };
      close(): Promise<void>;
    }>;
  };
}

test("parquetjs-lite, given zstd and the new name of dictionary pages, reads the flat columns of a data file", async () => {
  const require = createRequire(import.meta.url);
  const compression = require("parquetjs-lite/lib/compression.js") as { PARQUET_COMPRESSION_METHODS: Record<string, unknown> };
  compression.PARQUET_COMPRESSION_METHODS["ZSTD"] = { inflate: (page: Uint8Array) => zstdDecompressSync(page) };
  const codec = require("parquetjs-lite/lib/codec") as Record<string, unknown>;
  codec["RLE_DICTIONARY"] = codec["PLAIN_DICTIONARY"];
  const { ParquetReader } = require("parquetjs-lite") as ParquetJs;
  // It refuses a file that has a decimal anywhere, and gives values from dictionaries as text, and leaves nulls out.
  const flat = fields.filter((of) => ["flag", "i", "l", "f", "d", "text"].includes(of.name));
  // Often enough that every column but the offset has a dictionary.
  const rows = Array.from({ length: 80 }, (_, row) => Object.fromEntries(flat.map((of) => [of.name, [full, empty][row % 2]?.[of.name]])));
  const slices = [{ batch: batchOf(flat, rows), rows: Uint32Array.from(rows.keys()) }];
  await writeDataFile({ storage: createLocalStorage(folder), path: "flat.parquet", schema: icebergSchema(flat), slices });
  const reader = await ParquetReader.openFile(join(folder, "flat.parquet"));
  const names = [...flat.map((of) => of.name), "_sluice_source", "_sluice_partition", "_sluice_offset"];
  const cursor = reader.getCursor(names.map((name) => [name]));
  const read: Record<string, unknown>[] = [];
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) read.push(row);
  await reader.close();
  expect(read).toHaveLength(80);
  expect(read.slice(0, 2)).toEqual([
    {
      flag: true,
      i: "-2147483648",
      l: "9223372036854775807",
      f: "1.5",
      d: "0.1",
      text: "Zürich \u{1f6eb}",
      _sluice_source: "topic-a",
      _sluice_partition: "3",
      _sluice_offset: 0n,
    },
    {
      l: "0",
      _sluice_source: "topic-b",
      _sluice_partition: "0",
      _sluice_offset: 1n,
    },
  ]);
});
