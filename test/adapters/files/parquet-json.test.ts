import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { SchemaElement } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { flightRecords, openParquetJson } from "../../../src/adapters/files/parquet-json.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-parquet-json-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface TestColumn {
  readonly element: SchemaElement;
  readonly data: unknown[];
}

async function jsonOf(
  columns: readonly TestColumn[],
  options: { rowGroupSize?: number; from?: number; rowsMax?: number } = {},
): Promise<string[]> {
  const path = join(folder, `${Math.random()}.parquet`);
  const schema: SchemaElement[] = [{ name: "root", num_children: columns.length }, ...columns.map(({ element }) => element)];
  const columnData = columns.map(({ element, data }) => ({ name: element.name, data }));
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ schema, columnData, rowGroupSize: options.rowGroupSize ?? 100 })));
  return readJson(path, options.from ?? 0, options.rowsMax ?? 1000);
}

async function readJson(path: string, from = 0, rowsMax = 1000): Promise<string[]> {
  const handle = await open(path, "r");
  try {
    const rows: string[] = [];
    for await (const { slab, starts, lengths } of (await openParquetJson(handle, path)).read(from, rowsMax)) {
      expect(starts.length).toBeLessThanOrEqual(rowsMax);
      for (const [row, start] of starts.entries())
        rows.push(Buffer.from(slab.subarray(start, start + (lengths[row] as number))).toString());
    }
    return rows;
  } finally {
    await handle.close();
  }
}

const optional = { repetition_type: "OPTIONAL" } as const;

test("numbers keep all their digits, dates and times are ISO 8601, bytes base64, and what JSON has no number for is text", async () => {
  const rows = await jsonOf([
    { element: { name: "long", type: "INT64", ...optional }, data: [9223372036854775807n, -9223372036854775808n, null] },
    {
      element: { name: "d9", type: "INT32", converted_type: "DECIMAL", precision: 9, scale: 2, ...optional },
      data: [1234567.89, -0.05, null],
    },
    { element: { name: "double", type: "DOUBLE", ...optional }, data: [0.1, Number.NaN, -0] },
    { element: { name: "flag", type: "BOOLEAN", ...optional }, data: [true, false, null] },
    {
      element: { name: "day", type: "INT32", converted_type: "DATE", ...optional },
      data: [new Date("2013-01-01"), new Date("1969-12-31"), null],
    },
    {
      element: { name: "at", type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" }, ...optional },
      data: [1_357_034_400_000_001n, -1n, null],
    },
    {
      element: { name: "local", type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: false, unit: "NANOS" }, ...optional },
      data: [1_357_034_400_000_001_005n, -1n, 1_357_034_400_000_000_000n],
    },
    { element: { name: "clock", type: "INT64", converted_type: "TIME_MICROS", ...optional }, data: [86_399_999_999n, 0n, null] },
    { element: { name: "text", type: "BYTE_ARRAY", converted_type: "UTF8", ...optional }, data: ['a"\n\u{1f6eb}', "", "\ufeff"] },
    { element: { name: "raw", type: "BYTE_ARRAY", ...optional }, data: [Uint8Array.of(0, 255), new Uint8Array(0), null] },
    { element: { name: "json", type: "BYTE_ARRAY", converted_type: "JSON", ...optional }, data: [{ n: 1 }, [1, 2], null] },
  ]);
  expect(rows).toEqual([
    '{"long":9223372036854775807,"d9":1234567.89,"double":0.1,"flag":true,"day":"2013-01-01","at":"2013-01-01T10:00:00.000001Z","local":"2013-01-01T10:00:00.000001005","clock":"23:59:59.999999","text":"a\\"\\n\u{1f6eb}","raw":"AP8=","json":{"n":1}}',
    '{"long":-9223372036854775808,"d9":-0.05,"double":"NaN","flag":false,"day":"1969-12-31","at":"1969-12-31T23:59:59.999999Z","local":"1969-12-31T23:59:59.999999999","clock":"00:00:00","text":"","raw":"","json":[1,2]}',
    '{"long":null,"d9":null,"double":-0.0,"flag":null,"day":null,"at":null,"local":"2013-01-01T10:00:00","clock":null,"text":"\ufeff","raw":null,"json":null}',
  ]);
});

test("any row group size, from any row", async () => {
  const data = Array.from({ length: 25 }, (_, i) => i);
  const all = data.map((i) => `{"i":${i}}`);
  for (const from of [0, 3, 10, 24, 25, 30]) {
    const got = await jsonOf([{ element: { name: "i", type: "INT32", repetition_type: "REQUIRED" }, data }], {
      rowGroupSize: 10,
      from,
      rowsMax: 4,
    });
    expect(got).toEqual(all.slice(from));
  }
});

test("what is no Parquet file is FILE_UNREADABLE", async () => {
  for (const bytes of ["", "PAR1", "this is no Parquet file, whatever its name", "PAR1xxxxxxxxxxxx\xff\xff\xff\x7fPAR1"]) {
    const path = join(folder, "bad.parquet");
    writeFileSync(path, bytes, "latin1");
    await expect(readJson(path)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  }
});

test("the flights of the example data: all of them, each one JSON", async () => {
  let count = 0;
  let first = "";
  const carriers = new Map<string, number>();
  for await (const record of flightRecords(join(import.meta.dirname, "../../../examples/nyc-flights-2013.parquet"))) {
    if (count === 0) first = Buffer.from(record).toString();
    if (count % 100 === 0) {
      const { carrier } = JSON.parse(Buffer.from(record).toString()) as { carrier: string };
      carriers.set(carrier, (carriers.get(carrier) ?? 0) + 1);
    }
    count++;
  }
  expect(count).toBe(336_776);
  expect(JSON.parse(first)).toMatchObject({
    carrier: "UA",
    flight_number: 1545,
    tailnum: "N14228",
    origin: "EWR",
    dest: "IAH",
    distance_mi: 1400,
  });
  expect([...carriers.values()].reduce((sum, each) => sum + each, 0)).toBe(3368);
  expect(carriers.size).toBeGreaterThan(10);
});

test("UUIDs are text, other fixed bytes base64", async () => {
  const data = [Uint8Array.from({ length: 16 }, (_, i) => i), null];
  const fixed = { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16, ...optional } as const;
  const rows = await jsonOf([
    { element: { name: "u", ...fixed, logical_type: { type: "UUID" } }, data: ["00010203-0405-0607-0809-0a0b0c0d0e0f", null] },
    { element: { name: "f", ...fixed }, data },
  ]);
  expect(rows).toEqual(['{"u":"00010203-0405-0607-0809-0a0b0c0d0e0f","f":"AAECAwQFBgcICQoLDA0ODw=="}', '{"u":null,"f":null}']);
});
