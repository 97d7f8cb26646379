import type { CompactionPolicy, CompactionReport } from "../../../core/lake-maintenance.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import { dataFileRecord } from "../../iceberg/manifest.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { rewriteParquet } from "../../iceberg/parquet-rewrite.ts";
import { quarantineRowGroup, quarantineUnboundedIds } from "../../iceberg/parquet-quarantine-file.ts";
import { archiveOf, pathOfUri, uriOfPath } from "../../iceberg/storage-path.ts";
import { currentSchema, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { newPath } from "../table-files.ts";
import { summaryKeys } from "../summary-keys.ts";
import type { CompactionGroup, CompactionPlan } from "./compaction-plan.ts";
import { bytesOf, planCompaction } from "./compaction-plan.ts";
import type { Exchange, Exchanged, TableKind } from "./exchange.ts";
import { commitExchanges, discardExchanges } from "./exchange.ts";
import { entriesOf } from "./version-entries.ts";

/** Files whose group others touched while it was being rewritten are planned anew, so often. */
const roundsMax = 3;
const rowIdsVersion = 3;

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

async function rewrite(context: LakeContext, table: TableKind, metadata: TableMetadata, group: CompactionGroup): Promise<Rewritten> {
  const { storage } = context;
  const path = newPath(context, metadata, "compact");
  const inputs = group.entries.map(({ file }) => pathOfUri(storage, file.file_path as string));
  const written = await rewriteParquet({ storage, inputs, path, schema: currentSchema(metadata), ...writingOf(table) });
  const rows = group.entries.reduce((sum, { file }) => sum + Number(file.record_count as bigint), 0);
  if (written === null || written.recordCount !== rows) {
    await context.storage.delete(path);
    throw new SluiceError(
      "TABLE_CORRUPT",
      `manifests say ${rows} rows of files that hold ${written?.recordCount ?? 0}: nothing was rewritten`,
    );
  }
  context.probe("data-file.written");
  const { spec_id: specId, partition } = (group.entries[0] as ManifestEntry).file;
  const record = dataFileRecord(written, uriOfPath(storage, path), {
    specId: (specId ?? 0) as number,
    record: (partition ?? {}) as AvroRow,
  });
  return { group, removed: group.entries, added: [{ file: record, sequence: group.sequence }] };
}

async function planOf(context: LakeContext, metadata: TableMetadata, table: TableKind, policy: CompactionPolicy): Promise<CompactionPlan> {
  const version = await entriesOf(context, snapshotOfRef(metadata, "main"));
  if ((metadata["format-version"] as number) >= rowIdsVersion) {
    return {
      groups: [],
      skipped: [{ files: version.files.length, why: "tables of version 3 number their rows, and a rewrite would number them anew" }],
    };
  }
  const isArchived = (uri: string): boolean => archiveOf(context.storage, pathOfUri(context.storage, uri)) !== null;
  return planCompaction(version, { policy, inOrder: table === "quarantine", isArchived });
}

async function compactOnce(
  context: LakeContext,
  dataset: string,
  table: TableKind,
  { policy, dryRun }: { readonly policy: CompactionPolicy; readonly dryRun: boolean },
): Promise<{ report: CompactionReport; isWhole: boolean }> {
  const { metadata } = (await loadTables(context, dataset))[table];
  const plan = await planOf(context, metadata, table, policy);
  const nothing = { kept: [], snapshotId: null, attempts: 0 };
  if (dryRun || plan.groups.length === 0) return { report: reportOf(table, dryRun, plan, plan.groups, nothing), isWhole: true };
  const rewritten: Rewritten[] = [];
  const skipped = [...plan.skipped];
  for (const group of plan.groups) {
    try {
      rewritten.push(await rewrite(context, table, metadata, group));
    } catch (fault) {
      // Gone already: others rewrote it, and the expiry has been there. It is planned anew.
      if (fault instanceof SluiceError && fault.code === "NOT_FOUND") continue;
      if (!(fault instanceof SluiceError) || fault.code !== "TABLE_UNSUPPORTED") throw fault;
      skipped.push({ files: group.entries.length, why: fault.message });
    }
  }
  const summary = { [summaryKeys.change]: "compact" };
  const done =
    rewritten.length === 0
      ? nothing
      : await commitExchanges(context, { dataset, table, exchanges: rewritten }, () => Promise.resolve(summary));
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
  const bytesBefore = BigInt(entries.reduce((sum, entry) => sum + bytesOf(entry), 0));
  return {
    table,
    dryRun,
    filesBefore: entries.length,
    filesAfter: groups.length,
    rows: entries.reduce((sum, { file }) => sum + (file.record_count as bigint), 0n),
    bytesBefore,
    bytesAfter: dryRun
      ? bytesBefore
      : kept.flatMap(({ added }) => added).reduce((sum, { file }) => sum + (file.file_size_in_bytes as bigint), 0n),
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
