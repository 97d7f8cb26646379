import { SluiceError } from "../../../core/errors.ts";
import type { ComparedRows, RowsToCompare } from "../../../core/lake-refs.ts";
import type { Field } from "../../../core/schema.ts";
import { DeleteFiles, VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import { columnOfPhysical, readPhysicalColumns } from "../../iceberg/parquet-column-reader.ts";
import { pathOfUri } from "../../iceberg/storage-path.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { schemaOfSnapshot, snapshotWithId } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import type { LiveFile } from "./live-files.ts";
import { liveFiles } from "./live-files.ts";

/** What is stored as text, or in several leaves. */
const unread: ReadonlySet<Field["type"]["kind"]> = new Set(["time", "json", "struct", "list", "map"]);

interface Version {
  readonly snapshot: Snapshot;
  readonly files: readonly LiveFile[];
  readonly deletes: VersionDeletes;
}

async function versionOf(context: LakeContext, metadata: TableMetadata, id: string, files: DeleteFiles): Promise<Version> {
  const snapshot = snapshotWithId(metadata, BigInt(id));
  if (snapshot === null) throw new SluiceError("NOT_FOUND", `snapshot ${id} has expired meanwhile`);
  const deletes = await VersionDeletes.of({ storage: context.storage, metadata, snapshot, files });
  return { snapshot, files: await liveFiles(context, snapshot), deletes };
}

/** See `LakeRefs.readRows`. */
export async function* comparedRows(context: LakeContext, dataset: string, { a, b, isSame }: RowsToCompare): AsyncIterable<ComparedRows> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const deleteFiles = new DeleteFiles(context.storage);
  const [versionA, versionB] = [
    await versionOf(context, metadata, a.snapshotId, deleteFiles),
    await versionOf(context, metadata, b.snapshotId, deleteFiles),
  ];
  const [inA, inB] = [versionA, versionB].map(({ files }) => new Set(files.map(({ path }) => path))) as [Set<string>, Set<string>];
  // Delete files, and columns that are called otherwise, make the same file other rows.
  const areShared = isSame && versionA.deletes.isEmpty && versionB.deletes.isEmpty;
  const read = (version: Version, file: LiveFile, columns: readonly Field[], about: Pick<ComparedRows, "in" | "isNew">) =>
    rowsOf(context, metadata, version, file, columns, about);
  for (const file of versionA.files) {
    const isBoth = areShared && inB.has(file.path);
    yield* read(versionA, file, a.columns, { in: isBoth ? "both" : "a", isNew: false });
  }
  for (const file of versionB.files) {
    const isNew = !inA.has(file.path);
    if (isNew || !areShared) yield* read(versionB, file, b.columns, { in: "b", isNew });
  }
}

async function* rowsOf(
  context: LakeContext,
  metadata: TableMetadata,
  { snapshot, deletes }: Version,
  { path, entry }: LiveFile,
  columns: readonly Field[],
  about: Pick<ComparedRows, "in" | "isNew">,
): AsyncIterable<ComparedRows> {
  const format = entry.file.file_format as string;
  if (format.toUpperCase() !== "PARQUET") throw new SluiceError("TABLE_UNSUPPORTED", `${path} is ${format}: only Parquet is read`);
  const scalars = columns.filter(({ type }) => !unread.has(type.kind));
  const { fields } = schemaOfSnapshot(metadata, snapshot);
  const names = scalars.map(({ name }) => name);
  const deleted = await deletes.rowsOf(entry);
  let first = 0;
  for await (const { count, values } of readPhysicalColumns(context.storage, pathOfUri(context.storage, path), names, fields)) {
    const kept = deleted?.kept(first, count) ?? null;
    const rows = Uint32Array.from({ length: count }, (_, row) => row);
    yield {
      ...about,
      rows: kept === null ? rows : rows.filter((row) => kept[row] === 1),
      columns: scalars.map((field) => columnOfPhysical(field, values.get(field.name) ?? [])),
    };
    first += count;
  }
}
