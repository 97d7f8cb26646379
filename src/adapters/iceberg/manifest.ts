import type { AvroField, AvroRecord, AvroRow, AvroValue } from "./avro-schema.ts";
import { integerMap, optionalField, requiredField } from "./avro-schema.ts";
import { decodeAvroFile, encodeAvroFile } from "./avro-file.ts";
import type { DataFile } from "./data-file.ts";
import type { IcebergSchema } from "../../core/table-schema.ts";

export const EntryStatus = { existing: 0, added: 1, deleted: 2 } as const;

/** One file in a manifest. `sequence` is null where it is inherited from the manifest list (files added by the manifest's own snapshot). */
export interface ManifestEntry {
  readonly status: number;
  readonly snapshotId: bigint | null;
  readonly sequence: bigint | null;
  readonly fileSequence: bigint | null;
  /** The `data_file` record, kept whole so that what other writers put there survives a rewrite. */
  readonly file: AvroRow;
}

const fileFields: readonly AvroField[] = [
  requiredField(134, "content", "int"),
  requiredField(100, "file_path", "string"),
  requiredField(101, "file_format", "string"),
  requiredField(102, "partition", { type: "record", name: "r102", fields: [] }),
  requiredField(103, "record_count", "long"),
  requiredField(104, "file_size_in_bytes", "long"),
  optionalField(108, "column_sizes", integerMap(117, 118, "long")),
  optionalField(109, "value_counts", integerMap(119, 120, "long")),
  optionalField(110, "null_value_counts", integerMap(121, 122, "long")),
  optionalField(137, "nan_value_counts", integerMap(138, 139, "long")),
  optionalField(125, "lower_bounds", integerMap(126, 127, "bytes")),
  optionalField(128, "upper_bounds", integerMap(129, 130, "bytes")),
  optionalField(131, "key_metadata", "bytes"),
  optionalField(132, "split_offsets", { type: "array", items: "long", "element-id": 133 }),
  optionalField(135, "equality_ids", { type: "array", items: "int", "element-id": 136 }),
  optionalField(140, "sort_order_id", "int"),
];

/** The Avro schema of manifest entries of an unpartitioned v2 table (Iceberg spec, "Manifests"). */
const entrySchema: AvroRecord = {
  type: "record",
  name: "manifest_entry",
  fields: [
    requiredField(0, "status", "int"),
    optionalField(1, "snapshot_id", "long"),
    optionalField(3, "sequence_number", "long"),
    optionalField(4, "file_sequence_number", "long"),
    requiredField(2, "data_file", { type: "record", name: "r2", fields: fileFields }),
  ],
};

function longs(counts: ReadonlyMap<number, number>): AvroValue {
  return new Map([...counts].map(([id, count]) => [id, BigInt(count)]));
}

/** The `data_file` record of a Parquet data file at a URI. */
export function dataFileRecord(file: DataFile, uri: string): AvroRow {
  return {
    content: 0,
    file_path: uri,
    file_format: "PARQUET",
    partition: {},
    record_count: BigInt(file.recordCount),
    file_size_in_bytes: BigInt(file.fileSizeBytes),
    column_sizes: longs(file.columnSizes),
    value_counts: longs(file.valueCounts),
    null_value_counts: longs(file.nullValueCounts),
    nan_value_counts: longs(file.nanValueCounts),
    lower_bounds: new Map(file.lowerBounds),
    upper_bounds: new Map(file.upperBounds),
    key_metadata: null,
    split_offsets: file.splitOffsets.map(BigInt),
    equality_ids: null,
    sort_order_id: 0,
  };
}

/** The bytes of a manifest of data files. */
export function encodeManifest(entries: readonly ManifestEntry[], schema: IcebergSchema, sync: Uint8Array): Uint8Array {
  const rows = entries.map((entry): AvroRow => ({
    status: entry.status,
    snapshot_id: entry.snapshotId,
    sequence_number: entry.sequence,
    file_sequence_number: entry.fileSequence,
    data_file: entry.file,
  }));
  const metadata = {
    schema: JSON.stringify(schema),
    "schema-id": String(schema["schema-id"]),
    "partition-spec": "[]",
    "partition-spec-id": "0",
    "format-version": "2",
    content: "data",
  };
  return encodeAvroFile({ schema: entrySchema, metadata, rows }, sync);
}

/** Reads a manifest of any v2 writer. Throws RangeError or SyntaxError on bytes that are none. */
export function decodeManifest(bytes: Uint8Array): ManifestEntry[] {
  return decodeAvroFile(bytes).rows.map((row) => ({
    status: row.status as number,
    snapshotId: (row.snapshot_id ?? null) as bigint | null,
    sequence: (row.sequence_number ?? null) as bigint | null,
    fileSequence: (row.file_sequence_number ?? null) as bigint | null,
    file: row.data_file as AvroRow,
  }));
}
