import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Batch } from "../../src/core/batch.ts";
import type { IcebergSchema } from "../../src/core/table-schema.ts";
import { openParquetFile } from "../../src/parquet/parquet-file.ts";
import type { ParquetFileInput } from "../../src/parquet/written-file.ts";
import type { Value } from "../adapters/iceberg/parquet-fixture.ts";
import { batchOf, icebergSchema, tables } from "../adapters/iceberg/parquet-fixture.ts";
import { actual, expected, readBack } from "../adapters/iceberg/parquet-reading.ts";

const allRows = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, row) => row);

function write(
  schema: IcebergSchema,
  slices: readonly { batch: Batch; rows: Uint32Array }[],
  options: Omit<ParquetFileInput, "schema"> = {},
) {
  const file = openParquetFile({ schema, ...options });
  const pieces = slices.flatMap(({ batch, rows }) => file.append(batch, rows));
  const end = file.finish();
  return { bytes: Buffer.concat([...pieces, ...end.pieces]), file: end.file };
}

test("any types and values come back by another reader", async () => {
  await fc.assert(
    fc.asyncProperty(tables(2), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 3 }), async ({ fields, rows }, rowsMax, skip) => {
      const schema = icebergSchema(fields);
      const cut = Math.ceil(rows.length / 2);
      const taken = allRows(cut).filter((row) => row % (skip + 1) === 0);
      const second = batchOf(fields, rows.slice(cut), cut);
      const slices = [
        { batch: batchOf(fields, rows.slice(0, cut)), rows: taken },
        { batch: second, rows: allRows(second.rows) },
      ];
      const { bytes, file } = write(schema, slices, { limits: { rowsMax, bytesMax: 1 << 20 } });
      const want = [...Array.from(taken, (row) => rows[row]), ...rows.slice(cut)] as Record<string, Value>[];
      const { metadata, rows: got } = await readBack(bytes);
      expect(file).toMatchObject({ recordCount: want.length, fileSizeBytes: bytes.length });
      expect(Number(metadata.num_rows)).toBe(want.length);
      for (const of of fields) {
        expect(got.map((row) => actual(of, row[of.name]))).toEqual(want.map((row) => expected(of.type, row[of.name])));
      }
    }),
    { numRuns: 150 },
  );
}, 120_000);
