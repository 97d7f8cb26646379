import { describe, expect, it } from "vitest";
import { commitDeletes } from "../adapters/lake/delete-files.ts";
import { commitNext, scratchFolder, startedWith } from "../adapters/lake/lake-fixture.ts";
import { odcs } from "../adapters/lake/odcs-fixture.ts";
import { pythonHere, pythonReaders } from "../live/harness/python-readers.ts";
import { rowsOfVersion } from "./deleted-rows.ts";
import { ancestry, catalogTables, liveFiles, readTable, type Snapshot } from "./iceberg-files.ts";
import { readFields } from "./parquet-rows.ts";

const columns = ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }"];

function head(folder: string): Snapshot {
  return ancestry(readTable(catalogTables(`${folder}/catalog.db`).get("db.orders") as string), "main")[0] as Snapshot;
}

async function numbers(folder: string, isDeleted: boolean): Promise<number[]> {
  return (await rowsOfVersion(head(folder))).filter((each) => each.isDeleted === isDeleted).map(({ row }) => Number(row["n"]));
}

const values = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ n: from + i, s: `s${from + i}` }));

describe.skipIf(!pythonHere)("the checker's own reading of delete files", () => {
  it("has position deletes and equality deletes hold for what was there before them", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns);
    const lake = await startedWith(scratch.folder, contract);
    await commitNext(lake, contract, values(0, 4));
    await commitNext(lake, contract, values(4, 4));
    const files = await liveFiles(head(scratch.folder));
    const first = files.find(({ sequence }) => sequence === Math.min(...files.map((each) => each.sequence)))?.path as string;
    const s = [...readFields(first)].find(([, name]) => name === "s")?.[0] as number;
    await commitDeletes(python, scratch.folder, [
      { kind: "positions", name: "p.parquet", rows: [[`file://${first}`, 1]] },
      { kind: "values", name: "e.parquet", columns: [{ id: s, name: "s", type: "string", values: ["s3", "s6", "s9", null] }] },
    ]);
    await commitNext(lake, contract, values(8, 2));
    expect((await numbers(scratch.folder, true)).toSorted((a, b) => a - b)).toEqual([1, 3, 6]);
    expect((await numbers(scratch.folder, false)).toSorted((a, b) => a - b)).toEqual([0, 2, 4, 5, 7, 8, 9]);
    await lake.close();
  });

  it("reads deletion vectors of few rows, of many and of none that are near each other", async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, columns, "{ formatVersion: 3 }");
    const lake = await startedWith(scratch.folder, contract);
    const count = 70_000;
    const of = (modulus: number): number[] => Array.from({ length: count }, (_, i) => i).filter((i) => i % modulus === 0);
    for (const [i, rows] of [[3, 69_999], of(10_000), of(13)].entries()) {
      await commitNext(lake, contract, values(i * count, count));
      const added = (await liveFiles(head(scratch.folder))).toSorted((a, b) => b.sequence - a.sequence)[0]?.path as string;
      await commitDeletes(python, scratch.folder, [{ kind: "vector", name: `v${i}.puffin`, referenced: `file://${added}`, rows }]);
      const gone = (await rowsOfVersion(head(scratch.folder))).flatMap(({ file, row, isDeleted }) =>
        file === added && isDeleted ? [row["n"]] : [],
      );
      expect(gone).toEqual(rows.map((row) => BigInt(i * count + row)));
    }
    await lake.close();
  });
});
