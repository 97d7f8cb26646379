import type { Consumption } from "../core/consumption.ts";
import type { Lake } from "../core/ports.ts";
import type { VersionTrace } from "./trace-version.ts";
import { traceVersion } from "./trace-version.ts";
import { VersionTree, windowOf } from "./version-tree.ts";

/** A version that a run of a job read. */
export interface JobReading {
  readonly runId: string | null;
  readonly dataset: string;
  readonly snapshotId: string;
  readonly firstAtMs: number;
  /** load, scan, declared. */
  readonly kinds: readonly string[];
  /** What was said with it: the tag, and that a version was only assumed. */
  readonly details: Readonly<Record<string, string>>;
  /** Null where its snapshot has expired. */
  readonly version: VersionTrace | null;
  /** What became of its records since: on main, after this version. */
  readonly since: SinceReading | null;
}

/** What happened on main after a version. */
export interface SinceReading {
  /** Held windows of the version's time that were published later: rows that it lacks. */
  readonly published: readonly string[];
  /** Replays that promoted records which were in quarantine then. */
  readonly replays: number;
  /** Whether main has left the version: it, or a part of it, was rolled back. */
  readonly isWithdrawn: boolean;
}

/** What a job read, run by run, in the order of first readings. `runId` null: all runs. */
export async function traceJob(lake: Lake, job: string, runId: string | null): Promise<readonly JobReading[]> {
  const readings = new Map<string, Consumption[]>();
  for await (const each of lake.consumption.of(null, { job, ...(runId !== null && { runId }) })) {
    const id = JSON.stringify([each.runId, each.dataset, each.snapshotId]);
    const known = readings.get(id);
    if (known === undefined) readings.set(id, [each]);
    else known.push(each);
  }
  const traces: JobReading[] = [];
  for (const each of readings.values()) traces.push(await readingOf(lake, each));
  return traces;
}

async function readingOf(lake: Lake, consumptions: readonly Consumption[]): Promise<JobReading> {
  const { runId, dataset, snapshotId, atMs } = consumptions[0] as Consumption;
  const version = await traceVersion(lake, dataset, snapshotId);
  return {
    runId,
    dataset,
    snapshotId,
    firstAtMs: atMs,
    kinds: [...new Set(consumptions.map((each) => each.kind))],
    details: Object.assign({}, ...consumptions.map((each) => each.details)) as Record<string, string>,
    version,
    since: version === null ? null : await sinceOf(lake, version),
  };
}

async function sinceOf(lake: Lake, version: VersionTrace): Promise<SinceReading> {
  const tree = new VersionTree(await lake.snapshots(version.dataset));
  const head = tree.named("main");
  const known = new Set(tree.lineOf(version.snapshot.snapshotId).map((each) => each.snapshotId));
  const later = (head === null ? [] : tree.lineOf(head.snapshotId)).filter((each) => !known.has(each.snapshotId));
  const windows = later.flatMap((each) => windowOf(each) ?? []);
  const held = new Set(version.contents.held.filter((each) => !each.isIn).map((each) => each.windowId));
  return {
    published: windows.flatMap((each) =>
      each.kind === "publish" && each.answers !== null && held.has(each.answers) ? [each.answers] : [],
    ),
    replays: windows.filter((each) => each.kind === "replay" && each.snapshot.sequence > version.snapshot.sequence).length,
    isWithdrawn: !version.isOnMain,
  };
}
