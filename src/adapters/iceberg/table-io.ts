import type { Probe } from "../../core/ports.ts";
import { SluiceError } from "../../core/errors.ts";
import type { Storage } from "../../core/storage.ts";
import type { AvroRow } from "./avro-schema.ts";
import type { ManifestContent, ManifestEntry } from "./manifest.ts";
import { decodeManifest, encodeManifest, EntryStatus } from "./manifest.ts";
import type { ManifestFile, ManifestListHeader } from "./manifest-list.ts";
import { decodeManifestList, encodeManifestList } from "./manifest-list.ts";
import { partitionOf, summarizePartitions } from "./partition-record.ts";
import { inheritRowIds, ownRowIds, withoutRowIds } from "./row-lineage.ts";
import { pathOfUri } from "./storage-path.ts";
import type { Snapshot, TableMetadata } from "./table-metadata.ts";
import { currentSchema } from "./table-metadata.ts";

/** What writing a table's own files takes. */
export interface TableIo {
  readonly storage: Storage;
  readonly uuid: () => string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly probe: Probe;
}

/** A manifest that a snapshot will add, the bytes of the data files that it adds, and how many partitions those are of (absent: one). */
export interface NewManifest {
  readonly manifest: ManifestFile;
  readonly addedBytes: bigint;
  readonly partitions?: number;
}

async function readWhole<T>(storage: Storage, uri: string, decode: (bytes: Uint8Array) => T): Promise<T> {
  try {
    return decode(await storage.read(pathOfUri(storage, uri)));
  } catch (fault) {
    const damaged = fault instanceof RangeError || fault instanceof SyntaxError || fault instanceof TypeError;
    const missing = fault instanceof SluiceError && fault.code === "NOT_FOUND";
    if (!damaged && !missing) throw fault;
    throw new SluiceError("TABLE_CORRUPT", `${uri} can't be read: ${fault.message}`, { cause: fault });
  }
}

/** The manifests of a snapshot; none for null. Rejects with TABLE_CORRUPT. */
export async function readManifestList(storage: Storage, snapshot: Snapshot | null): Promise<ManifestFile[]> {
  return snapshot === null ? [] : readWhole(storage, snapshot["manifest-list"], decodeManifestList);
}

/** The entries of a manifest, with what they inherit from it filled in. Rejects with TABLE_CORRUPT. */
export async function readManifest(storage: Storage, manifest: ManifestFile): Promise<ManifestEntry[]> {
  const entries = await readWhole(storage, manifest.uri, (bytes) => {
    // An Avro file that was cut between two blocks looks whole.
    if (bytes.length !== manifest.lengthBytes) throw new RangeError(`it has ${bytes.length} bytes of ${manifest.lengthBytes}`);
    return decodeManifest(bytes);
  });
  return inheritRowIds(entries, manifest.firstRowId ?? null).map((entry) => ({
    ...entry,
    snapshotId: entry.snapshotId ?? manifest.addedSnapshotId,
    sequence: entry.sequence ?? manifest.sequence,
    fileSequence: entry.fileSequence ?? manifest.sequence,
  }));
}

/** Writes the manifest of files that a snapshot adds. */
export async function writeAddedManifest(
  io: TableIo,
  metadata: TableMetadata,
  snapshotId: bigint,
  files: readonly AvroRow[],
): Promise<NewManifest> {
  const added = { status: EntryStatus.added, snapshotId, sequence: null, fileSequence: null };
  const entries = files.map((file) => ({ ...added, file: withoutRowIds(file) }));
  const manifest = await writeManifest(io, metadata, snapshotId, entries);
  const tuples = new Set(files.map((file) => keyOfPartition(file.partition as AvroRow)));
  return { manifest, addedBytes: files.reduce((sum, file) => sum + (file.file_size_in_bytes as bigint), 0n), partitions: tuples.size };
}

/** A text that two tuples of one spec share if they are the same. */
export function keyOfPartition(tuple: AvroRow): string {
  const text = (value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value instanceof Uint8Array ? [...value] : value);
  return JSON.stringify(Object.entries(tuple).map(([id, value]) => [id, typeof value, text(value)]));
}

function count(entries: readonly ManifestEntry[], status: number): { readonly files: number; readonly rows: bigint } {
  const matching = entries.filter((entry) => entry.status === status);
  return { files: matching.length, rows: matching.reduce((sum, entry) => sum + (entry.file.record_count as bigint), 0n) };
}

/** The one partition spec that files are of. Throws where they are of several: manifests hold one. */
function specOf(entries: readonly ManifestEntry[]): number {
  const [first, ...others] = new Set(entries.map(({ file }) => (file.spec_id ?? 0) as number));
  if (others.length > 0) throw new Error(`a manifest holds files of one partition spec, not of ${[first, ...others].join(" and ")}`);
  return first ?? 0;
}

/** What a manifest of entries holds. Throws where data files and delete files are mixed: manifests hold one kind. */
function contentOf(entries: readonly ManifestEntry[]): ManifestContent {
  const [first, ...others] = new Set(entries.map(({ file }) => (file.content === 0 ? 0 : 1)));
  if (others.length > 0) throw new Error("a manifest holds data files or delete files, not both");
  return first ?? 0;
}

/** Writes a manifest of data files or of delete files, all of one partition spec; its sequence number is the one of the snapshot that will add it. */
export async function writeManifest(
  io: TableIo,
  metadata: TableMetadata,
  snapshotId: bigint,
  entries: readonly ManifestEntry[],
): Promise<ManifestFile> {
  const partition = partitionOf(metadata, specOf(entries));
  const content = contentOf(entries);
  const bytes = encodeManifest(entries, currentSchema(metadata), io.randomBytes(16), {
    partition,
    content,
    formatVersion: metadata["format-version"],
  });
  const uri = `${metadata.location}/metadata/${io.uuid()}-m0.avro`;
  await writeFile(io, uri, bytes);
  const added = count(entries, EntryStatus.added);
  const existing = count(entries, EntryStatus.existing);
  const deleted = count(entries, EntryStatus.deleted);
  const known = entries.flatMap((entry) => (entry.sequence === null ? [] : [entry.sequence]));
  return {
    uri,
    lengthBytes: bytes.length,
    specId: partition.spec["spec-id"],
    content,
    sequence: null,
    minSequence: known.length === 0 ? null : known.reduce((a, b) => (a < b ? a : b)),
    addedSnapshotId: snapshotId,
    addedFiles: added.files,
    existingFiles: existing.files,
    deletedFiles: deleted.files,
    addedRows: added.rows,
    existingRows: existing.rows,
    deletedRows: deleted.rows,
    partitions: summarizePartitions(
      partition.columns,
      entries.map(({ file }) => file.partition as AvroRow),
    ),
    keyMetadata: null,
    ...(metadata["format-version"] >= 3 && content === 0 && { firstRowId: ownRowIds(entries) }),
  };
}

/** A file that is being written: nobody may be told of it before `written` resolves. */
export interface FileInWriting {
  readonly uri: string;
  readonly written: Promise<void>;
}

async function writeFile({ storage, probe }: TableIo, uri: string, bytes: Uint8Array): Promise<void> {
  await storage.write(pathOfUri(storage, uri), bytes);
  probe("manifest.written");
}

/** Begins to write a snapshot's manifest list. */
export function writeManifestList(
  io: TableIo,
  metadata: TableMetadata,
  header: ManifestListHeader,
  manifests: readonly ManifestFile[],
): FileInWriting {
  const uri = `${metadata.location}/metadata/snap-${header.snapshotId}-0-${io.uuid()}.avro`;
  return { uri, written: writeFile(io, uri, encodeManifestList(manifests, header, io.randomBytes(16))) };
}

/** Begins to write a Puffin file about a snapshot. */
export function writeStatistics(io: TableIo, metadata: TableMetadata, snapshotId: bigint, bytes: Uint8Array): FileInWriting {
  const uri = `${metadata.location}/metadata/stats-${snapshotId}-${io.uuid()}.puffin`;
  return { uri, written: writeFile(io, uri, bytes) };
}
