import type { PrunedIncidents } from "../../core/incident-store.ts";
import type { CompactionReport, ExpiryReport, OrphanReport } from "../../core/lake-maintenance.ts";
import type { CommandSpec, Invocation } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { UsageError } from "../failure.ts";
import { datasetsOf, dryRunOption, maintaining, would } from "../maintenance-command.ts";
import { retentionShape } from "../retention-shape.ts";
import type { Session } from "../session.ts";
import { formatBytes, formatCount } from "../table.ts";

const ageOption = {
  flags: "--older-than <span>",
  description: "Expire snapshots older than this, such as 5d (default: maintenance.snapshotAgeMsMax)",
} as const;
const keepOption = {
  flags: "--keep <snapshots>",
  description: "Keep so many of each branch's newest (default: maintenance.snapshotsMin)",
} as const;
const keepMaxOption = {
  flags: "--keep-at-most <snapshots>",
  description: "Keep no more of each branch's newest, however young (default: maintenance.snapshotsMax)",
} as const;
const graceOption = {
  flags: "--grace <span>",
  description: "Remove files that are at least this old, such as 3d (default: maintenance.orphanAgeMsMin)",
} as const;
const targetOption = {
  flags: "--file-bytes <bytes>",
  description: "Make files of about this size (default: maintenance.fileBytesTarget)",
} as const;
const filesOption = {
  flags: "--files-min <files>",
  description: "Rewrite when so many small files stand together (default: maintenance.filesMin)",
} as const;

const incidentAgeOption = {
  flags: "--older-than <span>",
  description: "Remove incidents that were over for longer than this, such as 90d (default: maintenance.incidentAgeMsMax)",
} as const;

const deletesOption = {
  flags: "--all-deletes",
  description: "Write every file anew of which other programs deleted rows, however few",
} as const;

const expiryShape =
  "{ dataset: string, dryRun: boolean, snapshots: { promoted: number, quarantine: number }, refs: string[], files: number, bytes: number, heldBackBy: string[] }";
const orphanShape = "{ dryRun: boolean, files: number, bytes: number, paths: string[], contentsSkipped: string | null }";
const compactionShape =
  "{ dataset: string, table: 'promoted' | 'quarantine', dryRun: boolean, filesBefore: number, filesAfter: number, rows: string, bytesBefore: string, bytesAfter: string, snapshotId: string | null, attempts: number, skipped: { files: number, why: string }[] }";

const incidentsShape = "{ dataset: string, dryRun: boolean, incidents: number, notices: number }";

const incidentAgeMsMin = 24 * 3600_000;
const graceMsMin = 3600_000;

async function expireAll(session: Session, invocation: Invocation): Promise<ExpiryReport[]> {
  const { maintenance } = session.config;
  const policy = {
    snapshotAgeMsMax: invocation.span("olderThan") ?? maintenance.snapshotAgeMsMax,
    snapshotsMin: invocation.count("keep", 1) ?? maintenance.snapshotsMin,
    snapshotsMax: invocation.count("keepAtMost", 1) ?? maintenance.snapshotsMax,
  };
  const reports: ExpiryReport[] = [];
  for (const dataset of await datasetsOf(session, invocation)) {
    const report = await session.lake.maintenance.expire(dataset, policy, invocation.flag("dryRun"));
    reports.push(report);
    const { snapshots, files, bytes, refs, heldBackBy } = report;
    if (invocation.json) continue;
    const what = `${formatCount(snapshots.promoted)} snapshots and ${formatCount(snapshots.quarantine)} of quarantine`;
    const gone = `${formatCount(files)} files, ${formatBytes(bytes)}`;
    invocation.terminal.out(`${dataset}: ${would(report.dryRun, "expired", "expire")} ${what} (${gone})`);
    for (const ref of refs)
      invocation.terminal.out(`  ${ref} ${would(report.dryRun, "reached its age and went", "go: it reached its age")}`);
    for (const sink of heldBackBy) invocation.terminal.out(`  more is old enough, and the sink ${sink} has yet to read it`);
  }
  return reports;
}

async function removeOrphans(session: Session, invocation: Invocation): Promise<OrphanReport> {
  const graceMs = invocation.span("grace") ?? session.config.maintenance.orphanAgeMsMin;
  if (graceMs < graceMsMin) throw new UsageError("--grace takes 1h at least: commits that are under way have files that nothing names yet");
  const report = await session.lake.maintenance.removeOrphans(graceMs, invocation.flag("dryRun"));
  if (invocation.json) return report;
  const { terminal } = invocation;
  const { dryRun, files, bytes, paths, contentsSkipped } = report;
  terminal.out(`${would(dryRun, "removed", "remove")} ${formatCount(files)} files that nothing names (${formatBytes(bytes)})`);
  for (const path of paths) terminal.out(`  ${path}`);
  if (files > paths.length) terminal.out(`  and ${formatCount(files - paths.length)} more`);
  if (contentsSkipped !== null) terminal.err(`decisions and profiles were left alone: ${contentsSkipped}`);
  return report;
}

type DatasetCompaction = CompactionReport & { readonly dataset: string };

async function compactAll(session: Session, invocation: Invocation): Promise<DatasetCompaction[]> {
  const { maintenance } = session.config;
  const policy = {
    fileBytesTarget: invocation.count("fileBytes", 1) ?? maintenance.fileBytesTarget,
    filesMin: invocation.count("filesMin", 2) ?? maintenance.filesMin,
    ...(invocation.flag("allDeletes") && { deletedShareMin: 0 }),
  };
  const all: DatasetCompaction[] = [];
  for (const dataset of await datasetsOf(session, invocation)) {
    for (const report of await session.lake.maintenance.compact(dataset, policy, invocation.flag("dryRun"))) {
      all.push({ dataset, ...report });
      if (!invocation.json) showCompaction(invocation, dataset, report);
    }
  }
  return all;
}

function showCompaction({ terminal }: Invocation, dataset: string, report: CompactionReport): void {
  const { table, dryRun, filesBefore, filesAfter, rows, bytesBefore, bytesAfter, snapshotId, skipped } = report;
  const name = `${dataset}${table === "quarantine" ? " quarantine" : ""}`;
  if (filesBefore === 0) terminal.out(`${name}: nothing to compact`);
  else {
    const sizes = dryRun ? formatBytes(Number(bytesBefore)) : `${formatBytes(Number(bytesBefore))} now ${formatBytes(Number(bytesAfter))}`;
    const where = snapshotId === null ? "" : `, snapshot ${snapshotId}`;
    const files = `${formatCount(filesBefore)} files into ${formatCount(filesAfter)}`;
    terminal.out(`${name}: ${would(dryRun, "made", "make")} ${files} (${formatCount(Number(rows))} rows, ${sizes}${where})`);
  }
  for (const { files, why } of skipped) terminal.out(`  left ${formatCount(files)} files alone: ${why}`);
}

interface DatasetIncidents extends PrunedIncidents {
  readonly dataset: string;
  readonly dryRun: boolean;
}

async function pruneAll(session: Session, invocation: Invocation, ageMs: number | null): Promise<DatasetIncidents[]> {
  const closedBeforeMs = Date.now() - (ageMs ?? session.config.maintenance.incidentAgeMsMax);
  const dryRun = invocation.flag("dryRun");
  const { pruneIncidents } = await import("../../gate/prune-incidents.ts");
  const all: DatasetIncidents[] = [];
  for (const dataset of await datasetsOf(session, invocation)) {
    const pruned = await pruneIncidents(session.lake, dataset, closedBeforeMs, dryRun);
    all.push({ dataset, dryRun, ...pruned });
    if (invocation.json) continue;
    const what = `${formatCount(pruned.incidents)} old incidents with ${formatCount(pruned.notices)} notices`;
    invocation.terminal.out(`${dataset}: ${would(dryRun, "removed", "remove")} ${what}`);
  }
  return all;
}

/** `sluice maintain incidents` */
export const maintainIncidents: CommandSpec = {
  name: "maintain incidents",
  summary: "Remove old incidents that are over, and the notices of them",
  details:
    "Open ones stay, those with windows that wait for an answer, and false positives, which drift's calibration reads. What persons said of any of them stays on record.",
  examples: [{ command: "sluice maintain incidents --older-than 90d --dry-run", says: "how many are that old" }],
  options: [configOption, datasetOption, incidentAgeOption, dryRunOption, jsonOption],
  json: `${incidentsShape}[]`,
  run: (invocation) =>
    maintaining(invocation, (session) => {
      const ageMs = invocation.span("olderThan");
      if (ageMs !== null && ageMs < incidentAgeMsMin)
        throw new UsageError("--older-than takes 1d at least: receivers may still have to be told");
      return pruneAll(session, invocation, ageMs);
    }),
};

/** `sluice maintain expire` */
export const maintainExpire: CommandSpec = {
  name: "maintain expire",
  summary: "Remove old snapshots, and the files that only they hold",
  details:
    "Tags, held windows, the snapshot that a contract pins as baseline, and what a sink has yet to read stay. Decisions stay for good: history, folds and `trace` read them from the ledger.",
  examples: [
    { command: "sluice maintain expire --dry-run", says: "what would go by the configuration's policy" },
    { command: "sluice maintain expire --older-than 2d --keep 50 -d flights", says: "another policy, one dataset" },
  ],
  options: [configOption, datasetOption, ageOption, keepOption, keepMaxOption, dryRunOption, jsonOption],
  json: `${expiryShape}[]`,
  run: (invocation) => maintaining(invocation, expireAll),
};

/** `sluice maintain orphans` */
export const maintainOrphans: CommandSpec = {
  name: "maintain orphans",
  summary: "Remove files that no version of a table names: what crashes and lost commits left behind",
  examples: [{ command: "sluice maintain orphans --dry-run", says: "lists them" }],
  options: [configOption, graceOption, dryRunOption, jsonOption],
  json: orphanShape,
  run: (invocation) => maintaining(invocation, removeOrphans),
};

/** `sluice maintain compact` */
export const maintainCompact: CommandSpec = {
  name: "maintain compact",
  summary: "Make small data files into larger ones, beside a running worker",
  details: "Rows, their order by source and the positions stay; windows that commit meanwhile come first, and nothing waits.",
  examples: [{ command: "sluice maintain compact -d flights --files-min 4", says: "also where only a few small files stand together" }],
  options: [configOption, datasetOption, targetOption, filesOption, deletesOption, dryRunOption, jsonOption],
  json: `${compactionShape}[]`,
  run: (invocation) => maintaining(invocation, compactAll),
};

/** `sluice maintain run` */
export const maintainRun: CommandSpec = {
  name: "maintain run",
  summary: "Retain, archive, compact, expire, and remove old incidents and orphans at once, as `sluice run` does at its interval",
  examples: [{ command: "sluice maintain run --dry-run", says: "what the configuration's policies would do now" }],
  options: [configOption, datasetOption, dryRunOption, jsonOption],
  json: `{ retain: ${retentionShape}[], archive: ${retentionShape}[], compact: ${compactionShape}[], expire: ${expiryShape}[], incidents: ${incidentsShape}[], orphans: ${orphanShape} }`,
  run: (invocation) =>
    maintaining(invocation, async (session) => {
      const { retainIfCan } = await import("../apply-retention.ts");
      return {
        retain: await retainIfCan(session, invocation, "expire"),
        archive: await retainIfCan(session, invocation, "archive"),
        compact: await compactAll(session, invocation),
        expire: await expireAll(session, invocation),
        incidents: await pruneAll(session, invocation, null),
        orphans: await removeOrphans(session, invocation),
      };
    }),
};
