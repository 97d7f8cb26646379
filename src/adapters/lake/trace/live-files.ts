import type { Storage } from "../../../core/storage.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import { EntryStatus, type ManifestEntry } from "../../iceberg/manifest.ts";
import type { ManifestFile } from "../../iceberg/manifest-list.ts";
import { readManifest, readManifestList } from "../../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotOfRef } from "../../iceberg/table-metadata.ts";

/** A data file that some version of a table holds. */
export interface LiveFile {
  readonly file: AvroRow;
  readonly addedBy: bigint;
  /** Branches and tags whose version holds it. */
  readonly refs: Set<string>;
}

/** The versions that branches and tags name. */
export function namedVersions(metadata: TableMetadata): (readonly [string, Snapshot])[] {
  return Object.keys(metadata.refs)
    .toSorted()
    .flatMap((ref) => {
      const snapshot = snapshotOfRef(metadata, ref);
      return snapshot === null ? [] : [[ref, snapshot] as const];
    });
}

/** Reads manifests, each once: versions of a table share nearly all of theirs. */
export class ManifestReader {
  readonly #storage: Storage;
  readonly #entries = new Map<string, Promise<readonly ManifestEntry[]>>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Data files of the versions, by their URI. Versions without a name (null) add files, and no ref. */
  async files(versions: readonly (readonly [string | null, Snapshot])[]): Promise<Map<string, LiveFile>> {
    const files = new Map<string, LiveFile>();
    for (const [ref, snapshot] of versions) {
      for (const manifest of await readManifestList(this.#storage, snapshot)) {
        if (manifest.content !== 0) continue;
        for (const entry of await this.#read(manifest)) {
          if (entry.status === EntryStatus.deleted) continue;
          const uri = entry.file.file_path as string;
          const known = files.get(uri) ?? { file: entry.file, addedBy: entry.snapshotId ?? snapshot["snapshot-id"], refs: new Set() };
          if (ref !== null) known.refs.add(ref);
          files.set(uri, known);
        }
      }
    }
    return files;
  }

  #read(manifest: ManifestFile): Promise<readonly ManifestEntry[]> {
    let entries = this.#entries.get(manifest.uri);
    if (entries === undefined) {
      entries = readManifest(this.#storage, manifest);
      this.#entries.set(manifest.uri, entries);
    }
    return entries;
  }
}
