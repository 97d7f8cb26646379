import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import type { SchemaElement } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DataFile } from "../../../src/adapters/iceberg/data-file.ts";
import type { IcebergField, IcebergType } from "../../../src/core/table-schema.ts";
import { createLocalStorage } from "../../../src/adapters/storage/local-storage.ts";
import type { BatchSlice } from "../../../src/core/batch.ts";
import type { Storage } from "../../../src/core/storage.ts";
import type { Value } from "./parquet-fixture.ts";
import { batchOf, field, icebergSchema, tables, writeDataFile } from "./parquet-fixture.ts";
import { actual, expected, readBack } from "./parquet-reading.ts";

let folder = "";
let storage: Storage;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-parquet-"));
  storage = createLocalStorage(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nextPath = (): string => `data/${files++}.parquet`;
const allRows = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, row) => row);

test("any types and values come back by another reader, with row groups, slices and field ids as they should be", async () => {
  await fc.assert(
    fc.asyncProperty(tables(2), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 3 }), async ({ fields, rows }, rowsMax, skip) => {
      const schema = icebergSchema(fields);
      const cut = Math.ceil(rows.length / 2);
      const first = batchOf(fields, rows.slice(0, cut));
      const second = batchOf(fields, rows.slice(cut), cut);
      // Every (skip + 1)th row of the first batch, and all of the second.
      const taken = allRows(cut).filter((row) => row % (skip + 1) === 0);
      const slices: BatchSlice[] = [
        { batch: first, rows: taken },
        { batch: second, rows: allRows(second.rows) },
      ];
      const path = nextPath();
      const file = await writeDataFile({ storage, path, schema, slices, limits: { rowsMax, bytesMax: 1 << 20 } });
      const want = [...Array.from(taken, (row) => rows[row]), ...rows.slice(cut)] as Record<string, Value>[];
      const bytes = readFileSync(join(folder, path));
      const { metadata, rows: got } = await readBack(bytes);

      expect(file).toMatchObject({ path, recordCount: want.length, fileSizeBytes: bytes.length });
      expect(Number(metadata.num_rows)).toBe(want.length);
      expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual(chunkSizes(want.length, rowsMax));
      for (const of of fields) {
        expect(got.map((row) => actual(of, row[of.name]))).toEqual(want.map((row) => expected(of.type, row[of.name])));
      }
      expect(idsIn(metadata.schema)).toEqual(idsOf(schema.fields));
      expect(file.splitOffsets).toEqual(metadata.row_groups.map((group) => Number(group.file_offset)));
      checkTotals(file, metadata);
      checkMetrics(file, schema.fields, got);
    }),
    { numRuns: 150 },
  );
}, 120_000);

function chunkSizes(rows: number, most: number): number[] {
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => Math.min(most, rows - i * most));
}

/** Names with ids, in depth-first order, of what carries an id in a Parquet schema. */
function idsIn(elements: readonly SchemaElement[]): string[] {
  return elements.flatMap((element) =>
    element.field_id === undefined ? [] : [`${element.name} ${element.field_id} ${element.repetition_type}`],
  );
}

function idsOf(fields: readonly IcebergField[]): string[] {
  const repetition = (required: boolean): string => (required ? "REQUIRED" : "OPTIONAL");
  const below = (type: IcebergType): string[] => {
    if (typeof type === "string") return [];
    if (type.type === "struct") return idsOf(type.fields);
    if (type.type === "list") return [`element ${type["element-id"]} ${repetition(type["element-required"])}`, ...below(type.element)];
    return [`key ${type["key-id"]} REQUIRED`, `value ${type["value-id"]} ${repetition(type["value-required"])}`, ...below(type.value)];
  };
  return fields.flatMap((of) => [`${of.name} ${of.id} ${repetition(of.required)}`, ...below(of.type)]);
}

function checkTotals(file: DataFile, metadata: Awaited<ReturnType<typeof readBack>>["metadata"]): void {
  const leaves = metadata.schema.filter((element) => element.num_children === undefined);
  for (const [i, leaf] of leaves.entries()) {
    const chunks = metadata.row_groups.map((group) => group.columns[i]?.meta_data);
    expect(file.columnSizes.get(leaf.field_id as number)).toBe(
      chunks.reduce((sum, chunk) => sum + Number(chunk?.total_compressed_size), 0),
    );
    expect(file.valueCounts.get(leaf.field_id as number)).toBe(chunks.reduce((sum, chunk) => sum + Number(chunk?.num_values), 0));
  }
}

/** Null counts, NaN counts and bounds against every value that was read back, leaf by leaf. */
function checkMetrics(
  file: DataFile,
  fields: readonly IcebergField[],
  rows: readonly (Record<string, unknown> | null | undefined)[],
): void {
  for (const of of fields) {
    const values = rows.map((row) => row?.[of.name] ?? null);
    if (typeof of.type === "object") {
      if (of.type.type === "struct") checkMetrics(file, of.type.fields, values as (Record<string, unknown> | null)[]);
      else for (const map of [file.nullValueCounts, file.lowerBounds, file.upperBounds]) expect(map.has(of.id)).toBe(false);
      continue;
    }
    const present = values.filter((value) => value !== null);
    expect(file.nullValueCounts.get(of.id)).toBe(values.length - present.length);
    const isFloat = of.type === "float" || of.type === "double";
    const nans = present.filter((value) => Number.isNaN(value)).length;
    expect(file.nanValueCounts.get(of.id)).toBe(isFloat ? nans : undefined);
    checkBounds(
      file,
      of.id,
      of.type,
      present.filter((value) => !Number.isNaN(value)),
      nans,
    );
  }
}

function checkBounds(file: DataFile, id: number, type: string, values: readonly unknown[], nans: number): void {
  const lower = file.lowerBounds.get(id);
  const upper = file.upperBounds.get(id);
  // Readers differ in the order of UUIDs.
  if (values.length === 0 || type === "uuid") {
    expect([lower, upper]).toEqual([undefined, undefined]);
    return;
  }
  if (nans > 0) expect(upper).toBeUndefined();
  if (type === "string" || type === "binary") {
    const bytes = values.map((value) => Buffer.from(value as string)).toSorted((a, b) => Buffer.compare(a, b));
    const [least, most] = [bytes[0] as Buffer, bytes.at(-1) as Buffer];
    const cut = (value: Buffer): Buffer =>
      type === "binary" ? value.subarray(0, 16) : Buffer.from(Array.from(value.toString()).slice(0, 16).join(""));
    expect(Buffer.from(lower as Uint8Array)).toEqual(cut(least));
    if (cut(most).length === most.length) expect(Buffer.from(upper as Uint8Array)).toEqual(most);
    else if (upper !== undefined) {
      expect(Buffer.compare(upper, most)).toBeGreaterThan(0);
      expect(type === "binary" ? upper.length : Array.from(Buffer.from(upper).toString()).length).toBeLessThanOrEqual(16);
      expect(Buffer.from(Buffer.from(upper).toString("utf8")).equals(upper) || type === "binary").toBe(true);
      // Tight: what it was grown from is a beginning of the greatest value.
      expect(most.subarray(0, upper.length - 4 < 0 ? 0 : upper.length - 4)).toEqual(
        Buffer.from(upper.subarray(0, Math.max(0, upper.length - 4))),
      );
    } else {
      const full = type === "binary" ? Buffer.alloc(16, 0xff) : Buffer.from("\u{10ffff}".repeat(16));
      expect(cut(most)).toEqual(full);
    }
    return;
  }
  const isFloat = type === "float" || type === "double";
  const ordered = values.map((value) => toComparable(type, value)).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  expect(fromBound(type, lower as Uint8Array)).toEqual(isFloat && ordered[0] === 0 ? -0 : ordered[0]);
  if (nans === 0) expect(fromBound(type, upper as Uint8Array)).toEqual(isFloat && ordered.at(-1) === 0 ? 0 : ordered.at(-1));
}

function toComparable(type: string, value: unknown): bigint | number {
  if (typeof value === "boolean") return Number(value);
  if (value instanceof Uint8Array) return BigInt.asIntN(8 * value.length, BigInt(`0x${Buffer.from(value).toString("hex")}`));
  return type === "float" || type === "double" ? (value as number) : BigInt(value as number);
}

function fromBound(type: string, bytes: Uint8Array): bigint | number {
  const buffer = Buffer.from(bytes);
  if (type === "boolean") return buffer.readUInt8();
  if (type === "float") return buffer.readFloatLE();
  if (type === "double") return buffer.readDoubleLE();
  if (type.startsWith("decimal")) {
    const value = BigInt.asIntN(8 * buffer.length, BigInt(`0x${buffer.toString("hex")}`));
    // As short as it can be.
    expect(buffer.length === 1 || BigInt.asIntN(8 * (buffer.length - 1), value) !== value).toBe(true);
    return value;
  }
  return type === "int" || type === "date" ? BigInt(buffer.readInt32LE()) : buffer.readBigInt64LE();
}

test("source columns say where each row came from", async () => {
  const fields = [field("a", { kind: "int" })];
  const batch = batchOf(fields, [{ a: 1n }, { a: 2n }, { a: null }, { a: 4n }], 100);
  const path = nextPath();
  await writeDataFile({ storage, path, schema: icebergSchema(fields), slices: [{ batch, rows: Uint32Array.of(1, 3) }] });
  const { rows } = await readBack(readFileSync(join(folder, path)));
  expect(rows).toEqual([
    { a: 2, _sluice_source: "topic-b", _sluice_partition: 0, _sluice_offset: 101n, _sluice_timestamp: 1_700_000_000_001_000n },
    { a: 4, _sluice_source: "topic-b", _sluice_partition: 0, _sluice_offset: 103n, _sluice_timestamp: null },
  ]);
});

test("row groups are bounded in bytes; a value above the bound stands alone", async () => {
  const fields = [field("text", { kind: "string" })];
  const rows = [1000, 2000, 900_000, 10, 300_000, 300_000, 300_000].map((length) => ({ text: "x".repeat(length) }));
  const path = nextPath();
  const slices = [{ batch: batchOf(fields, rows), rows: allRows(rows.length) }];
  await writeDataFile({ storage, path, schema: icebergSchema(fields), slices, limits: { rowsMax: 1000, bytesMax: 700_000 } });
  const { metadata, rows: got } = await readBack(readFileSync(join(folder, path)));
  expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([2, 1, 3, 1]);
  expect(got.map((row) => (row["text"] as string).length)).toEqual(rows.map(({ text }) => text.length));
});

test("table columns that the contract no longer names are left out, unknown fields are kept where the table has a column", async () => {
  const fields = [field("now", { kind: "string" })];
  const schema = icebergSchema([...fields, field("before", { kind: "long" }), field("extra", { kind: "json" })]);
  const batch = {
    ...batchOf(fields, [{ now: "a" }]),
    unknown: batchOf([field("extra", { kind: "json" })], [{ extra: '{"n":1.0}' }]).columns[0] ?? null,
  };
  const path = nextPath();
  const file = await writeDataFile({ storage, path, schema, slices: [{ batch, rows: allRows(1) }] });
  const { rows } = await readBack(readFileSync(join(folder, path)));
  expect(rows[0]).toMatchObject({ now: "a", extra: '{"n":1.0}' });
  expect(rows[0]).not.toHaveProperty("before");
  expect(file.valueCounts.has(2)).toBe(false);
});

test("what does not fit the table is refused and leaves no file", async () => {
  const fields = [field("a", { kind: "int" })];
  const slices = [{ batch: batchOf(fields, [{ a: null }]), rows: allRows(1) }];
  const write = (schema: ReturnType<typeof icebergSchema>) => writeDataFile({ storage, path: "refused/x.parquet", schema, slices });
  await expect(write(icebergSchema([field("a", { kind: "int" }, true)]))).rejects.toThrow("row 0 has no value in a");
  await expect(write(icebergSchema([]))).rejects.toThrow("the table has no column a");
  await expect(write(icebergSchema([...fields, field("b", { kind: "int" }, true)]))).rejects.toThrow("no column for the required field b");
  expect(existsSync(join(folder, "refused"))).toBe(false);
});

test("a text that is no UTF-8 never becomes a file", async () => {
  const fields = [field("a", { kind: "string" })];
  const batch = batchOf(fields, [{ a: Uint8Array.of(0xff, 0xfe) }]);
  await expect(
    writeDataFile({ storage, path: "refused/y.parquet", schema: icebergSchema(fields), slices: [{ batch, rows: allRows(1) }] }),
  ).rejects.toThrow();
  expect(existsSync(join(folder, "refused"))).toBe(false);
});
