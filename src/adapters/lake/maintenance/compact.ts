import type { CompactionPolicy, CompactionReport } from "../../../core/lake-maintenance.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { SortOrder } from "../../../core/table-layout.ts";
import { VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import { dataFileRecord } from "../../iceberg/manifest.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import type { RewriteSource } from "../../iceberg/parquet-rewrite.ts";
import { rewriteParquet } from "../../iceberg/parquet-rewrite.ts";
import { quarantineRowGroup, quarantineUnboundedIds } from "../../iceberg/parquet-quarantine-file.ts";
import { lineageOf } from "../../iceberg/row-lineage-columns.ts";
import { archiveOf, pathOfUri, uriOfPath } from "../../iceberg/storage-path.ts";
import { currentSchema, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { newPath } from "../table-files.ts";
import { summaryKeys } from "../summary-keys.ts";
import type { CompactionGroup, CompactionPlan } from "./compaction-plan.ts";
import { bytesOf, planCompaction } from "./compaction-plan.ts";
import type { Exchange } from "./exchanged-files.ts";
import type { Exchanged, TableKind } from "./exchange.ts";
import { commitExchanges, discardExchanges } from "./exchange.ts";
import type { VersionEntries } from "./version-entries.ts";
import { entriesOf } from "./version-entries.ts";

/** Files whose group others touched while it was being rewritten are planned anew, so often. */
const roundsMax = 3;
/** A sort key of each row is in memory. */
const sortedRowsMax = 4_000_000;

/** A group with the file that is to take its place. */
interface Rewritten extends Exchange {
  readonly group: CompactionGroup;
}

/** How files of either table are written anew. */
export function writingOf(table: TableKind): {
  readonly unboundedIds?: ReadonlySet<number>;
  readonly rowGroup?: typeof quarantineRowGroup;
} {
  return table === "quarantine" ? { unboundedIds: quarantineUnboundedIds, rowGroup: quarantineRowGroup } : {};
}

/** The order of rows in a table's files; null: none, or one that goes by more than columns as they are. */
function sortOrderOf(table: TableKind, metadata: TableMetadata): SortOrder | null {
  const order = metadata["sort-orders"].find((each) => each["order-id"] === metadata["default-sort-order-id"]);
  if (table === "quarantine" || order === undefined || order.fields.length === 0) return null;
  return order.fields.every(({ transform }) => transform === "identity") ? order : null;
}

/** A table as it is compacted. */
interface Compacted {
  readonly table: TableKind;
  readonly metadata: TableMetadata;
  readonly deletes: VersionDeletes;
}

async function rewrite(context: LakeContext, { table, metadata, deletes }: Compacted, group: CompactionGroup): Promise<Rewritten> {
  const { storage } = context;
  const path = newPath(context, metadata, "compact");
  const inputs: RewriteSource[] = [];
  let rows = 0;
  for (const entry of group.entries) {
    const gone = await deletes.rowsOf(entry);
    inputs.push({ path: pathOfUri(storage, entry.file.file_path as string), gone, ...lineageOf(metadata, entry) });
    rows += Number(entry.file.record_count) - (gone?.count ?? 0);
  }
  const sortOrder = sortOrderOf(table, metadata);
  const sorted = sortOrder === null ? {} : { sortOrder };
  const written = await rewriteParquet({ storage, inputs, path, schema: currentSchema(metadata), ...sorted, ...writingOf(table) });
  if ((written?.recordCount ?? 0) !== rows) {
    if (written !== null) await context.storage.delete(path);
    throw new SluiceError(
      "TABLE_CORRUPT",
      `manifests say ${rows} rows of files that hold ${written?.recordCount ?? 0}: nothing was rewritten`,
    );
  }
  context.probe("data-file.written");
  if (written === null) return { group, removed: group.entries, added: [] };
  const { spec_id: specId, partition } = (group.entries[0] as ManifestEntry).file;
  const record = dataFileRecord(written, uriOfPath(storage, path), {
    specId: (specId ?? 0) as number,
    record: (partition ?? {}) as AvroRow,
  });
  return { group, removed: group.entries, added: [{ file: record, sequence: group.sequence }] };
}

function planOf(
  context: LakeContext,
  version: VersionEntries,
  { table, metadata, deletes }: Compacted,
  policy: CompactionPolicy,
): CompactionPlan {
  return planCompaction(version, {
    policy,
    inOrder: table === "quarantine",
    isArchived: (uri) => archiveOf(context.storage, pathOfUri(context.storage, uri)) !== null,
    deletesOf: (entry) => deletes.applyingTo(entry),
    rowsMax: sortOrderOf(table, metadata) !== null ? sortedRowsMax : Number.POSITIVE_INFINITY,
  });
}

async function compactOnce(
  context: LakeContext,
  dataset: string,
  table: TableKind,
  { policy, dryRun }: { readonly policy: CompactionPolicy; readonly dryRun: boolean },
): Promise<{ report: CompactionReport; isWhole: boolean }> {
  const { metadata } = (await loadTables(context, dataset))[table];
  const main = snapshotOfRef(metadata, "main");
  const version = await entriesOf(context, main);
  const deletes = await VersionDeletes.of({ storage: context.storage, metadata, snapshot: main });
  const compacted = { table, metadata, deletes };
  const plan = planOf(context, version, compacted, policy);
  const nothing = { kept: [], snapshotId: null, attempts: 0 };
  if (dryRun || plan.groups.length === 0) return { report: reportOf(table, dryRun, plan, plan.groups, nothing), isWhole: true };
  const rewritten: Rewritten[] = [];
  const skipped = [...plan.skipped];
  for (const group of plan.groups) {
    try {
      rewritten.push(await rewrite(context, compacted, group));
    } catch (fault) {
      // Gone already: others rewrote it, and the expiry has been there. It is planned anew.
      if (fault instanceof SluiceError && fault.code === "NOT_FOUND") continue;
      if (!(fault instanceof SluiceError) || fault.code !== "TABLE_UNSUPPORTED") throw fault;
      skipped.push({ files: group.entries.length, why: fault.message });
    }
  }
  const summary = { [summaryKeys.change]: "compact" };
  const knownDeletes = new Set(version.deletes.map(({ file }) => file.file_path as string));
  const done =
    rewritten.length === 0
      ? nothing
      : await commitExchanges(context, { dataset, table, exchanges: rewritten, knownDeletes }, () => Promise.resolve(summary));
  const kept = new Set<Rewritten>(done.kept);
  await discardExchanges(
    context,
    rewritten.filter((each) => !kept.has(each)),
  );
  const report = reportOf(
    table,
    false,
    { ...plan, skipped },
    [...kept].map(({ group }) => group),
    done,
  );
  return { report, isWhole: kept.size === rewritten.length };
}

function reportOf(
  table: TableKind,
  dryRun: boolean,
  plan: CompactionPlan,
  groups: readonly CompactionGroup[],
  { kept, snapshotId, attempts }: Exchanged<Rewritten>,
): CompactionReport {
  const entries = groups.flatMap((group) => group.entries);
  const added = kept.flatMap((each) => each.added.map(({ file }) => file));
  const bytesBefore = BigInt(entries.reduce((sum, entry) => sum + bytesOf(entry), 0));
  return {
    table,
    dryRun,
    filesBefore: entries.length,
    filesAfter: dryRun ? groups.length : added.length,
    rows: (dryRun ? entries.map(({ file }) => file) : added).reduce((sum, file) => sum + (file.record_count as bigint), 0n),
    bytesBefore,
    bytesAfter: dryRun ? bytesBefore : added.reduce((sum, file) => sum + (file.file_size_in_bytes as bigint), 0n),
    snapshotId: snapshotId?.toString() ?? null,
    attempts,
    skipped: plan.skipped,
  };
}

/** See `LakeMaintenance.compact`. */
export async function compact(
  context: LakeContext,
  dataset: string,
  policy: CompactionPolicy,
  dryRun: boolean,
): Promise<readonly CompactionReport[]> {
  const reports: CompactionReport[] = [];
  for (const table of ["promoted", "quarantine"] as const) {
    for (let round = 1; ; round++) {
      const { report, isWhole } = await compactOnce(context, dataset, table, { policy, dryRun });
      reports.push(report);
      if (isWhole || round === roundsMax) break;
    }
  }
  return reports;
}
