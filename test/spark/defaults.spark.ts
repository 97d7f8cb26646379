import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeWindow, openLake, partitions, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { odcs, past } from "../adapters/lake/odcs-fixture.ts";
import { runSpark, sparkHere } from "./spark-here.ts";

const here = await sparkHere();

describe.skipIf(here === null)("default values of version 3", () => {
  it("are what Spark finds in rows from before a required column, whole floats among them", async () => {
    using scratch = scratchFolder();
    const first = ["{ name: id, logicalType: integer }"];
    const column = (name: string, type: string, value: string): string =>
      `{ name: ${name}, ${type}, required: true, ${past(`{ default: ${value} }`)} }`;
    const second = [
      ...first,
      column("real", "logicalType: number, physicalType: float", "-7"),
      column("wide", "logicalType: number", "5"),
      column("big", "logicalType: integer", "9223372036854775807"),
      column("price", 'logicalType: number, physicalType: "decimal(9, 2)"', "1.5"),
      column("day", "logicalType: date", '"1969-12-31"'),
      column("moment", "logicalType: timestamp", '"2026-03-01T01:00:00.000001Z"'),
      column("text", "logicalType: string", "EUR"),
    ];
    const v3 = "{ formatVersion: 3 }";
    const [one, two] = [await odcs(1, first, v3), await odcs(2, second, v3)];
    const lake = await openLake(scratch.folder);
    await lake.activate(one);
    await lake.recordStart(
      "orders",
      partitions.map((key) => ({ ...key, next: 0n })),
    );
    const { schema, layout } = await lake.state("orders");
    await lake.commitWindow(makeWindow({ id: "w", from: 0n, values: ['{"id":1}'], contract: one, schema, layout }));
    await lake.activate(two);
    await lake.close();
    const settings = {
      "spark.sql.catalog.sluice": "org.apache.iceberg.spark.SparkCatalog",
      "spark.sql.catalog.sluice.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
      "spark.sql.catalog.sluice.uri": `jdbc:sqlite:${join(scratch.folder, "catalog.db")}`,
      "spark.sql.catalog.sluice.warehouse": `file://${scratch.folder}`,
      "spark.sql.catalog.sluice.jdbc.schema-version": "V1",
    };
    const script = `
t = spark.table("sluice.db.orders")
names = [c for c in t.columns if not c.startswith("_sluice")]
show({"rows": [r.asDict() for r in t.select(names).collect()], "found": t.where("concat(text, '') = 'EUR'").count()})
`;
    expect(await runSpark(here as NonNullable<typeof here>, script, { settings })).toEqual({
      rows: [
        {
          id: 1,
          real: -7,
          wide: 5,
          big: "9223372036854775807",
          price: "1.50",
          day: "1969-12-31",
          moment: "2026-03-01T01:00:00.000001",
          text: "EUR",
        },
      ],
      // Of a condition that it pushes down to files, Iceberg's Java 1.11 takes a column that a file is without for null.
      found: 1,
    });
  });
});
