import { SluiceError } from "../../../core/errors.ts";
import type { ConsumptionLog } from "../../../core/consumption.ts";
import type { RetentionPolicy, RetentionReport, RetentionRule } from "../../../core/retention.ts";
import { cutoffMs, describeRule } from "../../../core/retention.ts";
import { fieldAt } from "../../../core/table-schema.ts";
import { VersionDeletes } from "../../iceberg/deletes/version-deletes.ts";
import { archiveOf, pathOfUri } from "../../iceberg/storage-path.ts";
import type { TableMetadata } from "../../iceberg/table-metadata.ts";
import { currentSchema, snapshotOfRef } from "../../iceberg/table-metadata.ts";
import type { LakeContext } from "../lake-context.ts";
import { loadTables } from "../lake-context.ts";
import { summaryKeys, windowOfBranch } from "../summary-keys.ts";
import { readContracts } from "../table-properties.ts";
import { heldFiles, namedVersions } from "../trace/held-files.ts";
import { archiveFile } from "./archive-file.ts";
import type { Exchange } from "./exchanged-files.ts";
import type { Exchanged, TableKind } from "./exchange.ts";
import { commitExchanges, discardExchanges } from "./exchange.ts";
import { expireRows } from "./expire-rows.ts";
import type { ExpiredRows } from "./expire-rows.ts";
import { FileAges } from "./file-ages.ts";
import { PositionRanges } from "./position-ranges.ts";
import type { AgedFile, RetentionCutoffs, RetentionPlan, TakenFile } from "./retention-plan.ts";
import { planRetention } from "./retention-plan.ts";
import type { TaggedFile } from "./tagged-exchanges.ts";
import { filesUnderTags, tagsOf } from "./tagged-exchanges.ts";
import type { VersionEntries } from "./version-entries.ts";
import { entriesOf } from "./version-entries.ts";

/** So much is copied or written anew before it is committed: what a process that dies has to do again. */
const batchFilesMax = 100;
const batchBytesMax = 4 * 2 ** 30;

/** What a rule is applied to. */
interface Applied {
  readonly dataset: string;
  readonly table: TableKind;
  readonly metadata: TableMetadata;
  readonly deletes: VersionDeletes;
  readonly policy: RetentionPolicy;
  readonly rule: RetentionRule;
}

/** What a commit that took rows off main says of them: kept for good, and named by its snapshot. */
interface RetentionRecord {
  readonly format: "sluice.retention/1";
  readonly dataset: string;
  readonly table: TableKind;
  readonly atMs: number;
  readonly rule: string;
  readonly contractHash: string;
  readonly files: number;
  readonly rows: number;
  /** Source positions of the rows as `[first, last]` offsets by `<topicId>:<partition>`: how a checker tells expired from lost. */
  readonly positions: PositionRanges;
}

async function agedFiles(
  context: LakeContext,
  { metadata, deletes, rule }: Applied,
  version: VersionEntries,
  ages: FileAges,
): Promise<AgedFile[]> {
  const { storage } = context;
  const tagged = rule.tagged ? await filesUnderTags(context, metadata) : new Map<string, TaggedFile>();
  const goWith = new Set(rule.tagged ? tagsOf(metadata).map(([name]) => name) : []);
  const named = await heldFiles(
    context,
    // A held window's branch has main's files too, for as long as it waits: that is no reason to leave them.
    namedVersions(metadata).filter(([name]) => name !== "main" && windowOfBranch(name) === null && !goWith.has(name)),
  );
  const files = new Map(version.files.map((entry) => [entry.file["file_path"] as string, entry]));
  for (const [uri, { entry }] of tagged) if (!files.has(uri)) files.set(uri, entry);
  return [...files].map(([uri, entry]): AgedFile => {
    return {
      entry,
      bytes: Number(entry.file["file_size_in_bytes"]),
      promotedMs: ages.promotedMs(entry.sequence ?? 0n),
      otherRefs: [...(named.get(uri)?.refs ?? [])],
      archive: archiveOf(storage, pathOfUri(storage, uri)),
      mayHaveDeletes: tagged.get(uri)?.mayHaveDeletes === true || deletes.applyingTo(entry).length > 0,
    };
  });
}

async function cutoffsOf(
  context: LakeContext,
  log: ConsumptionLog,
  { dataset, metadata, rule }: Applied,
  ages: FileAges,
): Promise<RetentionCutoffs> {
  const nowMs = context.clock.now();
  const column = rule.column === null ? null : fieldAt(currentSchema(metadata).fields, rule.column);
  if (rule.column !== null && column === null) {
    throw new SluiceError("RETENTION_REFUSED", `the table of ${dataset} has no column ${rule.column} to tell the age of rows by`);
  }
  const unreadMs = rule.unreadFor === null ? null : cutoffMs(nowMs, rule.unreadFor);
  return {
    olderMs: rule.olderThan === null ? null : cutoffMs(nowMs, rule.olderThan),
    column,
    unreadMs,
    newestRead: unreadMs === null ? null : await ages.newestRead(log, dataset, unreadMs),
  };
}

/** Files that are worked on before the next commit. */
function batches(taken: readonly TakenFile[]): TakenFile[][] {
  const found: TakenFile[][] = [];
  let bytes = 0;
  for (const each of taken) {
    const open = found.at(-1);
    if (open === undefined || open.length >= batchFilesMax || bytes + each.file.bytes > batchBytesMax) {
      found.push([each]);
      bytes = 0;
    } else open.push(each);
    bytes += each.file.bytes;
  }
  return found;
}

function summaryOf(applied: Applied, change: "retain" | "archive", detail: Record<string, unknown>): Record<string, string> {
  return {
    [summaryKeys.change]: change,
    [summaryKeys.author]: `contract ${applied.policy.contractHash}`,
    [summaryKeys.reason]: describeRule(applied.rule),
    [summaryKeys.detail]: JSON.stringify(detail),
  };
}

function knownDeletes({ deletes }: Applied): ReadonlySet<string> {
  return new Set(deletes.entries.map(({ file }) => file["file_path"] as string));
}

async function commitExpiry(context: LakeContext, applied: Applied, exchanges: readonly ExpiredRows[]): Promise<Exchanged<ExpiredRows>> {
  const { dataset, table, policy, rule } = applied;
  return commitExchanges(context, { dataset, table, exchanges, knownDeletes: knownDeletes(applied) }, async (kept) => {
    const positions = new PositionRanges();
    for (const each of kept) positions.addAll(each.positions);
    const record: RetentionRecord = {
      format: "sluice.retention/1",
      dataset,
      table,
      atMs: context.clock.now(),
      rule: describeRule(rule),
      contractHash: policy.contractHash,
      files: kept.length,
      rows: rowsOf(kept),
      positions,
    };
    const hash = await context.content.put("retention", new TextEncoder().encode(JSON.stringify(record)));
    const operation = kept.some(({ added }) => added.length > 0) ? "overwrite" : "delete";
    return { operation, ...summaryOf(applied, "retain", { record: hash, rows: record.rows }) };
  });
}

function rowsOf(exchanges: readonly { readonly rows: number }[]): number {
  return exchanges.reduce((sum, { rows }) => sum + rows, 0);
}

type Done = Exchanged<Exchange & { readonly rows: number }>;

/** Works on some files and commits them: what was written for files that are gone meanwhile is discarded. */
async function applyBatch(context: LakeContext, applied: Applied, taken: readonly TakenFile[], cutoffs: RetentionCutoffs): Promise<Done> {
  const { dataset, table, metadata, rule } = applied;
  const exchanges: (Exchange & { readonly rows: number })[] = [];
  const gone: Exchange[] = [];
  let done: Done;
  if (rule.action === "archive") {
    for (const { file } of taken) {
      const moved = await unlessGone(() => archiveFile(context, metadata, file.entry, rule.place ?? ""));
      if (moved !== null) exchanges.push(moved);
    }
    const summary = summaryOf(applied, "archive", { place: rule.place });
    const what = { dataset, table, exchanges, knownDeletes: knownDeletes(applied), underTags: rule.tagged };
    done = await commitExchanges(context, what, () => Promise.resolve(summary));
  } else {
    const expired: ExpiredRows[] = [];
    for (const each of taken) {
      const without = await unlessGone(() => expireRows(context, applied, each, cutoffs));
      if (without !== null) expired.push(without);
    }
    exchanges.push(...expired);
    done = await commitExpiry(context, applied, expired);
  }
  const kept = new Set<Exchange>(done.kept);
  gone.push(...exchanges.filter((each) => !kept.has(each)));
  await discardExchanges(context, gone);
  return done;
}

/** Others may have written a file anew meanwhile, and an expiry removed it: it is looked at next time. */
async function unlessGone<T>(work: () => Promise<T | null>): Promise<T | null> {
  try {
    return await work();
  } catch (fault) {
    if (fault instanceof SluiceError && fault.code === "NOT_FOUND") return null;
    throw fault;
  }
}

function totalsOf(exchanges: Done["kept"]): { files: number; rows: number; bytes: number } {
  const removed = exchanges.flatMap((each) => each.removed);
  return {
    files: removed.length,
    rows: rowsOf(exchanges),
    bytes: removed.reduce((sum, { file }) => sum + Number(file["file_size_in_bytes"]), 0),
  };
}

/** What a plan would do, as exchanges that nothing is exchanged by. */
function imagined({ taken }: RetentionPlan): Done["kept"] {
  return taken.map(({ file: { entry } }) => ({ removed: [entry], added: [], rows: Number(entry.file["record_count"]) }));
}

async function applyRule(context: LakeContext, log: ConsumptionLog, applied: Applied, dryRun: boolean): Promise<RetentionReport> {
  const { dataset, table, metadata, policy, rule } = applied;
  const report = { dataset, table, action: rule.action, dryRun, rule: describeRule(rule) };
  if (rule.unowned && policy.isOwned) return { ...report, files: 0, rows: 0, bytes: 0, snapshotId: null, skipped: [] };
  if (rule.action === "archive" && !(context.storage.archives ?? []).some(({ name }) => name === rule.place)) {
    throw new SluiceError("ARCHIVE_UNKNOWN", `the contract of ${dataset} names the archive ${rule.place}, and the configuration does not`);
  }
  const ages = await FileAges.of(context, metadata);
  const cutoffs = await cutoffsOf(context, log, applied, ages);
  const version = await entriesOf(context, snapshotOfRef(metadata, "main"));
  const plan = planRetention(rule, await agedFiles(context, applied, version, ages), cutoffs);
  if (dryRun) return { ...report, ...totalsOf(imagined(plan)), snapshotId: null, skipped: plan.skipped };
  const done: Done[] = [];
  for (const batch of batches(plan.taken)) done.push(await applyBatch(context, applied, batch, cutoffs));
  const snapshotId = done.findLast((each) => each.snapshotId !== null)?.snapshotId?.toString() ?? null;
  return { ...report, ...totalsOf(done.flatMap((each) => each.kept)), snapshotId, skipped: plan.skipped };
}

/** See `LakeMaintenance.retain`. */
export async function retain(
  context: LakeContext,
  log: ConsumptionLog,
  dataset: string,
  { policy, action, dryRun }: { readonly policy: RetentionPolicy; readonly action: RetentionRule["action"]; readonly dryRun: boolean },
): Promise<readonly RetentionReport[]> {
  const reports: RetentionReport[] = [];
  for (const rule of policy.rules.filter((each) => each.action === action)) {
    const tables = await loadTables(context, dataset);
    const active = readContracts(tables.promoted.metadata.properties).at(-1)?.hash;
    if (active !== policy.contractHash) {
      throw new SluiceError(
        "RETENTION_REFUSED",
        `another contract of ${dataset} is in force (${active ?? "none"}): its rules are the ones that hold`,
      );
    }
    const table = rule.of === "quarantine" ? "quarantine" : "promoted";
    const { metadata } = tables[table];
    const deletes = await VersionDeletes.of({ storage: context.storage, metadata, snapshot: snapshotOfRef(metadata, "main") });
    reports.push(await applyRule(context, log, { dataset, table, metadata, deletes, policy, rule }, dryRun));
  }
  return reports;
}
