import * as parquet from "parquet-wasm";
import type { IcebergSchema } from "../../core/table-schema.ts";
import { sourceColumns } from "../../core/table-schema.ts";

/** A whole Parquet file of one row group, zstd, from an Arrow IPC stream. The encoder's memory is freed before this returns, and used again. */
export function encodeParquet(stream: Uint8Array, schema: IcebergSchema): Uint8Array {
  const builder = new parquet.WriterPropertiesBuilder()
    .setCompression(parquet.Compression.ZSTD)
    .setCreatedBy("sluice")
    .setMaxRowGroupSize(0x7fffffff)
    .setStatisticsEnabled(parquet.EnabledStatistics.Chunk)
    // No two are equal: a dictionary would only be tried, and given up.
    .setColumnDictionaryEnabled(sourceColumns.offset, false)
    .setKeyValueMetadata(new Map([["iceberg.schema", JSON.stringify(schema)]]));
  // Both are consumed by the write, and freed with it.
  return parquet.writeParquet(parquet.Table.fromIPCStream(stream), builder.build());
}
