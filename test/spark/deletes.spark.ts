import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Lake } from "../../src/core/ports.ts";
import { traceRecord } from "../../src/trace/trace-record.ts";
import { collect, makeWindow, openLake, partitions, row, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { odcs } from "../adapters/lake/odcs-fixture.ts";
import { runSpark, sparkHere } from "./spark-here.ts";

/** Deletes by positions (vectors, in version 3) as Spark makes them, by values as Java's writer does, and what Spark then reads. */
const script = `
t = "sluice.db.orders"
mode, words = sys.argv[3], json.loads(sys.argv[4])
jvm = spark._jvm
if mode == "positions":
    spark.sql(f"alter table {t} set tblproperties ('write.delete.mode'='merge-on-read', 'write.delete.granularity'='partition')")
    spark.sql(f"delete from {t} where s in ({', '.join(repr(w) for w in words)})")
elif mode == "values":
    table = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, t)
    names = jvm.java.util.ArrayList(); names.add("s")
    schema = table.schema().select(names)
    ids = spark.sparkContext._gateway.new_array(jvm.int, 1); ids[0] = table.schema().findField("s").fieldId()
    parquet = jvm.org.apache.iceberg.FileFormat.PARQUET
    factory = jvm.org.apache.iceberg.data.GenericAppenderFactory(table.schema(), table.spec(), ids, schema, None)
    out = jvm.org.apache.iceberg.io.OutputFileFactory.builderFor(table, 1, 1).format(parquet).build().newOutputFile()
    writer = factory.newEqDeleteWriter(out, parquet, None)
    for word in words:
        record = jvm.org.apache.iceberg.data.GenericRecord.create(schema); record.setField("s", word); writer.write(record)
    writer.close()
    table.newRowDelta().addDeletes(writer.toDeleteFile()).commit()
elif mode == "rewrite":
    spark.sql(f"call sluice.system.rewrite_data_files(table => 'db.orders', options => map('rewrite-all', 'true', 'min-input-files', '1'))")
formats = [r["file_format"] for r in spark.sql(f"select distinct file_format from {t}.delete_files order by 1").collect()]
show({"numbers": [r["n"] for r in spark.sql(f"select n from {t} order by n").collect()], "formats": formats})
`;

const here = await sparkHere();

async function numbersOf(lake: Lake, fields: Parameters<Lake["promotedColumns"]>[1]): Promise<number[]> {
  const found = await collect(lake.promotedColumns("orders", fields, { after: 0n, held: false }));
  return found.flatMap(({ columns }) => [...(columns[0] as { exact: BigInt64Array }).exact].map(Number)).toSorted((a, b) => a - b);
}

describe.skipIf(here === null).each([2, 3])("rows that Spark and Java delete from a table of version %i", (formatVersion) => {
  it("are deleted for us too: by positions or vectors, and by values", async () => {
    using scratch = scratchFolder();
    const contract = await odcs(
      1,
      ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }"],
      `{ formatVersion: ${formatVersion} }`,
    );
    const lake = await openLake(scratch.folder);
    await lake.activate(contract);
    await lake.recordStart(
      "orders",
      partitions.map((key) => ({ ...key, next: 0n })),
    );
    let next = 0;
    const promote = async (values: readonly string[]): Promise<void> => {
      const { schema, layout } = await lake.state("orders");
      await lake.commitWindow(makeWindow({ id: `w${next}`, from: BigInt(next), values, contract, schema, layout }));
      next += values.length;
    };
    const spark = async (mode: string, words: readonly (string | null)[]): Promise<{ numbers: number[]; formats: string[] }> => {
      const settings = {
        "spark.sql.catalog.sluice": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.sluice.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        "spark.sql.catalog.sluice.uri": `jdbc:sqlite:${join(scratch.folder, "catalog.db")}`,
        "spark.sql.catalog.sluice.warehouse": `file://${scratch.folder}`,
        "spark.sql.catalog.sluice.jdbc.schema-version": "V1",
      };
      const args = [mode, JSON.stringify(words)];
      return (await runSpark(here as NonNullable<typeof here>, script, { settings, args })) as { numbers: number[]; formats: string[] };
    };
    await promote([1, 2, 3, 4, 5].map((n) => row(n)));
    await promote([row(6), row(7), '{"n":8}']);
    const positions = await spark("positions", ["s2", "s6"]);
    expect(positions).toEqual({ numbers: [1, 3, 4, 5, 7, 8], formats: [formatVersion === 2 ? "PARQUET" : "PUFFIN"] });
    expect(await numbersOf(lake, contract.fields)).toEqual(positions.numbers);
    await promote([row(2), row(9)]);
    const values = await spark("values", ["s2", "s4", null]);
    expect(values.numbers).toEqual([1, 3, 5, 7, 9]);
    expect(await numbersOf(lake, contract.fields)).toEqual(values.numbers);
    await promote([row(4)]);
    const states: string[] = [];
    for (let offset = 0n; offset < BigInt(next); offset++)
      states.push((await traceRecord(lake, "orders", "orders", { topicId: "topic-a", partition: 0, offset })).state);
    const gone = new Set([1, 3, 5, 7, 8]);
    expect(states).toEqual(states.map((_, offset) => (gone.has(offset) ? "deleted" : "promoted")));
    const found = await lake.refs.compare("orders", "main~2", "main");
    expect(found.b).toMatchObject({ rows: 6, rowsDeleted: 5 });
    await spark("rewrite", []);
    expect(await numbersOf(lake, contract.fields)).toEqual([1, 3, 4, 5, 7, 9]);
    const rewritten = await lake.refs.compare("orders", found.b.snapshotId, "main");
    expect([rewritten.added.rows, rewritten.removed.rows, rewritten.rowsRewritten]).toEqual([0n, 0n, 6n]);
    await lake.close();
  });
});
