import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";

const versionJson =
  "{ name: string, snapshotId: string, by: 'ref' | 'snapshot' | 'time', ref: string | null, committedAtMs: number, rows: number | null, deleteFiles: number, rowsDeleted: number, contract: { hash: string, version: string } | null }";
const windowJson = "{ snapshotId: string, sequence: string, committedAtMs: number, decision: Decision }";
const columnJson = "{ path: string, a: ColumnSummary | null, b: ColumnSummary | null, added: ColumnSummary | null }";

/** `sluice diff` */
export const diff: CommandSpec = {
  name: "diff",
  summary: "Compare two versions of a dataset: rows, schema, contract, windows, and each column's profile",
  details:
    "A version is a tag, a branch, `main`, `main~3`, a snapshot's id, or a time (what readers of main saw then). Columns are compared by the merged profiles of the windows that each version has, and nothing is read of the rows; with --read by the rows themselves, also those that other programs wrote or deleted.",
  examples: [
    { command: "sluice diff main~1 main", says: "what the last commit changed" },
    { command: "sluice diff release/2026-10 release/2026-11 --json", says: "two releases, for a report" },
    { command: "sluice diff main exp/dedup --read", says: "what Spark or PyIceberg made of a branch, column by column" },
    { command: "sluice diff 2d main", says: "what has come since the day before yesterday" },
  ],
  arguments: [
    { name: "<a>", description: "The version before" },
    { name: "<b>", description: "The version after" },
  ],
  options: [
    configOption,
    datasetOption,
    { flags: "--read", description: "Profile the rows of both versions instead of using the windows' stored profiles" },
    jsonOption,
  ],
  json: `{ dataset: string, a: Version, b: Version, commonSnapshotId: string | null, schema: { fieldId: number, path: string, change: string, from: string | null, to: string | null }[], added: Files, removed: Files, rowsRewritten: string | null, contract: string[] | null, onlyA: Window[], onlyB: Window[], profile: { a: Profiled, b: Profiled, added: Profiled, isRead: boolean, unread: string[], columns: ${columnJson}[] } } where Version = ${versionJson}, Files = { files: number, bytes: string, rows: string }, Window = ${windowJson}, Profiled = { windows: number, of: number, rows: number }; Decision and ColumnSummary by schemas/decision.schema.json`,
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { diffVersions } = await import("../version-diff.ts");
    const { printVersionDiff } = await import("../version-diff-text.ts");
    return withLake(invocation, async ({ lake }) => {
      const dataset = await chooseDataset(lake, invocation);
      const found = await diffVersions(lake, dataset, invocation.argument(0), invocation.argument(1), invocation.flag("read"));
      if (invocation.json) invocation.terminal.json(found);
      else printVersionDiff(found, invocation.terminal);
      return ExitCode.clean;
    });
  },
};
