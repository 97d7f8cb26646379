import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption, keepOption, neededReasonOption, reasonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { nextCommand } from "../next-command.ts";
import { namedRefJson } from "../refs-text.ts";

/** `sluice branch create` */
export const branchCreate: CommandSpec = {
  name: "branch create",
  summary: "Make a branch that people write to with Spark or PyIceberg; main and its readers do not see it",
  details: "Nothing merges it into main: rows get there by the gate alone.",
  examples: [
    { command: "sluice branch create exp/dedup --from release/2026-11", says: "to try something on a release" },
    { command: "sluice branch create what-if --keep 14d", says: "from main as it is now, for two weeks" },
  ],
  arguments: [{ name: "<name>", description: "Letters, digits and `. _ / -`" }],
  options: [
    configOption,
    datasetOption,
    { flags: "--from <version>", description: "A tag, snapshot, branch or time", default: "main" },
    keepOption,
    reasonOption,
    jsonOption,
  ],
  json: `{ dataset: string, ref: Ref } where Ref = ${namedRefJson}`,
  async run(invocation) {
    const { author, chooseDataset, withLake } = await import("../session.ts");
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const dataset = await chooseDataset(lake, invocation);
      const name = invocation.argument(0);
      const version = invocation.text("from") ?? "main";
      const ref = await lake.refs.create(dataset, {
        kind: "branch",
        name,
        version,
        keepMs: invocation.span("keep"),
        ...author(invocation),
      });
      if (invocation.json) {
        terminal.json({ dataset, ref });
        return ExitCode.clean;
      }
      terminal.out(`branch ${name} of ${dataset} from snapshot ${ref.snapshotId}`);
      terminal.err(`PyIceberg: table.append(rows, branch="${name}"); Spark: INSERT INTO ${dataset}.\`branch_${name}\``);
      terminal.err(`${nextCommand(invocation, `diff main ${name} --read`)}  # what it changes`);
      return ExitCode.clean;
    });
  },
};

/** `sluice branch list` */
export const branchList: CommandSpec = {
  name: "branch list",
  summary: "List a dataset's branches; held windows are in `hold list`",
  examples: [{ command: "sluice branch list", says: "main and people's branches with their newest snapshot" }],
  options: [configOption, datasetOption, jsonOption],
  json: `{ dataset: string, refs: Ref[] } where Ref = ${namedRefJson}`,
  async run(invocation) {
    const { listRefs } = await import("../named-refs.ts");
    return listRefs(invocation, ({ kind }) => kind === "branch" || kind === "main", "no version yet");
  },
};

/** `sluice branch drop` */
export const branchDrop: CommandSpec = {
  name: "branch drop",
  summary: "Drop a branch, with the reason on record; what only it had may be removed then",
  examples: [{ command: 'sluice branch drop what-if -m "tried, made no difference"', says: "main is as it was" }],
  arguments: [{ name: "<name>", description: "The branch" }],
  options: [configOption, datasetOption, neededReasonOption, jsonOption],
  json: `{ dataset: string, dropped: Ref } where Ref = ${namedRefJson}`,
  async run(invocation) {
    const { dropRef } = await import("../named-refs.ts");
    return dropRef(invocation, "branch", "its newest snapshot was");
  },
};
