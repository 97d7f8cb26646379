import type { Storage } from "../../core/storage.ts";
import type { ManifestEntry } from "./manifest.ts";
import type { ManifestFile } from "./manifest-list.ts";
import { readManifest } from "./table-io.ts";

/** Manifests that were read: versions share most of theirs, and none of them ever changes. */
export class ManifestCache {
  readonly #read = new Map<string, Promise<readonly ManifestEntry[]>>();

  /** The entries of a manifest, read once. Rejects with TABLE_CORRUPT, STORAGE_*: the next call then reads again. */
  read(storage: Storage, manifest: ManifestFile): Promise<readonly ManifestEntry[]> {
    const { uri } = manifest;
    const known = this.#read.get(uri);
    if (known !== undefined) return known;
    const read = readManifest(storage, manifest);
    this.#read.set(uri, read);
    read.catch(() => this.#read.delete(uri));
    return read;
  }
}
