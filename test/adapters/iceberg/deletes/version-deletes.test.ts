import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { DeleteFiles, VersionDeletes } from "../../../../src/adapters/iceberg/deletes/version-deletes.ts";
import type { ManifestEntry } from "../../../../src/adapters/iceberg/manifest.ts";
import { readPhysicalColumns } from "../../../../src/adapters/iceberg/parquet-column-reader.ts";
import { pathOfUri } from "../../../../src/adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../../../src/adapters/iceberg/table-io.ts";
import type { Snapshot } from "../../../../src/adapters/iceberg/table-metadata.ts";
import { snapshotOfRef } from "../../../../src/adapters/iceberg/table-metadata.ts";
import { createLocalStorage } from "../../../../src/adapters/storage/local-storage.ts";
import { duckdbWithIceberg, pythonHere, pythonReaders, runPython } from "../../../live/harness/python-readers.ts";
import { commitDeletes } from "../../lake/delete-files.ts";
import { commitNext, makeWindow, row, scratchFolder, startedLake, startedWith } from "../../lake/lake-fixture.ts";
import { odcs } from "../../lake/odcs-fixture.ts";
import { loadBoth } from "../../lake/table-content.ts";

/** What DuckDB and PyIceberg (null where it refuses) see of the column n, folder by folder. */
const others = `${duckdbWithIceberg}
import sys, json
from pyiceberg.catalog.sql import SqlCatalog
def read(folder):
    catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false")
    table = catalog.load_table("db.orders")
    try: iceberg = sorted(table.scan(selected_fields=("n",)).to_arrow()["n"].to_pylist())
    except (ValueError, NotImplementedError): iceberg = None
    return [[r[0] for r in duck.sql(f"select n from iceberg_scan('{table.metadata_location}') order by n").fetchall()], iceberg]
print(json.dumps([read(folder) for folder in sys.argv[1:]]))
`;

async function deletesOf(folder: string): Promise<{ deletes: VersionDeletes; snapshot: Snapshot | null }> {
  const storage = createLocalStorage(folder);
  const { promoted: metadata } = await loadBoth(folder, "orders");
  const snapshot = snapshotOfRef(metadata, "main");
  return { deletes: await VersionDeletes.of({ storage, metadata, snapshot, files: new DeleteFiles(storage) }), snapshot };
}

/** Live files of main and what their rows are without those that are deleted. */
async function read(folder: string): Promise<{ files: ManifestEntry[]; deletes: VersionDeletes; numbers: number[] }> {
  const storage = createLocalStorage(folder);
  const { deletes, snapshot } = await deletesOf(folder);
  const files: ManifestEntry[] = [];
  for (const manifest of await readManifestList(storage, snapshot)) {
    if (manifest.content === 0) files.push(...(await readManifest(storage, manifest)).filter(({ status }) => status !== 2));
  }
  files.sort((a, b) => Number((a.sequence ?? 0n) - (b.sequence ?? 0n)));
  const numbers: number[] = [];
  for (const entry of files) {
    const deleted = await deletes.rowsOf(entry);
    let number = 0;
    for await (const { values } of readPhysicalColumns(storage, pathOfUri(storage, entry.file.file_path as string), ["n"])) {
      for (const n of values.get("n") ?? []) if (deleted?.has(number++) !== true) numbers.push(Number(n));
    }
  }
  return { files, deletes, numbers: numbers.toSorted((a, b) => a - b) };
}

const uriOf = ({ file }: ManifestEntry | undefined = {} as ManifestEntry): string => file.file_path as string;

/** That Avro files in a codec that is not read, and damaged ones, are told from each other. */
async function expectFaults(folder: string): Promise<void> {
  const { files, deletes } = await read(folder);
  const path = uriOf(deletes.entries.find((entry) => uriOf(entry).endsWith("/e.avro"))).slice("file://".length);
  const whole = readFileSync(path);
  const at = whole.indexOf("deflate");
  const rowsOf = async (): Promise<unknown> => (await deletesOf(folder)).deletes.rowsOf(files[0] as ManifestEntry);
  writeFileSync(path, Buffer.concat([whole.subarray(0, at), Buffer.from("snappy8"), whole.subarray(at + 7)]));
  await expect(rowsOf()).rejects.toMatchObject({ code: "TABLE_UNSUPPORTED", message: expect.stringContaining("snappy8") });
  writeFileSync(path, whole.subarray(0, whole.length - 3));
  await expect(rowsOf()).rejects.toMatchObject({ code: "TABLE_CORRUPT" });
}

describe.skipIf(!pythonHere)("deletes of other programs", () => {
  const folders = [scratchFolder(), scratchFolder()] as const;
  afterAll(() => folders.forEach((each) => each[Symbol.dispose]()));

  it("are of positions and of values, each for the files that came before", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    const [scratch] = folders;
    const lake = await startedLake(scratch.folder);
    await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [1, 2, 3, 4, 5].map((n) => row(n)) }));
    await lake.commitWindow(makeWindow({ id: "w2", from: 5n, values: [row(6), row(7), '{"n":8}'] }));
    const { files, deletes } = await read(scratch.folder);
    expect(deletes.isEmpty).toBe(true);
    const [first, second] = files.map((entry) => uriOf(entry)) as [string, string];
    const rows = [
      [first, 0],
      [first, 3],
      [second, 0],
      [first, 99],
    ] as const;
    await commitDeletes(python, scratch.folder, [
      { kind: "positions", name: "p1.parquet", rows },
      { kind: "values", name: "e1.parquet", columns: [{ id: 1, name: "n", type: "int64", values: [7, 1000] }] },
      { kind: "values", name: "e2.parquet", columns: [{ id: 2, name: "s", type: "string", values: [null, "s2"] }] },
    ]);
    await lake.commitWindow(makeWindow({ id: "w3", from: 8n, values: [row(7), row(1), row(2)] }));
    const wanted = [1, 2, 3, 5, 7];
    const seen = await read(scratch.folder);
    expect(seen.numbers).toEqual(wanted);
    expect(seen.deletes.entries).toHaveLength(3);
    expect(await Promise.all(seen.files.map(async (entry) => (await seen.deletes.rowsOf(entry))?.count ?? null))).toEqual([3, 3, null]);
    const deleters = await seen.deletes.deletersOf(seen.files[1] as ManifestEntry, 2);
    expect(deleters.map(({ file }) => (file.file_path as string).split("/").at(-1))).toEqual(["e2.parquet"]);
    // Two columns at once: both have to be equal, null to null.
    await commitDeletes(python, scratch.folder, [
      {
        kind: "values",
        name: "e3.parquet",
        columns: [
          { id: 1, name: "n", type: "int64", values: [3, 5, null] },
          { id: 2, name: "s", type: "string", values: ["s3", "s3", null] },
        ],
      },
    ]);
    expect((await read(scratch.folder)).numbers).toEqual([1, 2, 5, 7]);
    await lake.close();
  });

  it(
    "are vectors in version 3, which stand in for every delete of positions before, and DuckDB and PyIceberg read the same",
    { timeout: 900_000 },
    async () => {
      const python = (await pythonReaders()) as string;
      const [before, scratch] = folders;
      const contract = await odcs(1, ["{ name: n, logicalType: integer }"], "{ formatVersion: 3 }");
      const lake = await startedWith(scratch.folder, contract);
      const values = Array.from({ length: 9_000 }, (_, i) => `{"n":${i}}`);
      await commitNext(lake, contract, values);
      const [entry] = (await read(scratch.folder)).files;
      const gone = values.map((_, i) => i).filter((i) => i % 2 === 1 || i > 8_000);
      await commitDeletes(python, scratch.folder, [
        { kind: "positions", name: "old.parquet", rows: [[uriOf(entry), 1]] },
        { kind: "vector", name: "v.puffin", referenced: uriOf(entry), rows: gone },
      ]);
      await commitNext(lake, contract, ['{"n":9001}']);
      const seen = await read(scratch.folder);
      const wanted = [...values.keys()].filter((i) => !gone.includes(i)).concat(9001);
      expect(seen.numbers).toEqual(wanted);
      expect(seen.deletes.applyingTo(seen.files[0] as ManifestEntry).map((each) => uriOf(each).split("/").at(-1))).toEqual(["v.puffin"]);
      expect(JSON.parse(await runPython(python, others, [before.folder, scratch.folder]))).toEqual([
        [[1, 2, 5, 7], null],
        [wanted, wanted],
      ]);
      await lake.close();
    },
  );

  it("of values hit the partition that they are of, and every one where they are of none", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const columns = ["{ name: n, logicalType: integer }", "{ name: p, logicalType: integer, physicalType: int }"];
    const contract = await odcs(1, columns, "{ partitionBy: [{ column: p }] }");
    const lake = await startedWith(scratch.folder, contract);
    await commitNext(lake, contract, ['{"n":1,"p":1}', '{"n":2,"p":1}', '{"n":1,"p":2}', '{"n":3,"p":2}']);
    const { files } = await read(scratch.folder);
    const one = files.find(({ file }) => Object.values(file.partition as object).includes(1)) as ManifestEntry;
    const two = files.find((entry) => entry !== one) as ManifestEntry;
    const specId = one.file.spec_id as number;
    const place = { specId, record: one.file.partition as never };
    await commitDeletes(
      python,
      scratch.folder,
      [
        { kind: "values", name: "e.parquet", columns: [{ id: 1, name: "n", type: "int64", values: [1] }] },
        // Of another partition than its manifest says: it does not apply there.
        { kind: "positions", name: "p.parquet", rows: [[uriOf(two), 1]] },
      ],
      place,
    );
    const seen = await read(scratch.folder);
    expect(seen.numbers).toEqual([1, 2, 3]);
    expect(seen.deletes.applyingTo(seen.files.find(({ file }) => file.file_path === uriOf(two)) as ManifestEntry)).toEqual([]);
    await lake.close();
  });

  it("are read from Avro files as from Parquet files", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    const columns = ["{ name: n, logicalType: integer }", "{ name: s, logicalType: string }", "{ name: d, logicalType: date }"];
    const contract = await odcs(1, columns);
    const seen: number[][] = [];
    for (const ending of ["parquet", "avro", "zstd.avro", "snappy.avro"]) {
      using scratch = scratchFolder();
      const lake = await startedWith(scratch.folder, contract);
      const values = [1, 2, 3, 4, 5, 6].map((n) => JSON.stringify({ n, s: n === 4 ? null : `s${n}`, d: `2026-01-0${n}` }));
      await commitNext(lake, contract, values);
      await commitNext(lake, contract, ['{"n":7,"s":"s7","d":"2026-01-07"}', '{"n":8,"s":"s8"}', '{"n":9,"s":"s3"}']);
      const [first, second] = (await read(scratch.folder)).files.map((entry) => uriOf(entry)) as [string, string];
      const rows = [
        [first, 0],
        [second, 0],
      ] as const;
      await commitDeletes(python, scratch.folder, [
        { kind: "positions", name: `p.${ending}`, rows },
        { kind: "values", name: `e.${ending}`, columns: [{ id: 2, name: "s", type: "string", values: [null, "s3", "s99"] }] },
        {
          kind: "values",
          name: `f.${ending}`,
          columns: [
            { id: 1, name: "n", type: "int64", values: [5, 6, 8] },
            { id: 2, name: "s", type: "string", values: ["s5", "s5", "s8"] },
          ],
        },
      ]);
      const { deletes, numbers } = await read(scratch.folder);
      seen.push(numbers);
      // The header says it, and that the codec is the one that was wanted.
      const codec = { "zstd.avro": "zstandard", "snappy.avro": "snappy", avro: "deflate" }[ending];
      if (codec !== undefined) {
        const texts = deletes.entries.map((entry) => readFileSync(uriOf(entry).slice("file://".length), "latin1"));
        expect(texts.map((text) => text.includes(codec))).toEqual([true, true, true]);
      }
      if (ending === "avro") await expectFaults(scratch.folder);
      await lake.close();
    }
    expect(seen).toEqual(Array.from({ length: 4 }, () => [2, 6]));
  });

  it("that are in another format, damaged, or gone are told as such", { timeout: 900_000 }, async () => {
    const python = (await pythonReaders()) as string;
    using scratch = scratchFolder();
    const contract = await odcs(1, ["{ name: n, logicalType: integer }"], "{ formatVersion: 3 }");
    const lake = await startedWith(scratch.folder, contract);
    await commitNext(lake, contract, ['{"n":1}']);
    const entry = (await read(scratch.folder)).files[0] as ManifestEntry;
    const unknown = [{ id: 77, name: "x", type: "int64", values: [1] }];
    await commitDeletes(python, scratch.folder, [
      { kind: "values", name: "e.parquet", columns: unknown },
      { kind: "vector", name: "v.puffin", referenced: uriOf(entry), rows: [0] },
    ]);
    const { deletes } = await deletesOf(scratch.folder);
    const [vector, values] = deletes.applyingTo(entry) as [ManifestEntry, ManifestEntry];
    await expect(deletes.rowsOf(entry)).rejects.toThrow("rows are deleted by field 77");
    const folder = uriOf(vector).slice("file://".length);
    writeFileSync(folder, readFileSync(folder).fill(7, 12, 16));
    await expect(deletes.rowsOf(entry)).rejects.toMatchObject({ code: "TABLE_CORRUPT" });
    rmSync(folder);
    await expect(deletes.rowsOf(entry)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const ofText = { ...values, file: { ...values.file, file_format: "ORC" } };
    await expect(
      new DeleteFiles(createLocalStorage(scratch.folder)).equalities(ofText, (id) => ({ id, name: "n", required: false, type: "long" })),
    ).rejects.toMatchObject({
      code: "TABLE_UNSUPPORTED",
      message: expect.stringMatching(/is ORC: Parquet and Avro are read; have its writer rewrite the data files$/),
    });
    await lake.close();
  });
});
