import type { RecordKey, RowPlace } from "../../../core/lake-trace.ts";
import { sourceColumns } from "../../../core/table-schema.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import { DeleteFiles, VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import { ManifestCache } from "../../iceberg/manifest-cache.ts";
import { readPhysicalColumns } from "../../iceberg/parquet-column-reader.ts";
import { pathOfUri } from "../../iceberg/storage-path.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { currentSchema, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { placeOf } from "./find-file.ts";
import type { HeldFile } from "./held-files.ts";
import { everyVersion, heldFiles, namedVersions } from "./held-files.ts";

/** Ids of the columns that say where a row came from. */
interface SourceIds {
  readonly source: number;
  readonly partition: number;
  readonly offset: number;
}

/** See `LakeTraces.findRow`. */
export async function findRow(context: LakeContext, dataset: string, key: RecordKey): Promise<readonly RowPlace[]> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const ids = sourceIds(metadata);
  const cache = new ManifestCache();
  const named = await heldFiles(context, namedVersions(metadata), cache);
  const deletedIn = deletions(context, metadata, cache);
  const rows = await rowsIn(context, named, { ids, key, deletedIn });
  if (rows.length > 0) return rows;
  // What no ref reaches any more was rolled back, dropped, or its branch was.
  const every = await heldFiles(context, everyVersion(metadata), cache);
  return rowsIn(context, new Map([...every].filter(([uri]) => !named.has(uri))), { ids, key, deletedIn });
}

/** The branches and tags whose delete files leave a row of a file out, each with the snapshot that deleted it. */
type DeletedIn = (live: HeldFile, row: number) => Promise<RowPlace["deletedIn"]>;

function deletions(context: LakeContext, metadata: TableMetadata, cache: ManifestCache): DeletedIn {
  const { storage } = context;
  const files = new DeleteFiles(storage);
  const versions = new Map<string, Promise<VersionDeletes>>();
  const versionOf = (ref: string): Promise<VersionDeletes> => {
    const snapshot = snapshotOfRef(metadata, ref);
    const known = versions.get(ref) ?? VersionDeletes.of({ storage, metadata, snapshot, files, read: (each) => cache.read(storage, each) });
    versions.set(ref, known);
    return known;
  };
  return async ({ entry, refs }, row) => {
    const found: { ref: string; snapshotId: string }[] = [];
    for (const ref of refs) {
      const [first] = await (await versionOf(ref)).deletersOf(entry, row);
      if (first !== undefined) found.push({ ref, snapshotId: String(first.snapshotId) });
    }
    return found;
  };
}

function sourceIds(metadata: TableMetadata): SourceIds {
  const ids = new Map(currentSchema(metadata).fields.map((field) => [field.name, field.id]));
  const of = (name: string): number => ids.get(name) ?? -1;
  return { source: of(sourceColumns.source), partition: of(sourceColumns.partition), offset: of(sourceColumns.offset) };
}

async function rowsIn(
  context: LakeContext,
  files: ReadonlyMap<string, HeldFile>,
  { ids, key, deletedIn }: { readonly ids: SourceIds; readonly key: RecordKey; readonly deletedIn: DeletedIn },
): Promise<readonly RowPlace[]> {
  const places: RowPlace[] = [];
  for (const live of files.values()) {
    const { file } = live.entry;
    if (isPruned(file, ids, key)) continue;
    const row = await rowOf(context, file.file_path as string, key);
    if (row === null) continue;
    const place = placeOf(live, "promoted");
    const deleted = await deletedIn(live, row);
    const refs = place.refs.filter((ref) => deleted.every((each) => each.ref !== ref));
    places.push({ ...place, refs, row, deletedIn: deleted });
  }
  return places;
}

/** Whether a file's bounds rule the record out. */
function isPruned(file: AvroRow, ids: SourceIds, key: RecordKey): boolean {
  const lower = file.lower_bounds as ReadonlyMap<number, Uint8Array> | null;
  const upper = file.upper_bounds as ReadonlyMap<number, Uint8Array> | null;
  const outside = <T>(id: number, read: (bytes: Buffer) => T, wanted: T): boolean => {
    const [low, high] = [lower?.get(id), upper?.get(id)];
    return (low !== undefined && read(Buffer.from(low)) > wanted) || (high !== undefined && read(Buffer.from(high)) < wanted);
  };
  return (
    outside(ids.offset, (bytes) => bytes.readBigInt64LE(), key.offset) ||
    outside(ids.partition, (bytes) => bytes.readInt32LE(), key.partition)
  );
}

async function rowOf(context: LakeContext, uri: string, key: RecordKey): Promise<number | null> {
  const { source, partition, offset } = sourceColumns;
  let first = 0;
  for await (const { count, values } of readPhysicalColumns(context.storage, pathOfUri(context.storage, uri), [
    source,
    partition,
    offset,
  ])) {
    const [sources, partitions, offsets] = [source, partition, offset].map((name) => values.get(name) as readonly unknown[]);
    for (let row = 0; row < count; row++) {
      if (offsets?.[row] !== key.offset || Number(partitions?.[row]) !== key.partition) continue;
      if (Buffer.from(sources?.[row] as Uint8Array).toString("utf8") === key.topicId) return first + row;
    }
    first += count;
  }
  return null;
}
