import type { CommandSpec } from "../command.ts";
import { configOption, jsonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";

/** `sluice usage` */
export const usage: CommandSpec = {
  name: "usage",
  summary: "Show what each dataset occupies, what tags and old snapshots keep, who last read it, and what is idle",
  details:
    "A file is counted once: in main, else under tags and branches, else under older snapshots (which `sluice maintain expire` frees). Readings are known from the REST catalog, OpenLineage and `sluice consume`: who reads files directly is not seen.",
  examples: [
    { command: "sluice usage", says: "every dataset, idle ones marked" },
    { command: "sluice usage --idle 90d --price 0.023", says: "with what each costs a month at a price a GiB; exit code 3 if one is idle" },
  ],
  options: [
    configOption,
    { flags: "--idle <span>", description: "Neither written nor read for so long is idle", default: "30d" },
    { flags: "--price <amount>", description: "What a GiB costs a month, in any currency" },
    jsonOption,
  ],
  json: '{ idleSinceMs: number, datasets: { dataset: string, owners: string[], bytes: string, costMonthly: number | null, lastCommitMs: number | null, lastRead: Reading | null, lastQuarantineRead: Reading | null, readings: number, isIdle: boolean, tables: { table: "promoted" | "quarantine", name: string, main: Totals, named: Totals, older: Totals, snapshots: number, lastCommitMs: number | null }[] }[] } where Reading = { atMs: number, by: string } and Totals = { files: number, rows: string, bytes: string }',
  findings: "a dataset is idle",
  async run(invocation) {
    const { withLake } = await import("../session.ts");
    const { datasetUsage } = await import("../../trace/dataset-usage.ts");
    const { costOf, ownersOf, printUsage } = await import("../usage-text.ts");
    const idleSinceMs = invocation.moment("idle", Date.now()) ?? 0;
    const text = invocation.text("price");
    const price = text === null ? null : Number(text);
    if (price !== null && !(price >= 0 && price < 1e9)) throw new UsageError(`--price takes an amount such as 0.023, not "${text}"`);
    return withLake(invocation, async ({ config, lake }) => {
      const owners = await ownersOf(config);
      const found = [];
      for (const dataset of await lake.datasets()) {
        const used = await datasetUsage(lake, dataset, idleSinceMs);
        found.push({ ...used, owners: owners.get(dataset) ?? [], costMonthly: price === null ? null : costOf(used.bytes, price) });
      }
      if (invocation.json) invocation.terminal.json({ idleSinceMs, datasets: found });
      else printUsage(found, invocation.terminal);
      return found.some((each) => each.isIdle) ? ExitCode.findings : ExitCode.clean;
    });
  },
};
