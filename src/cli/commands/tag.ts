import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption, keepOption, neededReasonOption, reasonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { namedRefJson, versionAsked } from "../refs-text.ts";
import { formatTime } from "../table.ts";

const createJson = `{ dataset: string, ref: Ref } where Ref = ${namedRefJson}`;

/** `sluice tag create` */
export const tagCreate: CommandSpec = {
  name: "tag create",
  summary: "Name a version of a dataset for good: readers find it by that name, and expiry leaves it alone",
  details: "A tag is never moved. What it named stays recorded after it is dropped, so that the name can't come to mean another version.",
  examples: [
    { command: 'sluice tag create train-2026-11 -m "training set of model 7"', says: "what readers of main see now" },
    { command: "sluice tag create eod/2026-11-21 --at 2026-11-21T23:59:59Z --keep 90d", says: "what they saw then, for 90 days" },
    { command: "sluice tag create before-fix --snapshot 6219341234567890123", says: "one snapshot" },
  ],
  arguments: [{ name: "<name>", description: "Letters, digits and `. _ / -`" }],
  options: [
    configOption,
    datasetOption,
    { flags: "--snapshot <id>", description: "This snapshot, or any other name of a version, such as `main~3`" },
    { flags: "--at <time>", description: "What main was then: a time, or a span such as 2h before now" },
    { flags: "--branch <name>", description: "The newest version of this branch" },
    keepOption,
    reasonOption,
    jsonOption,
  ],
  json: createJson,
  async run(invocation) {
    const { author, chooseDataset, withLake } = await import("../session.ts");
    const version = versionAsked(invocation, ["snapshot", "at", "branch"]);
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const dataset = await chooseDataset(lake, invocation);
      const name = invocation.argument(0);
      const ref = await lake.refs.create(dataset, { kind: "tag", name, version, keepMs: invocation.span("keep"), ...author(invocation) });
      if (invocation.json) terminal.json({ dataset, ref });
      else {
        const kept = ref.keptUntilMs === null ? "" : `, kept until ${formatTime(ref.keptUntilMs)}`;
        terminal.out(`tag ${name} of ${dataset}: snapshot ${ref.snapshotId} of ${formatTime(ref.committedAtMs)}${kept}`);
      }
      return ExitCode.clean;
    });
  },
};

/** `sluice tag list` */
export const tagList: CommandSpec = {
  name: "tag list",
  summary: "List a dataset's tags, who made them and why; with --all every branch and Sluice's own refs",
  examples: [{ command: "sluice tag list", says: "each tag with its snapshot, rows and retention" }],
  options: [configOption, datasetOption, { flags: "--all", description: "Branches, held windows and withdrawn versions too" }, jsonOption],
  json: `{ dataset: string, refs: Ref[] } where Ref = ${namedRefJson}`,
  async run(invocation) {
    const { listRefs } = await import("../named-refs.ts");
    const isAll = invocation.flag("all");
    return listRefs(invocation, ({ kind }) => isAll || kind === "tag" || kind === "release", "no tag");
  },
};

/** `sluice tag drop` */
export const tagDrop: CommandSpec = {
  name: "tag drop",
  summary: "Drop a tag, with the reason on record; expiry may remove its version then",
  examples: [{ command: 'sluice tag drop before-fix -m "the fix held"', says: "its name stays taken" }],
  arguments: [{ name: "<name>", description: "The tag" }],
  options: [configOption, datasetOption, neededReasonOption, jsonOption],
  json: `{ dataset: string, dropped: Ref } where Ref = ${namedRefJson}`,
  async run(invocation) {
    const { dropRef } = await import("../named-refs.ts");
    return dropRef(invocation, "tag", "it named snapshot");
  },
};
