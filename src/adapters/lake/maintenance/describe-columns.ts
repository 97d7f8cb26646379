import type { ColumnStatisticsReport } from "../../../core/column-statistics.ts";
import { SluiceError } from "../../../core/errors.ts";
import { DeleteFiles, VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import type { StatisticsFile } from "../../iceberg/metadata-parts.ts";
import type { PuffinBlob } from "../../iceberg/puffin-file.ts";
import type { CountedColumn } from "../../iceberg/statistics/column-thetas.ts";
import { ColumnThetas, countedColumns } from "../../iceberg/statistics/column-thetas.ts";
import type { ColumnTheta } from "../../iceberg/statistics/theta-blobs.ts";
import {
  describes,
  distinctCount,
  readBlobs,
  thetaBlob,
  thetaBlobType,
  thetasOf,
  uniteColumns,
  writeThetas,
} from "../../iceberg/statistics/theta-blobs.ts";
import { pathOfUri } from "../../iceberg/storage-path.ts";
import { TableDraft } from "../../iceberg/table-draft.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { ancestorsOf, currentSchema, snapshotOfRef, snapshotWithId } from "../../iceberg/table-metadata.ts";
import { commitUntilSettled } from "../commit-loop.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import type { LiveFile } from "../refs/live-files.ts";
import { filesRemovedBy, liveFiles } from "../refs/live-files.ts";
import { filesAddedBy } from "../table-files.ts";

/** Changes that leave every row of the version before: values that were counted once are there still. */
const growing: ReadonlySet<string | undefined> = new Set(["append", "replace"]);

/** Values that were counted at an earlier version, and the files that have them. */
interface Counted {
  readonly thetas: readonly ColumnTheta[];
  readonly paths: ReadonlySet<string>;
}

function statisticsOf(metadata: TableMetadata, snapshot: Snapshot): StatisticsFile | null {
  return metadata.statistics?.find((each) => each["snapshot-id"] === snapshot["snapshot-id"]) ?? null;
}

/** Blobs of a statistics file; none where it is gone or damaged: what it said is counted anew. */
async function blobsOf(context: LakeContext, statistics: StatisticsFile): Promise<readonly PuffinBlob[] | null> {
  try {
    return await readBlobs(context.storage, statistics);
  } catch (fault) {
    const isGone = fault instanceof SluiceError && (fault.code === "NOT_FOUND" || fault.code === "TABLE_UNSUPPORTED");
    if (!isGone && !(fault instanceof RangeError) && !(fault instanceof SyntaxError)) throw fault;
    return null;
  }
}

/** The newest version before a snapshot whose columns were counted, where no row has gone since; null where all has to be read. */
async function countedBefore(
  context: LakeContext,
  metadata: TableMetadata,
  head: Snapshot,
  columns: readonly CountedColumn[],
): Promise<Counted | null> {
  const since: Snapshot[] = [];
  for (const snapshot of ancestorsOf(metadata, head)) {
    const statistics = statisticsOf(metadata, snapshot);
    if (statistics !== null && describes(statistics, columns, true)) {
      const blobs = await blobsOf(context, statistics);
      if (blobs === null || !(await deletesOf(context, metadata, snapshot)).isEmpty) return null;
      const paths = new Set((await liveFiles(context, snapshot)).map(({ path }) => path));
      for (const later of since.toReversed()) await followRewrite(context, later, paths);
      return { thetas: thetasOf(blobs, columns), paths };
    }
    if (!growing.has(snapshot.summary["operation"])) return null;
    since.push(snapshot);
  }
  return null;
}

/** Files that took the place of counted ones alone are counted too. */
async function followRewrite(context: LakeContext, snapshot: Snapshot, counted: Set<string>): Promise<void> {
  if (snapshot.summary["operation"] !== "replace") return;
  const removed = await filesRemovedBy(context, snapshot);
  if ([...removed].every((path) => counted.has(path)))
    for (const file of await filesAddedBy(context, snapshot)) counted.add(file.file_path as string);
}

function deletesOf(context: LakeContext, metadata: TableMetadata, snapshot: Snapshot): Promise<VersionDeletes> {
  return VersionDeletes.of({ storage: context.storage, metadata, snapshot, files: new DeleteFiles(context.storage) });
}

interface Counting {
  readonly thetas: readonly ColumnTheta[];
  readonly read: readonly LiveFile[];
  readonly files: number;
  readonly rowsRead: bigint;
}

/** Counts the distinct values of a version's columns: reads the files that were not counted before. */
async function count(context: LakeContext, metadata: TableMetadata, head: Snapshot, columns: readonly CountedColumn[]): Promise<Counting> {
  const files = await liveFiles(context, head);
  const deletes = await deletesOf(context, metadata, head);
  const before = deletes.isEmpty ? await countedBefore(context, metadata, head, columns) : null;
  const read = files.filter(({ path }) => before?.paths.has(path) !== true);
  const sketches = new ColumnThetas(columns);
  for (const { path, entry } of read) {
    const format = entry.file.file_format as string;
    if (format.toUpperCase() !== "PARQUET") throw new SluiceError("TABLE_UNSUPPORTED", `${path} is ${format}: only Parquet is read`);
    await sketches.addFile(context.storage, pathOfUri(context.storage, path), await deletes.rowsOf(entry));
  }
  const thetas = uniteColumns(sketches, before?.thetas ?? null);
  return { thetas, read, files: files.length, rowsRead: read.reduce((sum, { entry }) => sum + (entry.file.record_count as bigint), 0n) };
}

/** Has the table name a statistics file; false where its snapshot has gone, or another described it meanwhile. */
function commit(context: LakeContext, dataset: string, statistics: StatisticsFile, before: StatisticsFile | null): Promise<boolean> {
  const id = statistics["snapshot-id"];
  return commitUntilSettled<boolean>(context, dataset, async ({ promoted: { metadata } }) => {
    const snapshot = snapshotWithId(metadata, id);
    const known = snapshot === null ? null : statisticsOf(metadata, snapshot);
    const path = known?.["statistics-path"];
    if (path === statistics["statistics-path"]) return { kind: "done", result: true };
    if (snapshot === null || path !== before?.["statistics-path"]) return { kind: "done", result: false };
    const draft = new TableDraft(context.io, metadata);
    draft.update({ action: "set-statistics", statistics });
    return { kind: "change", drafts: [draft, null], result: true };
  });
}

/** See `LakeMaintenance.describe`. */
export async function describeColumns(context: LakeContext, dataset: string): Promise<ColumnStatisticsReport> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const head = snapshotOfRef(metadata, "main");
  const columns = countedColumns(currentSchema(metadata));
  const nothing = { dataset, snapshotId: null, isCurrent: false, filesRead: 0, files: 0, rowsRead: 0n, columns: [] };
  if (head === null || columns.length === 0 || head.summary["total-data-files"] === "0") return nothing;
  const snapshotId = head["snapshot-id"].toString();
  const before = statisticsOf(metadata, head);
  if (before !== null && describes(before, columns, false)) return { ...nothing, snapshotId, isCurrent: true };
  const { thetas, read, files, rowsRead } = await count(context, metadata, head, columns);
  // What else the version's file says of it stays.
  const kept = before === null ? [] : ((await blobsOf(context, before)) ?? []).filter(({ type }) => type !== thetaBlobType);
  const statistics = await writeThetas(context.io, metadata, head, [...kept, ...thetas.map(thetaBlob)]);
  const discard = (): Promise<void> => context.storage.delete(pathOfUri(context.storage, statistics["statistics-path"]));
  const isNamed = await commit(context, dataset, statistics, before).catch(async (fault: unknown) => {
    // Whether the table names it is not known after an unknown commit: maintenance finds it as an orphan where it does not.
    if (fault instanceof SluiceError && fault.code === "COMMIT_CONFLICT") await discard();
    throw fault;
  });
  if (!isNamed) {
    await discard();
    return nothing;
  }
  return {
    dataset,
    snapshotId,
    isCurrent: false,
    filesRead: read.length,
    files,
    rowsRead,
    columns: thetas.map((column) => ({ name: column.name, fieldId: column.id, distinct: distinctCount(column) })),
  };
}
