import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pythonHere, pythonReaders, runPython } from "../live/harness/python-readers.ts";
import { field } from "../adapters/iceberg/parquet-fixture.ts";
import { type Row, sequence, writeRows } from "./written.ts";

/** 20,000 rows with every encoding, many pages and three row groups, and what readers that share no code with the writer make of them. */
const random = sequence(11);
const count = 20_000;
const fields = [
  field("id", { kind: "string" }, true),
  field("seq", { kind: "long" }, true),
  field("at", { kind: "timestamp", zoned: true, unit: "micros" }),
  field("carrier", { kind: "string" }),
  field("delay", { kind: "int" }),
  field("noise", { kind: "long" }),
  field("temp", { kind: "double" }),
  field("flag", { kind: "boolean" }),
  field("price", { kind: "decimal", precision: 9, scale: 2 }),
  field("exact", { kind: "decimal", precision: 30, scale: 3 }),
  field("day", { kind: "date" }),
  field("tags", { kind: "list", element: field("element", { kind: "string" }) }),
  field("nanos", { kind: "timestamp", zoned: false, unit: "nanos" }),
  field("instant", { kind: "timestamp", zoned: true, unit: "nanos" }),
];
const rows: Row[] = Array.from({ length: count }, (_, i) => ({
  id: `${random().toString(16)}-${i}${"é".repeat(i % 3)}${"x".repeat(i % 41)}`,
  seq: BigInt(1_000_000 + i * 3),
  at: 1_700_000_000_000_000n + BigInt(i) * 1_000_003n,
  carrier: i % 11 === 0 ? null : ["UA", "AA", "B6", "DL", "WN"][random() % 5],
  delay: i % 50 === 0 ? undefined : BigInt((random() % 400) - 60),
  noise: BigInt.asIntN(64, (BigInt(random()) << 33n) ^ BigInt(random())),
  temp: (random() % 100_000) / 7,
  flag: random() % 3 === 0,
  price: BigInt(random() % 99_999) - 50_000n,
  exact: (BigInt(random()) - (1n << 31n)) * 10n ** 18n,
  day: 15_000n + BigInt(Math.floor(i / 100)),
  tags: Array.from({ length: i % 4 }, (_, k) => (k === 2 ? null : `t${(i + k) % 7}`)),
  nanos: 1_700_000_000_000_000_000n + BigInt(i) * 1_000_000_007n + BigInt(random() % 1000),
  instant: i % 13 === 0 ? null : (BigInt(random()) - (1n << 31n)) * (1n << 31n) + BigInt(random()),
}));

let folder = "";
let path = "";
let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(":memory:")).connect();
  folder = mkdtempSync(join(tmpdir(), "sluice-pages-"));
  path = join(folder, "rows.parquet");
  const { bytes } = writeRows(fields, rows, {
    limits: { rowsMax: 7000, bytesMax: 1 << 30 },
    pageLimits: { rowsMax: 1000, bytesMax: 1 << 16, dictionaryBytesMax: 1 << 16 },
    bloomFilterIds: new Set([1, 4, 5, 6, 7, 14]),
  });
  writeFileSync(path, bytes);
});
afterAll(() => {
  connection.closeSync();
  rmSync(folder, { recursive: true, force: true });
});

async function duck(sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

test("DuckDB finds every value", async () => {
  const read = await duck(
    `select id, seq, epoch_us("at") as "at", carrier, delay, noise, temp, flag, price, exact, day - date '1970-01-01' as day, tags, epoch_ns(nanos) as nanos from '${path}' order by seq`,
  );
  expect(read).toHaveLength(count);
  const plain = (value: unknown): unknown => (typeof value === "bigint" ? String(value) : (value ?? null));
  const scaled = (value: bigint, scale: number): string => {
    const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
    return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  };
  for (const [i, row] of rows.entries()) {
    const got = read[i] as Record<string, unknown>;
    for (const name of ["id", "seq", "at", "carrier", "noise", "temp", "flag", "tags", "nanos"])
      expect(plain(got[name])).toEqual(plain(row[name]));
    expect([got["delay"], String(got["day"])]).toEqual([
      row["delay"] === undefined ? null : Number(row["delay"]),
      `${row["day"] as bigint}`,
    ]);
    expect([got["price"], got["exact"]]).toEqual([scaled(row["price"] as bigint, 2), scaled(row["exact"] as bigint, 3)]);
  }
});

test("DuckDB sees statistics and bloom filters, and they say what is true", async () => {
  const chunks = await duck(
    `select row_group_id::int as g, path_in_schema as name, stats_min_value as low, stats_max_value as high, stats_null_count::int as nulls, bloom_filter_offset is not null as filtered, encodings, case path_in_schema when 'nanos' then epoch_ns(stats_min_value::timestamp_ns) end as least, case path_in_schema when 'nanos' then epoch_ns(stats_max_value::timestamp_ns) end as most from parquet_metadata('${path}')`,
  );
  const of = (group: number, name: string) => chunks.find((chunk) => chunk["g"] === group && chunk["name"] === name);
  const inGroup = (group: number): Row[] => rows.slice(group * 7000, (group + 1) * 7000);
  for (const group of [0, 1, 2]) {
    const seqs = inGroup(group).map((row) => row["seq"] as bigint);
    expect(of(group, "seq")).toMatchObject({ low: String(seqs[0]), high: String(seqs.at(-1)), nulls: 0, filtered: false });
    expect(of(group, "carrier")).toMatchObject({ low: "AA", high: "WN", filtered: true });
    const [least, most] = [inGroup(group)[0], inGroup(group).at(-1)].map((row) => String(row?.["nanos"] as bigint));
    expect(of(group, "nanos")).toMatchObject({ least, most, nulls: 0 });
    expect(of(group, "carrier")?.["nulls"]).toBe(inGroup(group).filter((row) => row["carrier"] === null).length);
  }
  const filtered = chunks.filter((chunk) => chunk["filtered"] === true).map((chunk) => chunk["name"]);
  expect(new Set(filtered)).toEqual(new Set(["id", "carrier", "delay", "noise", "temp", "nanos"]));

  // A filter never denies what is there, and mostly denies what is not.
  const excluded = async (column: string, value: string): Promise<number> => {
    const [answer] = await duck(
      `select count(*)::int as n from parquet_bloom_probe('${path}', '${column}', ${value}) where bloom_filter_excludes`,
    );
    return Number(answer?.["n"]);
  };
  for (const i of [0, 1, 2, 40, 6999, 13_000, 19_999]) {
    const row = rows[i] as Row;
    expect(await excluded("id", `'${row["id"] as string}'`)).toBeLessThanOrEqual(2);
    expect(await excluded("noise", `${row["noise"] as bigint}::bigint`)).toBeLessThanOrEqual(2);
    expect(await excluded("temp", `${row["temp"] as number}::double`)).toBeLessThanOrEqual(2);
    const nanos = `make_timestamp_ns(${row["nanos"] as bigint})`;
    expect(await excluded("nanos", nanos)).toBeLessThanOrEqual(2);
    expect(await duck(`select seq from '${path}' where nanos = ${nanos}`)).toEqual([{ seq: String(row["seq"] as bigint) }]);
    const [found] = await duck(`select count(*)::int as n from '${path}' where id = '${row["id"] as string}'`);
    expect(found?.["n"]).toBe(1);
  }
  expect(await excluded("carrier", "'UA'")).toBe(0);
  expect(await excluded("carrier", "'ZZ'")).toBe(3);
  let denied = 0;
  for (let i = 0; i < 100; i++) denied += await excluded("id", `'absent ${i}'`);
  expect(denied).toBeGreaterThan(285);
}, 60_000);

test.skipIf(!pythonHere)("PyArrow finds every value, statistics and page indexes", { timeout: 900_000 }, async () => {
  const script = `
import sys, json, pyarrow.parquet as pq, pyarrow.compute as pc, pyarrow as pa
file = pq.ParquetFile(sys.argv[1], page_checksum_verification=True)
table = file.read()
expected = json.load(open(sys.argv[2]))
for name, values in expected.items():
    column = table[name]
    if pa.types.is_timestamp(column.type): column = column.cast(pa.int64())
    if pa.types.is_date(column.type): column = column.cast(pa.int32())
    got = column.to_pylist()
    if pa.types.is_decimal(column.type): got = [int(v.scaleb(column.type.scale)) for v in got]
    got = [str(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in got]
    assert got == values, (name, next((i, g, v) for i, (g, v) in enumerate(zip(got, values)) if g != v))
meta = file.metadata
chunks = [meta.row_group(g).column(c) for g in range(meta.num_row_groups) for c in range(meta.num_columns)]
# Filters push down to statistics of row groups.
hit = pq.read_table(sys.argv[1], filters=[("seq", "=", 1000000 + 9000 * 3)]).num_rows
none = pq.read_table(sys.argv[1], filters=[("seq", ">", 10**9)]).num_rows
print(json.dumps({
  "groups": meta.num_row_groups, "hit": hit, "none": none,
  "indexed": all(c.has_offset_index for c in chunks), "column": sum(c.has_column_index for c in chunks), "chunks": len(chunks),
  "stats": all(c.is_stats_set for c in chunks),
  "minmax": [(str(c.statistics.min), str(c.statistics.max)) for c in chunks if c.path_in_schema == "price"],
  "exact": [(str(c.statistics.min), str(c.statistics.max)) for c in chunks if c.path_in_schema == "exact"],
  "nanos": [(str(c.statistics.min_raw), str(c.statistics.max_raw)) for c in chunks if c.path_in_schema == "instant"],
  "encodings": {c.path_in_schema: sorted(c.encodings) for c in chunks},
}))
`;
  const plain = (value: unknown): unknown =>
    typeof value === "bigint" ? String(value) : Array.isArray(value) ? value.map(plain) : (value ?? null);
  const expectation = Object.fromEntries(fields.map(({ name }) => [name, rows.map((row) => plain(row[name]))]));
  writeFileSync(join(folder, "expected.json"), JSON.stringify(expectation));
  const read = JSON.parse(await runPython((await pythonReaders()) as string, script, [path, join(folder, "expected.json")])) as Record<
    string,
    unknown
  >;
  expect(read).toMatchObject({ groups: 3, hit: 1, none: 0, indexed: true, stats: true, column: read["chunks"] });
  const bounds = (name: string, scale: number): string[][] =>
    [0, 1, 2].map((group) => {
      const sorted = rows
        .slice(group * 7000, (group + 1) * 7000)
        .map((row) => row[name] as bigint)
        .toSorted((a, b) => (a < b ? -1 : 1));
      return [sorted[0], sorted.at(-1)].map((value) => {
        const digits = String(value)
          .replace("-", "")
          .padStart(scale + 1, "0");
        return `${(value as bigint) < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
      });
    });
  expect(read["minmax"]).toEqual(bounds("price", 2));
  expect(read["exact"]).toEqual(bounds("exact", 3));
  const instants = [0, 1, 2].map((group) => {
    const known = rows
      .slice(group * 7000, (group + 1) * 7000)
      .flatMap((row) => (row["instant"] === null ? [] : [row["instant"] as bigint]));
    const sorted = known.toSorted((a, b) => (a < b ? -1 : 1));
    return [String(sorted[0]), String(sorted.at(-1))];
  });
  expect(read["nanos"]).toEqual(instants);
  expect(read["encodings"]).toMatchObject({
    seq: ["DELTA_BINARY_PACKED", "RLE"],
    at: ["DELTA_BINARY_PACKED", "RLE"],
    carrier: ["PLAIN", "RLE", "RLE_DICTIONARY"],
    id: ["PLAIN", "RLE"],
    noise: ["PLAIN", "RLE"],
  });
});
