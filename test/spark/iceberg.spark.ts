import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sluice } from "../cli/sluice.ts";
import { runSpark, sparkHere } from "./spark-here.ts";

/** What a record holds of every type, and what Spark must find; null means that it finds null. */
const full = `{"id":1,"flag":true,"small":-2147483648,"big":9223372036854775807,"real":1.5,"double":-0.1,"exact":-1234567890123456789012345678.0123456789,"day":"1969-12-31","clock":"23:59:59.999999","instant":"2026-03-01T01:00:00.123456+02:00","local":"2026-03-01T01:00:00.000001","text":"\\u0000\u{1f600}","bytes":"AP/+","any":{"n":1.0,"big":12345678901234567890},"nested":{"x":7,"inner":{"y":"deep"}},"list":[1,null,3],"objects":[{"z":1.25},{}]}`;
const found = {
  id: 1,
  flag: true,
  small: -2147483648,
  big: "9223372036854775807",
  real: 1.5,
  double: -0.1,
  exact: "-1234567890123456789012345678.0123456789",
  day: "1969-12-31",
  clock: "23:59:59.999999",
  instant: "2026-02-28T23:00:00.123456",
  local: "2026-03-01T01:00:00.000001",
  text: "\0\u{1f600}",
  bytes: "0x00fffe",
  any: '{"n":1.0,"big":12345678901234567890}',
  nested: { x: 7, inner: { y: "deep" } },
  list: [1, null, 3],
  objects: [{ z: "1.25" }, { z: null }],
};
const nothing = Object.fromEntries(Object.keys(found).map((name) => [name, name === "id" ? 2 : null]));
const least = { ...nothing, id: 3, list: [], nested: { x: null, inner: null }, text: "", objects: [], bytes: "0x" };

const script = `
t, q = "sluice.sluice.orders", "sluice.sluice.orders__quarantine"
def rows(sql): return [row.asDict() for row in spark.sql(sql).collect()]
own = [name for name in spark.table(t).columns if not name.startswith("_sluice")]
columns = ", ".join(own)
snapshots = rows(f"select snapshot_id, summary from {t}.snapshots order by committed_at")
refs = rows(f"select name, type, snapshot_id from {t}.refs")
held = [ref["name"] for ref in refs if ref["name"].startswith("held/")]
first = next(s["snapshot_id"] for s in snapshots if s["summary"].get("total-records") == "3")
branch = held[0]
show({
    "main": rows(f"select {columns} from {t} order by id"),
    "places": rows(f"select _sluice_partition as partition, _sluice_offset as offset, count(distinct _sluice_source) as sources from {t} group by 1, 2 order by 2"),
    "first": [row["id"] for row in rows(f"select id from {t} version as of {first} order by id")],
    "held": [row["id"] for row in rows(f"select id from {t} version as of '{branch}' order by id")],
    "heldCount": len(held),
    "big": [row["id"] for row in rows(f"select id from {t} where big = 9223372036854775807")],
    "exact": [row["id"] for row in rows(f"select id from {t} where exact < 0")],
    "deep": [row["id"] for row in rows(f"select id from {t} where nested.inner.y = 'deep'")],
    "instant": [row["id"] for row in rows(f"select id from {t} where instant < timestamp'2026-03-01 00:00:00'")],
    "files": rows(f"select sum(record_count) as records, count(*) as files, count(distinct file_format) as formats from {t}.files"),
    "metrics": rows(f"select readable_metrics.id.lower_bound as low, readable_metrics.id.upper_bound as high, readable_metrics.flag.null_value_count as nulls from {t}.files order by low"),
    "metadata": {name: spark.sql(f"select * from {t}.{name}").count() > 0 for name in ("history", "snapshots", "manifests", "entries", "partitions", "all_data_files", "metadata_log_entries")},
    "quarantine": rows(f"select offset, value, headers, transform(reasons, r -> r.rule) as rules, state from {q} order by offset"),
    "heldRaw": spark.sql(f"select * from {q} version as of '{branch}'").count(),
    "positions": "sluice.positions" in [row["key"] for row in rows(f"show tblproperties {t}")],
})
`;

interface Found {
  readonly main: unknown;
  readonly places: unknown;
  readonly first: readonly number[];
  readonly held: readonly number[];
  readonly heldCount: number;
  readonly big: readonly number[];
  readonly exact: readonly number[];
  readonly deep: readonly number[];
  readonly instant: readonly number[];
  readonly files: unknown;
  readonly metrics: unknown;
  readonly metadata: Readonly<Record<string, boolean>>;
  readonly quarantine: unknown;
  readonly heldRaw: number;
  readonly positions: boolean;
}

const here = await sparkHere();

describe.skipIf(here === null)("tables of ours, in Spark, by the catalog's own rows", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-spark-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let read: Found;

  beforeAll(async () => {
    const input = join(folder, "in");
    mkdirSync(input);
    const contract = readFileSync(new URL("../readers/every-type.odcs.yaml", import.meta.url), "utf8");
    writeFileSync(join(folder, "orders.odcs.yaml"), contract.replace("TOPIC", "orders"));
    const config = join(folder, "sluice.yaml");
    writeFileSync(
      config,
      "lake: { folder: lake }\nsource: { kind: files, paths: [in] }\ndatasets: [{ contract: orders.odcs.yaml }]\nhttp: { enabled: false }\n",
    );
    const held = Array.from({ length: 11 }, (_, i) => `{"id":${100 + i}}`);
    const files = [
      [full, '{"id":2}', "bad", '{"id":3,"list":[],"nested":{},"text":"","objects":[],"bytes":""}'],
      [...held, "[]"],
      ['{"id":4}'],
    ];
    for (const [i, lines] of files.entries()) {
      writeFileSync(join(input, `${i}.ndjson`), lines.map((line) => `${line}\n`).join(""));
      const run = await sluice(["run", "--config", config]);
      if (run.code !== 0) throw new Error(run.err);
    }
    const lake = join(folder, "lake");
    const settings = {
      "spark.sql.catalog.sluice": "org.apache.iceberg.spark.SparkCatalog",
      "spark.sql.catalog.sluice.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
      "spark.sql.catalog.sluice.uri": `jdbc:sqlite:${join(lake, "catalog.db")}`,
      "spark.sql.catalog.sluice.warehouse": `file://${lake}`,
      "spark.sql.catalog.sluice.jdbc.schema-version": "V1",
    };
    read = (await runSpark(here as NonNullable<typeof here>, script, { settings })) as Found;
  });

  it("have every value of every type, and where each row came from", () => {
    expect(read.main).toEqual([found, nothing, least, { ...nothing, id: 4 }]);
    expect(read.places).toEqual([
      { partition: 0, offset: 0, sources: 2 },
      { partition: 0, offset: 1, sources: 1 },
      { partition: 0, offset: 3, sources: 1 },
    ]);
  });

  it("have their snapshots and branches", () => {
    expect(read.first).toEqual([1, 2, 3]);
    expect(read.heldCount).toBe(1);
    expect(read.held).toEqual([1, 2, 3, ...Array.from({ length: 11 }, (_, i) => 100 + i)]);
  });

  it("answer conditions on bounds with the rows that fit", () => {
    expect([read.big, read.exact, read.deep, read.instant]).toEqual([[1], [1], [1], [1]]);
  });

  it("have metadata that Iceberg's own tables of it can be read from", () => {
    expect(read.files).toEqual([{ records: 4, files: 2, formats: 1 }]);
    expect(read.metrics).toEqual([
      { low: 1, high: 3, nulls: 2 },
      { low: 4, high: 4, nulls: 1 },
    ]);
    expect(Object.values(read.metadata)).toEqual(Object.keys(read.metadata).map(() => true));
    expect(read.positions).toBe(true);
  });

  it("have quarantined records with their bytes and reasons, those of held windows on a branch of their own", () => {
    expect(read.quarantine).toEqual([{ offset: 2, value: "0x626164", headers: [], rules: ["json.syntax"], state: "open" }]);
    expect(read.heldRaw).toBe(1 + 12);
  });
});
