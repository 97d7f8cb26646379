import type { Batch } from "../../core/batch.ts";
import type { Column } from "../../core/column.ts";
import type { EncodedFile, FileMetrics } from "../../core/encoded-file.ts";
import type { Storage } from "../../core/storage.ts";
import type { IcebergField, IcebergSchema } from "../../core/table-schema.ts";
import type { ParquetFile, RowGroupLimits } from "../../parquet/written-file.ts";
import type { DataFile } from "./data-file.ts";
import type { ColumnParts } from "./parquet-arrow.ts";
import { arrowStream } from "./parquet-arrow.ts";
import { encodeParquet } from "./parquet-encoder.ts";
import { ParquetJoin, parquetHead, splitParquet } from "./parquet-footer.ts";
import { MetricsTally } from "./parquet-metrics.ts";
import type { RowSpan } from "./parquet-row-groups.ts";
import { RowGroupCutter } from "./parquet-row-groups.ts";
import { sourceColumnsOf } from "./parquet-source-columns.ts";

/** The encoder's memory is some seven times a row group's bytes at worst, and never shrinks. */
const defaultLimits: RowGroupLimits = { rowsMax: 131_072, bytesMax: 16 * 1024 * 1024 };

interface SliceColumns {
  /** By the table schema's top-level fields; null where the file leaves a field out (the contract no longer names it). */
  readonly byField: readonly (Column | null)[];
  readonly columns: readonly Column[];
  readonly rows: Uint32Array;
}

/**
 * Encodes rows as one Parquet file of a promoted table (zstd, field ids on every level, row groups bounded in rows and bytes) by way of Arrow. Cells that
 * are not `Cell.value` are null. Batches are kept until their row group is full, so their columns must be their own.
 */
export class ArrowParquetFile implements ParquetFile {
  readonly #schema: IcebergSchema;
  readonly #cutter: RowGroupCutter<SliceColumns>;
  readonly #tally = new MetricsTally();
  readonly #join = new ParquetJoin();
  #rows = 0;
  #bytes = 0;

  constructor(schema: IcebergSchema, limits: RowGroupLimits = defaultLimits) {
    this.#schema = schema;
    this.#cutter = new RowGroupCutter(limits);
  }

  get rows(): number {
    return this.#rows;
  }

  get memoryBytes(): number {
    return this.#cutter.bytes;
  }

  append(batch: Batch, rows: Uint32Array): Uint8Array[] {
    if (batch.resident !== undefined && batch.resident !== null) throw new Error("the columns of a kept batch must be its own");
    if (rows.length === 0) return [];
    this.#rows += rows.length;
    return Array.from(this.#cutter.add(columnsOf(batch, rows, this.#schema)), (group) => this.#encode(group));
  }

  finish(): { readonly pieces: readonly Uint8Array[]; readonly file: FileMetrics } {
    if (this.#rows === 0) throw new Error("a data file needs at least one row");
    const rest = this.#cutter.end();
    const pieces = rest === null ? [] : [this.#encode(rest)];
    const end = this.#join.end();
    this.#bytes += end.length;
    pieces.push(end);
    const { totals, splitOffsets } = this.#join;
    const file = { recordCount: this.#rows, fileSizeBytes: this.#bytes, ...totals, ...this.#tally.finish(), splitOffsets };
    return { pieces, file };
  }

  discard(): void {
    this.#cutter.end();
  }

  #encode(group: readonly RowSpan<SliceColumns>[]): Uint8Array {
    const columns = partsOf(group, this.#schema.fields);
    this.#tally.add(columns);
    const rows = group.reduce((sum, { from, to }) => sum + to - from, 0);
    const part = splitParquet(encodeParquet(arrowStream(columns, rows), this.#schema));
    this.#join.add(part);
    const head = this.#bytes === 0 ? parquetHead.length : 0;
    const piece = new Uint8Array(head + part.pages.length);
    if (head > 0) piece.set(parquetHead);
    piece.set(part.pages, head);
    this.#bytes += piece.length;
    return piece;
  }
}

/** Writes an encoded file under a path, durable when it resolves. Rejects with STORAGE_FULL, STORAGE_FAILED or FILE_EXISTS, leaving no file. */
export async function writeEncodedFile(storage: Storage, path: string, encoded: EncodedFile): Promise<DataFile> {
  const { pieces, schema: _schema, ...metrics } = encoded;
  const file = await storage.create(path);
  try {
    for (const piece of pieces) await file.write(piece);
    await file.close();
  } catch (fault) {
    await file.abort();
    throw fault;
  }
  return { path, ...metrics };
}

function columnsOf(batch: Batch, rows: Uint32Array, schema: IcebergSchema): SliceColumns {
  const columns = [...batch.columns, ...(batch.unknown === null ? [] : [batch.unknown]), ...sourceColumnsOf(batch.records)];
  const byName = new Map(columns.map((column) => [column.field.name, column]));
  const byField = schema.fields.map((field) => byName.get(field.name) ?? null);
  const stored = byField.filter((column) => column !== null);
  const homeless = columns.find((column) => !stored.includes(column));
  if (homeless !== undefined) throw new Error(`the table has no column ${homeless.field.path}`);
  return { byField, columns: stored, rows };
}

function partsOf(group: readonly RowSpan<SliceColumns>[], fields: readonly IcebergField[]): ColumnParts[] {
  return fields.flatMap((field, i) => {
    const parts = group.map(({ slice, from, to }) => {
      const { byField, rows } = slice;
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
