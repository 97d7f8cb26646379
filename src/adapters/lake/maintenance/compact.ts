import type { CompactionPolicy, CompactionReport } from "../../../core/lake-maintenance.ts";
import { SluiceError } from "../../../core/errors.ts";
import type { LoadedTable } from "../../catalog/catalog.ts";
import type { AvroRow } from "../../iceberg/avro-schema.ts";
import { dataFileRecord, EntryStatus } from "../../iceberg/manifest.ts";
import type { ManifestEntry } from "../../iceberg/manifest.ts";
import { rewriteParquet } from "../../iceberg/parquet-rewrite.ts";
import { quarantineRowGroup, quarantineUnboundedIds } from "../../iceberg/parquet-quarantine-file.ts";
import type { NewFile } from "../../iceberg/replaced-files.ts";
import { ReplacementCache } from "../../iceberg/replaced-files.ts";
import { pathOfUri, uriOfPath } from "../../iceberg/storage-path.ts";
import { TableDraft } from "../../iceberg/table-draft.ts";
import { readManifestList } from "../../iceberg/table-io.ts";
import { currentSchema, snapshotOfRef, snapshotWithId } from "../../iceberg/table-metadata.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import type { Plan } from "../commit-loop.ts";
import { commitUntilSettled } from "../commit-loop.ts";
import type { DatasetTables, LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { newPath } from "../table-files.ts";
import { summaryKeys } from "../summary-keys.ts";
import type { CompactionGroup, CompactionPlan, VersionEntries } from "./compaction-plan.ts";
import { bytesOf, deletedUpTo, planCompaction } from "./compaction-plan.ts";

type TableKind = CompactionReport["table"];

/** Files whose group others touched while it was being rewritten are planned anew, so often. */
const roundsMax = 3;
const rowIdsVersion = 3;

/** Every live file of a version. */
async function entriesOf(context: LakeContext, snapshot: Snapshot | null, cache = new ReplacementCache()): Promise<VersionEntries> {
  const files: ManifestEntry[] = [];
  const deletes: ManifestEntry[] = [];
  for (const manifest of await readManifestList(context.storage, snapshot)) {
    const live = (await cache.read(context, manifest)).filter((entry) => entry.status !== EntryStatus.deleted);
    (manifest.content === 0 ? files : deletes).push(...live);
  }
  return { files, deletes };
}

/** A group with the file that is to take its place. */
interface Rewritten {
  readonly group: CompactionGroup;
  readonly file: NewFile;
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
  return { group, file: { file: record, sequence: group.sequence } };
}

/** Groups all of whose files are still there, and untouched by deletes. */
async function standing(
  context: LakeContext,
  metadata: TableMetadata,
  rewritten: readonly Rewritten[],
  cache: ReplacementCache,
): Promise<Rewritten[]> {
  const version = await entriesOf(context, snapshotOfRef(metadata, "main"), cache);
  const deleted = deletedUpTo(version);
  const there = new Map(version.files.map((entry) => [entry.file.file_path as string, entry.sequence ?? 0n]));
  const isThere = ({ file }: ManifestEntry): boolean => (there.get(file.file_path as string) ?? -1n) > deleted;
  return rewritten.filter(({ group }) => group.entries.every(isThere));
}

interface Committed {
  readonly snapshotId: bigint | null;
  readonly kept: readonly Rewritten[];
  readonly attempts: number;
}

/** Puts the new files in the place of the old: over main as it is at each attempt, so that it gives way to every other writer. */
function commit(context: LakeContext, dataset: string, table: TableKind, rewritten: readonly Rewritten[]): Promise<Committed> {
  const id = context.snapshotId();
  const cache = new ReplacementCache();
  let kept: readonly Rewritten[] = [];
  return commitUntilSettled<Committed>(context, dataset, async (tables, attempt): Promise<Plan<Committed>> => {
    const { metadata } = tableOf(tables, table);
    if (snapshotWithId(metadata, id) !== null) return { kind: "done", result: { snapshotId: id, kept, attempts: attempt } };
    const before = kept.length;
    kept = await standing(context, metadata, rewritten, cache);
    if (kept.length !== before) cache.forgetWritten();
    const none = { kind: "done", result: { snapshotId: null, kept: [], attempts: attempt } } as const;
    if (kept.length === 0) return none;
    const draft = new TableDraft(context.io, metadata);
    const replaced = await draft.replace({
      snapshotId: id,
      parent: draft.main,
      branch: "main",
      files: {
        removed: new Set(kept.flatMap(({ group }) => group.entries.map(({ file }) => file.file_path as string))),
        added: kept.map(({ file }) => file),
        cache,
      },
      summary: { [summaryKeys.change]: "compact" },
      nowMs: context.clock.now(),
    });
    if (replaced === null) return none;
    const drafts = table === "promoted" ? ([draft, null] as const) : ([null, draft] as const);
    return { kind: "change", drafts, result: { snapshotId: id, kept, attempts: attempt } };
  });
}

function tableOf(tables: DatasetTables, table: TableKind): LoadedTable {
  return tables[table];
}

async function planOf(context: LakeContext, metadata: TableMetadata, table: TableKind, policy: CompactionPolicy): Promise<CompactionPlan> {
  const version = await entriesOf(context, snapshotOfRef(metadata, "main"));
  if ((metadata["format-version"] as number) >= rowIdsVersion) {
    return {
      groups: [],
      skipped: [{ files: version.files.length, why: "tables of version 3 number their rows, and a rewrite would number them anew" }],
    };
  }
  return planCompaction(version, policy, table === "quarantine");
}

/** Files that took no one's place: surely nothing names them. */
async function discard(context: LakeContext, rewritten: readonly Rewritten[]): Promise<void> {
  for (const { file } of rewritten) await context.storage.delete(pathOfUri(context.storage, file.file.file_path as string));
}

async function compactOnce(
  context: LakeContext,
  dataset: string,
  table: TableKind,
  { policy, dryRun }: { readonly policy: CompactionPolicy; readonly dryRun: boolean },
): Promise<{ report: CompactionReport; isWhole: boolean }> {
  const { metadata } = tableOf(await loadTables(context, dataset), table);
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
  const done = rewritten.length === 0 ? nothing : await commit(context, dataset, table, rewritten);
  const kept = new Set<Rewritten>(done.kept);
  await discard(
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
  { kept, snapshotId, attempts }: Committed,
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
    bytesAfter: dryRun ? bytesBefore : kept.reduce((sum, { file }) => sum + (file.file.file_size_in_bytes as bigint), 0n),
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
