import type { ColumnStatisticsReport } from "../../core/column-statistics.ts";
import type { CommandSpec, Invocation } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { datasetsOf, maintaining } from "../maintenance-command.ts";
import type { Session } from "../session.ts";
import { formatCount, printable, renderTable } from "../table.ts";

async function describeAll(session: Session, invocation: Invocation): Promise<ColumnStatisticsReport[]> {
  const reports: ColumnStatisticsReport[] = [];
  for (const dataset of await datasetsOf(session, invocation)) {
    const report = await session.lake.maintenance.describe(dataset);
    reports.push(report);
    if (!invocation.json) showReport(report, invocation);
  }
  return reports;
}

function showReport(
  { dataset, snapshotId, isCurrent, filesRead, files, rowsRead, columns }: ColumnStatisticsReport,
  { terminal }: Invocation,
): void {
  if (snapshotId === null) terminal.out(`${dataset}: main has nothing to count`);
  else if (isCurrent) terminal.out(`${dataset}: snapshot ${snapshotId} is described already`);
  else {
    const read = `${formatCount(Number(rowsRead))} rows of ${formatCount(filesRead)} files, of ${formatCount(files)}`;
    terminal.out(`${dataset}: described snapshot ${snapshotId} (read ${read})`);
    const rows = columns.map(({ name, distinct }) => [printable(name), formatCount(distinct)]);
    for (const line of renderTable(["column", "distinct values"], rows)) terminal.out(line);
  }
}

/** `sluice maintain statistics` */
export const maintainStatistics: CommandSpec = {
  name: "maintain statistics",
  summary: "Count the distinct values of main's columns into Iceberg's statistics, for planners of Trino and Spark",
  details:
    "A theta sketch a column, in the statistics file of main's newest snapshot. Columns of data files that no earlier version counted are read, in full where rows have gone since. Scheduled by `maintenance.statistics`.",
  examples: [{ command: "sluice maintain statistics -d flights", says: "one dataset's" }],
  options: [configOption, datasetOption, jsonOption],
  json: "{ dataset: string, snapshotId: string | null, isCurrent: boolean, filesRead: number, files: number, rowsRead: string, columns: { name: string, fieldId: number, distinct: number }[] }[]",
  run: (invocation) => maintaining(invocation, describeAll),
};
