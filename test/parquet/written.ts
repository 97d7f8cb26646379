import type { FileMetaData } from "hyparquet";
import { readColumnIndex, readOffsetIndex } from "hyparquet";
import type { Batch } from "../../src/core/batch.ts";
import type { FileMetrics } from "../../src/core/encoded-file.ts";
import type { Field } from "../../src/core/schema.ts";
import type { IcebergSchema } from "../../src/core/table-schema.ts";
import { openParquetFile } from "../../src/parquet/parquet-file.ts";
import type { ParquetFileInput } from "../../src/parquet/written-file.ts";
import type { Value } from "../adapters/iceberg/parquet-fixture.ts";
import { batchOf, icebergSchema } from "../adapters/iceberg/parquet-fixture.ts";

export type Row = Readonly<Record<string, Value>>;
type Options = Omit<ParquetFileInput, "schema">;

export const everyRow = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, row) => row);

/** A file of slices of batches, as bytes and as a manifest sees it. */
export function writeSlices(
  schema: IcebergSchema,
  slices: readonly { readonly batch: Batch; readonly rows: Uint32Array }[],
  options: Options = {},
): { bytes: Buffer<ArrayBuffer>; file: FileMetrics } {
  const file = openParquetFile({ schema, ...options });
  const pieces = slices.flatMap(({ batch, rows }) => file.append(batch, rows));
  const end = file.finish();
  return { bytes: Buffer.concat([...pieces, ...end.pieces]), file: end.file };
}

/** A file of rows, appended in batches of `batchRows`. */
export function writeRows(fields: readonly Field[], rows: readonly Row[], options: Options & { readonly batchRows?: number } = {}) {
  const { batchRows = 2048, ...rest } = options;
  const slices = Array.from({ length: Math.ceil(rows.length / batchRows) }, (_, i) => {
    const batch = batchOf(fields, rows.slice(i * batchRows, (i + 1) * batchRows), i * batchRows);
    return { batch, rows: everyRow(batch.rows) };
  });
  return { schema: icebergSchema(fields), ...writeSlices(icebergSchema(fields), slices, rest) };
}

/** Numbers from 0 to 2^32 - 1, the same at every run. */
export function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0;
  };
}

/** A column's page indexes in one row group, as hyparquet reads them. */
export function indexesOf(bytes: Buffer<ArrayBuffer>, metadata: FileMetaData, group: number, column: string) {
  const chunk = metadata.row_groups[group]?.columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === column);
  if (chunk === undefined) throw new Error(`there is no column ${column}`);
  const element = metadata.schema.find(({ name }) => name === column);
  const at = (offset: bigint | undefined) => {
    if (offset === undefined) return null;
    return { view: new DataView(bytes.buffer, bytes.byteOffset), offset: Number(offset) };
  };
  const columns = at(chunk.column_index_offset);
  const offsets = at(chunk.offset_index_offset);
  return {
    chunk,
    columnIndex: columns === null || element === undefined ? null : readColumnIndex(columns, element),
    offsetIndex: offsets === null ? null : readOffsetIndex(offsets),
  };
}

/** The encodings of a column's data pages, over all row groups. */
export function pageEncodings(metadata: FileMetaData, column: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { columns } of metadata.row_groups) {
    const chunk = columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === column)?.meta_data;
    for (const stats of chunk?.encoding_stats ?? []) {
      if (stats.page_type === "DICTIONARY_PAGE") continue;
      counts[stats.encoding] = (counts[stats.encoding] ?? 0) + stats.count;
    }
  }
  return counts;
}
