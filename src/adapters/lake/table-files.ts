import type { BatchSlice } from "../../core/batch.ts";
import { SluiceError } from "../../core/errors.ts";
import type { AvroRow } from "../iceberg/avro-schema.ts";
import type { IcebergSchema } from "../iceberg/data-file.ts";
import { sourceColumns } from "../iceberg/data-file.ts";
import { writeDataFile } from "../iceberg/parquet-data-file.ts";
import { writeQuarantineFile } from "../iceberg/parquet-quarantine-file.ts";
import { dataFileRecord, EntryStatus } from "../iceberg/manifest.ts";
import type { QuarantineRow } from "../iceberg/quarantine-schema.ts";
import { pathOfUri, uriOfPath } from "../iceberg/storage-path.ts";
import type { NewManifest } from "../iceberg/table-io.ts";
import { readManifest, readManifestList, writeAddedManifest } from "../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import { currentSchema } from "../iceberg/table-metadata.ts";
import type { LakeContext } from "./lake-context.ts";

function newPath(context: LakeContext, metadata: TableMetadata, name: string): string {
  return `${pathOfUri(context.storage, metadata.location)}/data/${name}-${context.io.uuid()}.parquet`;
}

/** Rows in a list of slices. */
export function countRows(slices: readonly BatchSlice[]): number {
  return slices.reduce((sum, slice) => sum + slice.rows.length, 0);
}

/** Rejects with TABLE_UNSUPPORTED where another program renamed or dropped a column that the contract has. */
function checkColumns(schema: IcebergSchema, slices: readonly BatchSlice[]): void {
  const known = new Set(schema.fields.map((field) => field.name));
  const wanted = [...Object.values(sourceColumns), ...slices.flatMap(({ batch }) => batch.columns.map((column) => column.field.name))];
  const missing = wanted.find((name) => !known.has(name));
  if (missing !== undefined)
    throw new SluiceError("TABLE_UNSUPPORTED", `another program renamed or dropped column ${missing} of the table`);
}

/** Writes rows that passed as data files of the promoted table; none where there are no rows. */
export async function writePassed(
  context: LakeContext,
  metadata: TableMetadata,
  windowId: string,
  slices: readonly BatchSlice[],
): Promise<AvroRow[]> {
  if (countRows(slices) === 0) return [];
  const schema = currentSchema(metadata);
  checkColumns(schema, slices);
  const path = newPath(context, metadata, windowId);
  const file = await writeDataFile({ storage: context.storage, path, schema, slices });
  context.probe("data-file.written");
  return [dataFileRecord(file, uriOfPath(context.storage, path))];
}

/** Writes record versions as a data file of the quarantine table; none where there are no rows. */
export async function writeQuarantined(
  context: LakeContext,
  metadata: TableMetadata,
  windowId: string,
  rows: Iterable<QuarantineRow>,
): Promise<AvroRow[]> {
  const path = newPath(context, metadata, windowId);
  const file = await writeQuarantineFile({ storage: context.storage, path, rows });
  if (file === null) return [];
  context.probe("quarantine-file.written");
  return [dataFileRecord(file, uriOfPath(context.storage, path))];
}

/** The manifest of files to add under a snapshot id; none for no files. */
export async function manifestsOf(
  context: LakeContext,
  metadata: TableMetadata,
  snapshotId: bigint,
  files: readonly AvroRow[],
): Promise<NewManifest[]> {
  return files.length === 0 ? [] : [await writeAddedManifest(context.io, metadata, snapshotId, files)];
}

/** The data files that one snapshot added. */
export async function filesAddedBy(context: LakeContext, snapshot: Snapshot): Promise<AvroRow[]> {
  const files: AvroRow[] = [];
  for (const manifest of await readManifestList(context.storage, snapshot)) {
    if (manifest.addedSnapshotId !== snapshot["snapshot-id"] || manifest.content !== 0) continue;
    for (const entry of await readManifest(context.storage, manifest)) {
      if (entry.status === EntryStatus.added && entry.snapshotId === snapshot["snapshot-id"]) files.push(entry.file);
    }
  }
  return files;
}
