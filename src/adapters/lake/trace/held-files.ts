import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { ManifestCache } from "../../iceberg/manifest-cache.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { liveFiles } from "../refs/live-files.ts";

/** A data file that some versions of a table hold. */
export interface HeldFile {
  readonly entry: ManifestEntry;
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

/** Every version that a table still has, without names. */
export function everyVersion(metadata: TableMetadata): (readonly [null, Snapshot])[] {
  return metadata.snapshots.map((snapshot) => [null, snapshot]);
}

/** Data files of versions, by their URI; a version without a name adds files and no ref. */
export async function heldFiles(
  context: LakeContext,
  versions: readonly (readonly [string | null, Snapshot])[],
  cache = new ManifestCache(),
): Promise<Map<string, HeldFile>> {
  const files = new Map<string, HeldFile>();
  for (const [ref, snapshot] of versions) {
    for (const { path, entry } of await liveFiles(context, snapshot, cache)) {
      const known = files.get(path) ?? { entry, addedBy: entry.snapshotId ?? snapshot["snapshot-id"], refs: new Set<string>() };
      if (ref !== null) known.refs.add(ref);
      files.set(path, known);
    }
  }
  return files;
}
