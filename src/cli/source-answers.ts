import type { KafkaSourceConfig } from "../config/config.ts";
import { SluiceError } from "../core/errors.ts";
import type { PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { Block, DatasetState, Lake, StartPoint } from "../core/ports.ts";
import type { Invocation } from "./command.ts";
import { ExitCode } from "./exit-code.ts";
import { UsageError } from "./failure.ts";
import type { Session } from "./session.ts";
import { nextCommand } from "./next-command.ts";
import { author, chooseDataset, withLake } from "./session.ts";
import { formatCount, renderTable } from "./table.ts";
import { createTopicEnds } from "./topic-ends.ts";

/** Long enough for a leader election, short enough for a person who waits. */
const patienceMs = 10_000;

/** One partition as `source status` shows it. */
export interface PartitionStanding extends Position {
  readonly begin: bigint | null;
  readonly end: bigint | null;
  readonly lag: bigint | null;
  readonly blocked: string | null;
}

/** The table's positions beside what the cluster says, as far as it answers. */
export async function standings(
  config: Session["config"],
  state: DatasetState,
): Promise<{ readonly partitions: readonly PartitionStanding[]; readonly fault: SluiceError | null }> {
  const begins = new Map<string, bigint>();
  const ends = new Map<string, bigint>();
  let fault: SluiceError | null = null;
  if (config.source.kind === "kafka") {
    const cluster = createTopicEnds(config.source, 3000);
    try {
      for (const topic of new Set(state.positions.map((one) => one.topic))) {
        for (const one of await cluster.positions(topic, { at: "earliest" })) begins.set(partitionId(one), one.next);
        for (const one of await cluster.positions(topic, { at: "latest" })) ends.set(partitionId(one), one.next);
      }
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      fault = error;
    } finally {
      await cluster.close();
    }
  }
  const partitions = state.positions.map((position): PartitionStanding => {
    const end = ends.get(partitionId(position)) ?? null;
    const block = state.blocks.find(
      (one) => one.topic === position.topic && (one.partition === null || one.partition === position.partition),
    );
    return {
      ...position,
      begin: begins.get(partitionId(position)) ?? null,
      end,
      lag: end === null ? null : end > position.next ? end - position.next : 0n,
      blocked: block?.code ?? null,
    };
  });
  return { partitions, fault };
}

/** `sluice source status` */
export function showSource(invocation: Invocation): Promise<ExitCode> {
  return withLake(invocation, async ({ config, lake }) => {
    const { terminal } = invocation;
    const dataset = await chooseDataset(lake, invocation);
    const state = await lake.state(dataset);
    const { partitions, fault } = await standings(config, state);
    const code = state.blocks.length > 0 ? ExitCode.findings : ExitCode.clean;
    if (invocation.json) {
      terminal.json({ dataset, partitions, blocks: state.blocks, reachable: config.source.kind === "kafka" && fault === null });
      return code;
    }
    const text = (value: bigint | null): string => (value === null ? "?" : formatCount(value));
    const rows = partitions.map((one) => [
      one.topic,
      String(one.partition),
      text(one.next),
      text(one.end),
      text(one.lag),
      one.blocked ?? "",
    ]);
    if (rows.length === 0) terminal.out(`Nothing of ${dataset} has been read yet.`);
    else for (const line of renderTable(["topic", "partition", "next", "end", "lag", "blocked"], rows)) terminal.out(line);
    printBlocks(invocation, state.blocks, config.source.kind);
    printFault(invocation, fault);
    return code;
  });
}

/** Why there are no ends to compare with, if so. */
export function printFault(invocation: Invocation, fault: SluiceError | null): void {
  if (fault !== null) invocation.terminal.err(`The cluster could not be asked for its ends: ${fault.message}`);
}

/** Each recorded stop, with what answers it; `dataset` where the answer has to name it. */
export function printBlocks(
  invocation: Invocation,
  blocks: readonly Block[],
  source: Session["config"]["source"]["kind"],
  dataset: string | null = invocation.text("dataset"),
): void {
  const { terminal } = invocation;
  for (const block of blocks) {
    const where = block.partition === null ? block.topic : `${block.topic}, partition ${block.partition}`;
    terminal.out(`${terminal.style("red", "blocked")}  ${where}: ${block.message} [${block.code}]`);
    answersTo(block, source).forEach(({ words, does }, index) => {
      terminal.out(`         ${index === 0 ? "answer with" : "or         "}  ${nextCommand(invocation, words, dataset)}  # ${does}`);
    });
  }
}

function answersTo(
  block: Block,
  source: Session["config"]["source"]["kind"],
): readonly { readonly words: string; readonly does: string }[] {
  const partition = block.partition === null ? "" : ` --partition ${block.partition}`;
  if (block.code === "WINDOW_STOPPED") {
    return [
      { words: "unblock --retry", does: "judge the records again, after a fix of contract or data" },
      { words: "unblock --hold", does: "set the window aside and go on" },
    ];
  }
  if (source === "files") return [{ words: "source accept", does: "look at the files again, as they are now" }];
  const reset = { words: `source reset${partition} --to earliest`, does: "or latest, a time, an offset" };
  if (block.code !== "SOURCE_IDENTITY_CHANGED") return [reset];
  return [{ words: "source accept", does: "read the new topic from its start" }, reset];
}

/** `sluice source accept` */
export function acceptSource(invocation: Invocation): Promise<ExitCode> {
  return withLake(invocation, async ({ config, lake }) => {
    const dataset = await chooseDataset(lake, invocation);
    const state = await lake.state(dataset);
    const { source } = config;
    if (source.kind === "files") {
      const blocks = state.blocks.filter((one) => one.code !== "WINDOW_STOPPED");
      if (blocks.length === 0) throw nothingToAccept(`no file of ${dataset} stopped it`);
      const { acceptFiles } = await import("./file-answers.ts");
      const change = await acceptFiles(source.paths, state, blocks);
      await lake.resetPositions(dataset, { ...change, ...author(invocation) });
      return report(invocation, dataset, change);
    }
    const blocks = state.blocks.filter((one) => one.code === "SOURCE_IDENTITY_CHANGED");
    if (blocks.length === 0) throw nothingToAccept(`no topic of ${dataset} was found re-created`);
    const set = (await Promise.all(blocks.map((block) => ask(source, block.topic, { at: "earliest" })))).flat();
    return replace(invocation, { lake, dataset, state, set, scope: null });
  });
}

function nothingToAccept(why: string): SluiceError {
  return new SluiceError("NOT_FOUND", `${why}; \`sluice source status\` shows how it stands`);
}

/** `sluice source reset` */
export function resetSource(invocation: Invocation): Promise<ExitCode> {
  const to = invocation.text("to");
  if (to === null) throw new UsageError("--to says where to go on: earliest, latest, a time, or an offset");
  const partition = invocation.count("partition");
  const start = startOf(to);
  if (start === null && partition === null) throw new UsageError("an offset is of one partition: say --partition as well");
  return withLake(invocation, async ({ config, lake }) => {
    const dataset = await chooseDataset(lake, invocation);
    const state = await lake.state(dataset);
    const kafka = needKafka(config.source);
    const topics = new Set([...state.positions.map((one) => one.topic), ...state.blocks.map((one) => one.topic)]);
    const asked = await Promise.all([...topics].map((topic) => ask(kafka, topic, start ?? { at: "earliest" })));
    const wanted = asked.flat().filter((one) => partition === null || one.partition === partition);
    if (wanted.length === 0)
      throw new SluiceError("NOT_FOUND", `${[...topics].join(", ") || dataset} has no partition ${partition ?? ""}`.trimEnd());
    const set = start === null ? wanted.map((one) => ({ ...one, next: BigInt(to) })) : wanted;
    return replace(invocation, { lake, dataset, state, set, scope: partition });
  });
}

async function replace(
  invocation: Invocation,
  change: {
    readonly lake: Lake;
    readonly dataset: string;
    readonly state: DatasetState;
    readonly set: readonly Position[];
    readonly scope: number | null;
  },
): Promise<ExitCode> {
  const { lake, dataset, state, set, scope } = change;
  const ids = new Set(set.map(partitionId));
  const topics = new Set(set.map((one) => one.topic));
  // Positions of a former topic under the same name go; without a scope all of them, else the one partition's.
  const remove = state.positions
    .filter((one) => topics.has(one.topic) && !ids.has(partitionId(one)) && (scope === null || one.partition === scope))
    .map(({ next: _next, ...key }) => key);
  await lake.resetPositions(dataset, { remove, set, ...author(invocation) });
  return report(invocation, dataset, { remove, set });
}

function report(
  invocation: Invocation,
  dataset: string,
  { remove, set }: { readonly remove: readonly PartitionKey[]; readonly set: readonly Position[] },
): ExitCode {
  const { terminal } = invocation;
  if (invocation.json) {
    terminal.json({ dataset, removed: remove, set });
    return ExitCode.clean;
  }
  for (const one of set) terminal.out(`${one.topic}, partition ${one.partition}: goes on from ${one.next}`);
  const removed = `${formatCount(remove.length)} ${remove.length === 1 ? "position" : "positions"}`;
  if (remove.length > 0) terminal.out(`${removed} of what was there before: removed; what is there now is read from its start.`);
  return ExitCode.clean;
}

async function ask(source: KafkaSourceConfig, topic: string, at: StartPoint): Promise<readonly Position[]> {
  const cluster = createTopicEnds(source, patienceMs);
  try {
    return await cluster.positions(topic, at);
  } finally {
    await cluster.close();
  }
}

/** Null for an offset. */
function startOf(text: string): StartPoint | null {
  if (text === "earliest" || text === "latest") return { at: text };
  if (/^\d{1,18}$/.test(text)) return null;
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new UsageError(`--to takes earliest, latest, a time such as 2026-01-31T00:00:00Z, or an offset, not "${text}"`);
  return { at: "time", ms };
}

function needKafka(source: Session["config"]["source"]): KafkaSourceConfig {
  if (source.kind !== "kafka")
    throw new UsageError("files are known by their content and have no position to set: `sluice source accept` takes them as they are now");
  return source;
}
