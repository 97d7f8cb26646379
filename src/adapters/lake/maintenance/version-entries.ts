import { EntryStatus } from "../../iceberg/manifest.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { ManifestCache } from "../../iceberg/manifest-cache.ts";
import { readManifestList } from "../../iceberg/table-io.ts";
import type { Snapshot } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";

/** Data and delete files of a version. */
export interface VersionEntries {
  readonly files: readonly ManifestEntry[];
  readonly deletes: readonly ManifestEntry[];
}

/** Every live file of a version; manifests that the cache has are not read again. */
export async function entriesOf(context: LakeContext, snapshot: Snapshot | null, cache = new ManifestCache()): Promise<VersionEntries> {
  const files: ManifestEntry[] = [];
  const deletes: ManifestEntry[] = [];
  for (const manifest of await readManifestList(context.storage, snapshot)) {
    const live = (await cache.read(context.storage, manifest)).filter((entry) => entry.status !== EntryStatus.deleted);
    (manifest.content === 0 ? files : deletes).push(...live);
  }
  return { files, deletes };
}

/** The newest sequence number of some delete files; deletes hit rows of files up to it. Spec, "Scan Planning". */
export function deletedUpTo(deletes: readonly ManifestEntry[]): bigint {
  return deletes.reduce((most, { sequence }) => ((sequence ?? 0n) > most ? (sequence ?? 0n) : most), -1n);
}
