import type { Consumption } from "../core/consumption.ts";
import type { Lake } from "../core/ports.ts";
import type { VersionTrace } from "./trace-version.ts";
import { traceVersion } from "./trace-version.ts";

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
  /** False: what was read is a quarantine table, or a dataset that is gone. */
  readonly isDataset: boolean;
  /** Null where nothing is known of its snapshot (another program expired it), or it is of no dataset. */
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
  /** Whether its last step was rolled back, and not brought back since. */
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
  const datasets = new Set(await lake.datasets());
  const traces: JobReading[] = [];
  for (const each of readings.values()) traces.push(await readingOf(lake, datasets, each));
  return traces;
}

async function readingOf(lake: Lake, datasets: ReadonlySet<string>, consumptions: readonly Consumption[]): Promise<JobReading> {
  const { runId, dataset, snapshotId, atMs } = consumptions[0] as Consumption;
  const isDataset = datasets.has(dataset);
  const version = isDataset ? await traceVersion(lake, dataset, snapshotId) : null;
  return {
    runId,
    dataset,
    snapshotId,
    firstAtMs: atMs,
    kinds: [...new Set(consumptions.map((each) => each.kind))],
    isDataset,
    details: Object.assign({}, ...consumptions.map((each) => each.details)) as Record<string, string>,
    version,
    since: version === null ? null : await sinceOf(lake, version),
  };
}

async function sinceOf(lake: Lake, version: VersionTrace): Promise<SinceReading> {
  const { sequence } = version.snapshot;
  const held = new Set(version.contents.held.filter((each) => !each.isIn).map((each) => each.windowId));
  const published: string[] = [];
  let replays = 0;
  for await (const { decision, answer, isWithdrawn } of lake.history(version.dataset, sequence)) {
    if (isWithdrawn) continue;
    if (decision.kind === "replay") replays++;
    else if (decision.kind === "publish" && answer !== undefined && held.has(answer.heldWindowId)) published.push(answer.heldWindowId);
  }
  return { published, replays, isWithdrawn: version.isWithdrawn };
}
