import type { Release } from "../../core/lake-refs.ts";
import type { CommandSpec, Invocation } from "../command.ts";
import { configOption, jsonOption, keepOption, neededReasonOption, reasonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";
import { formatCount, formatTime, printable, renderTable } from "../table.ts";

const releaseJson =
  "{ name: string, author: string, reason: string, createdAtMs: number, keptUntilMs: number | null, members: { dataset: string, snapshotId: string, rows: number | null, isIntact: boolean }[] }";

function print(invocation: Invocation, release: Release): void {
  const { terminal } = invocation;
  if (invocation.json) {
    terminal.json({ release });
    return;
  }
  const kept = release.keptUntilMs === null ? "" : `, kept until ${formatTime(release.keptUntilMs)}`;
  terminal.out(`${release.name}: ${printable(release.author)}, ${formatTime(release.createdAtMs)}${kept}: ${printable(release.reason)}`);
  const rows = release.members.map((each) => [
    each.dataset,
    each.snapshotId,
    each.rows === null ? "" : formatCount(each.rows),
    each.isIntact ? "" : "moved or dropped by another program",
  ]);
  for (const line of renderTable(["dataset", "snapshot", "rows", ""], rows)) terminal.out(line);
}

/** `sluice release create` */
export const releaseCreate: CommandSpec = {
  name: "release create",
  summary: "Tag several datasets at once, in one transaction: all of them or none",
  examples: [
    { command: 'sluice release create release/2026-11 -m "features of November"', says: "every dataset of the lake, as it is now" },
    {
      command: "sluice release create release/2026-11 -d flights -d airports --at 2026-12-01T00:00:00Z",
      says: "two of them, as of one time",
    },
  ],
  arguments: [{ name: "<name>", description: "The tag, such as release/2026-11" }],
  options: [
    configOption,
    { flags: "-d, --dataset <name>", description: "A dataset; again for each (default: all)", repeats: true },
    { flags: "--at <time>", description: "What main of each was then (default: what it is now)" },
    keepOption,
    reasonOption,
    jsonOption,
  ],
  json: `{ release: Release } where Release = ${releaseJson}`,
  async run(invocation) {
    const { author, withLake } = await import("../session.ts");
    return withLake(invocation, async ({ lake }) => {
      const known = await lake.datasets();
      const named = invocation.texts("dataset");
      const stranger = named.find((each) => !known.includes(each));
      if (stranger !== undefined) throw new UsageError(`no dataset "${stranger}" (there are: ${known.join(", ") || "none yet"})`);
      const release = await lake.refs.createRelease({
        name: invocation.argument(0),
        datasets: named.length === 0 ? known : named,
        version: invocation.text("at") ?? "main",
        keepMs: invocation.span("keep"),
        ...author(invocation),
      });
      print(invocation, release);
      return ExitCode.clean;
    });
  },
};

/** `sluice release list` */
export const releaseList: CommandSpec = {
  name: "release list",
  summary: "List releases",
  examples: [{ command: "sluice release list", says: "each with its datasets, who made it and why" }],
  options: [configOption, jsonOption],
  json: `{ releases: Release[] } where Release = ${releaseJson}`,
  async run(invocation) {
    const { withLake } = await import("../session.ts");
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const releases = await lake.refs.releases();
      if (invocation.json) terminal.json({ releases });
      else if (releases.length === 0) terminal.out("There is no release.");
      else {
        const rows = releases.map((each) => [
          each.name,
          formatTime(each.createdAtMs),
          each.members.map(({ dataset }) => dataset).join(", "),
          printable(each.author),
          printable(each.reason),
        ]);
        for (const line of renderTable(["release", "made", "datasets", "by", "why"], rows)) terminal.out(line);
      }
      return ExitCode.clean;
    });
  },
};

/** `sluice release show` */
export const releaseShow: CommandSpec = {
  name: "release show",
  summary: "Show which snapshot of each dataset a release names",
  examples: [{ command: "sluice release show release/2026-11 --json", says: "dataset by dataset, for a training job" }],
  arguments: [{ name: "<name>", description: "The release" }],
  options: [configOption, jsonOption],
  json: `{ release: Release } where Release = ${releaseJson}`,
  findings: "another program moved or dropped one of its tags",
  async run(invocation) {
    const { withLake } = await import("../session.ts");
    const { SluiceError } = await import("../../core/errors.ts");
    return withLake(invocation, async ({ lake }) => {
      const name = invocation.argument(0);
      const release = (await lake.refs.releases()).find((each) => each.name === name);
      if (release === undefined) throw new SluiceError("NOT_FOUND", `there is no release ${name}`);
      print(invocation, release);
      return release.members.every(({ isIntact }) => isIntact) ? ExitCode.clean : ExitCode.findings;
    });
  },
};

/** `sluice release drop` */
export const releaseDrop: CommandSpec = {
  name: "release drop",
  summary: "Drop a release from all its datasets at once, with the reason on record",
  examples: [{ command: 'sluice release drop release/2026-11 -m "superseded by 2026-11b"', says: "its name stays taken" }],
  arguments: [{ name: "<name>", description: "The release" }],
  options: [configOption, neededReasonOption, jsonOption],
  json: `{ release: Release } where Release = ${releaseJson}`,
  async run(invocation) {
    const { authorWithReason, withLake } = await import("../session.ts");
    const by = authorWithReason(invocation);
    return withLake(invocation, async ({ lake }) => {
      const release = await lake.refs.dropRelease({ name: invocation.argument(0), ...by });
      if (invocation.json) invocation.terminal.json({ release });
      else invocation.terminal.out(`release ${release.name} dropped from ${release.members.map(({ dataset }) => dataset).join(", ")}`);
      return ExitCode.clean;
    });
  },
};
