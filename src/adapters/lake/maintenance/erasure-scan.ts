import { EntryStatus } from "../../iceberg/manifest.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { initialDefault } from "../../iceberg/initial-default.ts";
import { LeafReader } from "../../iceberg/parquet-leaf-reader.ts";
import { readQuarantineFile } from "../../iceberg/parquet-quarantine-reader.ts";
import { pathOfUri } from "../../iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { currentSchema } from "../../iceberg/table-metadata.ts";
import { sourceColumns } from "../../../core/table-schema.ts";
import type { LakeContext } from "../lake-context.ts";
import type { Needle } from "./erasure-target.ts";
import { isInRecord } from "./erasure-target.ts";
import { isInDeleteFile, valuesByRow } from "./erasure-values.ts";
import type { TableKind } from "./exchange.ts";

type Physical = number | bigint | boolean | Uint8Array;

/** Rows of files that are to go, by the files' URIs, by their numbers in the file. */
export type FoundRows = Map<string, Set<number>>;

/** Files of a table by their URIs. */
export interface ReachedFiles {
  readonly data: ReadonlyMap<string, ManifestEntry>;
  readonly deletes: ReadonlyMap<string, ManifestEntry>;
}

/** Every data file and every delete file that one of some snapshots reaches. */
export async function filesOf(context: LakeContext, snapshots: readonly Snapshot[]): Promise<ReachedFiles> {
  const [data, deletes] = [new Map<string, ManifestEntry>(), new Map<string, ManifestEntry>()];
  const seen = new Set<string>();
  for (const snapshot of snapshots) {
    for (const manifest of await readManifestList(context.storage, snapshot)) {
      if (seen.has(manifest.uri)) continue;
      seen.add(manifest.uri);
      for (const entry of await readManifest(context.storage, manifest)) {
        if (entry.status !== EntryStatus.deleted) (manifest.content === 0 ? data : deletes).set(entry.file.file_path as string, entry);
      }
    }
  }
  return { data, deletes };
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

/** What is to be erased of one table. */
export interface FoundOfTable {
  readonly rows: FoundRows;
  /** URIs of delete files of other programs that hold the value. */
  readonly deletes: ReadonlySet<string>;
}

/** What is to be erased of both tables. */
export interface Found extends Readonly<Record<TableKind, FoundOfTable>> {
  /** Source positions, as `<topicId>:<partition>:<offset>`. */
  readonly ids: ReadonlySet<string>;
}

/** Whether nothing is to be erased. */
export function isNothing({ ids, promoted, quarantine }: Found): boolean {
  return ids.size + promoted.deletes.size + quarantine.deletes.size === 0;
}

/** Delete files that hold the value themselves. Rejects with TABLE_UNSUPPORTED those that can't be read. */
async function deletesWith(context: LakeContext, { deletes }: ReachedFiles, needle: Needle, isQuarantine: boolean): Promise<Set<string>> {
  const found = new Set<string>();
  for (const [uri, entry] of deletes) if (await isInDeleteFile(context.storage, entry, needle, isQuarantine)) found.add(uri);
  return found;
}

/**
 * Finds the rows of a needle in every file that any snapshot of either table reaches: those that hold the value, and, for each record of which one row
 * does, every other row of that record (earlier tries in quarantine, the promoted row of a replay). Rows that delete files take out are found too: the data
 * file has them still.
 */
export async function findRows(
  context: LakeContext,
  tables: { readonly promoted: TableMetadata; readonly quarantine: TableMetadata },
  needle: Needle,
): Promise<Found> {
  const { storage } = context;
  const [promoted, quarantine] = [
    await filesOf(context, tables.promoted.snapshots),
    await filesOf(context, tables.quarantine.snapshots),
  ] as const;
  const ids = new Set<string>();
  for (const uri of promoted.data.keys()) {
    for await (const { id, isMatch } of positionsIn(context, tables.promoted, uri, needle)) if (isMatch) ids.add(id);
  }
  for (const uri of quarantine.data.keys()) {
    for await (const record of readQuarantineFile(storage, pathOfUri(storage, uri))) if (isInRecord(needle, record)) ids.add(record.id);
  }
  const found = {
    promoted: { rows: new Map<string, Set<number>>(), deletes: await deletesWith(context, promoted, needle, false) },
    quarantine: { rows: new Map<string, Set<number>>(), deletes: await deletesWith(context, quarantine, needle, true) },
    ids,
  };
  for (const uri of ids.size === 0 ? [] : promoted.data.keys()) {
    for await (const { id, row } of positionsIn(context, tables.promoted, uri, needle)) if (ids.has(id)) add(found.promoted.rows, uri, row);
  }
  for (const uri of ids.size === 0 ? [] : quarantine.data.keys()) {
    let row = 0;
    for await (const { id } of readQuarantineFile(storage, pathOfUri(storage, uri), 0)) {
      if (ids.has(id)) add(found.quarantine.rows, uri, row);
      row++;
    }
  }
  return found;
}
