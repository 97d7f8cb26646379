import { SluiceError } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";

/** `sluice trace record` */
export const traceRecord: CommandSpec = {
  name: "trace record",
  summary: "Say what became of one record: its window, verdict, row, quarantine, and whether readers still see it",
  examples: [
    { command: "sluice trace record flights:1:44", says: "offset 44 of partition 1 of topic flights" },
    { command: "sluice trace record 1:44 --dataset flights --json", says: "the same where the dataset has one topic, as JSON" },
  ],
  arguments: [{ name: "<record>", description: "topic:partition:offset; the topic's id or a file's content hash may stand for its name" }],
  options: [configOption, datasetOption, jsonOption],
  json: "{ dataset: string, source: { topic: string, topicId: string, partition: number, offset: string }, state: string, says: string, decisions: { snapshotId: string, sequence: string, committedAtMs: number, kind: string, windowId: string, decisionHash: string, contractHash: string, verdict: string, ranges: Range[], records: number, skipped: number, answer: { heldWindowId: string, author: string, reason: string } | null }[], rows: { file: string, row: number, table: string, addedBy: string, rows: string, bytes: string, refs: string[], deletedIn: { ref: string, snapshotId: string }[] }[], quarantined: Quarantined | null }[]",
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { addressedRecords, parseRecordAddress } = await import("../../trace/record-address.ts");
    const trace = await import("../../trace/trace-record.ts");
    const { quarantinedJson } = await import("../quarantined-record.ts");
    const { printRecordTrace } = await import("../trace-text.ts");
    const text = invocation.argument(0);
    const address = parseRecordAddress(text);
    if (address === null) throw new UsageError(`a record is topic:partition:offset, such as flights:1:44, not "${text}"`);
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const dataset = await chooseDataset(lake, invocation);
      const records = await addressedRecords(lake, dataset, address);
      if (records.length === 0) {
        throw new SluiceError(
          "NOT_FOUND",
          `${dataset} never read a source "${text}" can be of; \`sluice source status\` names those that it reads`,
        );
      }
      const traces = [];
      for (const { topic, key } of records) traces.push(await trace.traceRecord(lake, dataset, topic, key));
      if (invocation.json) {
        terminal.json(traces.map((each) => ({ ...each, quarantined: each.quarantined && quarantinedJson(each.quarantined, false) })));
        return ExitCode.clean;
      }
      traces.forEach((each, index) => {
        if (index > 0) terminal.out("");
        printRecordTrace(each, terminal);
      });
      return ExitCode.clean;
    });
  },
};

const versionJson =
  "{ dataset: string, snapshot: Snapshot, refs: string[], isOnMain: boolean, isWithdrawn: boolean, window: (Window & { decision: Decision }) | null, contents: { rows: number | null, deleteFiles: number, rowsDeleted: number, windows: number, records: number, ranges: Range[], contracts: { hash: string, id: string, version: string, windows: number, firstAtMs: number, lastAtMs: number }[], held: { windowId: string, heldAtMs: number, records: number, answer: { kind: string, author: string, reason: string, atMs: number } | null, isIn: boolean }[], replays: number, others: { snapshotId: string, atMs: number, change: string, author: string | null, reason: string | null }[], isWhole: boolean } }";

/** `sluice trace snapshot` */
export const traceSnapshot: CommandSpec = {
  name: "trace snapshot",
  summary: "Say all that a version is made of: sources, contracts, verdicts, who approved what; and who read it",
  details:
    "Readers are those of this version and of every later one that came from it: whom to tell if it is bad. They are known from the REST catalog, from OpenLineage events and from `sluice consume`.",
  examples: [
    { command: "sluice trace snapshot main", says: "the version that readers see now" },
    { command: "sluice trace snapshot release/2026-11 --json", says: "a tag's, for an audit" },
  ],
  arguments: [{ name: "<version>", description: "A tag, a branch, a snapshot's id, `main~3`, or a time" }],
  options: [configOption, datasetOption, jsonOption],
  json: `${versionJson} & { readers: { job: string | null, runId: string | null, reader: string, snapshotId: string, isExact: boolean, kinds: string[], times: number, firstAtMs: number, lastAtMs: number }[] }`,
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { printReaders, printVersionTrace } = await import("../trace-text.ts");
    const { readersOf } = await import("../../trace/trace-readers.ts");
    const { traceVersion } = await import("../../trace/trace-version.ts");
    const { VersionTree } = await import("../../trace/version-tree.ts");
    return withLake(invocation, async ({ lake }) => {
      const dataset = await chooseDataset(lake, invocation);
      const version = invocation.argument(0);
      const { snapshotId } = await lake.refs.resolve(dataset, version);
      const tree = new VersionTree(await lake.snapshots(dataset));
      const trace = await traceVersion(lake, dataset, snapshotId);
      if (trace === null) throw new SluiceError("NOT_FOUND", `snapshot ${snapshotId} of ${dataset} has expired meanwhile`);
      const readers = await readersOf(lake, dataset, tree, trace.snapshot.snapshotId);
      if (invocation.json) invocation.terminal.json({ ...trace, readers });
      else {
        printVersionTrace(trace, invocation.terminal);
        printReaders(readers, invocation.terminal);
      }
      return ExitCode.clean;
    });
  },
};

/** `sluice trace file` */
export const traceFile: CommandSpec = {
  name: "trace file",
  summary: "Say which snapshot added a data file, and which branches and tags hold it",
  examples: [{ command: "sluice trace file data/w-1-00a7.parquet", says: "a file by the end of its path" }],
  arguments: [{ name: "<path>", description: "The file's URI, or the end of its path" }],
  options: [configOption, datasetOption, jsonOption],
  json: `{ dataset: string, file: string, table: "promoted" | "quarantine", addedBy: string, rows: string, bytes: string, refs: string[] }`,
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { printFilePlace } = await import("../trace-text.ts");
    return withLake(invocation, async ({ lake }) => {
      const dataset = await chooseDataset(lake, invocation);
      const path = invocation.argument(0);
      const place = await lake.traces.findFile(dataset, path);
      if (place === null)
        throw new SluiceError("NOT_FOUND", `no snapshot of ${dataset} holds a file "${path}": it never did, or they have expired`);
      if (invocation.json) invocation.terminal.json({ dataset, ...place });
      else printFilePlace(dataset, place, invocation.terminal);
      return ExitCode.clean;
    });
  },
};

/** `sluice trace job` */
export const traceJob: CommandSpec = {
  name: "trace job",
  summary: "Say which versions a job's runs read, under which contracts, and what was held, repaired or withdrawn since",
  examples: [
    { command: "sluice trace job churn-model", says: "what every run of the training job read" },
    { command: "sluice trace job churn-model --run 2026-11-07 --json", says: "one run's, with each version's whole trace" },
  ],
  arguments: [{ name: "<job>", description: "The job, as `sluice consume`, OpenLineage or the catalog's readers name it" }],
  options: [configOption, { flags: "--run <id>", description: "Only this run" }, jsonOption],
  json: `{ job: string, readings: { runId: string | null, dataset: string, snapshotId: string, firstAtMs: number, kinds: string[], isDataset: boolean, details: Record<string, string>, version: ${versionJson} | null, since: { published: string[], replays: number, isWithdrawn: boolean } | null }[] }`,
  async run(invocation) {
    const { withLake } = await import("../session.ts");
    const { printJobReading } = await import("../trace-text.ts");
    const trace = await import("../../trace/trace-job.ts");
    return withLake(invocation, async ({ lake }) => {
      const { terminal } = invocation;
      const job = invocation.argument(0);
      const readings = await trace.traceJob(lake, job, invocation.text("run"));
      if (readings.length === 0) {
        throw new SluiceError(
          "NOT_FOUND",
          `nothing is known of a job "${job}": it says what it reads by \`sluice consume --job ${job} ...\``,
        );
      }
      if (invocation.json) {
        terminal.json({ job, readings });
        return ExitCode.clean;
      }
      readings.forEach((reading, index) => {
        if (index > 0) terminal.out("");
        printJobReading(reading, terminal);
      });
      return ExitCode.clean;
    });
  },
};
