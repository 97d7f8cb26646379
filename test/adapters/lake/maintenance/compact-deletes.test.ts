import { describe, expect, it } from "vitest";
import type { Contract } from "../../../../src/core/contract.ts";
import type { Lake } from "../../../../src/core/ports.ts";
import { compact } from "../../../../src/adapters/lake/maintenance/compact.ts";
import { pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";
import { commitDeletes } from "../delete-files.ts";
import { commitNext, scratchFolder, startedWith } from "../lake-fixture.ts";
import { odcs } from "../odcs-fixture.ts";
import { contextWithRival } from "../rival.ts";
import { loadBoth, readBranch } from "../table-content.ts";
import { visibleFiles, visibleRows } from "../visible-rows.ts";

const small = { fileBytesTarget: 1 << 27, filesMin: 2 } as const;
const columns = ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }"];

/** A window of rows with these numbers; a text each. */
async function promote(lake: Lake, contract: Contract, numbers: readonly (number | null)[]): Promise<void> {
  await commitNext(
    lake,
    contract,
    numbers.map((n) => JSON.stringify({ n, s: `s${n}` })),
  );
}

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
  const lake = await startedWith(scratch.folder, contract);
  await promote(lake, contract, [3, 9, 1]);
  await promote(lake, contract, [null, 4]);
  await promote(lake, contract, [8, 2]);
  await lake.maintenance.compact("orders", small, false);
  const [file, ...others] = await visibleFiles(scratch.folder);
  expect(others).toEqual([]);
  expect(file!.rows.map(({ n }) => n ?? null)).toEqual([null, 9n, 8n, 4n, 3n, 2n, 1n]);
  expect(file!.sortOrderId).toBe((await loadBoth(scratch.folder, "orders")).promoted["default-sort-order-id"]);
  await lake.close();
});

it("keeps the ids of a table's rows, and when they came, through compactions of version 3", async () => {
  using scratch = scratchFolder();
  const contract = await odcs(1, columns, "{ formatVersion: 3, sortBy: [{ column: n, direction: desc }] }");
  const lake = await startedWith(scratch.folder, contract);
  await promote(lake, contract, [1, 2]);
  await promote(lake, contract, [3, 4]);
  const before = await visibleRows(scratch.folder);
  expect(before.map(({ id }) => id)).toEqual([1n, 0n, 3n, 2n]);
  const report = (await lake.maintenance.compact("orders", small, false))[0]!;
  expect([report.filesBefore, report.filesAfter, report.skipped]).toEqual([2, 1, []]);
  expect(await visibleRows(scratch.folder)).toEqual(before);
  await promote(lake, contract, [5]);
  const withFifth = await visibleRows(scratch.folder);
  expect(withFifth.slice(0, 4)).toEqual(before);
  await lake.maintenance.compact("orders", small, false);
  expect(await visibleRows(scratch.folder)).toEqual(withFifth);
  // Ids are never given twice.
  await promote(lake, contract, [6]);
  expect(new Set((await visibleRows(scratch.folder)).map(({ id }) => id)).size).toBe(6);
  await lake.close();
});

describe.skipIf(!pythonHere)("compaction beside delete files of other programs", () => {
  it("writes files without the rows that are deleted, and the delete files go with them", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns);
    const lake = await startedWith(scratch.folder, contract);
    await promote(lake, contract, [1, 2, 3]);
    await promote(lake, contract, [4, 5, 6]);
    const first = (await visibleFiles(scratch.folder)).find(({ rows }) => rows.some(({ n }) => n === 1n))!.uri;
    await commitDeletes(python, scratch.folder, [
      { kind: "positions", name: "p.parquet", rows: [[first, 1]], referenced: first },
      { kind: "values", name: "e.parquet", columns: [{ id: 2, name: "s", type: "string", values: ["s4", "s6"] }] },
    ]);
    await promote(lake, contract, [6]);
    const before = await visibleRows(scratch.folder);
    expect(before.map(({ n }) => n)).toEqual([1n, 3n, 5n, 6n]);
    const [report] = await lake.maintenance.compact("orders", small, false);
    expect(report).toMatchObject({ filesBefore: 3, filesAfter: 1, rows: 4n, skipped: [] });
    expect((await visibleRows(scratch.folder)).map(({ n }) => n)).toEqual([1n, 3n, 5n, 6n]);
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
    const lake = await startedWith(scratch.folder, contract);
    await promote(lake, contract, [1, 2]);
    await promote(lake, contract, [3, 4]);
    const values = { kind: "values", name: "e.parquet", columns: [{ id: 2, name: "s", type: "string", values: ["s1", "s3"] }] } as const;
    const { context, outcomes, close } = await contextWithRival(scratch.folder, () => commitDeletes(python, scratch.folder, [values]));
    const reports = await compact(context, "orders", small, false);
    // The first file was thrown away with its round; the next one is written without what is deleted now.
    expect(outcomes).toEqual(["conflict", "committed"]);
    expect(reports.map(({ table, filesBefore, filesAfter, rows }) => [table, filesBefore, filesAfter, rows])).toEqual([
      ["promoted", 0, 0, 0n],
      ["promoted", 2, 1, 2n],
      ["quarantine", 0, 0, 0n],
    ]);
    expect((await visibleRows(scratch.folder)).map(({ n }) => n)).toEqual([2n, 4n]);
    expect((await readBranch(scratch.folder, "orders")).promoted).toHaveLength(2);
    expect((await lake.snapshots("orders")).at(-1)!.summary["total-delete-files"]).toBe("0");
    await close();
    await lake.close();
  });

  it("leaves large files for a few deleted rows, unless all are asked for", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns);
    const lake = await startedWith(scratch.folder, contract);
    await promote(
      lake,
      contract,
      Array.from({ length: 20 }, (_, i) => 1000 + i),
    );
    const [file] = await visibleFiles(scratch.folder);
    await commitDeletes(python, scratch.folder, [{ kind: "positions", name: "p.parquet", rows: [[file!.uri, 3]], referenced: file!.uri }]);
    expect((await lake.maintenance.compact("orders", small, false))[0]!.snapshotId).toBeNull();
    expect((await lake.maintenance.compact("orders", { ...small, deletedShareMin: 0 }, false))[0]).toMatchObject({
      filesAfter: 1,
      rows: 19n,
    });
    expect(await visibleRows(scratch.folder)).toHaveLength(19);
    await lake.close();
  });

  it("takes rows out by deletion vectors of version 3, and the others keep their ids", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns, "{ formatVersion: 3 }");
    const lake = await startedWith(scratch.folder, contract);
    await promote(lake, contract, [1, 2, 3]);
    const [file] = await visibleFiles(scratch.folder);
    await commitDeletes(python, scratch.folder, [{ kind: "vector", name: "v.puffin", referenced: file!.uri, rows: [1] }]);
    const before = await visibleRows(scratch.folder);
    expect(before.map(({ n, id }) => [n, id])).toEqual([
      [1n, 0n],
      [3n, 2n],
    ]);
    // One file, and far from small files enough: a third of its rows is reason enough.
    await lake.maintenance.compact("orders", { ...small, filesMin: 10 }, false);
    expect((await lake.snapshots("orders")).at(-1)!.summary).toMatchObject({ "total-delete-files": "0", "total-records": "2" });
    expect(await visibleRows(scratch.folder)).toEqual(before);
    await lake.close();
  });
});
