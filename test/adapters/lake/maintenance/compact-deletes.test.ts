import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openLakeCatalog } from "../../../../src/adapters/catalog/open-lake-catalog.ts";
import type { Contract } from "../../../../src/core/contract.ts";
import type { Lake } from "../../../../src/core/ports.ts";
import { VersionDeletes } from "../../../../src/adapters/iceberg/deletes/version-deletes.ts";
import { pathOfUri } from "../../../../src/adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../../../src/adapters/iceberg/table-io.ts";
import { snapshotOfRef } from "../../../../src/adapters/iceberg/table-metadata.ts";
import type { LakeContext } from "../../../../src/adapters/lake/lake-context.ts";
import { compact } from "../../../../src/adapters/lake/maintenance/compact.ts";
import { createContentStore } from "../../../../src/adapters/storage/content-store.ts";
import { createLocalStorage } from "../../../../src/adapters/storage/local-storage.ts";
import { pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";
import { readBack } from "../../iceberg/parquet-reading.ts";
import { commitDeletes } from "../delete-files.ts";
import { makeWindow, openLake, partitions, placeIn, scratchFolder } from "../lake-fixture.ts";
import { odcs } from "../odcs-fixture.ts";
import { loadBoth, readBranch } from "../table-content.ts";

const small = { fileBytesTarget: 1 << 27, filesMin: 2 } as const;
const columns = ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }"];

async function started(folder: string, contract: Contract): Promise<Lake> {
  const lake = await openLake(folder);
  await lake.activate(contract);
  await lake.recordStart(
    "orders",
    partitions.map((key) => ({ ...key, next: 0n })),
  );
  return lake;
}

/** A window of rows with these numbers; a text each. */
async function promote(lake: Lake, contract: Contract, numbers: readonly (number | null)[]): Promise<void> {
  const { schema, layout, positions } = await lake.state("orders");
  const from = positions[0]?.next ?? 0n;
  const values = numbers.map((n) => JSON.stringify({ n, s: `s${n}` }));
  const result = await lake.commitWindow(makeWindow({ id: `w${from}`, from, values, contract, schema, layout }));
  expect(result.status).toBe("committed");
}

/** Data files of main with their rows as they stand, those that delete files take out left out; each with its id and sequence number as readers know them. */
async function files(folder: string): Promise<{ uri: string; sortOrderId: unknown; rows: { n: unknown; id: unknown; at: unknown }[] }[]> {
  const storage = createLocalStorage(folder);
  const { promoted: metadata } = await loadBoth(folder, "orders");
  const snapshot = snapshotOfRef(metadata, "main");
  const deletes = await VersionDeletes.of({ storage, metadata, snapshot });
  const found: Awaited<ReturnType<typeof files>> = [];
  for (const manifest of (await readManifestList(storage, snapshot)).filter(({ content }) => content === 0)) {
    for (const entry of (await readManifest(storage, manifest)).filter(({ status }) => status !== 2)) {
      const uri = entry.file["file_path"] as string;
      const gone = await deletes.rowsOf(entry);
      const { rows } = await readBack(await storage.read(pathOfUri(storage, uri)));
      const first = (entry.file["first_row_id"] ?? null) as bigint | null;
      const numbered = rows.map((row, i) => ({
        n: row["n"],
        id: row["_row_id"] ?? (first === null ? null : first + BigInt(i)),
        at: row["_last_updated_sequence_number"] ?? entry.sequence,
      }));
      found.push({ uri, sortOrderId: entry.file["sort_order_id"], rows: numbered.filter((_, i) => gone?.has(i) !== true) });
    }
  }
  return found;
}

const rowsOf = async (folder: string): Promise<{ n: unknown; id: unknown; at: unknown }[]> =>
  (await files(folder)).flatMap(({ rows }) => rows).toSorted((a, b) => Number(a.n) - Number(b.n));

const read = `
import sys, json
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
print(json.dumps(catalog.load_table("db.orders").scan().to_arrow()["n"].to_pylist()))
`;

it("writes small files of a sorted table as one in its order, values that are absent where the order has them", async () => {
  using scratch = scratchFolder();
  const contract = await odcs(1, columns, "{ sortBy: [{ column: n, direction: desc, nulls: first }] }");
  const lake = await started(scratch.folder, contract);
  await promote(lake, contract, [3, 9, 1]);
  await promote(lake, contract, [null, 4]);
  await promote(lake, contract, [8, 2]);
  await lake.maintenance.compact("orders", small, false);
  const [file, ...others] = await files(scratch.folder);
  expect(others).toEqual([]);
  expect(file!.rows.map(({ n }) => n ?? null)).toEqual([null, 9n, 8n, 4n, 3n, 2n, 1n]);
  expect(file!.sortOrderId).toBe((await loadBoth(scratch.folder, "orders")).promoted["default-sort-order-id"]);
  await lake.close();
});

it("keeps the ids of a table's rows, and when they came, through compactions of version 3", async () => {
  using scratch = scratchFolder();
  const contract = await odcs(1, columns, "{ formatVersion: 3, sortBy: [{ column: n, direction: desc }] }");
  const lake = await started(scratch.folder, contract);
  await promote(lake, contract, [1, 2]);
  await promote(lake, contract, [3, 4]);
  const before = await rowsOf(scratch.folder);
  expect(before.map(({ id }) => id)).toEqual([1n, 0n, 3n, 2n]);
  const report = (await lake.maintenance.compact("orders", small, false))[0]!;
  expect([report.filesBefore, report.filesAfter, report.skipped]).toEqual([2, 1, []]);
  expect(await rowsOf(scratch.folder)).toEqual(before);
  await promote(lake, contract, [5]);
  const withFifth = await rowsOf(scratch.folder);
  expect(withFifth.slice(0, 4)).toEqual(before);
  await lake.maintenance.compact("orders", small, false);
  expect(await rowsOf(scratch.folder)).toEqual(withFifth);
  // Ids are never given twice.
  await promote(lake, contract, [6]);
  expect(new Set((await rowsOf(scratch.folder)).map(({ id }) => id)).size).toBe(6);
  await lake.close();
});

describe.skipIf(!pythonHere)("compaction beside delete files of other programs", () => {
  it("writes files without the rows that are deleted, and the delete files go with them", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns);
    const lake = await started(scratch.folder, contract);
    await promote(lake, contract, [1, 2, 3]);
    await promote(lake, contract, [4, 5, 6]);
    const first = (await files(scratch.folder)).find(({ rows }) => rows.some(({ n }) => n === 1n))!.uri;
    await commitDeletes(python, scratch.folder, [
      { kind: "positions", name: "p.parquet", rows: [[first, 1]], referenced: first },
      { kind: "values", name: "e.parquet", columns: [{ id: 2, name: "s", type: "string", values: ["s4", "s6"] }] },
    ]);
    await promote(lake, contract, [6]);
    const before = await rowsOf(scratch.folder);
    expect(before.map(({ n }) => n)).toEqual([1n, 3n, 5n, 6n]);
    const [report] = await lake.maintenance.compact("orders", small, false);
    expect(report).toMatchObject({ filesBefore: 3, filesAfter: 1, rows: 4n, skipped: [] });
    expect((await rowsOf(scratch.folder)).map(({ n }) => n)).toEqual([1n, 3n, 5n, 6n]);
    expect((await readBranch(scratch.folder, "orders")).promoted).toHaveLength(4);
    const { summary } = (await lake.snapshots("orders")).at(-1)!;
    expect(summary).toMatchObject({
      "total-delete-files": "0",
      "removed-delete-files": "2",
      "removed-position-deletes": "1",
      "removed-equality-deletes": "2",
      "total-records": "4",
    });
    const seen = JSON.parse(await runPython(python, read, [scratch.folder])) as number[];
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 3, 5, 6]);
    expect((await lake.maintenance.compact("orders", small, false)).map(({ snapshotId }) => snapshotId)).toEqual([null, null]);
    await lake.close();
  });

  it("leaves a file whose deletes came while it was written, and does it again with them", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns);
    const lake = await started(scratch.folder, contract);
    await promote(lake, contract, [1, 2]);
    await promote(lake, contract, [3, 4]);
    const values = { kind: "values", name: "e.parquet", columns: [{ id: 2, name: "s", type: "string", values: ["s1", "s3"] }] } as const;
    const storage = createLocalStorage(scratch.folder);
    const ports = { clock: { now: () => Date.now() }, random: () => Math.random(), uuid: randomUUID, probe: () => {}, patienceMs: 10_000 };
    const { catalog, close } = await openLakeCatalog(placeIn(scratch.folder), { storage, ...ports });
    let isFirst = true;
    const outcomes: string[] = [];
    const context: LakeContext = {
      // Everything is written, and about to be committed: another program is first.
      catalog: {
        isJoint: true,
        list: (namespace) => catalog.list(namespace),
        load: (table) => catalog.load(table),
        async commit(changes) {
          if (isFirst) await commitDeletes(python, scratch.folder, [values]);
          isFirst = false;
          const outcome = await catalog.commit(changes);
          outcomes.push(outcome.status);
          return outcome;
        },
      },
      storage,
      content: createContentStore(storage, "content"),
      io: { storage, uuid: randomUUID, randomBytes: (count) => randomBytes(count), probe: () => {} },
      namespace: "db",
      ...ports,
      snapshotId: () => randomBytes(8).readBigUInt64BE() >> 1n,
      conflictMsMax: 10_000,
    };
    const reports = await compact(context, "orders", small, false);
    // The first file was thrown away with its round; the next one is written without what is deleted now.
    expect(outcomes).toEqual(["conflict", "committed"]);
    expect(reports.map(({ table, filesBefore, filesAfter, rows }) => [table, filesBefore, filesAfter, rows])).toEqual([
      ["promoted", 0, 0, 0n],
      ["promoted", 2, 1, 2n],
      ["quarantine", 0, 0, 0n],
    ]);
    expect((await rowsOf(scratch.folder)).map(({ n }) => n)).toEqual([2n, 4n]);
    expect((await readBranch(scratch.folder, "orders")).promoted).toHaveLength(2);
    expect((await lake.snapshots("orders")).at(-1)!.summary["total-delete-files"]).toBe("0");
    await close();
    await lake.close();
  });

  it("leaves large files for a few deleted rows, unless all are asked for; then erasure can be done again", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns);
    const lake = await started(scratch.folder, contract);
    await promote(
      lake,
      contract,
      Array.from({ length: 20 }, (_, i) => 1000 + i),
    );
    const [file] = await files(scratch.folder);
    await commitDeletes(python, scratch.folder, [{ kind: "positions", name: "p.parquet", rows: [[file!.uri, 3]], referenced: file!.uri }]);
    expect((await lake.maintenance.compact("orders", small, false))[0]!.snapshotId).toBeNull();
    const request = { target: { kind: "column", column: "s", value: "s1005" }, author: "ann", reason: "asked" } as const;
    await expect(lake.maintenance.erase("orders", request)).rejects.toThrow(/--all-deletes/);
    expect((await lake.maintenance.compact("orders", { ...small, deletedShareMin: 0 }, false))[0]).toMatchObject({
      filesAfter: 1,
      rows: 19n,
    });
    await lake.maintenance.expire("orders", { snapshotAgeMsMax: 0, snapshotsMin: 1 }, false);
    expect(await lake.maintenance.erase("orders", request)).toMatchObject({ remaining: [], rows: { promoted: 1 } });
    expect(await rowsOf(scratch.folder)).toHaveLength(18);
    await lake.close();
  });

  it("takes rows out by deletion vectors of version 3, and the others keep their ids", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns, "{ formatVersion: 3 }");
    const lake = await started(scratch.folder, contract);
    await promote(lake, contract, [1, 2, 3]);
    const [file] = await files(scratch.folder);
    await commitDeletes(python, scratch.folder, [{ kind: "vector", name: "v.puffin", referenced: file!.uri, rows: [1] }]);
    const before = await rowsOf(scratch.folder);
    expect(before.map(({ n, id }) => [n, id])).toEqual([
      [1n, 0n],
      [3n, 2n],
    ]);
    // One file, and far from small files enough: a third of its rows is reason enough.
    await lake.maintenance.compact("orders", { ...small, filesMin: 10 }, false);
    expect((await lake.snapshots("orders")).at(-1)!.summary).toMatchObject({ "total-delete-files": "0", "total-records": "2" });
    expect(await rowsOf(scratch.folder)).toEqual(before);
    await lake.close();
  });
});
