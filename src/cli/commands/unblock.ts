import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption, reasonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";

/** `sluice unblock` */
export const unblock: CommandSpec = {
  name: "unblock",
  summary: "Answer a dataset that a contract's policy stopped",
  details: "A running worker sees the answer within seconds. For a changed or lost source see `sluice source`.",
  examples: [
    { command: "sluice unblock --retry", says: "read the stopped window again, such as after the contract was corrected" },
    { command: 'sluice unblock --hold -m "look at it tomorrow"', says: "set the window aside and go on" },
  ],
  options: [
    configOption,
    datasetOption,
    { flags: "--retry", description: "Judge the records again" },
    { flags: "--hold", description: "Hold the next window that would stop, and go on" },
    { flags: "-p, --partition <number>", description: "Only this partition" },
    reasonOption,
    jsonOption,
  ],
  json: "{ dataset: string, mode: 'retry' | 'hold', cleared: { topic: string, topicId: string | null, partition: number | null, code: string, message: string, sinceMs: number }[] }",
  async run(invocation) {
    if (invocation.flag("retry") === invocation.flag("hold")) throw new UsageError("say either --retry or --hold");
    const { author, chooseDataset, withLake } = await import("../session.ts");
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const dataset = await chooseDataset(lake, invocation);
      const mode = invocation.flag("hold") ? "hold" : "retry";
      const cleared = await lake.unblock(dataset, { partition: invocation.count("partition"), mode, ...author(invocation) });
      if (invocation.json) {
        terminal.json({ dataset, mode, cleared });
        return ExitCode.clean;
      }
      if (cleared.length === 0) terminal.out(`Nothing of ${dataset} was stopped by a policy. \`sluice status\` shows what is blocked.`);
      for (const block of cleared) {
        const where = block.partition === null ? block.topic : `${block.topic}, partition ${block.partition}`;
        terminal.out(`cleared (${mode}): ${where}: ${block.message}`);
      }
      return ExitCode.clean;
    });
  },
};
