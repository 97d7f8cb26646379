import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findBroker } from "../../adapters/broker/broker.ts";
import type { LocalKafka } from "../../adapters/broker/local-kafka.ts";
import { openKafka } from "../../adapters/broker/local-kafka.ts";
import type { Config } from "../../config/config.ts";
import type { Invocation } from "../command.ts";
import { loadContracts } from "../contracts.ts";
import { createCrashProbe } from "../crash-probe.ts";
import { ExitCode } from "../exit-code.ts";
import { openLake } from "../session.ts";
import { onStopSignal } from "../stop-signal.ts";
import { formatCount, shortPath } from "../table.ts";
import type { Worker } from "../worker.ts";
import { startWorker } from "../worker.ts";
import { countFaults, faultKinds } from "./faults.ts";
import { writeRecordFiles } from "./file-feed.ts";
import { demoRecords } from "./flight-records.ts";
import type { DemoState } from "./folder.ts";
import { readDemoState, resetFolder, writeDemoState } from "./folder.ts";
import { countProduced, createTopics, produceRecords } from "./kafka-feed.ts";
import { createLiveView } from "./live-view.ts";
import { loadSetting, updateBrokers, writeSetting } from "./setting.ts";
import { printNextSteps, printTotals, readTotals } from "./summary.ts";
import { Tally } from "./tally.ts";

const rowsMax = 336_776;
const partitions = 3;
const pollMs = 50;
const defaultFolder = ".sluice/demo";
/** With fewer, windows are too few to learn from before the drift comes. */
const driftRowsMin = 80_000;

/** What the demo runs on. */
interface Stage {
  readonly folder: string;
  readonly state: DemoState;
  readonly config: Config;
  /** In plain words. */
  readonly broker: string;
  readonly kafka: LocalKafka | null;
}

/** `sluice demo` */
export async function runDemo(invocation: Invocation): Promise<ExitCode> {
  const folder = resolve(invocation.text("folder") ?? defaultFolder);
  const stopping = new AbortController();
  let kafka: LocalKafka | null = null;
  const release = onStopSignal(() => {
    stopping.abort();
    return Promise.resolve();
  });
  try {
    const stage = await setStage(invocation, folder);
    kafka = stage.kafka;
    return await perform(invocation, stage, stopping.signal);
  } finally {
    await kafka?.stop();
    release();
  }
}

async function setStage(invocation: Invocation, folder: string): Promise<Stage> {
  const { terminal } = invocation;
  const resuming = invocation.flag("resume");
  const former = resuming ? readDemoState(folder) : null;
  const brokerFolder = join(folder, "broker");
  if (former === null) {
    await (await findBroker(brokerFolder))?.stop();
    resetFolder(folder);
  }
  const rows = former?.rows ?? Math.min(rowsMax, invocation.count("rows", 1) ?? rowsMax);
  const wantsFiles = former === null ? invocation.flag("files") : former.topic === null;
  const say = (text: string): void => terminal.err(text);
  const opened = wantsFiles ? null : await openKafka({ folder: brokerFolder, onProgress: say });
  const kafka = opened?.kafka ?? null;
  const broker =
    kafka === null
      ? `no Kafka: NDJSON files are read instead (${opened?.choice.reason ?? "--files"})`
      : `${kafka.bootstrap} (${kafka.choice.reason})`;
  say(`Kafka     ${broker}`);
  // On a Kafka that others use too, the topic must be new.
  const topic = kafka === null ? null : kafka.choice.kind === "external" ? `flights-${Date.now().toString(36)}` : "flights";
  const state = former ?? { rows, topic, partitions };
  if (former === null) {
    writeDemoState(folder, state);
    writeSetting(
      folder,
      rows,
      kafka === null || topic === null ? { files: join(folder, "input") } : { brokers: kafka.bootstrap.split(","), topic },
    );
  } else if (kafka !== null) {
    updateBrokers(folder, kafka.bootstrap.split(","));
  }
  const config = loadSetting(folder);
  if (former === null && config.source.kind === "kafka" && topic !== null) {
    await createTopics(config.source, [
      { name: topic, partitions },
      { name: `${topic}${config.dlq.topicSuffix}`, partitions: 1 },
    ]);
  }
  return { folder, state, config, broker, kafka };
}

async function perform(invocation: Invocation, stage: Stage, stop: AbortSignal): Promise<ExitCode> {
  const { terminal } = invocation;
  const { folder, state, config } = stage;
  const began = performance.now();
  const kinds = state.topic === null ? faultKinds.filter((one) => one.name !== "tombstone") : faultKinds;
  const faults = new Map([...countFaults(state.rows)].filter(([name]) => kinds.some((one) => one.name === name)));
  announce(invocation, stage, faults);
  const contracts = await loadContracts(config);
  // A tombstone has no form in a file.
  const judged = state.topic === null ? state.rows - (countFaults(state.rows).get("tombstone") ?? 0) : state.rows;
  const rowRules = contracts.flatMap((one) => one.rules.filter((rule) => rule.scope === "row" && rule.severity === "error"));
  const tally = new Tally(
    judged,
    rowRules.map((rule) => rule.id),
  );
  const lake = await openLake(config, () => {});
  try {
    for (const dataset of await lake.datasets()) {
      for await (const { decision } of lake.history(dataset, 0n)) if (decision.kind === "window") tally.add(decision);
    }
  } finally {
    await lake.close();
  }
  if (state.topic === null) await writeInput(invocation, stage, tally);
  const log = createWriteStream(join(folder, "worker.log"), { flags: "a" });
  const worker = await startWorker({
    config,
    contracts,
    probe: createCrashProbe(invocation.environment["SLUICE_CRASH_AT"]),
    observe: (event) => tally.observe(event),
    log: { destination: log, text: true },
  });
  const view = createLiveView(terminal, tally);
  const over = new AbortController();
  let seconds = 0;
  try {
    const allJudged = untilJudged(worker, tally, AbortSignal.any([stop, over.signal]));
    await Promise.race([Promise.all([feed(stage, tally, stop), allJudged]), worker.done]);
    seconds = (performance.now() - began) / 1000;
    if (invocation.flag("keep") && !stop.aborted) {
      view.end();
      sayKept(invocation, stage);
      await Promise.race([aborted(stop), worker.done]);
    }
  } finally {
    over.abort();
    try {
      await worker.stop();
      await worker.done;
    } finally {
      // A view that goes on drawing would keep the process alive.
      view.end();
      log.end();
    }
  }
  return await conclude(invocation, stage, { faults, tally, seconds, stopped: stop.aborted });
}

function announce(invocation: Invocation, stage: Stage, faults: ReadonlyMap<string, number>): void {
  const { terminal } = invocation;
  const { rows } = stage.state;
  const declared = [...faults].map(([name, count]) => `${formatCount(count)} ${name}`).join(", ");
  terminal.err(`Records   ${formatCount(rows)} flights of 2013; with faults: ${declared}`);
  terminal.err(
    `Drift     from record ${formatCount(Math.floor(rows * 0.6))} to ${formatCount(Math.floor(rows * 0.7))} the flights of B6 and EV are booked on UA: every record is valid, the shares are not`,
  );
  if (rows < driftRowsMin)
    terminal.err(`          (with fewer than ${formatCount(driftRowsMin)} there may be too few windows to learn from before it comes)`);
  terminal.err(`Folder    ${shortPath(stage.folder)}`);
  terminal.err(`Process   ${process.pid}: kill it with -9 whenever you like, then go on with ${resumeCommand(stage)}`);
  if (invocation.flag("resume") && stage.kafka !== null) {
    terminal.err("Waiting   for the killed worker's place in the consumer group to be free, some seconds at most");
  }
  terminal.err("");
}

async function writeInput(invocation: Invocation, stage: Stage, tally: Tally): Promise<void> {
  const { folder, state } = stage;
  const input = join(folder, "input");
  // The same files have the same hashes, so writing them again after a kill does no harm.
  await rm(input, { recursive: true, force: true });
  invocation.terminal.err("Writing the input files ...");
  await writeRecordFiles(input, demoRecords(state.rows, 0), (count) => (tally.produced += count));
}

/** Produces what is not yet in the topic. */
async function feed(stage: Stage, tally: Tally, signal: AbortSignal): Promise<void> {
  const { config, state } = stage;
  if (config.source.kind !== "kafka" || state.topic === null) return;
  const produced = await countProduced(config.source, state.topic);
  tally.produced = produced.reduce((sum, one) => sum + one, 0);
  if (tally.produced >= state.rows) return;
  await produceRecords(config.source, {
    topic: state.topic,
    partitions: state.partitions,
    records: demoRecords(state.rows, 0),
    produced,
    onProduced: (records) => (tally.produced += records),
    signal,
  });
}

/** Resolves when every record is judged, be it in a window that is still open; the worker's stop commits that one. */
async function untilJudged(worker: Worker, tally: Tally, stop: AbortSignal): Promise<void> {
  const open = (): number => worker.gate.status().lanes.reduce((sum, lane) => sum + (lane.openWindow?.rows ?? 0), 0);
  while (!stop.aborted && tally.records + open() < tally.rows) await sleep(pollMs);
}

/** What a person can do while broker and worker go on. */
function sayKept(invocation: Invocation, stage: Stage): void {
  const { terminal } = invocation;
  const { config, kafka, state } = stage;
  terminal.err("");
  terminal.err("All is judged; broker and worker go on until Ctrl-C.");
  if (kafka === null || state.topic === null) return;
  const tables = `--table ${config.lake.namespace}.flights --quarantine ${config.lake.namespace}.flights__quarantine`;
  terminal.err(`Produce more to ${state.topic} at ${kafka.bootstrap}, or let the separate checker compare topic, tables and quarantine:`);
  terminal.err(
    `  npm run verify -- --brokers ${kafka.bootstrap} --topic ${state.topic} --catalog ${config.lake.catalog} ${tables} --dlq ${state.topic}${config.dlq.topicSuffix}`,
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    // A pending promise alone would not keep the process alive.
    const alive = setInterval(() => {}, 60_000);
    signal.addEventListener("abort", () => {
      clearInterval(alive);
      settle();
    });
  });
}

async function conclude(
  invocation: Invocation,
  stage: Stage,
  of: { readonly faults: ReadonlyMap<string, number>; readonly tally: Tally; readonly seconds: number; readonly stopped: boolean },
): Promise<ExitCode> {
  const { terminal } = invocation;
  const { folder, config, broker } = stage;
  const { faults, seconds, stopped } = of;
  if (stopped && of.tally.records < of.tally.rows) {
    terminal.err("");
    terminal.err(`Stopped before the end; what was judged is committed. ${resumeCommand(stage)} goes on.`);
    return ExitCode.clean;
  }
  const { produced } = of.tally;
  const lake = await openLake(config, () => {});
  try {
    const totals = await readTotals(lake, "flights");
    const { promoted, quarantined, held, skipped, windows } = totals;
    if (invocation.json) {
      const counts = { produced, promoted, quarantined, held, skipped, windows, seconds };
      terminal.json({ broker, rows: stage.state.rows, faults: Object.fromEntries(faults), ...counts, folder, config: config.file });
      return promoted + quarantined + held + skipped === produced ? ExitCode.clean : ExitCode.error;
    }
    const fits = printTotals(terminal, { produced, faults, totals, seconds });
    await printNextSteps(terminal, { folder, config, sluice: commandName(), heldWindows: totals.heldWindows });
    return fits ? ExitCode.clean : ExitCode.error;
  } finally {
    await lake.close();
  }
}

function resumeCommand(stage: Stage): string {
  const folder = shortPath(stage.folder);
  return `${commandName()} demo --resume${folder === defaultFolder ? "" : ` --folder ${folder}`}`;
}

/** How a person calls Sluice from where they are. */
function commandName(): string {
  return shortPath(resolve(import.meta.dirname, "../../../bin/sluice"));
}
