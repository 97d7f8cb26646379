import { setImmediate as breathe } from "node:timers/promises";
import type { BatchSlice } from "../../core/batch.ts";
import type { Column } from "../../core/column.ts";
import type { FileWriter, Storage } from "../../core/storage.ts";
import type { DataFile, IcebergField, IcebergSchema } from "./data-file.ts";
import type { ColumnParts } from "./parquet-arrow.ts";
import { arrowStream } from "./parquet-arrow.ts";
import { encodeParquet } from "./parquet-encoder.ts";
import { ParquetJoin, parquetHead, splitParquet } from "./parquet-footer.ts";
import { MetricsTally } from "./parquet-metrics.ts";
import type { RowGroupLimits, RowSpan } from "./parquet-row-groups.ts";
import { cutRowGroups } from "./parquet-row-groups.ts";
import { sourceColumnsOf } from "./parquet-source-columns.ts";

/** The encoder's memory is some seven times a row group's bytes at worst, and never shrinks. */
const defaultLimits: RowGroupLimits = { rowsMax: 131_072, bytesMax: 16 * 1024 * 1024 };

/** What goes into a data file of a promoted table. */
export interface DataFileInput {
  readonly storage: Storage;
  /** The new file's path in the storage. */
  readonly path: string;
  readonly schema: IcebergSchema;
  /** Rows that passed, in the order they will stand; at least one row. */
  readonly slices: readonly BatchSlice[];
  readonly limits?: RowGroupLimits;
}

interface SliceColumns {
  /** By the table schema's top-level fields; null where the file leaves a field out (the contract no longer names it). */
  readonly byField: readonly (Column | null)[];
  readonly columns: readonly Column[];
  readonly rows: Uint32Array;
}

/**
 * Writes the rows as one Parquet file (zstd, field ids on every level, row groups bounded in rows and bytes), durable when it resolves, and answers what
 * a manifest needs to know of it. Cells that are not `Cell.value` are null. Rejects with STORAGE_FULL, STORAGE_FAILED or FILE_EXISTS, leaving no file.
 */
export async function writeDataFile(input: DataFileInput): Promise<DataFile> {
  const slices = input.slices.filter(({ rows }) => rows.length > 0).map((slice) => columnsOf(slice, input.schema));
  const recordCount = slices.reduce((sum, { rows }) => sum + rows.length, 0);
  if (recordCount === 0) throw new Error("a data file needs at least one row");
  const file = await input.storage.create(input.path);
  try {
    return await writeRowGroups(input, slices, recordCount, file);
  } catch (fault) {
    await file.abort();
    throw fault;
  }
}

async function writeRowGroups(
  input: DataFileInput,
  slices: readonly SliceColumns[],
  recordCount: number,
  file: FileWriter,
): Promise<DataFile> {
  const tally = new MetricsTally();
  const join = new ParquetJoin();
  let fileSizeBytes = parquetHead.length;
  await file.write(parquetHead);
  for (const group of cutRowGroups(slices, input.limits ?? defaultLimits)) {
    const columns = partsOf(group, slices, input.schema.fields);
    tally.add(columns);
    const rows = group.reduce((sum, { from, to }) => sum + to - from, 0);
    const part = splitParquet(encodeParquet(arrowStream(columns, rows), input.schema));
    join.add(part);
    await file.write(part.pages);
    fileSizeBytes += part.pages.length;
    // Encoding holds the thread for tens of milliseconds; heartbeats come first.
    await breathe();
  }
  const end = join.end();
  await file.write(end);
  await file.close();
  fileSizeBytes += end.length;
  return { path: input.path, recordCount, fileSizeBytes, ...join.totals, ...tally.finish(), splitOffsets: join.splitOffsets };
}

function columnsOf({ batch, rows }: BatchSlice, schema: IcebergSchema): SliceColumns {
  const columns = [...batch.columns, ...(batch.unknown === null ? [] : [batch.unknown]), ...sourceColumnsOf(batch.records)];
  const byName = new Map(columns.map((column) => [column.field.name, column]));
  const byField = schema.fields.map((field) => byName.get(field.name) ?? null);
  const stored = byField.filter((column) => column !== null);
  const homeless = columns.find((column) => !stored.includes(column));
  if (homeless !== undefined) throw new Error(`the table has no column ${homeless.field.path}`);
  return { byField, columns: stored, rows };
}

function partsOf(group: readonly RowSpan[], slices: readonly SliceColumns[], fields: readonly IcebergField[]): ColumnParts[] {
  return fields.flatMap((field, i) => {
    const parts = group.map(({ slice, from, to }) => {
      const { byField, rows } = slices[slice] as SliceColumns;
      return { column: byField[i] ?? null, rows: rows.subarray(from, to), present: null };
    });
    const named = parts.flatMap(({ column, ...part }) => (column === null ? [] : [{ column, ...part }]));
    if (named.length === 0) {
      if (field.required) throw new Error(`the batches have no column for the required field ${field.name}`);
      return [];
    }
    if (named.length < parts.length)
      throw new Error(`some batches have a column ${field.name} and others don't: they are of different contracts`);
    return [{ field, parts: named }];
  });
}
