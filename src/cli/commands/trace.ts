import { SluiceError } from "../../core/errors.ts";
import type { Lake } from "../../core/ports.ts";
import type { CommandSpec } from "../command.ts";
import { configOption, datasetOption, jsonOption } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import type { RefKind } from "../../core/lake-refs.ts";
import { namedRefJson } from "../refs-text.ts";
import { UsageError } from "../failure.ts";

/** `sluice trace record` */
export const traceRecord: CommandSpec = {
  name: "trace record",
  summary: "Say what became of one record: its window, verdict, row, quarantine, and whether readers still see it",
  examples: [
    { command: "sluice trace record flights:1:44", says: "offset 44 of partition 1 of topic flights" },
    { command: "sluice trace record 1:44 --dataset flights --json", says: "the same where the dataset has one topic, as JSON" },
    { command: "sluice trace record flights:1:44 --headers", says: "with the headers that its producer gave it, while the topic has it" },
  ],
  arguments: [{ name: "<record>", description: "topic:partition:offset; the topic's id or a file's content hash may stand for its name" }],
  options: [
    configOption,
    datasetOption,
    { flags: "--headers", description: "What its producer wrote in its headers, from the topic, if it still has the record" },
    jsonOption,
  ],
  json: "{ dataset: string, source: { topic: string, topicId: string, partition: number, offset: string }, state: string, says: string, decisions: { snapshotId: string, sequence: string, committedAtMs: number, kind: string, windowId: string, decisionHash: string, contractHash: string, verdict: string, ranges: Range[], records: number, skipped: number, answer: { heldWindowId: string, author: string, reason: string } | null }[], rows: { file: string, row: number, table: string, addedBy: string, rows: string, bytes: string, refs: string[], deletedIn: { ref: string, snapshotId: string }[] }[], quarantined: Quarantined | null, headers: { read: number, gone: number, headers: { key: string, times: number, distinct: number | null, values: { value: string | null, times: number }[] }[], why: string | null } | null }[]",
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { addressedRecords, parseRecordAddress } = await import("../../trace/record-address.ts");
    const trace = await import("../../trace/trace-record.ts");
    const { quarantinedJson } = await import("../quarantined-record.ts");
    const { printHeaders, printRecordTrace } = await import("../trace-text.ts");
    const { sourceHeaders } = await import("../source-headers.ts");
    const text = invocation.argument(0);
    const address = parseRecordAddress(text);
    if (address === null) throw new UsageError(`a record is topic:partition:offset, such as flights:1:44, not "${text}"`);
    return withLake(invocation, async ({ config, lake }) => {
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
      for (const { topic, key } of records) {
        const range = { topic, ...key, from: key.offset, to: key.offset + 1n, count: 1 };
        const headers = invocation.flag("headers") ? await sourceHeaders(config, [range]) : null;
        traces.push({ ...(await trace.traceRecord(lake, dataset, topic, key)), headers });
      }
      if (invocation.json) {
        terminal.json(traces.map((each) => ({ ...each, quarantined: each.quarantined && quarantinedJson(each.quarantined, false) })));
        return ExitCode.clean;
      }
      traces.forEach((each, index) => {
        if (index > 0) terminal.out("");
        printRecordTrace(each, terminal);
        if (each.headers !== null) printHeaders(each.headers, terminal);
      });
      return ExitCode.clean;
    });
  },
};

const tagKinds: ReadonlySet<RefKind> = new Set(["tag", "release", "withdrawn"]);

const versionJson =
  "{ dataset: string, snapshot: Snapshot, refs: string[], isOnMain: boolean, isWithdrawn: boolean, window: (Window & { decision: Decision }) | null, contents: { rows: number | null, deleteFiles: number, rowsDeleted: number, windows: number, records: number, ranges: Range[], contracts: { hash: string, id: string, version: string, windows: number, firstAtMs: number, lastAtMs: number }[], held: { windowId: string, heldAtMs: number, records: number, answer: { kind: string, author: string, reason: string, atMs: number } | null, isIn: boolean }[], replays: number, others: { snapshotId: string, atMs: number, change: string, author: string | null, reason: string | null }[], isWhole: boolean } }";

const tracedJson = `${versionJson} & { events: { lineage: { runId: string, namespace: string, job: string } | null, toldTo: { sink: string, isTold: boolean }[] } | null, headers: { read: number, gone: number, headers: { key: string, times: number, distinct: number | null, values: { value: string | null, times: number }[] }[], why: string | null } | null, readers: { job: string | null, runId: string | null, reader: string, snapshotId: string, isExact: boolean, kinds: string[], times: number, firstAtMs: number, lastAtMs: number }[] }`;

const headersOption = {
  flags: "--headers",
  description: "What producers wrote in the headers of the last step's records, from the topic, as far as it still has them",
};

/** The snapshot of a version's name; an id may also be one that has expired. */
async function snapshotOf(lake: Lake, dataset: string, version: string): Promise<string> {
  try {
    return (await lake.refs.resolve(dataset, version)).snapshotId;
  } catch (fault) {
    const isUnknown = fault instanceof SluiceError && fault.code === "VERSION_UNKNOWN";
    if (!isUnknown || !/^\d+$/.test(version)) throw fault;
    for await (const { snapshotId } of lake.traces.snapshots(dataset)) if (snapshotId === version) return version;
    throw fault;
  }
}

/** `sluice trace snapshot` */
export const traceSnapshot: CommandSpec = {
  name: "trace snapshot",
  summary: "Say all that a version is made of: sources, contracts, verdicts, who approved what; and who was told of it and read it",
  details:
    "Readers are those of this version and of every later one that came from it: whom to tell if it is bad. They are known from the REST catalog, from OpenLineage events and from `sluice consume`.",
  examples: [
    { command: "sluice trace snapshot main", says: "the version that readers see now" },
    { command: "sluice trace snapshot 2890260914182353521 --headers", says: "with the headers that its records came with" },
    { command: "sluice trace snapshot 2026-11-21T18:00:00Z --json", says: "what readers saw then, for an audit" },
  ],
  arguments: [{ name: "<version>", description: "A tag, a branch, a snapshot's id, also one that has expired, `main~3`, or a time" }],
  options: [configOption, datasetOption, headersOption, jsonOption],
  json: tracedJson,
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { tracedVersion } = await import("../traced-version.ts");
    const { printTracedVersion } = await import("../trace-text.ts");
    return withLake(invocation, async (session) => {
      const dataset = await chooseDataset(session.lake, invocation);
      const snapshotId = await snapshotOf(session.lake, dataset, invocation.argument(0));
      const version = await tracedVersion(session, dataset, snapshotId, invocation.flag("headers"));
      if (invocation.json) invocation.terminal.json(version);
      else printTracedVersion(version, invocation.terminal);
      return ExitCode.clean;
    });
  },
};

/** `sluice trace tag` */
export const traceTag: CommandSpec = {
  name: "trace tag",
  summary: "Say what a tag or release names in every dataset that has it: who made it and why, and all that each version is made of",
  examples: [
    { command: "sluice trace tag release/2026-11", says: "a release, dataset by dataset" },
    { command: "sluice trace tag train-2026-11 --dataset flights --json", says: "one dataset's tag, for an audit" },
  ],
  arguments: [{ name: "<tag>", description: "The tag, or the release" }],
  options: [
    configOption,
    { ...datasetOption, description: "Only this dataset (default: every one that has the tag)" },
    headersOption,
    jsonOption,
  ],
  json: `{ tag: string, versions: ({ ref: ${namedRefJson} } & ${tracedJson})[] }`,
  findings: "another program moved the tag",
  async run(invocation) {
    const { chooseDataset, withLake } = await import("../session.ts");
    const { tracedVersion } = await import("../traced-version.ts");
    const { printTracedVersion } = await import("../trace-text.ts");
    const { tagLine } = await import("../refs-text.ts");
    return withLake(invocation, async (session) => {
      const { lake } = session;
      const { terminal } = invocation;
      const name = invocation.argument(0);
      const datasets = invocation.text("dataset") === null ? await lake.datasets() : [await chooseDataset(lake, invocation)];
      const versions = [];
      for (const dataset of datasets) {
        const ref = (await lake.refs.list(dataset)).find((each) => each.name === name && tagKinds.has(each.kind));
        if (ref === undefined) continue;
        versions.push({ ref, ...(await tracedVersion(session, dataset, ref.snapshotId, invocation.flag("headers"))) });
      }
      if (versions.length === 0)
        throw new SluiceError(
          "NOT_FOUND",
          `${datasets.join(", ") || "the lake"} has no tag "${name}"; \`sluice tag list\` names those that there are`,
        );
      if (invocation.json) terminal.json({ tag: name, versions });
      else
        versions.forEach((version, index) => {
          if (index > 0) terminal.out("");
          terminal.out(tagLine(version.ref));
          printTracedVersion(version, terminal);
        });
      return versions.every(({ ref }) => ref.isIntact) ? ExitCode.clean : ExitCode.findings;
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
