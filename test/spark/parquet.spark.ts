import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Field } from "../../src/core/schema.ts";
import { field } from "../adapters/iceberg/parquet-fixture.ts";
import { type Row, sequence, writeRows } from "../parquet/written.ts";
import { runSpark, sparkHere } from "./spark-here.ts";

const random = sequence(23);
const count = 12_000;
const groupRows = 5000;
const struct = (name: string, fields: readonly Field[]): Field => field(name, { kind: "struct", fields });
const fields = [
  field("id", { kind: "string" }, true),
  field("seq", { kind: "long" }, true),
  field("flag", { kind: "boolean" }),
  field("small", { kind: "int" }),
  field("noise", { kind: "long" }),
  field("real", { kind: "float" }),
  field("temp", { kind: "double" }),
  field("cents", { kind: "decimal", precision: 9, scale: 2 }),
  field("price", { kind: "decimal", precision: 18, scale: 4 }),
  field("exact", { kind: "decimal", precision: 38, scale: 10 }),
  field("day", { kind: "date" }),
  field("at", { kind: "timestamp", zoned: true, unit: "micros" }),
  field("local", { kind: "timestamp", zoned: false, unit: "micros" }),
  field("clock", { kind: "time" }),
  field("carrier", { kind: "string" }),
  field("raw", { kind: "binary" }),
  field("any", { kind: "json" }),
  struct("nested", [
    field("x", { kind: "long" }),
    struct("inner", [field("y", { kind: "string" }), field("z", { kind: "decimal", precision: 5, scale: 2 })]),
  ]),
  field("tags", { kind: "list", element: field("element", { kind: "string" }) }),
  field("matrix", { kind: "list", element: field("element", { kind: "list", element: field("element", { kind: "int" }) }) }),
  field("objects", { kind: "list", element: struct("element", [field("k", { kind: "long" })]) }),
  field("map", { kind: "map", value: field("value", { kind: "double" }) }),
];
const rows: Row[] = Array.from({ length: count }, (_, i) => ({
  id: `${random().toString(16)}-${i}${"é".repeat(i % 3)}${"x".repeat(i % 41)}`,
  seq: BigInt(1_000_000 + i * 3),
  flag: i % 13 === 0 ? null : random() % 3 === 0,
  small: i % 50 === 0 ? undefined : BigInt((random() % 400) - 60),
  noise: BigInt.asIntN(64, (BigInt(random()) << 33n) ^ BigInt(random())),
  real: i % 9 === 0 ? null : Math.fround(random() / 3),
  temp: (random() % 100_000) / 7,
  cents: BigInt(random() % 99_999) - 50_000n,
  price: i % 4 === 0 ? null : (BigInt(random()) - (1n << 31n)) * 1_000_003n,
  exact: (BigInt(random()) - (1n << 31n)) * 10n ** 27n,
  day: BigInt(Math.floor(i / 100)) - 40n,
  at: 1_700_000_000_123_456n + BigInt(i) * 1_000_003n,
  local: -1n - BigInt(i) * 86_400_000_000n,
  clock: BigInt(i % 86_400) * 1_000_000n + BigInt(i % 7),
  carrier: i % 11 === 0 ? null : (["UA", "AA", "B6", "DL", "WN"][random() % 5] as string),
  raw: i % 6 === 0 ? null : Buffer.from([i & 255, 0, 255]),
  any: `{"n":1.0,"i":${i}}`,
  nested:
    i % 5 === 0 ? null : { x: i % 3 === 0 ? null : BigInt(i), inner: i % 7 === 0 ? null : { y: `y${i % 10}`, z: BigInt(i % 99_999) } },
  tags: i % 8 === 0 ? null : Array.from({ length: i % 4 }, (_tag, k) => (k === 2 ? null : `t${(i + k) % 7}`)),
  matrix: Array.from({ length: i % 3 }, (_row, k) => (k === 1 ? null : [BigInt(i), null])),
  objects: i % 10 === 0 ? null : Array.from({ length: i % 3 }, (_object, k) => (k === 1 ? null : { k: BigInt(i + k) })),
  map: i % 10 === 3 ? null : Array.from({ length: i % 3 }, (_pair, k) => [`k${k}`, k === 1 ? null : i / 2] as const),
}));

const scaled = (value: bigint, scale: number): string => {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
};
const micros = (value: bigint): string => {
  const rest = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((value - rest) / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(rest).padStart(6, "0")}`;
};

/** What Spark must find of a cell, in the form in which `show` prints it. */
function expected({ type }: Field, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  switch (type.kind) {
    case "int":
    case "long": {
      const whole = value as bigint;
      return whole > 2n ** 53n || whole < -(2n ** 53n) ? String(whole) : Number(whole);
    }
    case "decimal":
      return scaled(value as bigint, type.scale);
    case "date":
      return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10);
    case "timestamp":
      return micros(value as bigint);
    case "time": {
      const text = micros(value as bigint).slice(11);
      return text.endsWith(".000000") ? text.slice(0, 8) : text.replace(/0+$/, "");
    }
    case "binary":
      return `0x${Buffer.from(value as Uint8Array).toString("hex")}`;
    case "struct":
      return Object.fromEntries(type.fields.map((child) => [child.name, expected(child, (value as Record<string, unknown>)[child.name])]));
    case "list":
      return (value as unknown[]).map((each) => expected(type.element, each));
    case "map":
      return Object.fromEntries((value as [string, unknown][]).map(([key, each]) => [key, expected(type.value, each)]));
    default:
      return value;
  }
}

const script = `
path = sys.argv[3]
found = {}
for reader in ("true", "false"):
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", reader)
    frame = spark.read.parquet(path).orderBy("seq")
    found["rows" if reader == "true" else "rowsOneByOne"] = frame.collect()
frame = spark.read.parquet(path)
found["types"] = [f.dataType.simpleString() for f in frame.schema.fields]
def scanned(condition):
    kept = frame.where(condition)
    kept.collect()
    plan = kept._jdf.queryExecution().executedPlan()
    while plan.children().size() > 0: plan = plan.children().head()
    return [kept.count(), plan.metrics().apply("numOutputRows").value()]
queries = json.loads(sys.argv[4])
found["counts"] = [scanned(query) for query in queries]
jvm = spark._jvm
inputs = jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(jvm.org.apache.hadoop.fs.Path(path), spark._jsc.hadoopConfiguration())
footer = jvm.org.apache.parquet.hadoop.ParquetFileReader.open(inputs)
groups = []
probes = json.loads(sys.argv[5])
for block in footer.getRowGroups():
    blooms = footer.getBloomFilterDataReader(block)
    columns = {}
    for column in block.getColumns():
        name = column.getPath().toDotString()
        bloom = blooms.readBloomFilter(column)
        statistics = column.getStatistics()
        index = footer.readColumnIndex(column)
        offsets = footer.readOffsetIndex(column)
        entry = {"encodings": sorted(str(e) for e in column.getEncodings()), "nulls": statistics.getNumNulls(), "pages": offsets.getPageCount(),
            "pageNulls": None if index is None else sum(index.getNullCounts()), "order": None if index is None else str(index.getBoundaryOrder()),
            "low": statistics.minAsString() if statistics.hasNonNullValue() else None, "high": statistics.maxAsString() if statistics.hasNonNullValue() else None}
        if bloom is not None and name in probes:
            binary = jvm.org.apache.parquet.io.api.Binary
            entry["bloom"] = [bloom.findHash(bloom.hash(binary.fromString(text))) for text in probes[name]]
        columns[name] = entry
    groups.append({"rows": block.getRowCount(), "columns": columns})
found["groups"] = groups
show(found)
`;

interface Chunk {
  readonly encodings: readonly string[];
  readonly nulls: number;
  readonly pages: number;
  readonly pageNulls: number | null;
  readonly order: string | null;
  readonly low: string | null;
  readonly high: string | null;
  readonly bloom?: readonly boolean[];
}

interface Found {
  readonly rows: readonly Record<string, unknown>[];
  readonly rowsOneByOne: readonly Record<string, unknown>[];
  readonly types: readonly string[];
  readonly counts: readonly (readonly [count: number, scanned: number])[];
  readonly groups: readonly { readonly rows: number; readonly columns: Readonly<Record<string, Chunk>> }[];
}

const here = await sparkHere();

describe.skipIf(here === null)("a Parquet file of ours, in Spark", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-spark-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const absent = Array.from({ length: 50 }, (_, i) => `absent ${i}`);
  const present = [0, 1, 2, 4999, 5000, 11_999].map((i) => rows[i]?.["id"] as string);
  const quoted = (text: unknown): string => `'${String(text)}'`;
  const queries = [
    "seq = 1015000",
    "seq between 1000000 and 1000299",
    `id = ${quoted(present[3])}`,
    "id = 'absent'",
    "carrier = 'UA'",
    "carrier is null",
    "cents < -49000",
    "price > 2000000000",
    "exact < 0",
    "day = date'1970-01-01'",
    "at < timestamp'2023-11-14 22:13:21'",
    "local < timestamp_ntz'1969-12-25 00:00:00'",
    "temp > 14200",
    "real is null",
    "nested.inner.y = 'y3'",
    "flag",
    "raw = X'0100FF'",
    "map['k0'] = 2.0",
    "array_contains(tags, 't3')",
  ];
  let found: Found;
  beforeAll(async () => {
    const path = join(folder, "rows.parquet");
    const { bytes } = writeRows(fields, rows, {
      limits: { rowsMax: groupRows, bytesMax: 1 << 30 },
      pageLimits: { rowsMax: 1000, bytesMax: 1 << 16, dictionaryBytesMax: 1 << 15 },
      bloomFilterIds: new Set([1, 15]),
    });
    writeFileSync(path, bytes);
    const probes = { id: [...present, ...absent], carrier: ["UA", "ZZ"] };
    found = (await runSpark(here as NonNullable<typeof here>, script, {
      args: [path, JSON.stringify(queries), JSON.stringify(probes)],
    })) as Found;
  });

  it("has every value, read in vectors and row by row", () => {
    expect(found.rows).toHaveLength(count);
    for (const [i, row] of rows.entries()) {
      const wanted = Object.fromEntries(fields.map((each) => [each.name, expected(each, row[each.name])]));
      for (const read of [found.rows[i], found.rowsOneByOne[i]]) {
        expect(Object.fromEntries(fields.map(({ name }) => [name, read?.[name]]))).toEqual(wanted);
      }
    }
  });

  it("has the types that were meant", () => {
    expect(found.types.slice(0, fields.length)).toEqual([
      "string",
      "bigint",
      "boolean",
      "int",
      "bigint",
      "float",
      "double",
      "decimal(9,2)",
      "decimal(18,4)",
      "decimal(38,10)",
      "date",
      "timestamp",
      "timestamp_ntz",
      "string",
      "string",
      "binary",
      "string",
      "struct<x:bigint,inner:struct<y:string,z:decimal(5,2)>>",
      "array<string>",
      "array<array<int>>",
      "array<struct<k:bigint>>",
      "map<string,double>",
    ]);
  });

  it("answers conditions that are pushed down to statistics, indexes and bloom filters with all rows that fit, and reads no others of sorted columns", () => {
    const of = (test: (row: Row, index: number) => boolean): number => rows.filter(test).length;
    const wanted = [
      1,
      100,
      1,
      0,
      of((row) => row["carrier"] === "UA"),
      of((row) => row["carrier"] === null),
      of((row) => (row["cents"] as bigint) < -4_900_000n),
      of((row) => row["price"] !== null && (row["price"] as bigint) > 20_000_000_000_000n),
      of((row) => (row["exact"] as bigint) < 0n),
      100,
      of((row) => (row["at"] as bigint) < 1_700_000_001_000_000n),
      of((row) => (row["local"] as bigint) < -604_800_000_000n),
      of((row) => (row["temp"] as number) > 14_200),
      of((row) => row["real"] === null),
      of((row) => (row["nested"] as { inner: { y: string } | null } | null)?.inner?.y === "y3"),
      of((row) => row["flag"] === true),
      of((_row, i) => i % 6 !== 0 && (i & 255) === 1),
      of((row) => (row["map"] as readonly [string, number][] | null)?.find(([key]) => key === "k0")?.[1] === 2),
      of((row) => (row["tags"] as string[] | null)?.includes("t3") === true),
    ];
    expect(found.counts.map(([kept]) => kept)).toEqual(wanted);
    const scanned = (query: string): number => found.counts[queries.indexOf(query)]?.[1] as number;
    // One page of a row group, or two; none where a bloom filter or the bounds exclude the file.
    expect(scanned("seq = 1015000")).toBeLessThanOrEqual(1000);
    expect(scanned("seq between 1000000 and 1000299")).toBeLessThanOrEqual(1000);
    expect(scanned("id = 'absent'")).toBe(0);
    expect(scanned("day = date'1970-01-01'")).toBeLessThanOrEqual(2000);
    expect(scanned(`id = ${quoted(present[3])}`)).toBeLessThanOrEqual(groupRows);
  });

  it("has statistics, page indexes, bloom filters and encodings that parquet-java understands", () => {
    expect(found.groups.map((group) => group.rows)).toEqual([5000, 5000, 2000]);
    let denied = 0;
    for (const [g, { columns }] of found.groups.entries()) {
      const own = rows.slice(g * groupRows, (g + 1) * groupRows);
      const chunk = (name: string): Chunk => columns[name] as Chunk;
      const nulls = (name: string): number => own.filter((row) => row[name] === null || row[name] === undefined).length;
      for (const name of ["flag", "small", "real", "price", "carrier", "raw"]) {
        expect([name, chunk(name).nulls, chunk(name).pageNulls]).toEqual([name, nulls(name), nulls(name)]);
      }
      expect(chunk("seq")).toMatchObject({
        low: String(own[0]?.["seq"] as bigint),
        high: String(own.at(-1)?.["seq"] as bigint),
        nulls: 0,
        order: "ASCENDING",
      });
      expect(chunk("carrier")).toMatchObject({ low: "AA", high: "WN" });
      expect(chunk("seq").pages).toBe(Math.ceil(own.length / 1000));
      expect(chunk("seq").encodings).toContain("DELTA_BINARY_PACKED");
      expect(chunk("carrier").encodings).toContain("RLE_DICTIONARY");
      expect(chunk("noise").encodings.join(" ")).not.toContain("DICTIONARY");
      const [is, isNot] = chunk("carrier").bloom as [boolean, boolean];
      expect([is, isNot]).toEqual([true, false]);
      const bloom = chunk("id").bloom as readonly boolean[];
      for (const [i, id] of present.entries()) if (own.some((row) => row["id"] === id)) expect(bloom[i]).toBe(true);
      denied += bloom.slice(present.length).filter((each) => !each).length;
    }
    expect(denied).toBeGreaterThan(0.95 * 3 * absent.length);
  });
});
