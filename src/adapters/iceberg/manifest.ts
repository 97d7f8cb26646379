import type { AvroField, AvroRecord, AvroRow, AvroValue } from "./avro-schema.ts";
import { integerMap, optionalField, requiredField } from "./avro-schema.ts";
import { decodeAvroFile, encodeAvroFile } from "./avro-file.ts";
import { writeLosslessJson } from "./lossless-json.ts";
import type { DataFile } from "./data-file.ts";
import type { ManifestPartition } from "./partition-record.ts";
import { namedPartition, partitionSchema, unpartitioned } from "./partition-record.ts";
import type { IcebergSchema } from "../../core/table-schema.ts";

export const EntryStatus = { existing: 0, added: 1, deleted: 2 } as const;

/** One file in a manifest. `sequence` is null where it is inherited from the manifest list (files added by the manifest's own snapshot). */
export interface ManifestEntry {
  readonly status: number;
  readonly snapshotId: bigint | null;
  readonly sequence: bigint | null;
  readonly fileSequence: bigint | null;
  /**
   * The `data_file` record, kept whole so that what other writers put there survives a rewrite. Beside Iceberg's own fields `spec_id` is the partition
   * spec that the file is of, and `partition` goes by partition field ids in decimal digits.
   */
  readonly file: AvroRow;
}

/** Content of a file or manifest: 0 data; files of deletes have 1 (positions, vectors) or 2 (values), manifests of them 1. */
export type ManifestContent = 0 | 1;

const fileFields = (partition: AvroRecord, formatVersion: number, content: ManifestContent): readonly AvroField[] => [
  requiredField(134, "content", "int"),
  requiredField(100, "file_path", "string"),
  requiredField(101, "file_format", "string"),
  requiredField(102, "partition", partition),
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
  ...(formatVersion < 3 ? [] : [optionalField(142, "first_row_id", "long")]),
  ...(content === 0 ? [] : [optionalField(143, "referenced_data_file", "string")]),
  ...(content === 0 || formatVersion < 3
    ? []
    : [optionalField(144, "content_offset", "long"), optionalField(145, "content_size_in_bytes", "long")]),
];

/** The Avro schema of manifest entries of a table of version 2 or 3 (Iceberg spec, "Manifests"). */
const entrySchema = (partition: AvroRecord, formatVersion: number, content: ManifestContent): AvroRecord => ({
  type: "record",
  name: "manifest_entry",
  fields: [
    requiredField(0, "status", "int"),
    optionalField(1, "snapshot_id", "long"),
    optionalField(3, "sequence_number", "long"),
    optionalField(4, "file_sequence_number", "long"),
    requiredField(2, "data_file", { type: "record", name: "r2", fields: fileFields(partition, formatVersion, content) }),
  ],
});

function longs(counts: ReadonlyMap<number, number>): AvroValue {
  return new Map([...counts].map(([id, count]) => [id, BigInt(count)]));
}

/** The `data_file` record of a Parquet data file at a URI; `partition`: its spec and tuple (`partitionRecord`), of spec 0 without. */
export function dataFileRecord(
  file: DataFile,
  uri: string,
  partition: { readonly specId: number; readonly record: AvroRow } = { specId: 0, record: {} },
): AvroRow {
  return {
    content: 0,
    file_path: uri,
    file_format: "PARQUET",
    spec_id: partition.specId,
    partition: partition.record,
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
    sort_order_id: file.sortOrderId ?? 0,
  };
}

/** The bytes of a manifest of data files, or of delete files (`content` 1), all of one partition spec. */
export function encodeManifest(
  entries: readonly ManifestEntry[],
  schema: IcebergSchema,
  sync: Uint8Array,
  {
    partition = unpartitioned,
    formatVersion = 2,
    content = 0,
  }: { readonly partition?: ManifestPartition; readonly formatVersion?: number; readonly content?: ManifestContent } = {},
): Uint8Array {
  const { spec, columns } = partition;
  const rows = entries.map((entry): AvroRow => ({
    status: entry.status,
    snapshot_id: entry.snapshotId,
    sequence_number: entry.sequence,
    file_sequence_number: entry.fileSequence,
    data_file: { ...entry.file, partition: namedPartition(columns, entry.file["partition"] as AvroRow) },
  }));
  const metadata = {
    schema: writeLosslessJson(schema),
    "schema-id": String(schema["schema-id"]),
    "partition-spec": JSON.stringify(spec.fields),
    "partition-spec-id": String(spec["spec-id"]),
    "format-version": String(formatVersion),
    content: content === 0 ? "data" : "deletes",
  };
  return encodeAvroFile({ schema: entrySchema(partitionSchema(columns), formatVersion, content), metadata, rows }, sync);
}

/** Reads a manifest of any writer of version 2 or 3. Throws RangeError or SyntaxError on bytes that are none. */
export function decodeManifest(bytes: Uint8Array): ManifestEntry[] {
  const { rows, schema, metadata } = decodeAvroFile(bytes);
  const ids = partitionIds(schema);
  const specId = Number(metadata["partition-spec-id"] ?? 0);
  return rows.map((row) => {
    const file = row["data_file"] as AvroRow;
    const tuple = Object.entries((file["partition"] ?? {}) as AvroRow).flatMap(([name, value]) => {
      const id = ids.get(name);
      return id === undefined ? [] : [[String(id), value] as const];
    });
    return {
      status: row["status"] as number,
      snapshotId: (row["snapshot_id"] ?? null) as bigint | null,
      sequence: (row["sequence_number"] ?? null) as bigint | null,
      fileSequence: (row["file_sequence_number"] ?? null) as bigint | null,
      file: { ...file, spec_id: specId, partition: Object.fromEntries(tuple) },
    };
  });
}

/** Partition field ids by their names in a manifest's Avro schema. */
function partitionIds(entry: AvroRecord): ReadonlyMap<string, number> {
  const file = entry.fields.find((field) => field.name === "data_file")?.type as AvroRecord | undefined;
  const partition = file?.fields.find((field) => field.name === "partition")?.type as AvroRecord | undefined;
  const fields = partition?.fields ?? [];
  return new Map(fields.flatMap((field) => (field["field-id"] === undefined ? [] : [[field.name, field["field-id"]] as const])));
}
