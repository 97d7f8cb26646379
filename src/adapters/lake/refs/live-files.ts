import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { EntryStatus } from "../../iceberg/manifest.ts";
import { ManifestCache } from "../../iceberg/manifest-cache.ts";
import { readManifestList } from "../../iceberg/table-io.ts";
import type { Snapshot } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";

/** A data file of a version, with the manifest entry that names it and the partition spec that it was written by. */
export interface LiveFile {
  readonly path: string;
  readonly entry: ManifestEntry;
  readonly specId: number;
}

/** The data files of a version. */
export async function liveFiles(context: LakeContext, snapshot: Snapshot | null, cache = new ManifestCache()): Promise<LiveFile[]> {
  const files: LiveFile[] = [];
  for (const manifest of await readManifestList(context.storage, snapshot)) {
    if (manifest.content !== 0) continue;
    for (const entry of await cache.read(context.storage, manifest)) {
      if (entry.status !== EntryStatus.deleted) files.push({ path: entry.file.file_path as string, entry, specId: manifest.specId });
    }
  }
  return files;
}

/** Paths of data files that a snapshot itself took out of the table. */
export async function filesRemovedBy(context: LakeContext, snapshot: Snapshot, cache = new ManifestCache()): Promise<Set<string>> {
  const removed = new Set<string>();
  for (const manifest of await readManifestList(context.storage, snapshot)) {
    if (manifest.content !== 0 || manifest.addedSnapshotId !== snapshot["snapshot-id"]) continue;
    for (const entry of await cache.read(context.storage, manifest)) {
      if (entry.status === EntryStatus.deleted) removed.add(entry.file.file_path as string);
    }
  }
  return removed;
}
