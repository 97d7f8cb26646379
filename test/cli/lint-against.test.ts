import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { lintContract } from "../../src/contract/lint-contract.ts";
import { openLake, scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { odcs, past } from "../adapters/lake/odcs-fixture.ts";
import { sluice } from "./sluice.ts";

it("`contract lint --against` shows what a contract would change about its table, and what the table refuses", async () => {
  using scratch = scratchFolder();
  const lake = await openLake(scratch.folder);
  const columns = [
    "{ name: a, logicalType: integer, physicalType: int }",
    "{ name: b, logicalType: string }",
    "{ name: c, logicalType: date }",
  ];
  await lake.activate(await odcs(1, columns));
  await lake.close();
  const config = join(scratch.folder, "sluice.yaml");
  const lakeSection = `lake: { folder: ${scratch.folder}, catalog: ${join(scratch.folder, "catalog.db")}, namespace: db }`;
  writeFileSync(config, `${lakeSection}\nsource: { kind: files, paths: [orders.ndjson] }\ndatasets: [{ contract: orders.odcs.yaml }]\n`);
  const file = join(scratch.folder, "orders.odcs.yaml");
  const lint = async (
    version: number,
    properties: readonly string[],
    settings?: string,
  ): Promise<{ code: number | null; lines: string[] }> => {
    writeFileSync(file, (await odcs(version, properties, settings)).text);
    const run = await sluice(["contract", "lint", file, "--against", config]);
    expect(run.err).toBe("");
    return {
      code: run.code,
      lines: run.out
        .replaceAll(`${scratch.folder}/`, "")
        .split("\n")
        .filter((line) => line.includes("table") || line.includes("type-")),
    };
  };

  const next = [`{ name: d, logicalType: string, ${past("{ previousName: b }")} }`, "{ name: a, logicalType: integer }"];
  const good = await lint(2, next, "{ partitionBy: [{ column: a, transform: bucket(8) }], sortBy: [{ column: d }] }");
  expect(good).toEqual({
    code: 0,
    lines: [
      "orders.odcs.yaml:11:11: info: b becomes d, with its values [table-rename]",
      "orders.odcs.yaml:12:11: info: a becomes long, from int [table-widen]",
      "orders.odcs.yaml:12:11: info: a moves to another place [table-move]",
      "orders.odcs.yaml:1:1: info: c is dropped: earlier snapshots still show it [table-drop]",
      "orders.odcs.yaml:9:67: info: files to come are partitioned by bucket[8] of a; those there are stay as they are [table-partition]",
      "orders.odcs.yaml:9:114: info: files to come are sorted by d; those there are stay as they are [table-sort]",
    ],
  });
  const bad = await lint(2, ["{ name: a, logicalType: string }", "{ name: b, logicalType: integer }"]);
  expect(bad.code).toBe(3);
  expect(bad.lines).toEqual([
    expect.stringMatching(/^orders\.odcs\.yaml:11:11: error: column a is int in the table, and can't become string/),
    expect.stringMatching(/^orders\.odcs\.yaml:12:11: error: column b is string in the table, and can't become long/),
  ]);
});

it("layouts that Iceberg or its readers can't have are errors at their place", async () => {
  const settings =
    "{ partitionBy: [{ column: f }, { column: t, transform: day }, { column: d, transform: day }, { column: d, transform: month }, { column: s, transform: hour }, { column: l }, { column: x }], sortBy: [{ column: o }, { column: d }, { column: d }] }";
  const columns = [
    "{ name: f, logicalType: number }",
    "{ name: t, logicalType: time }",
    "{ name: d, logicalType: date }",
    "{ name: s, logicalType: string }",
    "{ name: l, logicalType: array, items: { logicalType: string } }",
    "{ name: o, logicalType: object, properties: [{ name: x, logicalType: string }] }",
  ];
  await expect(odcs(1, columns, settings)).rejects.toMatchObject({
    diagnostics: [
      ["partition-transform", "double values make no partitions"],
      ["partition-transform", "times of day are stored as text"],
      ["partition-repeated", 'partitioned by "d" in this way already'],
      ["partition-transform", "hour takes timestamp, timestamptz, timestamp_ns, timestamptz_ns, not string"],
      ["column-type", '"l" is a list'],
      ["column-unknown", 'no column "x"'],
      ["column-type", '"o" is a struct'],
      ["sort-repeated", 'ordered by "d" already'],
    ].map(([code, message]) => ({ code, message: expect.stringContaining(message as string) as string, location: { line: 9 } })),
  });
  await expect(odcs(1, columns, "{ partitionBy: [{ column: s, transform: bucket(0) }] }")).rejects.toThrow(/bucket\(N\)/);
  const own = `{ name: f, logicalType: number, ${past("{ previousName: f, earlierRows: zero }")} }`;
  await expect(odcs(1, [own])).rejects.toThrow(/can't have been called what it is called now[\s\S]*earlierRows/);
});

it("lint warns of a partition for each row", async () => {
  const unique = await odcs(1, ["{ name: id, logicalType: integer, unique: true }"], "{ partitionBy: [{ column: id }] }");
  expect(lintContract(unique)).toContainEqual(expect.objectContaining({ severity: "warning", code: "partition-per-row" }));
  const buckets = await odcs(
    1,
    ["{ name: id, logicalType: integer, unique: true }"],
    "{ partitionBy: [{ column: id, transform: bucket(16) }] }",
  );
  expect(lintContract(buckets).filter(({ code }) => code === "partition-per-row")).toEqual([]);
});
