import { EntryStatus } from "../adapters/iceberg/manifest.ts";
import { ownPath, tableFolders } from "../adapters/iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../adapters/iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../adapters/iceberg/table-metadata.ts";
import { statisticsFiles } from "../adapters/iceberg/table-metadata.ts";
import { SluiceError } from "../core/errors.ts";
import type { Storage } from "../core/storage.ts";

/** Files that a table's metadata leads to, the metadata files themselves last. What can't be read any more leads nowhere. */
async function* filesOf(storage: Storage, metadataLocation: string, metadata: TableMetadata): AsyncIterable<string> {
  const manifests = new Set<string>();
  const files = new Set<string>();
  // Snapshots of the oldest tables name manifests themselves, and no list: their files stay.
  const listed = metadata.snapshots.filter((snapshot: Partial<Snapshot>) => snapshot["manifest-list"] !== undefined);
  for (const snapshot of listed) {
    for (const manifest of await readable(() => readManifestList(storage, snapshot))) {
      if (manifests.has(manifest.uri)) continue;
      manifests.add(manifest.uri);
      for (const { status, file } of await readable(() => readManifest(storage, manifest))) {
        const uri = file.file_path as string;
        if (status === EntryStatus.deleted || files.has(uri)) continue;
        files.add(uri);
        yield uri;
      }
    }
  }
  yield* manifests;
  for (const snapshot of listed) yield snapshot["manifest-list"];
  for (const each of statisticsFiles(metadata)) yield each["statistics-path"];
  for (const entry of metadata["metadata-log"]) yield entry["metadata-file"];
  yield metadataLocation;
}

async function readable<T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read();
  } catch (fault) {
    if (fault instanceof SluiceError && (fault.code === "TABLE_CORRUPT" || fault.code === "TABLE_UNSUPPORTED")) return [];
    throw fault;
  }
}

/**
 * Deletes what a dropped table's metadata leads to, and only what stands in the table's own folders, of archives too: files that were added from elsewhere may be
 * another's. Answers how many files went.
 */
export async function purge(
  storage: Storage,
  table: { readonly metadataLocation: string; readonly metadata: TableMetadata },
): Promise<number> {
  const folders = tableFolders(storage, table.metadata.location).map((each) => `${each}/`);
  let count = 0;
  for await (const uri of filesOf(storage, table.metadataLocation, table.metadata)) {
    const path = ownPath(storage, uri);
    if (path === null || !folders.some((folder) => path.startsWith(folder))) continue;
    await storage.delete(path);
    count++;
  }
  return count;
}
