import type { AvroRow } from "./avro-schema.ts";
import type { ManifestEntry } from "./manifest.ts";
import { EntryStatus } from "./manifest.ts";
import { ManifestCache } from "./manifest-cache.ts";
import type { ManifestFile } from "./manifest-list.ts";
import { pathOfUri } from "./storage-path.ts";
import type { TableIo } from "./table-io.ts";
import { keyOfPartition, writeManifest } from "./table-io.ts";
import type { Snapshot, TableMetadata } from "./table-metadata.ts";

/** A file that takes the place of others. */
export interface NewFile {
  readonly file: AvroRow;
  /** Data sequence number: that of the newest file it takes the place of, so that deletes which apply to later rows only stay so (spec, "Scan Planning"). */
  readonly sequence: bigint;
}

/** Which data files of a snapshot go, by URI, and which come for them. */
export interface ReplacedFiles {
  readonly removed: ReadonlySet<string>;
  readonly added: readonly NewFile[];
  /** Delete files that go, by URI: of no use once no data file is left that they apply to. */
  readonly removedDeletes?: ReadonlySet<string>;
  /** Kept between attempts at the very same replacement: manifests are then written once, and belong to whoever keeps it. */
  readonly cache?: ReplacementCache;
}

/** What one attempt at a replacement leaves for the next: the less each has to do, the rarer others are first. */
export class ReplacementCache {
  readonly manifests = new ManifestCache();
  readonly rewritten = new Map<string, RewrittenManifest>();
  added: readonly ManifestFile[] | null = null;

  /** What is to be replaced is something else now. */
  forgetWritten(): void {
    this.rewritten.clear();
    this.added = null;
  }
}

interface RewrittenManifest {
  readonly manifest: ManifestFile;
  readonly gone: readonly AvroRow[];
}

/** The manifests of a snapshot after a replacement. */
export interface Replaced {
  readonly manifests: readonly ManifestFile[];
  /** URIs of the manifests that were written for it alone: none with a cache. */
  readonly written: readonly string[];
  readonly removed: readonly AvroRow[];
  readonly added: readonly AvroRow[];
  readonly removedDeletes: readonly AvroRow[];
}

interface Replacing extends ReplacedFiles {
  readonly snapshotId: bigint;
  readonly manifests: readonly ManifestFile[];
}

async function rewritten(
  io: TableIo,
  metadata: TableMetadata,
  manifest: ManifestFile,
  { snapshotId, removed: data, removedDeletes, cache = new ReplacementCache() }: Replacing,
): Promise<RewrittenManifest> {
  const known = cache.rewritten.get(manifest.uri);
  if (known !== undefined) return known;
  const live = (await cache.manifests.read(io.storage, manifest)).filter((entry) => entry.status !== EntryStatus.deleted);
  const removed = manifest.content === 0 ? data : removedDeletes;
  const isGone = ({ file }: ManifestEntry): boolean => removed?.has(file.file_path as string) === true;
  const gone = live.filter(isGone);
  if (gone.length === 0) return { manifest, gone: [] };
  const entries = live.map((entry): ManifestEntry =>
    // Bounds are values of rows: they go with the file.
    isGone(entry)
      ? { ...entry, status: EntryStatus.deleted, snapshotId, file: { ...entry.file, lower_bounds: null, upper_bounds: null } }
      : { ...entry, status: EntryStatus.existing },
  );
  const written = { manifest: await writeManifest(io, metadata, snapshotId, entries), gone: gone.map(({ file }) => file) };
  cache.rewritten.set(manifest.uri, written);
  return written;
}

/** New files in manifests of their own, one a partition spec. */
async function addedManifests(io: TableIo, metadata: TableMetadata, { snapshotId, added }: Replacing): Promise<ManifestFile[]> {
  const bySpec = Map.groupBy(added, ({ file }) => (file.spec_id ?? 0) as number);
  const manifests: ManifestFile[] = [];
  for (const files of bySpec.values()) {
    const entries = files.map(({ file, sequence }) => ({ status: EntryStatus.added, snapshotId, sequence, fileSequence: null, file }));
    manifests.push(await writeManifest(io, metadata, snapshotId, entries));
  }
  return manifests;
}

/** Manifests with files taken out and others put in; null where one that is to go is not there. */
export async function replaceFiles(io: TableIo, metadata: TableMetadata, replacing: Replacing): Promise<Replaced | null> {
  const written: string[] = [];
  const removed: AvroRow[] = [];
  const removedDeletes: AvroRow[] = [];
  const manifests: ManifestFile[] = [];
  for (const before of replacing.manifests) {
    const found = before.content === 0 ? removed : removedDeletes;
    // A data file is in one entry; a Puffin file in as many as it has vectors, in any manifests.
    const isTouchable = before.content === 0 ? removed.length < replacing.removed.size : (replacing.removedDeletes?.size ?? 0) > 0;
    const { manifest, gone } = isTouchable ? await rewritten(io, metadata, before, replacing) : { manifest: before, gone: [] };
    manifests.push(manifest);
    found.push(...gone);
    if (manifest !== before) written.push(manifest.uri);
  }
  const { cache } = replacing;
  if (removed.length !== replacing.removed.size) {
    for (const uri of cache === undefined ? written : []) await discardManifest(io, uri);
    return null;
  }
  const added = cache?.added ?? (await addedManifests(io, metadata, replacing));
  if (cache !== undefined) cache.added = added;
  return {
    manifests: [...added, ...manifests],
    written: cache === undefined ? [...written, ...added.map((each) => each.uri)] : [],
    removed,
    added: replacing.added.map(({ file }) => file),
    removedDeletes,
  };
}

async function discardManifest(io: TableIo, uri: string): Promise<void> {
  await io.storage.delete(pathOfUri(io.storage, uri));
}

function sum(files: readonly AvroRow[], key: string): bigint {
  return files.reduce((total, file) => total + (file[key] as bigint), 0n);
}

/** What a summary says of a replacement (spec, "Optional Snapshot Summary Fields"), besides the totals of manifests. */
export function replacedSummary(parent: Snapshot | null, { removed, added, removedDeletes }: Replaced): Record<string, string> {
  const before = parent?.summary["total-files-size"];
  const [bytesRemoved, bytesAdded] = [sum([...removed, ...removedDeletes], "file_size_in_bytes"), sum(added, "file_size_in_bytes")];
  const partitions = new Set(
    [...removed, ...added].map((file) => `${(file.spec_id ?? 0) as number} ${keyOfPartition((file.partition ?? {}) as AvroRow)}`),
  );
  const positions = removedDeletes.filter(({ content }) => content === 1);
  const equalities = removedDeletes.filter(({ content }) => content === 2);
  const kept = (key: string, gone: readonly AvroRow[]): Record<string, string> => {
    const value = parent?.summary[key];
    return value === undefined ? {} : { [key]: String(BigInt(value) - sum(gone, "record_count")) };
  };
  return {
    operation: "replace",
    "added-data-files": String(added.length),
    "deleted-data-files": String(removed.length),
    "added-records": String(sum(added, "record_count")),
    "deleted-records": String(sum(removed, "record_count")),
    "added-files-size": String(bytesAdded),
    "removed-files-size": String(bytesRemoved),
    "changed-partition-count": String(partitions.size),
    ...(before === undefined ? {} : { "total-files-size": String(BigInt(before) + bytesAdded - bytesRemoved) }),
    ...(removedDeletes.length > 0 && {
      "removed-delete-files": String(removedDeletes.length),
      "removed-position-deletes": String(sum(positions, "record_count")),
      "removed-equality-deletes": String(sum(equalities, "record_count")),
    }),
    ...kept("total-position-deletes", positions),
    ...kept("total-equality-deletes", equalities),
  };
}
