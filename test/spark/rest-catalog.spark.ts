import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contract, makeWindow, partitions, row } from "../adapters/lake/lake-fixture.ts";
import { readBranch } from "../adapters/lake/table-content.ts";
import type { CatalogFixture } from "../rest-catalog/catalog-fixture.ts";
import { catalogFixture } from "../rest-catalog/catalog-fixture.ts";
import { runSpark, sparkHere } from "./spark-here.ts";

const here = await sparkHere();

const tokens = [{ name: "spark", token: "spark-secret-0123456789", scope: "write", namespaces: null }] as const;

const script = `
t = "lake.db.orders"
def rows(sql): return [row.asDict() for row in spark.sql(sql).collect()]
def refusal(sql):
    try: spark.sql(sql).collect()
    except Exception as e: return str(e)
    return "it was not refused"
before = rows(f"select n, s from {t} order by n")
spark.sql(f"insert into {t} values (1000, 'by hand', 'hand', 0, 0, null)")
spark.sql(f"alter table {t} create tag byhand")
spark.sql(f"delete from {t} where n = 2")
rewritten = rows(f"call lake.system.rewrite_data_files(table => 'db.orders', options => map('rewrite-all', 'true'))")
held, held_id = [(r["name"], r["snapshot_id"]) for r in rows(f"select name, snapshot_id from {t}.refs") if r["name"].startswith("held/")][0]
spark.sql("create namespace lake.lab")
spark.sql("create table lake.lab.days (d date, n int) partitioned by (days(d)) tblproperties ('format-version' = '3')")
spark.sql("insert into lake.lab.days values (date'2026-01-01', 1), (date'2026-01-02', 2)")
spark.sql("alter table lake.lab.days add column note string")
spark.sql("create view lake.lab.late (day comment 'when', many) comment 'of 2026' as select d, n from lake.lab.days where d > date'2026-01-01'")
spark.sql("create or replace view lake.lab.late as select d as day, n + 1 as many from lake.lab.days")
spark.sql("create view lake.lab.gone as select 1 as one")
spark.sql("drop view lake.lab.gone")
spark.sql("alter view lake.lab.late rename to lake.lab.all_days")
show({
    "before": before,
    "after": rows(f"select n from {t} order by n"),
    "tagged": rows(f"select count(*) as rows from {t} version as of 'byhand'"),
    "rewritten": rewritten[0]["rewritten_data_files_count"] > 0,
    "forward": refusal(f"call lake.system.fast_forward('db.orders', 'main', '{held}')"),
    "picked": refusal(f"call lake.system.cherrypick_snapshot('db.orders', {held_id})"),
    "expired": refusal(f"call lake.system.expire_snapshots(table => 'db.orders', older_than => timestamp'2100-01-01 00:00:00', retain_last => 1)"),
    "positions": refusal(f"alter table {t} set tblproperties ('sluice.positions' = '[]')"),
    "view": rows("select many from lake.lab.all_days order by many"),
    "views": [r["viewName"] for r in rows("show views in lake.lab")],
    "days": rows("select n, note from lake.lab.days where d > date'2026-01-01'"),
})
`;

describe.skipIf(here === null)("Spark, through the REST catalog", () => {
  let catalog: CatalogFixture;
  beforeAll(async () => {
    catalog = await catalogFixture({ anonymous: null, tokens });
    const { lake } = catalog;
    await lake.activate(contract);
    await lake.recordStart(
      "orders",
      partitions.map((key) => ({ ...key, next: 0n })),
    );
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1), row(2)] }));
    await lake.commitWindow(makeWindow({ id: "h1", from: 2n, values: [row(66)], verdict: "hold" }));
  });
  afterAll(() => catalog.close());

  it("reads, appends, deletes, compacts and tags beside Sluice's windows, and can't bring held rows to main", async () => {
    const settings = {
      "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
      "spark.sql.catalog.lake.type": "rest",
      "spark.sql.catalog.lake.uri": catalog.url,
      "spark.sql.catalog.lake.credential": "spark:spark-secret-0123456789",
      "spark.sql.catalog.lake.header.X-Sluice-Job": "nightly",
    };
    expect(await runSpark(here!, script, { settings })).toMatchObject({
      before: [
        { n: 1, s: "s1" },
        { n: 2, s: "s2" },
      ],
      after: [{ n: 1 }, { n: 1000 }],
      tagged: [{ rows: 3 }],
      rewritten: true,
      forward: expect.stringMatching(/held window|forward only|not an ancestor|hold publish/) as string,
      picked: expect.stringMatching(/h1 is a held window|window h1, which was held/) as string,
      expired: expect.stringMatching(/sluice maintain/) as string,
      positions: expect.stringMatching(/Sluice's own/) as string,
      days: [{ n: 2, note: null }],
      view: [{ many: 2 }, { many: 3 }],
      views: ["all_days"],
    });
    const view = await catalog.ask("GET", "/v1/namespaces/lab/views/all_days", undefined, {
      authorization: "Bearer spark-secret-0123456789",
    });
    const sql = expect.stringContaining("n + 1 as many") as string;
    expect(view.body.metadata.versions.at(-1).representations).toEqual([{ type: "sql", dialect: "spark", sql }]);
    await catalog.lake.commitWindow(makeWindow({ id: "w2", from: 3n, values: [row(4)] }));
    expect((await readBranch(catalog.folder, "orders")).promoted).toEqual(["hand:0:0=1000", "topic-a:0:0=1", "topic-a:0:3=4"]);
    const read = await catalog.consumption();
    expect(read.some((each) => each.kind === "load" && each.reader === "spark" && each.job === "nightly")).toBe(true);
    // Spark reports its scans by itself: the very snapshots, filters and columns.
    expect(read.some((each) => each.kind === "scan" && each.details["columns"]?.includes("n") === true)).toBe(true);
  });
});
