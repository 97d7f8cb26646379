import type { Batch } from "../core/batch.ts";
import type { FileMetrics } from "../core/encoded-file.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import type { Arena } from "../wasm/arena.ts";

/** What a row group may hold, in rows and in bytes of columns before they are encoded; one row larger than `bytesMax` gets a row group of its own. */
export interface RowGroupLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** When a page ends, and what the dictionary of a column chunk may hold. */
export interface PageLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly dictionaryBytesMax: number;
}

/** How a Parquet file is to be written. */
export interface ParquetFileInput {
  /** The table's schema: its ids, names, order, and which fields are required. Fields that the batches have no column for are left out. */
  readonly schema: IcebergSchema;
  /** Where batches are resident; one of the file's own without. Its blocks are used again by the next file over the same arena. */
  readonly arena?: Arena;
  readonly limits?: RowGroupLimits;
  /** Without: by the number of columns, so that wide tables take no more memory than narrow ones. */
  readonly pageLimits?: PageLimits;
  /** Field ids of the columns that get a bloom filter. */
  readonly bloomFilterIds?: ReadonlySet<number>;
}

/** A Parquet file being made: bytes come out in order, ready to be written. Pure and synchronous. */
export interface ParquetFile {
  /** Rows taken so far. */
  readonly rows: number;
  /** Memory held: the encoder's blocks in the arena, and finished pages of the open row group. */
  readonly memoryBytes: number;
  /**
   * Takes rows of a batch, ascending; the batch's columns and records are not needed afterwards. Answers the next pieces of the file, of row groups that
   * are complete now; often none. **The arena may grow: views over it (the batch's own columns too) are void when this returns.** Throws, and is to be
   * discarded then, where a cell that the table requires is absent, where the columns don't fit the schema, or text is no UTF-8.
   */
  append(batch: Batch, rows: Uint32Array): Uint8Array[];
  /** The last pieces, and what a manifest needs. At least one row was taken. The file's blocks are given back. */
  finish(): { readonly pieces: readonly Uint8Array[]; readonly file: FileMetrics };
  /** Gives the file's blocks back without finishing it; may be called at any time, also after `finish`. */
  discard(): void;
}
