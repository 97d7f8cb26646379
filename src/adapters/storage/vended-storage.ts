import type { Storage, StoredFile } from "../../core/storage.ts";
import type { OpenedStorage } from "./opened-storage.ts";
import type { S3Credentials } from "./s3-storage.ts";
import type { VendedKeys } from "./vended-keys.ts";

/** Opens the same place with keys that are asked for when they are needed; new files are first tried in `folder` (empty: the root). */
type OpenWith = (credentials: () => Promise<S3Credentials>, folder: string) => OpenedStorage;

/** The part of a prefix that lies inside of a root, as a folder; empty for the root and what is around it. */
function folderOf(root: string, prefix: string): string {
  return prefix.length > root.length ? prefix.slice(root.length).replace(/^\/|\/$/g, "") : "";
}

/** A storage whose files are reached with the keys that were handed out for them, by the longest prefix; those that none were for, with its own. */
export function withVendedKeys(own: OpenedStorage, keys: VendedKeys, openWith: OpenWith): OpenedStorage {
  const { root } = own.storage;
  const opened = new Map<string, OpenedStorage>();
  const at = (path: string): Storage => {
    const prefix = keys.prefixOf(`${root}/${path}`);
    if (prefix === null) return own.storage;
    let one = opened.get(prefix);
    if (one === undefined) {
      one = openWith(() => keys.keysOf(prefix), folderOf(root, prefix));
      opened.set(prefix, one);
    }
    return one.storage;
  };
  const storage: Storage = {
    root,
    read: (path) => at(path).read(path),
    readRange: (path, from, to) => at(path).readRange(path, from, to),
    write: (path, bytes) => at(path).write(path, bytes),
    create: (path) => at(path).create(path),
    exists: (path) => at(path).exists(path),
    sizeBytes: (path) => at(path).sizeBytes(path),
    delete: (path) => at(path).delete(path),
    list: (folder): AsyncIterable<string> => at(`${folder}/`).list(folder),
    files: (folder): AsyncIterable<StoredFile> => at(`${folder}/`).files(folder),
  };
  return {
    storage,
    close: () => {
      own.close();
      for (const one of opened.values()) one.close();
    },
  };
}
