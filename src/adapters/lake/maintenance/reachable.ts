import type { Storage } from "../../../core/storage.ts";
import { EntryStatus } from "../../iceberg/manifest.ts";
import type { ManifestFile } from "../../iceberg/manifest-list.ts";
import { ownPath } from "../../iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { statisticsFiles } from "../../iceberg/table-metadata.ts";

/** The manifests of some snapshots, each once, by URI. */
async function manifestsOf(storage: Storage, snapshots: readonly Snapshot[]): Promise<Map<string, ManifestFile>> {
  const manifests = new Map<string, ManifestFile>();
  for (const snapshot of snapshots) for (const each of await readManifestList(storage, snapshot)) manifests.set(each.uri, each);
  return manifests;
}

/**
 * Paths of files that the snapshots removed between two versions of a table reached and no remaining one does: manifest lists, manifests, data and delete
 * files, statistics. Only those may be deleted after an expiry; the paths are of this storage.
 */
export async function unreachedFiles(storage: Storage, before: TableMetadata, after: TableMetadata): Promise<string[]> {
  const remaining = new Set(after.snapshots.map((each) => each["snapshot-id"]));
  const removed = before.snapshots.filter((each) => !remaining.has(each["snapshot-id"]));
  if (removed.length === 0) return [];
  const kept = await manifestsOf(storage, after.snapshots);
  const dead = [...(await manifestsOf(storage, removed)).values()].filter((each) => !kept.has(each.uri));
  const files = new Set<string>();
  for (const manifest of dead) for (const { file } of await readManifest(storage, manifest)) files.add(file.file_path as string);
  for (const manifest of files.size === 0 ? [] : kept.values()) {
    for (const entry of await readManifest(storage, manifest)) {
      if (entry.status !== EntryStatus.deleted) files.delete(entry.file.file_path as string);
    }
  }
  const lists = new Set(removed.map((each) => each["manifest-list"]));
  for (const each of after.snapshots) lists.delete(each["manifest-list"]);
  const statistics = new Set(statisticsFiles(before).map((each) => each["statistics-path"]));
  for (const each of statisticsFiles(after)) statistics.delete(each["statistics-path"]);
  const uris = [...files, ...dead.map((each) => each.uri), ...lists, ...statistics];
  return uris.flatMap((uri) => ownPath(storage, uri) ?? []);
}

/** Paths of every file that a version of a table reaches, itself and the versions in its log included. Rejects with TABLE_CORRUPT where one can't be read. */
export async function reachedFiles(
  storage: Storage,
  table: { readonly metadataLocation: string; readonly metadata: TableMetadata },
): Promise<Set<string>> {
  const { metadata, metadataLocation } = table;
  const paths = new Set<string>();
  const add = (uri: string): void => {
    const path = ownPath(storage, uri);
    if (path !== null) paths.add(path);
  };
  add(metadataLocation);
  for (const each of metadata["metadata-log"]) add(each["metadata-file"]);
  for (const each of statisticsFiles(metadata)) add(each["statistics-path"]);
  for (const each of metadata.snapshots) add(each["manifest-list"]);
  for (const manifest of (await manifestsOf(storage, metadata.snapshots)).values()) {
    add(manifest.uri);
    for (const entry of await readManifest(storage, manifest))
      if (entry.status !== EntryStatus.deleted) add(entry.file.file_path as string);
  }
  return paths;
}
