import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { EntryStatus } from "../../iceberg/manifest.ts";
import type { ManifestFile } from "../../iceberg/manifest-list.ts";
import { readManifest, readManifestList } from "../../iceberg/table-io.ts";
import type { Snapshot } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";

/** A data file of a version, with the manifest entry that names it and the partition spec that it was written by. */
export interface LiveFile {
  readonly path: string;
  readonly entry: ManifestEntry;
  readonly specId: number;
}

/** Manifests that were read, by URI: two versions share most of theirs, and none of them ever changes. */
export type ManifestCache = Map<string, Promise<readonly ManifestEntry[]>>;

/** The entries of a manifest, read once. Rejects with TABLE_CORRUPT. */
export async function entriesOf(context: LakeContext, manifest: ManifestFile, cache: ManifestCache): Promise<readonly ManifestEntry[]> {
  let read = cache.get(manifest.uri);
  if (read === undefined) {
    read = readManifest(context.storage, manifest);
    cache.set(manifest.uri, read);
  }
  return read;
}

/** The data files of a version. */
export async function liveFiles(context: LakeContext, snapshot: Snapshot | null, cache: ManifestCache = new Map()): Promise<LiveFile[]> {
  const files: LiveFile[] = [];
  for (const manifest of await readManifestList(context.storage, snapshot)) {
    if (manifest.content !== 0) continue;
    for (const entry of await entriesOf(context, manifest, cache)) {
      if (entry.status !== EntryStatus.deleted) files.push({ path: entry.file.file_path as string, entry, specId: manifest.specId });
    }
  }
  return files;
}

/** Paths of data files that a snapshot itself took out of the table. */
export async function filesRemovedBy(context: LakeContext, snapshot: Snapshot, cache: ManifestCache = new Map()): Promise<Set<string>> {
  const removed = new Set<string>();
  for (const manifest of await readManifestList(context.storage, snapshot)) {
    if (manifest.content !== 0 || manifest.addedSnapshotId !== snapshot["snapshot-id"]) continue;
    for (const entry of await entriesOf(context, manifest, cache)) {
      if (entry.status === EntryStatus.deleted) removed.add(entry.file.file_path as string);
    }
  }
  return removed;
}
