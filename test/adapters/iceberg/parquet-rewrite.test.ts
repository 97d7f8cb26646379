import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DeletedRows } from "../../../src/adapters/iceberg/deletes/deleted-rows.ts";
import { rewriteParquet } from "../../../src/adapters/iceberg/parquet-rewrite.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import type { PartitionValue } from "../../../src/core/partition-transform.ts";
import { sortKeyOf, sortRows } from "../../../src/core/row-order.ts";
import type { Field } from "../../../src/core/schema.ts";
import type { Storage } from "../../../src/core/storage.ts";
import { signedOf } from "../../../src/core/unscaled-bytes.ts";
import type { IcebergSchema } from "../../../src/core/table-schema.ts";
import type { Value } from "./parquet-fixture.ts";
import { batchOf, field, icebergSchema, tables, writeDataFile } from "./parquet-fixture.ts";
import { readBack } from "./parquet-reading.ts";

let folder = "";
let storage: Storage;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-rewrite-"));
  storage = createLocalStorage(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nextPath = (): string => `data/${files++}.parquet`;
const rowsOf = async (path: string): Promise<Record<string, unknown>[]> => (await readBack(readFileSync(join(folder, path)))).rows;

async function write(
  fields: readonly Field[],
  schema: IcebergSchema,
  rows: readonly { [name: string]: Value }[],
  rowsMax = 1000,
): Promise<string> {
  const path = nextPath();
  const batch = batchOf(fields, rows);
  const all = Uint32Array.from(rows.keys());
  await writeDataFile({ storage, path, schema, slices: [{ batch, rows: all }], limits: { rowsMax, bytesMax: 1 << 20 } });
  return path;
}

/** Every so many-th of all rows, of those in one of two files that are cut apart. */
function everyNth(all: readonly unknown[], file: number, cut: number, n: number): DeletedRows {
  const [first, end] = file === 0 ? [0, Math.min(cut, all.length)] : [cut, all.length];
  const gone = new DeletedRows(end - first);
  for (let row = first; row < end; row++) if (row % n === 0) gone.add(row - first);
  return gone;
}

test("any rows of any types stay what they are, and only those that are left out are gone", async () => {
  await fc.assert(
    fc.asyncProperty(
      tables(2),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 4 }),
      async (table, rowsMax, outMax, skip) => {
        const { fields, rows } = table;
        const schema = icebergSchema(fields);
        const cut = Math.ceil(rows.length / 2);
        const inputs = [await write(fields, schema, rows.slice(0, cut), rowsMax)];
        if (cut < rows.length) inputs.push(await write(fields, schema, rows.slice(cut), rowsMax));
        const path = nextPath();
        const before = (await Promise.all(inputs.map(rowsOf))).flat();
        const file = await rewriteParquet({
          storage,
          inputs: inputs.map((each) => ({ path: each, gone: skip > 0 ? everyNth(before, inputs.indexOf(each), cut, skip) : null })),
          path,
          schema,
          rowGroup: { rowsMax: outMax, bytesMax: 1 << 20 },
        });
        const want = skip === 0 ? before : before.filter((_, i) => i % skip !== 0);
        if (want.length === 0) {
          expect(file).toBeNull();
          return;
        }
        expect(file).toMatchObject({ path, recordCount: want.length });
        expect(await rowsOf(path)).toEqual(want);
      },
    ),
    { numRuns: 120 },
  );
}, 120_000);

test("what a manifest says of a rewritten file is what it said of the same rows in one file", async () => {
  await fc.assert(
    fc.asyncProperty(tables(1), async ({ fields, rows }) => {
      const schema = icebergSchema(fields);
      const path = nextPath();
      const whole = await writeDataFile({
        storage,
        path,
        schema,
        slices: [{ batch: batchOf(fields, rows), rows: Uint32Array.from(rows.keys()) }],
      });
      const rewritten = (await rewriteParquet({ storage, inputs: [{ path }], path: nextPath(), schema }))!;
      for (const key of ["valueCounts", "nullValueCounts", "nanValueCounts", "lowerBounds", "upperBounds"] as const) {
        expect(rewritten[key]).toEqual(whole[key]);
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

const item = (extra: readonly Field[]): Field =>
  field("items", {
    kind: "list",
    element: field("element", { kind: "struct", fields: [field("sku", { kind: "string" }), ...extra] }, false),
  });

test("files of an older schema become files of the table's: columns added, loosened, widened, renamed and dropped", async () => {
  const before = [field("id", { kind: "int" }, true), field("gone", { kind: "string" }), item([])];
  const old = icebergSchema(before);
  const rows = [
    { id: 1n, gone: "a", items: [{ sku: "x" }, null, { sku: null }] },
    { id: 2n, gone: null, items: [] },
    { id: -3n, gone: "b", items: null },
  ];
  const input = await write(before, old, rows);
  const [id, , items, ...source] = old.fields;
  const list = items!.type as unknown as { "element-id": number; element: { fields: { id: number }[] } };
  const schema = {
    ...old,
    fields: [
      { ...id!, name: "number", required: false, type: "long" },
      { id: 101, name: "added", required: false, type: "decimal(20, 2)" },
      {
        ...items!,
        type: {
          ...list,
          element: { type: "struct", fields: [...list.element.fields, { id: 102, name: "price", required: false, type: "double" }] },
        },
      },
      ...source,
    ],
  } as unknown as IcebergSchema;
  const path = nextPath();
  await rewriteParquet({ storage, inputs: [{ path: input }], path, schema });
  const got = (await rowsOf(path)).map(({ number, added, items: found }) => ({ number, added, items: found }));
  expect(got).toEqual([
    { number: 1n, added: null, items: [{ sku: "x", price: null }, undefined, { sku: null, price: null }] },
    { number: 2n, added: null, items: [] },
    { number: -3n, added: null, items: undefined },
  ]);
  const text = readFileSync(join(folder, path)).toString("latin1");
  expect(text).not.toContain("gone");
});

test("refuses what it can't keep: types that are not written, and a required column that a file lacks", async () => {
  const fields = [field("a", { kind: "long" })];
  const schema = icebergSchema(fields);
  const input = await write(fields, schema, [{ a: 1n }, { a: null }]);
  const withField = (added: { id: number; name: string; required: boolean; type: string }): IcebergSchema => ({
    ...schema,
    fields: [...schema.fields, added],
  });
  for (const bad of [
    withField({ id: 90, name: "t", required: false, type: "time" }),
    withField({ id: 91, name: "r", required: true, type: "long" }),
    { ...schema, fields: schema.fields.map((each) => (each.name === "a" ? { ...each, required: true } : each)) },
  ]) {
    const path = nextPath();
    await expect(rewriteParquet({ storage, inputs: [{ path: input }], path, schema: bad })).rejects.toMatchObject({
      code: "TABLE_UNSUPPORTED",
    });
    expect(await storage.exists(path)).toBe(false);
  }
});

test("rows of several files are written in a table's order, whatever their types, with every column beside its row", async () => {
  const directions = fc.constantFrom("asc" as const, "desc" as const);
  const nulls = fc.constantFrom("nulls-first" as const, "nulls-last" as const);
  await fc.assert(
    fc.asyncProperty(
      tables(2),
      directions,
      nulls,
      fc.integer({ min: 1, max: 40 }),
      async ({ fields, rows }, direction, nullOrder, outMax) => {
        const schema = icebergSchema(fields);
        const sortable = schema.fields.find(({ type }) => typeof type === "string");
        if (sortable === undefined) return;
        const cut = Math.ceil(rows.length / 2);
        const inputs = [await write(fields, schema, rows.slice(0, cut), 3)];
        if (cut < rows.length) inputs.push(await write(fields, schema, rows.slice(cut), 3));
        const before = (await Promise.all(inputs.map(rowsOf))).flat();
        const path = nextPath();
        const field = { transform: "identity", "source-id": sortable.id, direction, "null-order": nullOrder };
        const sortOrder = { "order-id": 7, fields: [field] };
        const rowGroup = { rowsMax: outMax, bytesMax: 1 << 20 };
        const file = await rewriteParquet({ storage, inputs: inputs.map((each) => ({ path: each })), path, schema, sortOrder, rowGroup });
        expect(file).toMatchObject({ recordCount: rows.length, sortOrderId: 7 });
        const keys = before.map((row) => sortKeyOf(orderable(row[sortable.name], sortable.type)));
        const order = sortRows(Uint32Array.from(before.keys()), [field], [keys]);
        expect(await rowsOf(path)).toEqual([...order].map((row) => before[row]));
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

/** A value as it was read back, as it is sorted by. */
function orderable(value: unknown, type: unknown): PartitionValue {
  if (value instanceof Uint8Array && String(type).startsWith("decimal")) return signedOf(value);
  if (value instanceof Date) return BigInt(value.getTime());
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) return JSON.stringify(value);
  return (value ?? null) as PartitionValue;
}

test("rows of a table that numbers them keep their ids and when they came, those that they had in a file before included", async () => {
  const fields = [field("a", { kind: "long" })];
  const schema = icebergSchema(fields);
  const lineageOf = async (path: string): Promise<unknown[]> =>
    (await rowsOf(path)).map((row) => [row["a"], row["_row_id"], row["_last_updated_sequence_number"]]);
  const one = await write(fields, schema, [{ a: 5n }, { a: 4n }, { a: 3n }], 2);
  const two = await write(fields, schema, [{ a: 2n }, { a: null }]);
  const gone = new DeletedRows(3);
  gone.add(1);
  const first = nextPath();
  const lineage = { firstRowId: 100n, sequence: 3n };
  const file = await rewriteParquet({
    storage,
    inputs: [
      { path: one, gone, lineage },
      { path: two, lineage: { firstRowId: null, sequence: 4n } },
    ],
    path: first,
    schema,
  });
  expect(await lineageOf(first)).toEqual([
    [5n, 100n, 3n],
    [3n, 102n, 3n],
    [2n, null, 4n],
    [null, null, 4n],
  ]);
  expect([...file!.valueCounts.keys(), ...file!.columnSizes.keys(), ...file!.lowerBounds.keys()].every((id) => id < 1000)).toBe(true);
  // The file got ids of its own: they are those of the rows that have none.
  const second = nextPath();
  const order = {
    "order-id": 1,
    fields: [{ transform: "identity", "source-id": schema.fields[0]!.id, direction: "asc", "null-order": "nulls-last" }],
  } as const;
  await rewriteParquet({
    storage,
    inputs: [{ path: first, lineage: { firstRowId: 200n, sequence: 9n } }],
    path: second,
    schema,
    sortOrder: order,
  });
  expect(await lineageOf(second)).toEqual([
    [2n, 202n, 4n],
    [3n, 102n, 3n],
    [5n, 100n, 3n],
    [null, 203n, 4n],
  ]);
});
