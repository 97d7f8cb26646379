import { EntryStatus } from "../../iceberg/manifest.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { initialDefault } from "../../iceberg/initial-default.ts";
import { LeafReader } from "../../iceberg/parquet-leaf-reader.ts";
import { readQuarantineFile } from "../../iceberg/parquet-quarantine-reader.ts";
import { pathOfUri } from "../../iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../iceberg/table-io.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { currentSchema } from "../../iceberg/table-metadata.ts";
import { SluiceError } from "../../../core/errors.ts";
import { sourceColumns } from "../../../core/table-schema.ts";
import type { LakeContext } from "../lake-context.ts";
import type { Needle } from "./erasure-target.ts";
import { isInRecord } from "./erasure-target.ts";

type Physical = number | bigint | boolean | Uint8Array;

/** Rows of files that are to go, by the files' URIs, by their numbers in the file. */
export type FoundRows = Map<string, Set<number>>;

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

/** Every data file that a snapshot of the table reaches. Rejects with TABLE_UNSUPPORTED where rows are deleted by delete files: a rewrite would bring them back. */
export async function allFiles(context: LakeContext, metadata: TableMetadata): Promise<Map<string, ManifestEntry>> {
  const files = new Map<string, ManifestEntry>();
  const seen = new Set<string>();
  for (const snapshot of metadata.snapshots) {
    for (const manifest of await readManifestList(context.storage, snapshot)) {
      if (seen.has(manifest.uri)) continue;
      seen.add(manifest.uri);
      if (manifest.content !== 0 && manifest.addedFiles + manifest.existingFiles > 0) {
        throw new SluiceError(
          "TABLE_UNSUPPORTED",
          "another program deleted rows by delete files: `sluice maintain compact --all-deletes` writes the data files without those rows, and `sluice maintain expire` ends the versions before",
        );
      }
      for (const entry of await readManifest(context.storage, manifest)) {
        if (entry.status !== EntryStatus.deleted) files.set(entry.file.file_path as string, entry);
      }
    }
  }
  return files;
}

function add(found: FoundRows, uri: string, row: number): void {
  const rows = found.get(uri);
  if (rows === undefined) found.set(uri, new Set([row]));
  else rows.add(row);
}

/** Source positions in a promoted file, row by row, as `<topicId>:<partition>:<offset>`, and whether the row has a value that is looked for. */
export async function* positionsIn(
  context: LakeContext,
  metadata: TableMetadata,
  uri: string,
  needle: Pick<Needle, "leafId" | "matches">,
): AsyncIterable<{ id: string; row: number; isMatch: boolean }> {
  const reader = await LeafReader.open(context.storage, pathOfUri(context.storage, uri));
  const idOf = (name: string): number => currentSchema(metadata).fields.find((field) => field.name === name)?.id ?? -1;
  const { source, partition, offset } = sourceColumns;
  const { leafId } = needle;
  const field = currentSchema(metadata).fields.find(({ id }) => id === leafId);
  const absent = field === undefined ? null : initialDefault(field);
  let row = 0;
  for (const group of reader.rowGroups.keys()) {
    const [topics, partitions, offsets] = await Promise.all(
      [source, partition, offset].map((name) => valuesByRow(reader, group, idOf(name))),
    );
    const values = leafId === null ? null : await valuesByRow(reader, group, leafId, absent);
    for (const [i, topic] of (topics as Physical[][]).entries()) {
      const id = `${Buffer.from((topic[0] ?? new Uint8Array()) as Uint8Array).toString()}:${String(partitions?.[i]?.[0])}:${String(offsets?.[i]?.[0])}`;
      yield { id, row: row++, isMatch: values?.[i]?.some((value) => needle.matches(value)) === true };
    }
  }
}

/** What is to be erased of both tables. */
export interface Found {
  readonly promoted: FoundRows;
  readonly quarantine: FoundRows;
  /** Source positions, as `<topicId>:<partition>:<offset>`. */
  readonly ids: ReadonlySet<string>;
}

/**
 * Finds the rows of a needle in every file that any snapshot of either table reaches: those that hold the value, and, for each record of which one row
 * does, every other row of that record (earlier tries in quarantine, the promoted row of a replay).
 */
export async function findRows(
  context: LakeContext,
  tables: { readonly promoted: TableMetadata; readonly quarantine: TableMetadata },
  needle: Needle,
): Promise<Found> {
  const { storage } = context;
  const files = { promoted: await allFiles(context, tables.promoted), quarantine: await allFiles(context, tables.quarantine) };
  const ids = new Set<string>();
  for (const uri of files.promoted.keys()) {
    for await (const { id, isMatch } of positionsIn(context, tables.promoted, uri, needle)) if (isMatch) ids.add(id);
  }
  for (const uri of files.quarantine.keys()) {
    for await (const record of readQuarantineFile(storage, pathOfUri(storage, uri))) if (isInRecord(needle, record)) ids.add(record.id);
  }
  const found = { promoted: new Map<string, Set<number>>(), quarantine: new Map<string, Set<number>>(), ids };
  for (const uri of ids.size === 0 ? [] : files.promoted.keys()) {
    for await (const { id, row } of positionsIn(context, tables.promoted, uri, needle)) if (ids.has(id)) add(found.promoted, uri, row);
  }
  for (const uri of ids.size === 0 ? [] : files.quarantine.keys()) {
    let row = 0;
    for await (const { id } of readQuarantineFile(storage, pathOfUri(storage, uri), 0)) {
      if (ids.has(id)) add(found.quarantine, uri, row);
      row++;
    }
  }
  return found;
}
