import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { partitions, openLake, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { instant, local, nanoContract, nanoWindow } from "../adapters/lake/nanoseconds-fixture.ts";
import { runSpark, sparkHere } from "./spark-here.ts";

const here = await sparkHere();

/** Iceberg's Java in Spark's session, without Spark: its own reader of a table's rows, and what it says of its files. */
const script = `
jvm = spark._jvm
catalog = jvm.org.apache.iceberg.jdbc.JdbcCatalog()
catalog.setConf(spark._jsc.hadoopConfiguration())
options = jvm.java.util.HashMap()
for name, value in {"uri": sys.argv[3], "warehouse": sys.argv[4], "jdbc.schema-version": "V1"}.items(): options.put(name, value)
catalog.initialize("sluice", options)
def each(iterable):
    found = iterable.iterator()
    while found.hasNext(): yield found.next()
def table(name): return catalog.loadTable(jvm.org.apache.iceberg.catalog.TableIdentifier.parse(name))
def refusal(sql):
    try: return str(spark.sql(sql).collect())
    except Exception as fault: return str(fault).splitlines()[0]
orders, grown = table("db.orders"), table("db.grown")
# What Java's transforms make of the rows that it read, beside what the files' partitions say.
wrapped = jvm.org.apache.iceberg.data.InternalRecordWrapper(orders.schema().asStruct())
key = jvm.org.apache.iceberg.PartitionKey(orders.spec(), orders.schema())
made = []
for row in each(jvm.org.apache.iceberg.data.IcebergGenerics.read(orders).build()):
    key.partition(wrapped.wrap(row))
    made.append([str(key.get(i, jvm.java.lang.Class.forName("java.lang.Object"))) for i in range(4)])
said = []
for task in each(orders.newScan().planFiles()):
    partition = task.file().partition()
    said.append([str(partition.get(i, jvm.java.lang.Class.forName("java.lang.Object"))) for i in range(4)])
types = jvm.org.apache.iceberg.types.Types
promotes = jvm.org.apache.iceberg.types.TypeUtil.isPromotionAllowed
show({
    "rows": sorted([[row.get(i) if i == 0 else str(row.get(i).toString()) if row.get(i) is not None else None for i in range(3)] for row in each(jvm.org.apache.iceberg.data.IcebergGenerics.read(orders).build())]),
    "grown": sorted([[row.get(0), row.get(1).toString()] for row in each(jvm.org.apache.iceberg.data.IcebergGenerics.read(grown).build())]),
    "partitions": sorted(said), "made": sorted(made),
    "spark": refusal("select id from sluice.db.orders"),
    "promotes": promotes(types.DateType.get(), types.TimestampNanoType.withoutZone()),
})
`;

const at = 1_772_326_800_123_456_789n;

describe.skipIf(here === null)("nanoseconds", () => {
  it("are what Iceberg's Java finds, with its partitions and defaults; Spark refuses the table", async () => {
    using scratch = scratchFolder();
    const lake = await openLake(scratch.folder);
    const begin = async (dataset: string): Promise<unknown> =>
      lake.recordStart(
        dataset,
        partitions.map((key) => ({ ...key, next: 0n })),
      );
    const orders = nanoContract({
      columns: { at: instant, wall: local },
      partitionBy: ["at day", "wall bucket[16]", "at bucket[4]", "wall year"],
    });
    await lake.activate(orders);
    await begin("orders");
    await lake.commitWindow(
      await nanoWindow(lake, orders, [
        { id: 1n, at, wall: -1n },
        { id: 2n, at: -1n, wall: at },
        { id: 3n, at: null, wall: null },
        { id: 4n, at: 2n ** 63n - 1n, wall: -(2n ** 63n) },
      ]),
    );
    const plain = nanoContract({ dataset: "grown", columns: {} });
    await lake.activate(plain);
    await begin("grown");
    await lake.commitWindow(await nanoWindow(lake, plain, [{ id: 1n }]));
    const grown = nanoContract({
      dataset: "grown",
      version: 2,
      columns: { at: instant },
      defaults: { at: "2026-03-01T01:00:00.123456789+00:00" },
    });
    await lake.activate(grown);
    await lake.commitWindow(await nanoWindow(lake, grown, [{ id: 2n, at: -1n }]));
    await lake.close();
    const uri = `jdbc:sqlite:${join(scratch.folder, "catalog.db")}`;
    const warehouse = `file://${scratch.folder}`;
    const settings = {
      "spark.sql.catalog.sluice": "org.apache.iceberg.spark.SparkCatalog",
      "spark.sql.catalog.sluice.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
      "spark.sql.catalog.sluice.uri": uri,
      "spark.sql.catalog.sluice.warehouse": warehouse,
      "spark.sql.catalog.sluice.jdbc.schema-version": "V1",
    };
    const found = [
      ["-1", "10", "0", "56"],
      ["106751", "15", "2", "-293"],
      ["20513", "8", "2", "-1"],
      ["None", "None", "None", "None"],
    ];
    expect(await runSpark(here as NonNullable<typeof here>, script, { settings, args: [uri, warehouse] })).toEqual({
      rows: [
        [1, "2026-03-01T01:00:00.123456789Z", "1969-12-31T23:59:59.999999999"],
        [2, "1969-12-31T23:59:59.999999999Z", "2026-03-01T01:00:00.123456789"],
        [3, null, null],
        [4, "2262-04-11T23:47:16.854775807Z", "1677-09-21T00:12:43.145224192"],
      ],
      grown: [
        [1, "2026-03-01T01:00:00.123456789Z"],
        [2, "1969-12-31T23:59:59.999999999Z"],
      ],
      partitions: found,
      made: found,
      spark: expect.stringContaining("timestamptz_ns"),
      // The specification lets a date become one; no reader does.
      promotes: false,
    });
  });
});
