import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scratchFolder } from "../adapters/lake/lake-fixture.ts";
import { odcs, past } from "../adapters/lake/odcs-fixture.ts";
import { catalogTables } from "../conservation/iceberg-files.ts";
import { pathOfUri } from "../../src/adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../src/adapters/iceberg/table-io.ts";
import { parseTableMetadata, snapshotOfRef } from "../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../src/adapters/storage/local-storage.ts";
import { readBack } from "../adapters/iceberg/parquet-reading.ts";
import { sluice } from "./sluice.ts";

/** Every data file of main: its partition tuple by partition field ids, spec, sort order, and rows by the columns asked for. */
async function filesOf(folder: string): Promise<{ partition: unknown; spec: unknown; order: unknown; rows: Record<string, unknown>[] }[]> {
  const storage = createLocalStorage(folder);
  const uri = [...catalogTables(join(folder, "catalog.db"))].find(([name]) => name.endsWith(".orders"))?.[1] as string;
  const metadata = parseTableMetadata(Buffer.from(await storage.read(pathOfUri(storage, uri))).toString());
  const files = [];
  for (const manifest of await readManifestList(storage, snapshotOfRef(metadata, "main"))) {
    for (const { file } of await readManifest(storage, manifest)) {
      const { rows } = await readBack(await storage.read(pathOfUri(storage, file["file_path"] as string)));
      files.push({ partition: Object.values(file["partition"] as object), spec: file["spec_id"], order: file["sort_order_id"], rows });
    }
  }
  return files.toSorted((a, b) => (JSON.stringify([a.spec, a.partition]) < JSON.stringify([b.spec, b.partition]) ? -1 : 1));
}

it("`sluice run` partitions, sorts and evolves a table by its contract, window by window", { timeout: 240_000 }, async () => {
  using scratch = scratchFolder();
  const lake = join(scratch.folder, "lake");
  const input = join(scratch.folder, "in");
  mkdirSync(input);
  const config = join(scratch.folder, "sluice.yaml");
  const contract = join(scratch.folder, "orders.odcs.yaml");
  writeFileSync(
    config,
    "lake: { folder: lake }\nsource: { kind: files, paths: [in] }\ndatasets: [{ contract: orders.odcs.yaml }]\nhttp: { enabled: false }\n",
  );
  const run = async (
    version: number,
    properties: readonly string[],
    settings: string,
    rows: readonly object[],
  ): Promise<{ code: number | null; err: string }> => {
    writeFileSync(contract, (await odcs(version, properties, settings)).text);
    writeFileSync(join(input, `${version}.ndjson`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    return sluice(["run", "--config", config]);
  };
  const first = ["{ name: id, logicalType: integer, physicalType: int, required: true }", "{ name: region, logicalType: string }"];
  const layout = "{ partitionBy: [{ column: region }], sortBy: [{ column: id, direction: desc }] }";
  expect(
    await run(
      1,
      first,
      layout,
      [1, 5, 3, 4, 2].map((id) => ({ id, region: id % 2 === 0 ? "eu" : "us" })),
    ),
  ).toMatchObject({ code: 0 });
  const pick = (file: { rows: Record<string, unknown>[] }, name: string): unknown[] => file.rows.map((row) => Number(row[name]));
  const one = await filesOf(lake);
  expect(one.map((file) => [file.partition, file.spec, file.order, pick(file, "id")])).toEqual([
    [["eu"], 1, 1, [4, 2]],
    [["us"], 1, 1, [5, 3, 1]],
  ]);

  const second = [
    `{ name: number, logicalType: integer, required: true, ${past("{ previousName: id }")} }`,
    "{ name: region, logicalType: string }",
    "{ name: at, logicalType: date }",
  ];
  const days = "{ partitionBy: [{ column: at, transform: month }, { column: region }], sortBy: [] }";
  const rows = [7, 6].map((number) => ({ number, region: "eu", at: `2026-0${number}-01` }));
  expect(await run(2, second, days, rows)).toMatchObject({ code: 0 });
  const two = await filesOf(lake);
  expect(two.map((file) => [file.partition, file.spec, file.order])).toEqual([
    [["eu"], 1, 1],
    [["us"], 1, 1],
    [["eu", 677], 2, 0],
    [["eu", 678], 2, 0],
  ]);
  expect(two.slice(2).map((file) => pick(file, "number"))).toEqual([[6], [7]]);

  const refused = await run(3, ["{ name: number, logicalType: string }", "{ name: region, logicalType: string }"], "{}", [{ number: "x" }]);
  expect(refused.code).not.toBe(0);
  expect(refused.err).toContain("column number is long in the table, and can't become string");
  expect(refused.err).toContain("orders.odcs.yaml:11:11");
  expect(await filesOf(lake)).toHaveLength(4);
});
