import type { AvroRow } from "./avro-schema.ts";
import type { ManifestEntry } from "./manifest.ts";
import { EntryStatus } from "./manifest.ts";
import type { ManifestFile } from "./manifest-list.ts";

/** Manifests whose rows have ids, and the first id that none of them has. */
export interface NumberedManifests {
  readonly manifests: readonly ManifestFile[];
  readonly nextRowId: bigint;
}

/** Gives row ids from `nextRowId` on to manifests of data files that have none yet, in their order (spec, "Row Lineage", "First Row ID Assignment"). */
export function numberManifests(manifests: readonly ManifestFile[], nextRowId: bigint): NumberedManifests {
  let next = nextRowId;
  const numbered = manifests.map((manifest) => {
    if (manifest.content !== 0 || (manifest.firstRowId ?? null) !== null) return manifest;
    const firstRowId = next;
    next += manifest.addedRows + manifest.existingRows;
    return { ...manifest, firstRowId };
  });
  return { manifests: numbered, nextRowId: next };
}

/** Entries of a manifest with the row ids that they inherit from it (spec, "First Row ID Inheritance"); as they are where it has none. */
export function inheritRowIds(entries: readonly ManifestEntry[], firstRowId: bigint | null): readonly ManifestEntry[] {
  if (firstRowId === null) return entries;
  let next = firstRowId;
  return entries.map((entry) => {
    if (entry.status === EntryStatus.deleted || (entry.file["first_row_id"] ?? null) !== null) return entry;
    const first = next;
    next += entry.file["record_count"] as bigint;
    return { ...entry, file: { ...entry.file, first_row_id: first } };
  });
}

/** A file as one that is new to a branch: it gets row ids there. */
export function withoutRowIds(file: AvroRow): AvroRow {
  return { ...file, first_row_id: null };
}

/** The least row id of files that all have their own, so that their manifest takes no ids again; null where one has none yet. */
export function ownRowIds(entries: readonly ManifestEntry[]): bigint | null {
  const ids = entries.map(({ file }) => (file["first_row_id"] ?? null) as bigint | null);
  if (ids.length === 0 || ids.includes(null)) return null;
  return (ids as bigint[]).reduce((least, id) => (id < least ? id : least));
}
