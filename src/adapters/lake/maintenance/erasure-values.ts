import type { Storage } from "../../../core/storage.ts";
import { isAvro, visitAvroRows } from "../../iceberg/deletes/avro-deletes.ts";
import { checkDeleteFile, positionDeleteIds } from "../../iceberg/deletes/position-deletes.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { LeafReader } from "../../iceberg/parquet-leaf-reader.ts";
import { pathOfUri, uriOfPath } from "../../iceberg/storage-path.ts";
import type { Needle } from "./erasure-target.ts";

type Physical = number | bigint | boolean | Uint8Array;

/** Columns that say where deleted rows stand: paths of the lake's own files, in which a short value may stand by chance. */
const placeIds: ReadonlySet<number> = new Set(Object.values(positionDeleteIds));

/** The values of one leaf of a row group, row by row: none, one, or those of a list; `absent`: what rows have whose file is without the leaf. */
export async function valuesByRow(
  reader: LeafReader,
  group: number,
  leafId: number,
  absent: Physical | null = null,
): Promise<Physical[][]> {
  const rows = reader.rowGroups[group]?.rows ?? 0;
  if (reader.stepsOf(leafId) === null) return Array.from({ length: rows }, () => (absent === null ? [] : [absent]));
  const { values, definitions, repetitions, slots } = await reader.read(group, leafId);
  const max = (reader.stepsOf(leafId) ?? []).filter(({ step }) => step !== "required").length;
  const found: Physical[][] = [];
  const flat = values.flatMap((page) => Array.from(page));
  let next = 0;
  for (let slot = 0; slot < slots; slot++) {
    if (repetitions === null || repetitions[slot] === 0) found.push([]);
    if (definitions === null || definitions[slot] === max) found.at(-1)?.push(flat[next++] as Physical);
  }
  return found;
}

/** Whether a Parquet file, of data or of deletes, has the value: in the column that was named, or, as text, in any column of any row. */
export async function isInParquet(storage: Storage, path: string, needle: Needle, isQuarantine: boolean): Promise<boolean> {
  const reader = await LeafReader.open(storage, path);
  // A promoted row may hold the same bytes in another column with every right; what quarantine has may be anything.
  const leaves = isQuarantine ? reader.leafIds.filter((id) => !placeIds.has(id)) : reader.leafIds.filter((id) => id === needle.leafId);
  for (const group of reader.rowGroups.keys()) {
    for (const id of leaves) {
      for (const values of await valuesByRow(reader, group, id))
        if (values.some((value) => isHit(value, needle, isQuarantine))) return true;
    }
  }
  return false;
}

/** The same of an Avro file of rows. */
export async function isInAvro(storage: Storage, path: string, needle: Needle, isQuarantine: boolean): Promise<boolean> {
  let isFound = false;
  await visitAvroRows(storage, uriOfPath(storage, path), (visitLeaves) =>
    visitLeaves((id, value) => {
      if (value === null || (isQuarantine ? placeIds.has(id) : id !== needle.leafId)) return;
      isFound ||= isHit(value, needle, isQuarantine);
    }),
  );
  return isFound;
}

function isHit(value: number | bigint | boolean | Uint8Array, needle: Needle, isQuarantine: boolean): boolean {
  if (!isQuarantine) return needle.matches(value);
  if (!(value instanceof Uint8Array)) return false;
  return needle.isKey ? needle.bytes.equals(value) : needle.isIn(value);
}

/** Whether a delete file of another program has the value. Rejects with TABLE_UNSUPPORTED one that can't be read. */
export async function isInDeleteFile(storage: Storage, entry: ManifestEntry, needle: Needle, isQuarantine: boolean): Promise<boolean> {
  // Deletion vectors are bits.
  if ((entry.file.file_format as string).toUpperCase() === "PUFFIN") return false;
  checkDeleteFile(entry, Number.POSITIVE_INFINITY);
  const { file_path: uri, file_format: format } = entry.file;
  const path = pathOfUri(storage, uri as string);
  return isAvro(format) ? isInAvro(storage, path, needle, isQuarantine) : isInParquet(storage, path, needle, isQuarantine);
}
