import { SluiceError } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";

/** `sluice consume` */
export const consume: CommandSpec = {
  name: "consume",
  summary: "Record that a job's run reads a version, so that `trace job` and `trace snapshot` know it",
  details:
    "For jobs that neither read through Sluice's REST catalog nor send OpenLineage events. Recording the same again changes nothing that `trace` says.",
  examples: [
    { command: "sluice consume --job churn-model --run 2026-11-07 --tag release/2026-11", says: "before the training begins" },
    { command: "sluice consume --job nightly --run 42 --snapshot 6844348787942576246 --dataset flights", says: "an exact snapshot" },
  ],
  options: [
    configOption,
    datasetOption,
    { flags: "--job <name>", description: "The job that reads" },
    { flags: "--run <id>", description: "Its run" },
    { flags: "--tag <name>", description: "The tag or branch that it reads" },
    { flags: "--snapshot <id>", description: "The snapshot that it reads, instead of a tag" },
    jsonOption,
  ],
  json: "{ dataset: string, snapshotId: string, job: string, runId: string }",
  async run(invocation) {
    const { author, chooseDataset, withLake } = await import("../session.ts");
    const { VersionTree } = await import("../../trace/version-tree.ts");
    const [job, runId, tag, snapshot] = ["job", "run", "tag", "snapshot"].map((name) => invocation.text(name));
    if (!job || !runId) throw new UsageError("--job and --run must say who reads");
    if (Boolean(tag) === Boolean(snapshot)) throw new UsageError("either --tag or --snapshot must say what is read");
    return withLake(invocation, async ({ lake }) => {
      const dataset = await chooseDataset(lake, invocation);
      const tree = new VersionTree(await lake.snapshots(dataset));
      const found = tag ? tree.named(tag) : tree.get(snapshot as string);
      if (found === null) {
        const missing = tag ? `tag or branch "${tag}"` : `snapshot "${snapshot}"`;
        throw new SluiceError("NOT_FOUND", `${dataset} has no ${missing}; \`sluice snapshots\` lists them`);
      }
      const { snapshotId } = found;
      const reader = author(invocation).author;
      const details = tag ? { tag } : {};
      await lake.consumption.record([{ dataset, snapshotId, kind: "declared", reader, job, runId, atMs: Date.now(), details }]);
      if (invocation.json) invocation.terminal.json({ dataset, snapshotId, job, runId });
      else invocation.terminal.out(`recorded: run ${runId} of ${job} reads ${dataset} at snapshot ${snapshotId}`);
      return ExitCode.clean;
    });
  },
};
