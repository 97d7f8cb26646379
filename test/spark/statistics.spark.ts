import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";
import { runSpark, sparkHere } from "./spark-here.ts";

/** What Spark's planner makes of our statistics, and what its own procedure then writes in their place. */
const script = `
t = "sluice.db.orders"
jvm = spark._jvm
def load(): return jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, t)
def blobs():
    # The newest file: lists of Java.
    files = load().statisticsFiles(); file = files.get(files.size() - 1)
    found = {}
    for i in range(file.blobMetadata().size()):
        blob = file.blobMetadata().get(i)
        found[load().schema().findColumnName(blob.fields().get(0))] = [blob.type(), int(blob.properties().get("ndv"))]
    return found
def planned():
    plan = spark.table(t)._jdf.queryExecution().optimizedPlan()
    stats = plan.stats().attributeStats()
    found, entries = {}, stats.iterator()
    while entries.hasNext():
        entry = entries.next()
        count = entry._2().distinctCount()
        if count.isDefined(): found[entry._1().name()] = int(str(count.get()))
    return found
ours, before = blobs(), planned()
spark.sql(f"insert into {t} select * from {t} where n < 0")
spark.sql(f"insert into {t} select n, s, _sluice_source, _sluice_partition, _sluice_offset, _sluice_timestamp from {t} limit 1")
spark.sql(f"call sluice.system.compute_table_stats(table => 'db.orders')")
show({"ours": ours, "planned": before, "theirs": blobs(), "after": planned()})
`;

const here = await sparkHere();

describe.skipIf(here === null)("statistics of ours", () => {
  it("are what Spark plans by, and count what Spark's own procedure counts", async () => {
    using scratch = scratchFolder();
    const lake = await startedLake(scratch.folder);
    const values = Array.from({ length: 500 }, (_, i) => row(i, `text ${i % 37}`));
    await lake.commitWindow(makeWindow({ id: "w", from: 0n, values }));
    await lake.maintenance.describe("orders");
    const settings = {
      "spark.sql.catalog.sluice": "org.apache.iceberg.spark.SparkCatalog",
      "spark.sql.catalog.sluice.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
      "spark.sql.catalog.sluice.uri": `jdbc:sqlite:${join(scratch.folder, "catalog.db")}`,
      "spark.sql.catalog.sluice.warehouse": `file://${scratch.folder}`,
      "spark.sql.catalog.sluice.jdbc.schema-version": "V1",
      "spark.sql.cbo.enabled": "true",
      "spark.sql.iceberg.report-column-stats": "true",
    };
    const found = (await runSpark(here as NonNullable<typeof here>, script, { settings })) as Record<string, Record<string, unknown>>;
    const type = "apache-datasketches-theta-v1";
    const counts = { n: 500, s: 37, _sluice_source: 1, _sluice_partition: 1, _sluice_offset: 500, _sluice_timestamp: 500 };
    expect(found["ours"]).toEqual(Object.fromEntries(Object.entries(counts).map(([name, ndv]) => [name, [type, ndv]])));
    expect(found["planned"]).toMatchObject({ n: 500, s: 37 });
    expect(found["theirs"]).toEqual(found["ours"]);
    expect(found["after"]).toMatchObject({ n: 500, s: 37 });
    // What Spark wrote is left as it is.
    expect(await lake.maintenance.describe("orders")).toMatchObject({ isCurrent: true });
    await lake.close();
  });
});
