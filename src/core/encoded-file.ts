import type { PartitionValue } from "./partition-transform.ts";
import type { IcebergSchema } from "./table-schema.ts";

/** What an Iceberg manifest says of a Parquet file. Maps are by field id; bounds are Iceberg's single-value serialisation (spec, appendix D). */
export interface FileMetrics {
  readonly recordCount: number;
  readonly fileSizeBytes: number;
  /** Compressed bytes of each leaf column, over all row groups. */
  readonly columnSizes: ReadonlyMap<number, number>;
  /** Values of each leaf column, nulls and NaNs included. */
  readonly valueCounts: ReadonlyMap<number, number>;
  readonly nullValueCounts: ReadonlyMap<number, number>;
  /** Of float and double columns only. */
  readonly nanValueCounts: ReadonlyMap<number, number>;
  /** Leaves outside of lists and maps; strings and binaries cut at 16 code points or bytes. */
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>;
  /** Like `lowerBounds`, and absent where a column holds a NaN or no short upper bound exists. */
  readonly upperBounds: ReadonlyMap<number, Uint8Array>;
  /** Byte offset of each row group, ascending. */
  readonly splitOffsets: readonly number[];
}

/** The one partition that all rows of a file are of. */
export interface FilePartition {
  readonly specId: number;
  /** By partition field id. */
  readonly values: ReadonlyMap<number, PartitionValue>;
}

/** A whole Parquet file of a promoted table in memory, with what a manifest says of it: plain values, so that it can come from another thread. */
export interface EncodedFile extends FileMetrics {
  /** The file's bytes, in order. */
  readonly pieces: readonly Uint8Array[];
  /** The table's schema as it was when the file was begun. */
  readonly schema: IcebergSchema;
  /** Absent: of the table's unpartitioned spec 0. */
  readonly partition?: FilePartition;
  /** The table's sort order that the rows stand in; absent: 0, none. */
  readonly sortOrderId?: number;
}

/** The rows of some files together. */
export function countRows(files: readonly FileMetrics[]): number {
  return files.reduce((sum, file) => sum + file.recordCount, 0);
}
