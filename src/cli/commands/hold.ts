import type { CommandSpec, Invocation } from "../command.ts";
import { configOption, datasetOption, jsonOption, reasonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { nextCommand } from "../next-command.ts";
import { formatCount, formatTime, renderTable } from "../table.ts";

/** `sluice hold list` */
export const holdList: CommandSpec = {
  name: "hold list",
  summary: "List held windows and why they are held",
  examples: [{ command: "sluice hold list", says: "each held window with its rows and causes" }],
  options: [configOption, datasetOption, jsonOption],
  json: "{ dataset: string, held: { windowId: string, heldAtMs: number, rows: number, rejected: number, decision: Decision }[] }, Decision by schemas/decision.schema.json",
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const dataset = await chooseDataset(lake, invocation);
      const held = await lake.held(dataset);
      if (invocation.json) {
        terminal.json({ dataset, held: held.map(({ dataset: _same, ...one }) => one) });
        return ExitCode.clean;
      }
      if (held.length === 0) {
        terminal.out(`No window of ${dataset} is held.`);
        return ExitCode.clean;
      }
      const rows = held.map((one) => [one.windowId, formatTime(one.heldAtMs), formatCount(one.rows), formatCount(one.rejected)]);
      const lines = renderTable(["window", "held", "rows passed", "rows failed"], rows);
      terminal.out(lines[0] as string);
      held.forEach((one, index) => {
        terminal.out(lines[index + 1] as string);
        for (const cause of one.decision.causes) terminal.out(`    ${terminal.style("yellow", cause.kind)}  ${cause.message}`);
      });
      terminal.err("");
      terminal.err(`${nextCommand(invocation, "hold publish WINDOW")}  # appends its rows`);
      terminal.err(`${nextCommand(invocation, "hold drop WINDOW")}  # sends its records to quarantine`);
      return ExitCode.clean;
    });
  },
};

/** `sluice hold publish` */
export const holdPublish: CommandSpec = {
  name: "hold publish",
  summary: "Publish a held window: append exactly its audited rows, once",
  details: "Rows of the window that failed a rule go to quarantine.",
  examples: [
    { command: 'sluice hold publish w0c2f6a1b9d3e4f5a6b7 -m "checked with the airline: real"', says: "with the reason on record" },
  ],
  arguments: [{ name: "<window>", description: "The window's id, from `hold list`" }],
  options: [configOption, datasetOption, reasonOption, jsonOption],
  json: "{ dataset: string, windowId: string, answer: 'published' | 'dropped', snapshotId: string, quarantineSnapshotId: string | null }",
  run: (invocation) => answer(invocation, "published"),
};

/** `sluice hold drop` */
export const holdDrop: CommandSpec = {
  name: "hold drop",
  summary: "Drop a held window: all its records go to quarantine",
  examples: [
    {
      command: 'sluice hold drop w0c2f6a1b9d3e4f5a6b7 -m "sensor fault, to be resent"',
      says: "nothing is lost; the records can be replayed",
    },
  ],
  arguments: [{ name: "<window>", description: "The window's id, from `hold list`" }],
  options: [configOption, datasetOption, reasonOption, jsonOption],
  json: holdPublish.json,
  run: (invocation) => answer(invocation, "dropped"),
};

async function answer(invocation: Invocation, kind: "published" | "dropped"): Promise<ExitCode> {
  const { author, chooseDataset, withLake } = await import("../session.ts");
  const { SluiceError } = await import("../../core/errors.ts");
  return withLake(invocation, async ({ lake }) => {
    const { terminal } = invocation;
    const dataset = await chooseDataset(lake, invocation);
    const windowId = invocation.argument(0);
    const by = author(invocation);
    const held = kind === "dropped" ? (await lake.held(dataset)).find((each) => each.windowId === windowId) : undefined;
    const result = kind === "published" ? await lake.publishHeld(dataset, windowId, by) : await lake.dropHeld(dataset, windowId, by);
    if (result.status === "lost") throw new SluiceError("COMMIT_CONFLICT", result.message);
    // Its records are free to be sent again.
    if (held !== undefined) await lake.claims.release(dataset, held.decision.ranges);
    const { snapshotId, quarantineSnapshotId } = result;
    if (invocation.json) terminal.json({ dataset, windowId, answer: kind, snapshotId, quarantineSnapshotId });
    else
      terminal.out(
        `${windowId} ${kind}: snapshot ${snapshotId}${quarantineSnapshotId === null ? "" : `, quarantine snapshot ${quarantineSnapshotId}`}`,
      );
    return ExitCode.clean;
  });
}
