import { join } from "node:path";
import { expect, it } from "vitest";
import { catalogTables } from "../../conservation/iceberg-files.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { Lake } from "../../../src/core/ports.ts";
import { pathOfUri } from "../../../src/adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../../src/adapters/iceberg/table-io.ts";
import type { TableMetadata } from "../../../src/adapters/iceberg/table-metadata.ts";
import { parseTableMetadata, snapshotOfRef } from "../../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import { makeWindow, openLake, partitions, scratchFolder } from "./lake-fixture.ts";
import { odcs } from "./odcs-fixture.ts";

async function metadataOf(folder: string, name: string): Promise<TableMetadata> {
  const uri = catalogTables(join(folder, "catalog.db")).get(name) as string;
  const storage = createLocalStorage(folder);
  return parseTableMetadata(Buffer.from(await storage.read(pathOfUri(storage, uri))).toString());
}

/** First row ids and row counts of the files of a branch, in the order of those ids. */
async function rowIds(folder: string, metadata: TableMetadata, branch = "main"): Promise<[bigint, bigint][]> {
  const storage = createLocalStorage(folder);
  const found: [bigint, bigint][] = [];
  for (const manifest of await readManifestList(storage, snapshotOfRef(metadata, branch))) {
    for (const { file } of await readManifest(storage, manifest))
      found.push([file["first_row_id"] as bigint, file["record_count"] as bigint]);
  }
  return found.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function promote(lake: Lake, contract: Contract, from: number, rows: number, hold = false): Promise<void> {
  const { schema, layout } = await lake.state("orders");
  const values = Array.from({ length: rows }, (_, i) => `{"n":${from + i}}`);
  const verdict = hold ? { verdict: "hold" as const } : {};
  const result = await lake.commitWindow(makeWindow({ id: `w${from}`, from: BigInt(from), values, contract, schema, layout, ...verdict }));
  expect(result.status).toBe("committed");
}

const columns = ["{ name: n, logicalType: integer }"];

async function started(folder: string, contract: Contract): Promise<Lake> {
  const lake = await openLake(folder);
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  return lake;
}

it("rows of version 3 keep the ids that they got, through merged manifests and held windows", async () => {
  using scratch = scratchFolder();
  const contract = await odcs(1, columns, "{ formatVersion: 3 }");
  const lake = await started(scratch.folder, contract);
  for (let i = 0; i < 35; i++) await promote(lake, contract, i * 2, 2);
  const merged = await metadataOf(scratch.folder, "db.orders");
  expect([merged["format-version"], merged["next-row-id"]]).toEqual([3, 70n]);
  const list = await readManifestList(createLocalStorage(scratch.folder), snapshotOfRef(merged, "main"));
  expect(list.length).toBeLessThan(30);
  expect(await rowIds(scratch.folder, merged)).toEqual(Array.from({ length: 35 }, (_, i) => [BigInt(i * 2), 2n]));

  await promote(lake, contract, 70, 3, true);
  await promote(lake, contract, 73, 1);
  await lake.publishHeld("orders", "w70", { author: "ann", reason: "good" });
  const published = await metadataOf(scratch.folder, "db.orders");
  const ids = await rowIds(scratch.folder, published);
  const taken = ids.flatMap(([first, count]) => Array.from({ length: Number(count) }, (_, i) => first + BigInt(i)));
  expect(new Set(taken).size).toBe(74);
  expect(taken.every((id) => id < (published["next-row-id"] as bigint))).toBe(true);
  expect(ids.slice(0, 35)).toEqual(Array.from({ length: 35 }, (_, i) => [BigInt(i * 2), 2n]));
  expect((await metadataOf(scratch.folder, "db.orders__quarantine"))["format-version"]).toBe(2);
  await lake.close();
});

it("a table goes to version 3 by its contract, numbers the rows that it has, and does not go back", async () => {
  using scratch = scratchFolder();
  const two = await odcs(1, columns);
  const lake = await started(scratch.folder, two);
  await promote(lake, two, 0, 2);
  expect((await metadataOf(scratch.folder, "db.orders"))["format-version"]).toBe(2);
  const three = await odcs(2, columns, "{ formatVersion: 3 }");
  expect((await lake.contracts.preview(three)).findings.map(({ code }) => code)).toEqual(["table-version"]);
  await lake.activate(three);
  await promote(lake, three, 2, 1);
  const metadata = await metadataOf(scratch.folder, "db.orders");
  expect(metadata["format-version"]).toBe(3);
  const ids = await rowIds(scratch.folder, metadata);
  expect(ids.map(([, count]) => count)).toEqual([2n, 1n]);
  expect(ids.map(([first]) => first)).toEqual([0n, 2n]);
  await lake.activate(await odcs(3, columns));
  await expect(lake.activate(await odcs(4, columns, "{ formatVersion: 2 }"))).rejects.toThrow(/does not go back to 2/);
  await expect(odcs(5, columns, "{ formatVersion: 4 }")).rejects.toThrow(/at most 3/);
  await lake.close();
});
