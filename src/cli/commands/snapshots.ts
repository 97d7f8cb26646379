import type { SnapshotInfo } from "../../core/ports.ts";
import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { formatCount, formatTime, renderTable } from "../table.ts";

/** `sluice snapshots` */
export const snapshots: CommandSpec = {
  name: "snapshots",
  summary: "List a dataset's Iceberg snapshots, newest first",
  examples: [
    { command: "sluice snapshots", says: "the last 20 snapshots, with what each added" },
    { command: "sluice snapshots --dataset flights --limit 5 --json", says: "five of them with their whole summaries" },
  ],
  options: [configOption, datasetOption, { flags: "-n, --limit <snapshots>", description: "How many", default: "20" }, jsonOption],
  json: "{ dataset: string, total: number, snapshots: { snapshotId: string, parentId: string | null, sequence: string, committedAtMs: number, operation: string, refs: string[], isWithdrawn: boolean, summary: Record<string, string> }[] }",
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    return withLake(invocation, async ({ lake }) => {
      const dataset = await chooseDataset(lake, invocation);
      const all = [...(await lake.snapshots(dataset))].sort((a, b) => (a.sequence < b.sequence ? 1 : -1));
      const shown = all.slice(0, invocation.count("limit", 1) ?? 20);
      const { terminal } = invocation;
      if (invocation.json) {
        terminal.json({ dataset, total: all.length, snapshots: shown });
        return ExitCode.clean;
      }
      const header = ["snapshot", "committed", "change", "added", "total", "refs"];
      for (const line of renderTable(header, shown.map(rowOf))) terminal.out(line);
      if (all.length > shown.length) terminal.err(`${formatCount(all.length - shown.length)} older ones: --limit ${all.length}`);
      return ExitCode.clean;
    });
  },
};

function rowOf(one: SnapshotInfo): readonly string[] {
  const count = (key: string): string => formatCount(Number(one.summary[key] ?? 0));
  const added = count("added-records");
  // Other writers' snapshots have an operation only.
  const change = `${one.summary["sluice.change"] ?? one.operation}${one.isWithdrawn ? " (withdrawn)" : ""}`;
  return [one.snapshotId, formatTime(one.committedAtMs), change, added, count("total-records"), one.refs.join(", ")];
}
