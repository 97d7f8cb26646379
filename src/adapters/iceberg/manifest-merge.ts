import type { ManifestEntry } from "./manifest.ts";
import { EntryStatus } from "./manifest.ts";
import type { ManifestFile } from "./manifest-list.ts";
import { isWritable } from "./partition-record.ts";
import type { TableIo } from "./table-io.ts";
import { readManifest, writeManifest } from "./table-io.ts";
import type { TableMetadata } from "./table-metadata.ts";

/** How many manifests of one size make one of the next. */
const fanIn = 16;
/** Manifests from this size on are left alone (Iceberg's own target). */
const targetBytes = 8 * 1024 * 1024;

/** Merges that one commit has written: its later attempts use them again. Keys are the URIs that were merged. */
export type MergeCache = Map<string, ManifestFile>;

function levelOf(manifest: ManifestFile): number {
  return Math.floor(Math.log(Math.max(1, manifest.addedFiles + manifest.existingFiles)) / Math.log(fanIn));
}

/** Manifests that may become one: of the same partition spec and size. */
interface MergeGroup {
  readonly level: number;
  readonly manifests: ManifestFile[];
}

function isMergeable(manifest: ManifestFile): boolean {
  const files = manifest.addedFiles + manifest.existingFiles;
  return manifest.content === 0 && manifest.keyMetadata === null && manifest.lengthBytes < targetBytes && files > 0;
}

/**
 * Manifests that should become one: the first `fanIn` of the lowest size that has as many; none for most commits. Each file is so rewritten once
 * a level, and a table of n files keeps about 15 log16(n) manifests.
 */
export function planMerge(manifests: readonly ManifestFile[]): readonly ManifestFile[] {
  const groups = new Map<string, MergeGroup>();
  for (const manifest of manifests) {
    if (!isMergeable(manifest)) continue;
    const level = levelOf(manifest);
    const key = `${manifest.specId}:${level}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { level, manifests: [manifest] });
    else group.manifests.push(manifest);
  }
  const full = [...groups.values()].filter((group) => group.manifests.length >= fanIn).toSorted((a, b) => a.level - b.level)[0];
  // The oldest stand last: they are the least likely to be wanted by a reader that prunes by time.
  return full === undefined ? [] : full.manifests.slice(-fanIn);
}

async function merge(io: TableIo, metadata: TableMetadata, snapshotId: bigint, group: readonly ManifestFile[]): Promise<ManifestFile> {
  const entries: ManifestEntry[] = [];
  for (const manifest of group) {
    for (const entry of await readManifest(io.storage, manifest)) {
      if (entry.status !== EntryStatus.deleted) entries.push({ ...entry, status: EntryStatus.existing });
    }
  }
  return writeManifest(io, metadata, snapshotId, entries);
}

/** The manifests of a parent snapshot as the next snapshot lists them, merged where `planMerge` says so. */
export async function mergeManifests(
  io: TableIo,
  metadata: TableMetadata,
  snapshotId: bigint,
  manifests: readonly ManifestFile[],
  cache: MergeCache,
): Promise<readonly ManifestFile[]> {
  const group = planMerge(manifests.filter((manifest) => isWritable(metadata, manifest.specId)));
  if (group.length === 0) return manifests;
  const key = group.map((manifest) => manifest.uri).join("\n");
  const merged = cache.get(key) ?? (await merge(io, metadata, snapshotId, group));
  cache.set(key, merged);
  const gone = new Set(group);
  return [merged, ...manifests.filter((manifest) => !gone.has(manifest))];
}
