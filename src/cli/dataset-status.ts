import type { DriftOutcome } from "../core/drift.ts";
import type { SluiceError } from "../core/errors.ts";
import type { Rollback } from "../core/lake-refs.ts";
import type { Block, Lake } from "../core/ports.ts";
import type { Config } from "../config/config.ts";
import type { Invocation } from "./command.ts";
import { ExitCode } from "./exit-code.ts";
import { nextCommand } from "./next-command.ts";
import { placeOf, withLake } from "./session.ts";
import { printBlocks, printFault, standings } from "./source-answers.ts";
import { formatCount, formatTime, printable, renderTable } from "./table.ts";

/** A dataset at a glance. Each record counts once, where its window, or the answer to it, put it; replays move some from `quarantined` to the table. */
export interface DatasetStatus {
  readonly dataset: string;
  /** Hash of the active contract. */
  readonly contract: string | null;
  readonly mainSnapshotId: string | null;
  readonly lastCommitMs: number | null;
  readonly windows: number;
  readonly records: number;
  readonly promoted: number;
  readonly quarantined: number;
  readonly held: number;
  readonly skipped: number;
  /** Rows of windows that main had and, after a rollback, has not. */
  readonly withdrawn: number;
  readonly openQuarantine: number;
  readonly heldWindows: readonly string[];
  /** Why drift is not judged yet, where the last tick was not: what its baseline still needs. */
  readonly driftLearning: readonly string[];
  /** Rollbacks that stand. */
  readonly rollbacks: readonly Rollback[];
  /** Records between the table's positions and the topic's ends; null where the cluster does not answer. */
  readonly lag: bigint | null;
  readonly blocks: readonly Block[];
}

/** Gathers a dataset's status from the lake and, where it answers, the cluster; `onFault` hears why it does not. */
export async function gatherStatus(
  lake: Lake,
  config: Config,
  dataset: string,
  onFault: (fault: SluiceError) => void = () => {},
): Promise<DatasetStatus> {
  const state = await lake.state(dataset);
  const totals = { windows: 0, records: 0, promoted: 0, quarantined: 0, held: 0, skipped: 0, withdrawn: 0 };
  let lastCommitMs: number | null = null;
  let driftLearning: readonly string[] = [];
  for await (const { decision, committedAtMs, isWithdrawn } of lake.history(dataset, 0n)) {
    lastCommitMs = committedAtMs;
    if (decision.kind === "replay" || decision.moved !== undefined) continue;
    const { counts } = decision;
    totals[isWithdrawn ? "withdrawn" : "promoted"] += counts.promoted;
    totals.quarantined += counts.quarantined;
    if (decision.kind === "window") {
      totals.windows++;
      if (decision.drift.status !== "pending") driftLearning = learningOf(decision.drift);
      totals.records += counts.records;
      totals.held += counts.held;
      totals.skipped += counts.skipped.tombstone + counts.skipped.late;
    } else {
      // A person's answer: what was held is somewhere else now.
      totals.held -= counts.records;
    }
  }
  let openQuarantine = 0;
  for await (const _one of lake.quarantined(dataset, { states: ["open"] })) openQuarantine++;
  const { partitions, fault } = await standings(config, state);
  if (fault !== null) onFault(fault);
  const known = partitions.flatMap((one) => (one.lag === null ? [] : [one.lag]));
  return {
    dataset,
    contract: state.activeContract,
    mainSnapshotId: state.mainSnapshotId,
    lastCommitMs,
    ...totals,
    openQuarantine,
    heldWindows: (await lake.held(dataset)).map((one) => one.windowId),
    driftLearning,
    rollbacks: await lake.refs.rollbacks(dataset),
    lag: known.length === partitions.length && known.length > 0 ? known.reduce((sum, one) => sum + one, 0n) : null,
    blocks: state.blocks,
  };
}

function learningOf({ status, results }: DriftOutcome): readonly string[] {
  return status === "learning" ? [...new Set(results.flatMap(({ explanation }) => explanation ?? []))] : [];
}

/** `sluice status` */
export function showStatus(invocation: Invocation): Promise<ExitCode> {
  return withLake(invocation, async ({ config, lake }) => {
    const { terminal } = invocation;
    const datasets: DatasetStatus[] = [];
    let fault: SluiceError | null = null;
    for (const dataset of await lake.datasets()) datasets.push(await gatherStatus(lake, config, dataset, (one) => (fault = one)));
    const waits = datasets.some((one) => one.blocks.length > 0 || one.heldWindows.length > 0);
    const code = waits ? ExitCode.findings : ExitCode.clean;
    if (invocation.json) {
      terminal.json({ datasets });
      return code;
    }
    if (datasets.length === 0)
      terminal.out(`The lake in ${placeOf(config)} holds no dataset yet: \`sluice run\` makes one for each contract.`);
    for (const one of datasets) print(invocation, config, one, datasets.length > 1);
    printFault(invocation, fault);
    return code;
  });
}

function print(invocation: Invocation, config: Config, one: DatasetStatus, isOneOfSeveral: boolean): void {
  const { terminal } = invocation;
  const dataset = isOneOfSeveral ? one.dataset : null;
  terminal.out(terminal.style("bold", one.dataset));
  const commit = one.lastCommitMs === null ? "none" : formatTime(one.lastCommitMs);
  const rows = [
    ["contract", one.contract ?? "none"],
    ["snapshot", `${one.mainSnapshotId ?? "none"} (last commit ${commit})`],
    ["records", `${formatCount(one.records)} in ${formatWindows(one.windows)}`],
    ["promoted", formatCount(one.promoted)],
    ["quarantined", `${formatCount(one.quarantined)} (${formatCount(one.openQuarantine)} open now)`],
    ["held", `${formatCount(one.held)} (${formatWindows(one.heldWindows.length)} waiting now)`],
    ["skipped", formatCount(one.skipped)],
    ...(one.rollbacks.length === 0
      ? []
      : [["withdrawn", `${formatCount(one.withdrawn)} (${formatRollbacks(one.rollbacks.length)} in force)`]]),
    ...(one.driftLearning.length === 0 ? [] : [["drift", `not judged yet: ${printable(one.driftLearning.join("; "))}`]]),
    ["lag", one.lag === null ? (config.source.kind === "files" ? "not known of files" : "unknown") : `${formatCount(one.lag)} offsets`],
  ];
  for (const line of renderTable(["", ""], rows).slice(1)) terminal.out(`  ${line}`);
  for (const id of one.heldWindows)
    terminal.out(`  ${terminal.style("yellow", "waits")}        window ${id}: ${nextCommand(invocation, "hold list", dataset)}`);
  for (const { id, author, reason, atMs } of one.rollbacks)
    terminal.out(`  ${terminal.style("yellow", "withdrawn")}    by ${author}, ${formatTime(atMs)}: ${printable(reason)} (rollback ${id})`);
  printBlocks(invocation, one.blocks, config.source.kind, dataset);
}

function formatRollbacks(count: number): string {
  return count === 1 ? "1 rollback" : `${formatCount(count)} rollbacks`;
}

function formatWindows(count: number): string {
  return count === 1 ? "1 window" : `${formatCount(count)} windows`;
}
