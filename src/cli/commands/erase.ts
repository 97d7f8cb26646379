import type { ErasurePreview, ErasureReport, ErasureTarget } from "../../core/lake-maintenance.ts";
import type { CommandSpec, Invocation } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";
import { formatCount } from "../table.ts";

/** What a command line wants erased. */
function targetOf(invocation: Invocation): ErasureTarget {
  const [where, key] = [invocation.text("where"), invocation.text("key")];
  if ((where === null) === (key === null)) throw new UsageError('name what goes: --where "column = value", or --key KEY');
  if (key !== null) return { kind: "key", key: new TextEncoder().encode(key) };
  const found = /^\s*([^=\s]+)\s*=\s?(.*)$/s.exec(where as string);
  if (found === null) throw new UsageError(`--where takes "column = value", not "${where}"`);
  const quoted = /^'(.*)'\s*$/s.exec(found[2] as string);
  return {
    kind: "column",
    column: found[1] as string,
    value: quoted === null ? (found[2] as string) : (quoted[1] as string).replaceAll("''", "'"),
  };
}

function show({ terminal }: Invocation, report: ErasureReport): void {
  const { rows, erased, filesRewritten, filesDeleted, snapshotsExpired, profilesDeleted, scanned, remaining, beyond } = report;
  const parts = `${formatCount(rows.promoted)} promoted, ${formatCount(rows.held)} held, ${formatCount(rows.quarantined)} quarantined rows`;
  terminal.out(`erased ${formatCount(erased.length)} records: ${parts}`);
  terminal.out(
    `  ${formatCount(filesRewritten)} files rewritten, ${formatCount(filesDeleted)} deleted, ${formatCount(snapshotsExpired)} snapshots and ${formatCount(profilesDeleted)} profiles removed`,
  );
  if (remaining.length === 0) terminal.out(`  read ${formatCount(scanned)} files of both tables afterwards: none has the value`);
  else terminal.out(`  STILL THERE, or unreadable, in ${formatCount(remaining.length)} of ${formatCount(scanned)} files:`);
  for (const path of remaining) terminal.out(`    ${path}`);
  if (report.copies !== null) {
    const { where, erased: copies, moved, scanned: read, remaining: left } = report.copies;
    const others = moved === 0 ? "" : `; ${formatCount(moved)} others that stood between them were written again at its end`;
    terminal.out(`  ${where}: erased ${formatCount(copies)} copies${others}`);
    if (left === 0) terminal.out(`  read its ${formatCount(read)} records afterwards: none is a copy`);
    else terminal.out(`  STILL THERE: ${formatCount(left)} of its ${formatCount(read)} records; the same command again erases them`);
  }
  terminal.out(`  on record as ${report.predicateHash.slice(0, 16)}, by ${report.author}: ${report.reason}`);
  for (const one of beyond) terminal.out(`  not reached: ${one}`);
}

function showPreview({ terminal }: Invocation, { records, files, copies }: ErasurePreview): void {
  terminal.out(`would erase ${formatCount(records)} records, in ${formatCount(files)} files`);
  if (copies !== null)
    terminal.out(`${copies.where}: would erase ${formatCount(copies.found)} copies among ${formatCount(copies.read)} records`);
}

/** `sluice erase` */
export const erase: CommandSpec = {
  name: "erase",
  summary: "Erase the records of a subject from every version, branch, held window, quarantine and dead letter, and prove it",
  details:
    "Files are rewritten without the rows, and every snapshot, profile and statement that could hold the value goes. Quarantined records match where the value stands anywhere in their key, value or headers. The report never repeats the value, and is kept. On the dead letter topic (dlq.enabled) everything up to the last copy is deleted, and the other records among it are written again at its end: its readers may meet those twice.",
  examples: [
    { command: `sluice erase -d orders --where "email = erika@example.org" --dry-run`, says: "how many records it would find" },
    { command: `sluice erase -d orders --where "email = erika@example.org" -m "request 4711"`, says: "and now for good" },
    {
      command: `sluice erase -d orders --key customer-17 -m "request 4711"`,
      says: "quarantined records by their key, and what became of them",
    },
  ],
  options: [
    configOption,
    datasetOption,
    {
      flags: "--where <condition>",
      description: 'A column and its value: "column = value"; a value in single quotes may begin or end with a space',
    },
    { flags: "--key <key>", description: "The key of records, as text" },
    { flags: "-m, --reason <text>", description: "Why, for the record: never the value itself" },
    { flags: "--keep-dead-letters", description: "Leave the dead letter topic as it is" },
    { flags: "--dry-run", description: "Only say how many records would go" },
    jsonOption,
  ],
  json: "ErasureReport { format: 'sluice.erasure/1', dataset, atMs, author, reason, predicateHash, rows: { promoted, held, quarantined }, erased: string[], filesRewritten, snapshotsExpired, filesDeleted, profilesDeleted, scanned, remaining: string[], copies: { where: string, erased: number, moved: number, scanned: number, remaining: number } | null, beyond: string[] }; of a dry run { dataset: string, records: number, files: number, copies: { where: string, read: number, found: number } | null }",
  findings: "the value is still in a file, or a copy on the dead letter topic",
  async run(invocation) {
    const { authorWithReason, chooseDataset, withLake } = await import("../session.ts");
    const { withDeadLetters } = await import("../dead-letters.ts");
    const target = targetOf(invocation);
    const dryRun = invocation.flag("dryRun");
    const by = dryRun ? null : authorWithReason(invocation);
    return withLake(invocation, async ({ config, lake }) => {
      const dataset = await chooseDataset(lake, invocation);
      if (target.kind === "column" && by?.reason.includes(target.value) === true)
        throw new UsageError("the reason is kept: don't write the value into it");
      const asked = invocation.flag("keepDeadLetters") ? { ...config, dlq: { ...config.dlq, enabled: false } } : config;
      return withDeadLetters(asked, dataset, by !== null, async (copies) => {
        if (by === null) {
          const found = await lake.maintenance.previewErasure(dataset, target, copies);
          if (invocation.json) invocation.terminal.json({ dataset, ...found });
          else showPreview(invocation, found);
          return ExitCode.clean;
        }
        const report = await lake.maintenance.erase(dataset, { target, ...by, ...(copies !== undefined && { copies }) });
        if (invocation.json) invocation.terminal.json(report);
        else show(invocation, report);
        return report.remaining.length + (report.copies?.remaining ?? 0) > 0 ? ExitCode.findings : ExitCode.clean;
      });
    });
  },
};
