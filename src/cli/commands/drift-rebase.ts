import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption, reasonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";
import { formatCount } from "../table.ts";

/** Windows that are the new normal where nothing else is said: as many as a rolling baseline holds by default. */
const windowsDefault = 20;

/** `sluice drift rebase` */
export const driftRebase: CommandSpec = {
  name: "drift rebase",
  summary: "Call the newest windows the new normal: drift compares with them, and forgets what came before",
  details:
    "Windows of a drift alarm join no baseline by themselves, so an alarm stays until the data come back. After this the newest commits' promoted windows are the baseline, alarms or not; held ones join as they are published. Detectors begin anew. The change stands in the table's history with its author and reason. A pinned baseline moves by its tag instead.",
  examples: [
    { command: 'sluice drift rebase -m "the summer schedule"', says: "the newest 20 windows" },
    { command: 'sluice drift rebase --windows 5 -m "new fare classes since Monday"', says: "only what came since" },
  ],
  options: [
    configOption,
    datasetOption,
    { flags: "-w, --windows <number>", description: "How many of the newest commits", default: String(windowsDefault) },
    reasonOption,
    jsonOption,
  ],
  json: "{ dataset: string, windows: number, after: string, until: string, atMs: number, author: string, reason: string }",
  async run(invocation) {
    const windows = invocation.count("windows") ?? windowsDefault;
    if (windows < 1) throw new UsageError("--windows is at least 1");
    const { author, chooseDataset, withLake } = await import("../session.ts");
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const dataset = await chooseDataset(lake, invocation);
      const rebase = await lake.rebaseDrift(dataset, { windows, ...author(invocation) });
      if (invocation.json) terminal.json({ dataset, ...rebase, after: rebase.after.toString(), until: rebase.until.toString() });
      else
        terminal.out(
          `${dataset}: the newest ${formatCount(windows)} commits are the new normal of drift, by ${rebase.author}: ${rebase.reason}`,
        );
      return ExitCode.clean;
    });
  },
};
