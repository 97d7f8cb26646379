import type { VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import type { VersionEntries } from "./version-entries.ts";

/** URIs of delete files of a version that apply to none of its data files but those that go: what comes for them has no row that they delete. */
export function uselessDeletes(version: VersionEntries, deletes: VersionDeletes, removed: ReadonlySet<string>): ReadonlySet<string> {
  const useless = new Set(version.deletes.map(({ file }) => file.file_path as string));
  if (useless.size === 0) return useless;
  for (const entry of version.files.filter(({ file }) => !removed.has(file.file_path as string)))
    for (const { file } of deletes.applyingTo(entry)) useless.delete(file.file_path as string);
  return useless;
}
