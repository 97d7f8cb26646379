import type { Contract } from "../../core/contract.ts";
import type { Decision } from "../../core/decision.ts";
import type { EncodedFile } from "../../core/encoded-file.ts";
import { SluiceError } from "../../core/errors.ts";
import type { AvroRow } from "../iceberg/avro-schema.ts";
import { sourceColumns } from "../../core/table-schema.ts";
import { writeEncodedFile } from "../iceberg/parquet-data-file.ts";
import { writeQuarantineFile } from "../iceberg/parquet-quarantine-file.ts";
import { dataFileRecord, EntryStatus } from "../iceberg/manifest.ts";
import type { QuarantineRow } from "../iceberg/quarantine-schema.ts";
import { partitionOf, partitionRecord } from "../iceberg/partition-record.ts";
import { pathOfUri, uriOfPath } from "../iceberg/storage-path.ts";
import type { NewManifest } from "../iceberg/table-io.ts";
import { readManifest, readManifestList, writeAddedManifest } from "../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import { currentSchema } from "../iceberg/table-metadata.ts";
import type { LakeContext } from "./lake-context.ts";
import { readContracts } from "./table-properties.ts";

/** Where a new data file of a table is put; `name` says what wrote it. */
export function newPath(context: LakeContext, metadata: TableMetadata, name: string): string {
  return `${pathOfUri(context.storage, metadata.location)}/data/${name}-${context.io.uuid()}.parquet`;
}

/** Rejects with TABLE_UNSUPPORTED where another program renamed or dropped a column that the active contract has. */
function checkColumns(metadata: TableMetadata, encoded: EncodedFile, contract: Contract): void {
  // Under the contract before, columns may be gone or have other names by now: readers go by ids.
  if (readContracts(metadata.properties).at(-1)?.hash !== contract.hash) return;
  const current = new Map(currentSchema(metadata).fields.map((field) => [field.name, field.id]));
  const before = new Map(encoded.schema.fields.map((field) => [field.name, field.id]));
  const wanted = [...Object.values(sourceColumns), ...contract.fields.map((field) => field.name)];
  const moved = wanted.find((name) => current.get(name) === undefined || current.get(name) !== before.get(name));
  if (moved !== undefined) throw new SluiceError("TABLE_UNSUPPORTED", `another program renamed or dropped column ${moved} of the table`);
}

/** Writes rows that passed as data files of the promoted table, one a partition; none where there are no rows. */
export async function writePassed(
  context: LakeContext,
  metadata: TableMetadata,
  window: { readonly contract: Contract; readonly decision: Decision; readonly passed: readonly EncodedFile[] },
): Promise<AvroRow[]> {
  const records: AvroRow[] = [];
  for (const passed of window.passed) {
    checkColumns(metadata, passed, window.contract);
    const path = newPath(context, metadata, window.decision.windowId);
    const file = await writeEncodedFile(context.storage, path, passed);
    context.probe("data-file.written");
    const { specId, values } = passed.partition ?? { specId: 0, values: new Map() };
    const record = partitionRecord(partitionOf(metadata, specId).columns, values);
    records.push(dataFileRecord(file, uriOfPath(context.storage, path), { specId, record }));
  }
  return records;
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

/** Manifests of files to add under a snapshot id, one a partition spec; none for no files. */
export async function manifestsOf(
  context: LakeContext,
  metadata: TableMetadata,
  snapshotId: bigint,
  files: readonly AvroRow[],
): Promise<NewManifest[]> {
  const specs = Map.groupBy(files, (file) => (file.spec_id ?? 0) as number);
  const manifests: NewManifest[] = [];
  for (const ofSpec of specs.values()) manifests.push(await writeAddedManifest(context.io, metadata, snapshotId, ofSpec));
  return manifests;
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
