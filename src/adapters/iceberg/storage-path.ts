import { SluiceError } from "../../core/errors.ts";
import type { Storage } from "../../core/storage.ts";

/** A file's path inside a storage by its URI. Rejects with TABLE_UNSUPPORTED a file that is elsewhere. */
export function pathOfUri(storage: Storage, uri: string): string {
  // Java writes file:/path where others write file:///path; Hadoop has names of its own for S3.
  const normal = uri.replace(/^file:\/(?!\/)/, "file:///").replace(/^s3[an]:/, "s3:");
  if (!normal.startsWith(`${storage.root}/`)) {
    throw new SluiceError("TABLE_UNSUPPORTED", `${uri} is outside of the lake's folder ${storage.root}`);
  }
  const path = normal.slice(storage.root.length + 1);
  if (path.split("/").some((part) => part === "" || part === "." || part === ".." || part.includes("\0"))) {
    throw new SluiceError("TABLE_UNSUPPORTED", `${uri} names no file inside of the lake's folder`);
  }
  return path;
}

/** A file's path inside a storage by its URI; null where it is elsewhere, and so none of ours to delete. */
export function ownPath(storage: Storage, uri: string): string | null {
  try {
    return pathOfUri(storage, uri);
  } catch (fault) {
    if (fault instanceof SluiceError && fault.code === "TABLE_UNSUPPORTED") return null;
    throw fault;
  }
}

/** The URI of a file of a storage. */
export function uriOfPath(storage: Storage, path: string): string {
  return `${storage.root}/${path}`;
}
