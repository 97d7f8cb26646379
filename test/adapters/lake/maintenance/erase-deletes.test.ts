import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ErasureReport } from "../../../../src/core/lake-maintenance.ts";
import type { Lake } from "../../../../src/core/ports.ts";
import { erase } from "../../../../src/adapters/lake/maintenance/erase.ts";
import { pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";
import { commitDeletes } from "../delete-files.ts";
import { commitNext, contract, openLake, row, scratchFolder, startedLake, startedWith } from "../lake-fixture.ts";
import { odcs } from "../odcs-fixture.ts";
import { contextWithRival } from "../rival.ts";
import { visibleFiles, visibleRows } from "../visible-rows.ts";
import { runWorker } from "../worker-process.ts";

const secret = "Erika";
const by = { author: "ann", reason: "asked" };

const read = `
import sys, json
from pyiceberg.catalog.sql import SqlCatalog
folder = sys.argv[1]
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
table = catalog.load_table("db.orders")
rows = lambda name: sorted(table.scan(snapshot_id=table.snapshot_by_name(name).snapshot_id).to_arrow()["n"].to_pylist())
print(json.dumps([rows(name) for name in sys.argv[2:]]))
`;

const numbers = async (folder: string, branch?: string): Promise<number[]> => (await visibleRows(folder, branch)).map(({ n }) => Number(n));

const request = { target: { kind: "column", column: "s", value: secret }, ...by } as const;
const erased = (lake: Lake): Promise<ErasureReport> => lake.maintenance.erase("orders", request);

function filesWith(folder: string, text: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile() && !each.name.includes(".db"));
  return files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => readFileSync(path).includes(text));
}

/** Three files, a tag over them, a held window; deletes by place, and by the very value; then a window that they are too old for. */
async function fill(folder: string, python: string): Promise<{ lake: Lake; third: string }> {
  const lake = await startedLake(folder);
  await commitNext(lake, contract, [row(1, secret), row(2), row(3, "x")]);
  await commitNext(lake, contract, [row(4), row(5), row(6, "x")]);
  await commitNext(lake, contract, [row(7), row(8), row(9, "y")]);
  await lake.refs.create("orders", { kind: "tag", name: "before", version: "main", keepMs: null, ...by });
  await commitNext(lake, contract, [row(10, secret), row(11), row(12, "x")], { verdict: "hold" });
  const files = await visibleFiles(folder);
  const uriOf = (n: bigint): string => files.find(({ rows }) => rows.some((each) => each.n === n))!.uri;
  const [first, second, third] = [uriOf(1n), uriOf(4n), uriOf(7n)];
  await commitDeletes(python, folder, [
    { kind: "positions", name: "p1.parquet", rows: [[first, 1]], referenced: first },
    { kind: "positions", name: "p2.avro", rows: [[second, 0]], referenced: second },
    { kind: "positions", name: "p3.parquet", rows: [[third, 0]], referenced: third },
    { kind: "values", name: "e1.parquet", columns: [{ id: 2, name: "s", type: "string", values: [secret, "z"] }] },
    { kind: "values", name: "e2.avro", columns: [{ id: 2, name: "s", type: "string", values: ["x", secret] }] },
  ]);
  await commitNext(lake, contract, [row(13, secret), row(14, "x")]);
  return { lake, third };
}

describe.skipIf(!pythonHere)("erasure while delete files of other programs stand", () => {
  it("applies them, version by version, and takes those away that hold the value", { timeout: 600_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const { folder } = scratch;
    const { lake } = await fill(folder, python);
    expect([await numbers(folder), await numbers(folder, "before")]).toEqual([
      [5, 8, 9, 13, 14],
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    ]);
    expect(await lake.maintenance.previewErasure("orders", { kind: "column", column: "s", value: secret })).toMatchObject({ records: 3 });
    const avro = filesWith(folder, "Obj\u0001").find((path) => path.endsWith("/e2.avro"))!;
    const bytes = readFileSync(avro);
    const report = await erased(lake);
    expect([report.remaining, report.rows]).toEqual([[], { promoted: 2, held: 1, quarantined: 1 }]);
    expect(report.erased).toEqual(["topic-a:0:0", "topic-a:0:12", "topic-a:0:9"]);
    expect(filesWith(folder, secret)).toEqual([]);
    // The tag has what was deleted later; main does not get it back, though the delete file is gone.
    const [main, before] = [
      [5, 8, 9, 14],
      [2, 3, 4, 5, 6, 7, 8, 9],
    ];
    expect([await numbers(folder), await numbers(folder, "before")]).toEqual([main, before]);
    expect((await lake.snapshots("orders")).at(-1)!.summary["total-delete-files"]).toBe("0");
    expect(JSON.parse(await runPython(python, read, [folder, "main", "before"]))).toEqual([main, before]);
    // Each file that is there is reached: variants that no version got are gone.
    const orphans = await lake.maintenance.removeOrphans(0, true);
    expect(orphans.paths.filter((path) => path.endsWith(".parquet"))).toEqual([]);
    await lake.publishHeld("orders", "w9", by);
    expect(await numbers(folder)).toEqual([5, 8, 9, 11, 12, 14]);
    // What no version names, the proof reads all the same: inside of compressed blocks too.
    expect(bytes.includes(secret)).toBe(false);
    const orphan = avro.replace("e2.avro", "orphan.avro");
    writeFileSync(orphan, bytes);
    const again = await erased(lake);
    expect([again.erased, again.remaining]).toEqual([[], [orphan.slice(folder.length + 1)]]);
    await lake.close();
  });

  it(
    "leaves delete files that hold nothing of it where files stand that they apply to, and goes round where others delete meanwhile",
    { timeout: 600_000 },
    async () => {
      const python = (await pythonReaders()) as string;
      using scratch = scratchFolder();
      const { folder } = scratch;
      const lake = await startedLake(folder);
      await commitNext(lake, contract, [row(1, secret), row(2), row(3)]);
      await commitNext(lake, contract, [row(4), row(5)]);
      const [first, second] = (await visibleFiles(folder)).toSorted((a, b) => Number(a.rows[0]!.n) - Number(b.rows[0]!.n));
      await commitDeletes(python, folder, [
        { kind: "positions", name: "p.parquet", rows: [[second!.uri, 0]], referenced: second!.uri },
        { kind: "values", name: "e.parquet", columns: [{ id: 1, name: "n", type: "int64", values: [2, 99] }] },
      ]);
      // Another program deletes one row more of the very file that is written anew.
      const meanwhile = { kind: "positions", name: "late.parquet", rows: [[first!.uri, 2]], referenced: first!.uri } as const;
      const { context, outcomes, close } = await contextWithRival(folder, () => commitDeletes(python, folder, [meanwhile]));
      const report = await erase(context, "orders", request);
      expect([report.remaining, report.rows.promoted, outcomes.slice(0, 2)]).toEqual([[], 1, ["conflict", "committed"]]);
      await close();
      expect(await numbers(folder)).toEqual([5]);
      const { uri } = (await visibleFiles(folder)).find(({ rows }) => rows.some(({ n }) => n === 5n))!;
      expect(uri).toBe(second!.uri);
      await lake.close();
    },
  );

  it("takes rows out of files with deletion vectors of version 3, and the others keep their ids", { timeout: 600_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const { folder } = scratch;
    const numbered = await odcs(1, ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }"], "{ formatVersion: 3 }");
    const lake = await startedWith(folder, numbered);
    await commitNext(lake, numbered, [row(1, secret), row(2), row(3)]);
    await commitNext(lake, numbered, [row(4, secret), row(5)]);
    const [first, second] = (await visibleFiles(folder)).toSorted((a, b) => Number(a.rows[0]!.n) - Number(b.rows[0]!.n));
    await commitDeletes(python, folder, [
      { kind: "vector", name: "v1.puffin", referenced: first!.uri, rows: [1] },
      { kind: "vector", name: "v2.puffin", referenced: second!.uri, rows: [0] },
    ]);
    const before = await visibleRows(folder);
    expect(before.map(({ n, id }) => [n, id])).toEqual([
      [1n, 0n],
      [3n, 2n],
      [5n, 4n],
    ]);
    expect((await erased(lake)).remaining).toEqual([]);
    expect(await visibleRows(folder)).toEqual(before.slice(1));
    expect(JSON.parse(await runPython(python, read, [folder, "main"]))).toEqual([[3, 5]]);
    await lake.close();
  });

  it("survives kill -9 on the way, and the next run finishes", { timeout: 600_000 }, async () => {
    const python = (await pythonReaders()) as string;
    let step = 4;
    for (let killed = true; killed; step += 14) {
      using scratch = scratchFolder();
      const { folder } = scratch;
      await (await fill(folder, python)).lake.close();
      ({ killed } = await runWorker(folder, "erase", step));
      const seen = await numbers(folder);
      expect([
        [5, 8, 9, 13, 14],
        [5, 8, 9, 14],
      ]).toContainEqual(seen);
      const lake = await openLake(folder);
      expect((await erased(lake)).remaining).toEqual([]);
      expect([await numbers(folder), await numbers(folder, "before")]).toEqual([
        [5, 8, 9, 14],
        [2, 3, 4, 5, 6, 7, 8, 9],
      ]);
      expect(filesWith(folder, secret)).toEqual([]);
      await lake.close();
    }
    expect(step).toBeGreaterThan(18);
  });
});
