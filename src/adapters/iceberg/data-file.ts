import type { FileMetrics } from "../../core/encoded-file.ts";

/** A Parquet file as an Iceberg manifest describes it. */
export interface DataFile extends FileMetrics {
  /** The storage's own path of the file; the manifest holds its URI. */
  readonly path: string;
  readonly sortOrderId?: number;
}
