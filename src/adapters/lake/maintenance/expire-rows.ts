import { SluiceError } from "../../../core/errors.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import { DeletedRows } from "../../iceberg/deletes/deleted-rows.ts";
import type { VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import { dataFileRecord } from "../../iceberg/manifest.ts";
import { readQuarantineFile } from "../../iceberg/parquet-quarantine-reader.ts";
import { rewriteParquet } from "../../iceberg/parquet-rewrite.ts";
import { lineageOf } from "../../iceberg/row-lineage-columns.ts";
import { pathOfUri, uriOfPath } from "../../iceberg/storage-path.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { currentSchema } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { newPath } from "../table-files.ts";
import { positionsIn } from "./erasure-scan.ts";
import type { Exchange } from "./exchanged-files.ts";
import type { TableKind } from "./exchange.ts";
import { PositionRanges } from "./position-ranges.ts";
import type { RetentionCutoffs, TakenFile } from "./retention-plan.ts";
import { msOfTime } from "./retention-plan.ts";

/** A file without its old rows, or none in its place. */
export interface ExpiredRows extends Exchange {
  readonly rows: number;
  /** Where the rows came from. */
  readonly positions: PositionRanges;
}

/** Numbers of a file's old rows, and where those came from. */
async function oldRows(
  context: LakeContext,
  { table, metadata }: { readonly table: TableKind; readonly metadata: TableMetadata },
  { file, isWhole }: TakenFile,
  { olderMs, column }: RetentionCutoffs,
): Promise<{ readonly rows: ReadonlySet<number>; readonly ids: readonly string[] }> {
  const uri = file.entry.file["file_path"] as string;
  const rows = new Set<number>();
  const ids: string[] = [];
  const take = (id: string, row: number): void => {
    rows.add(row);
    ids.push(id);
  };
  if (table === "quarantine") {
    let row = 0;
    for await (const { id } of readQuarantineFile(context.storage, pathOfUri(context.storage, uri), 0)) take(id, row++);
    return { rows, ids };
  }
  const matches = (value: number | bigint | boolean | Uint8Array): boolean => {
    if (column === null || (typeof value !== "number" && typeof value !== "bigint")) return false;
    const ms = msOfTime(column.type, value);
    return ms !== null && olderMs !== null && ms < olderMs;
  };
  const needle = { leafId: isWhole || column === null ? null : column.id, matches };
  for await (const { id, row, isMatch } of positionsIn(context, metadata, uri, needle)) if (isWhole || isMatch) take(id, row);
  return { rows, ids };
}

/** What takes a file's old rows off main: nothing, or the file written anew without them. Null where none of its rows is old. Rejects with TABLE_CORRUPT. */
export async function expireRows(
  context: LakeContext,
  at: { readonly table: TableKind; readonly metadata: TableMetadata; readonly deletes: VersionDeletes },
  taken: TakenFile,
  cutoffs: RetentionCutoffs,
): Promise<ExpiredRows | null> {
  const { storage } = context;
  const { entry } = taken.file;
  const { rows, ids } = await oldRows(context, at, taken, cutoffs);
  const positions = new PositionRanges();
  positions.add(ids);
  const count = Number(entry.file["record_count"]);
  if (rows.size === count) return { removed: [entry], added: [], rows: count, positions };
  if (taken.isWhole) throw new SluiceError("TABLE_CORRUPT", `${entry.file["file_path"] as string} holds ${rows.size} rows of ${count}`);
  if (rows.size === 0) return null;
  const path = newPath(context, at.metadata, "retain");
  // Rows that other programs deleted stay so: their delete files do not apply to the new file.
  const gone = (await at.deletes.rowsOf(entry)) ?? new DeletedRows(count);
  const deleted = gone.count;
  for (const row of rows) gone.add(row);
  if (gone.count === deleted) return null;
  const from = pathOfUri(storage, entry.file["file_path"] as string);
  const written = await rewriteParquet({
    storage,
    inputs: [{ path: from, gone, ...lineageOf(at.metadata, entry) }],
    path,
    schema: currentSchema(at.metadata),
  });
  if ((written?.recordCount ?? 0) !== count - gone.count) {
    if (written !== null) await storage.delete(path);
    throw new SluiceError("TABLE_CORRUPT", `${from} holds other rows than its manifest says`);
  }
  context.probe("data-file.written");
  if (written === null) return { removed: [entry], added: [], rows: gone.count - deleted, positions };
  const { spec_id: specId, partition, sort_order_id: sortOrder } = entry.file;
  const record = dataFileRecord(written, uriOfPath(storage, path), {
    specId: (specId ?? 0) as number,
    record: (partition ?? {}) as AvroRow,
  });
  // Rows that are left stand in the order that they stood in.
  const file = { ...record, sort_order_id: sortOrder ?? 0 };
  return { removed: [entry], added: [{ file, sequence: entry.sequence ?? 0n }], rows: gone.count - deleted, positions };
}
