import { SluiceError } from "../../core/errors.ts";
import type { Storage } from "../../core/storage.ts";

/** Prefixes of URIs and of the paths that they are, the longest first: an archive may stand inside of the warehouse, or around it. */
function rootsOf({ root, archives = [] }: Storage): { readonly uri: string; readonly path: string }[] {
  const own = { uri: `${root}/`, path: "" };
  if (archives.length === 0) return [own];
  return [own, ...archives.map((each) => ({ uri: `${each.root}/`, path: `@${each.name}/` }))].toSorted(
    (a, b) => b.uri.length - a.uri.length,
  );
}

/** A file's path inside a storage or one of its archives by its URI. Rejects with TABLE_UNSUPPORTED a file that is elsewhere. */
export function pathOfUri(storage: Storage, uri: string): string {
  // Java writes file:/path where others write file:///path; Hadoop has names of its own for S3.
  const normal = uri.replace(/^file:\/(?!\/)/, "file:///").replace(/^s3[an]:/, "s3:");
  const root = rootsOf(storage).find((each) => normal.startsWith(each.uri));
  if (root === undefined) {
    throw new SluiceError("TABLE_UNSUPPORTED", `${uri} is outside of the lake's folder ${storage.root}, and in none of its archives`);
  }
  const path = normal.slice(root.uri.length);
  if (path.split("/").some((part) => part === "" || part === "." || part === ".." || part.includes("\0"))) {
    throw new SluiceError("TABLE_UNSUPPORTED", `${uri} names no file inside of the lake's folder`);
  }
  return `${root.path}${path}`;
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

/** The URI of a file of a storage or of one of its archives. */
export function uriOfPath({ root, archives = [] }: Storage, path: string): string {
  const archive = archives.find((each) => path.startsWith(`@${each.name}/`));
  return archive === undefined ? `${root}/${path}` : `${archive.root}/${path.slice(archive.name.length + 2)}`;
}

/** Every folder in which files of a table may stand, by its location: its own, and one in each archive. */
export function tableFolders(storage: Storage, location: string): string[] {
  const own = pathOfUri(storage, location);
  return [own, ...(storage.archives ?? []).map(({ name }) => `@${name}/${own}`)];
}

/** The name of the archive that a path is in; null for the warehouse itself. */
export function archiveOf({ archives = [] }: Storage, path: string): string | null {
  return archives.find((each) => path.startsWith(`@${each.name}/`))?.name ?? null;
}
