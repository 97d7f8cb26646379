import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schemaOfContract } from "../../src/adapters/iceberg/table-schema.ts";
import { jsonCodec } from "../../src/codecs/json.ts";
import type { Batch } from "../../src/core/batch.ts";
import type { EncodedFile } from "../../src/core/encoded-file.ts";
import { gatherBatch } from "../../src/core/gather-batch.ts";
import type { Field } from "../../src/core/schema.ts";
import type { FileLayout, SortField } from "../../src/core/table-layout.ts";
import { filesMax } from "../../src/gate/laid-out-rows.ts";
import { openWindowFiles } from "../../src/gate/window-files.ts";
import { openParquetFile } from "../../src/parquet/parquet-file.ts";
import type { ParquetFile } from "../../src/parquet/written-file.ts";
import { readBack } from "../adapters/iceberg/parquet-reading.ts";
import { batchOf, icebergSchema, tables } from "../adapters/iceberg/parquet-fixture.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";

const contract = makeContract({ n: { type: "long" }, s: { type: "string" }, f: { type: "double" } });
const { schema } = schemaOfContract(contract, null);
const idOf = (name: string): number => schema.fields.find((field) => field.name === name)?.id as number;

function batch(rows: readonly object[], from = 0): Batch {
  return jsonCodec.compile(contract)(
    makeRecords(
      rows.map((row) => JSON.stringify(row)),
      [],
      from,
    ),
  );
}

const byN = (transform: string): FileLayout => ({
  spec: { "spec-id": 3, fields: [{ "source-id": idOf("n"), "field-id": 1000, name: "n_part", transform }] },
  sortOrder: { "order-id": 0, fields: [] },
  unpartitionedSpecId: 0,
});
const sortedBy = (...fields: readonly SortField[]): FileLayout => ({
  ...byN("void"),
  spec: { "spec-id": 0, fields: [] },
  sortOrder: { "order-id": 7, fields },
});
const key = (name: string, direction: SortField["direction"], nulls: "first" | "last"): SortField => ({
  transform: "identity",
  "source-id": idOf(name),
  direction,
  "null-order": `nulls-${nulls}`,
});

/** Files of batches, and how many were open at once. */
function write(layout: FileLayout, batches: readonly Batch[], waitingBytesMax?: number): { files: EncodedFile[]; openMax: number } {
  const open = new Set<ParquetFile>();
  let openMax = 0;
  const openFile = (): ParquetFile => {
    const file = openParquetFile({ schema });
    open.add(file);
    openMax = Math.max(openMax, open.size);
    return {
      rows: 0,
      memoryBytes: 0,
      append: (rows, of) => file.append(rows, of),
      discard: () => file.discard(),
      finish: () => (open.delete(file), file.finish()),
    };
  };
  const files = openWindowFiles({ schema, layout, openFile, ...(waitingBytesMax !== undefined && { waitingBytesMax }) });
  for (const each of batches)
    files.append(
      each,
      Uint32Array.from({ length: each.rows }, (_, row) => row),
    );
  return { files: files.finish(() => {}), openMax };
}

async function rowsOf(file: EncodedFile): Promise<Record<string, unknown>[]> {
  return (await readBack(Buffer.concat(file.pieces))).rows;
}

describe("files of a window", () => {
  it("are one a partition, made one after the other, with every row in its place", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({ n: i % 7, s: `s${i}` }));
    const { files, openMax } = write(byN("identity"), [batch(rows.slice(0, 1000)), batch(rows.slice(1000), 1000)]);
    expect(openMax).toBe(1);
    expect(new Set(files.map((file) => file.partition?.values.get(1000)))).toEqual(new Set([0n, 1n, 2n, 3n, 4n, 5n, 6n]));
    expect(files).toHaveLength(7);
    const all: unknown[] = [];
    for (const file of files) {
      const found = await rowsOf(file);
      expect(new Set(found.map((row) => row["n"]))).toEqual(new Set([file.partition?.values.get(1000)]));
      expect(file).toMatchObject({ partition: { specId: 3 }, sortOrderId: 0 });
      all.push(...found.map((row) => [Number(row["_sluice_offset"]), row["s"]]));
    }
    expect(all.toSorted((a, b) => (a as number[])[0]! - (b as number[])[0]!)).toEqual(rows.map((row, i) => [i, row.s]));
  });

  it("stay few where partitions are many: the rows of the smallest share one unpartitioned file", async () => {
    const rows = Array.from({ length: 1000 }, (_, i) => ({ n: i < 500 ? i % 50 : i }));
    const { files } = write(byN("identity"), [batch(rows)]);
    expect(files).toHaveLength(filesMax);
    const last = files.at(-1) as EncodedFile;
    expect(last.partition).toEqual({ specId: 0, values: new Map() });
    expect(last.recordCount).toBe(1000 - 500 - (filesMax - 1 - 50));
    expect(files.slice(0, 50).map((file) => file.recordCount)).toEqual(Array.from({ length: 50 }, () => 10));
    const found = (await Promise.all(files.map(rowsOf))).flat().map((row) => Number(row["n"]));
    expect(found.toSorted((a, b) => a - b)).toEqual(rows.map((row) => row.n).toSorted((a, b) => a - b));
  });

  it("are made before the window closes where waiting rows take much memory, and are each in order", async () => {
    const batches = Array.from({ length: 8 }, (_, b) =>
      batch(
        Array.from({ length: 500 }, (_, i) => ({ n: (i * 7919 + b) % 500, s: "x".repeat(20) })),
        b * 500,
      ),
    );
    const { files, openMax } = write(sortedBy(key("n", "asc", "first")), batches, 100_000);
    expect(files.length).toBeGreaterThan(1);
    expect(openMax).toBe(1);
    for (const file of files) {
      expect(file.sortOrderId).toBe(7);
      const found = (await rowsOf(file)).map((row) => Number(row["n"]));
      expect(found).toEqual(found.toSorted((a, b) => a - b));
    }
    expect(files.reduce((sum, file) => sum + file.recordCount, 0)).toBe(4000);
  });

  it("have rows in the order that Iceberg means: nulls where said, text by its bytes, NaN and zeros apart, ties as they came", async () => {
    const rows = [
      { n: 2, s: "b" },
      { n: 1, s: "\u{1f600}" },
      { n: 1, s: "\uffff" },
      { s: "z" },
      { n: 1 },
      { n: 2, s: "b" },
      { n: -3, s: "" },
    ];
    const { files } = write(sortedBy(key("n", "desc", "last"), key("s", "asc", "first")), [batch(rows)]);
    const found = (await rowsOf(files[0] as EncodedFile)).map((row) => Number(row["_sluice_offset"]));
    expect(found).toEqual([0, 5, 4, 2, 1, 6, 3]);
    const floats = batch([{ f: 1 }, { f: 0 }, { f: -0 }, { f: 0 }, { f: -1 }, {}]);
    const column = floats.columns.find((each) => each.field.name === "f");
    if (column?.kind === "float") {
      column.values[0] = Number.NaN;
      column.values[2] = -0;
    }
    const ordered = write(sortedBy(key("f", "asc", "last")), [floats]).files[0] as EncodedFile;
    expect((await rowsOf(ordered)).map((row) => Number(row["_sluice_offset"]))).toEqual([4, 2, 1, 3, 0, 5]);
  });

  it("makes any rows of any batches into one batch with the same cells", async () => {
    await fc.assert(
      fc.asyncProperty(tables(2), fc.array(fc.nat(1000), { minLength: 1, maxLength: 30 }), async ({ fields, rows }, numbers) => {
        const two = [batchOf(fields, rows), batchOf(fields, rows.toReversed(), 100)];
        const picked = numbers.map((number) => ({ source: number % 2, row: number % rows.length }));
        const gathered = gatherBatch(two, {
          source: Uint32Array.from(picked, (pick) => pick.source),
          row: Uint32Array.from(picked, (pick) => pick.row),
        });
        const same = picked.map(({ source, row }) => (source === 0 ? rows : rows.toReversed())[row] as (typeof rows)[number]);
        const [found, expected] = await Promise.all([gathered, batchOf(fields, same)].map((each) => cellsOf(fields, each)));
        const cells = (of: Record<string, unknown> | undefined): unknown => fields.map(({ name }) => of?.[name]);
        expect(found?.map(cells)).toEqual(expected?.map(cells));
        const places = picked.map(({ source, row }) => [row % 2 === 0 ? "topic-a" : "topic-b", BigInt(source * 100 + row)]);
        expect(found?.map((row) => [row["_sluice_source"], row["_sluice_offset"]])).toEqual(places);
      }),
      { numRuns: 100 },
    );
  });
});

async function cellsOf(fields: readonly Field[], rows: Batch): Promise<Record<string, unknown>[]> {
  const file = openParquetFile({ schema: icebergSchema(fields) });
  const pieces = file.append(
    rows,
    Uint32Array.from({ length: rows.rows }, (_, row) => row),
  );
  return (await readBack(Buffer.concat([...pieces, ...file.finish().pieces]))).rows;
}
