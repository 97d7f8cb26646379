import type { AvroField, AvroRecord, AvroRow } from "./avro-schema.ts";
import { optionalField, requiredField } from "./avro-schema.ts";
import { decodeAvroFile, encodeAvroFile } from "./avro-file.ts";
import type { AvroFile } from "./avro-file.ts";

/** A manifest as a snapshot's manifest list names it. `sequence` is null until the snapshot that adds the manifest has one. */
export interface ManifestFile {
  readonly uri: string;
  readonly lengthBytes: number;
  readonly specId: number;
  /** 0 data, 1 deletes. */
  readonly content: number;
  readonly sequence: bigint | null;
  /** The lowest data sequence number of its files; null with `sequence` where all are new. */
  readonly minSequence: bigint | null;
  readonly addedSnapshotId: bigint;
  readonly addedFiles: number;
  readonly existingFiles: number;
  readonly deletedFiles: number;
  readonly addedRows: bigint;
  readonly existingRows: bigint;
  readonly deletedRows: bigint;
  /** Partition summaries and key metadata of other writers, carried as they are. */
  readonly partitions: AvroRow["partitions"];
  readonly keyMetadata: AvroRow["key_metadata"];
  /** Of v3 tables: the id of its first row without one of its own; null until it is numbered. */
  readonly firstRowId?: bigint | null;
}

const summaryRecord: AvroRecord = {
  type: "record",
  name: "r508",
  fields: [
    requiredField(509, "contains_null", "boolean"),
    optionalField(518, "contains_nan", "boolean"),
    optionalField(510, "lower_bound", "bytes"),
    optionalField(511, "upper_bound", "bytes"),
  ],
};

const listFields: readonly AvroField[] = [
  requiredField(500, "manifest_path", "string"),
  requiredField(501, "manifest_length", "long"),
  requiredField(502, "partition_spec_id", "int"),
  requiredField(517, "content", "int"),
  requiredField(515, "sequence_number", "long"),
  requiredField(516, "min_sequence_number", "long"),
  requiredField(503, "added_snapshot_id", "long"),
  requiredField(504, "added_files_count", "int"),
  requiredField(505, "existing_files_count", "int"),
  requiredField(506, "deleted_files_count", "int"),
  requiredField(512, "added_rows_count", "long"),
  requiredField(513, "existing_rows_count", "long"),
  requiredField(514, "deleted_rows_count", "long"),
  optionalField(507, "partitions", { type: "array", items: summaryRecord, "element-id": 508 }),
  optionalField(519, "key_metadata", "bytes"),
];

const rowIdField = optionalField(520, "first_row_id", "long");

/** The Avro schema of manifest lists of version 2 or 3 (Iceberg spec, "Manifest Lists"). */
const listSchema = (formatVersion: number): AvroRecord => {
  return { type: "record", name: "manifest_file", fields: formatVersion < 3 ? listFields : [...listFields, rowIdField] };
};
const nameOfField = new Map([...listFields, rowIdField].map((field) => [field["field-id"], field.name]));

export interface ManifestListHeader {
  readonly snapshotId: bigint;
  readonly parentId: bigint | null;
  readonly sequence: bigint;
  /** Of v3 tables: the first row id that the snapshot gives. */
  readonly firstRowId?: bigint;
}

/** The bytes of a manifest list, of version 3 where the snapshot gives row ids; manifests without a sequence number take the snapshot's. */
export function encodeManifestList(manifests: readonly ManifestFile[], header: ManifestListHeader, sync: Uint8Array): Uint8Array {
  const rows = manifests.map((manifest): AvroRow => ({
    manifest_path: manifest.uri,
    manifest_length: BigInt(manifest.lengthBytes),
    partition_spec_id: manifest.specId,
    content: manifest.content,
    sequence_number: manifest.sequence ?? header.sequence,
    min_sequence_number: manifest.minSequence ?? header.sequence,
    added_snapshot_id: manifest.addedSnapshotId,
    added_files_count: manifest.addedFiles,
    existing_files_count: manifest.existingFiles,
    deleted_files_count: manifest.deletedFiles,
    added_rows_count: manifest.addedRows,
    existing_rows_count: manifest.existingRows,
    deleted_rows_count: manifest.deletedRows,
    partitions: manifest.partitions ?? null,
    key_metadata: manifest.keyMetadata ?? null,
    first_row_id: manifest.firstRowId ?? null,
  }));
  const formatVersion = header.firstRowId === undefined ? 2 : 3;
  const metadata = {
    "snapshot-id": String(header.snapshotId),
    "parent-snapshot-id": header.parentId === null ? "null" : String(header.parentId),
    "sequence-number": String(header.sequence),
    ...(header.firstRowId !== undefined && { "first-row-id": String(header.firstRowId) }),
    "format-version": String(formatVersion),
  };
  return encodeAvroFile({ schema: listSchema(formatVersion), metadata, rows }, sync);
}

/** Rows under our field names: older writers call `added_files_count` and its like otherwise, with the same ids. */
function byFieldId(file: AvroFile): AvroRow[] {
  const renamed = file.schema.fields.map((field) => [field.name, nameOfField.get(field["field-id"]) ?? field.name] as const);
  return file.rows.map((row) => Object.fromEntries(renamed.map(([from, to]) => [to, row[from] ?? null])));
}

/** Reads a manifest list of any writer of version 2 or 3. Throws RangeError or SyntaxError on bytes that are none. */
export function decodeManifestList(bytes: Uint8Array): ManifestFile[] {
  return byFieldId(decodeAvroFile(bytes)).map((row) => ({
    uri: row.manifest_path as string,
    lengthBytes: Number(row.manifest_length),
    specId: row.partition_spec_id as number,
    content: row.content as number,
    sequence: row.sequence_number as bigint,
    minSequence: row.min_sequence_number as bigint,
    addedSnapshotId: row.added_snapshot_id as bigint,
    addedFiles: row.added_files_count as number,
    existingFiles: row.existing_files_count as number,
    deletedFiles: row.deleted_files_count as number,
    addedRows: row.added_rows_count as bigint,
    existingRows: row.existing_rows_count as bigint,
    deletedRows: row.deleted_rows_count as bigint,
    partitions: row.partitions ?? null,
    keyMetadata: row.key_metadata ?? null,
    ...((row.first_row_id ?? null) !== null && { firstRowId: row.first_row_id as bigint }),
  }));
}
