import { runOf } from "../adapters/lineage/run-event.ts";
import type { Config } from "../config/config.ts";
import { SluiceError } from "../core/errors.ts";
import type { Lake } from "../core/ports.ts";
import type { VersionReader } from "../trace/trace-readers.ts";
import { readersOf } from "../trace/trace-readers.ts";
import type { VersionTrace } from "../trace/trace-version.ts";
import { traceVersion } from "../trace/trace-version.ts";
import { VersionTree } from "../trace/version-tree.ts";
import type { SourceHeaders } from "./source-headers.ts";
import { sourceHeaders } from "./source-headers.ts";
import { lineageNames } from "./window-sinks.ts";

/** Sinks that are told of every commit; others have cursors of another kind. */
const tellsOfCommits = /^(lineage-|events-|dlq$)/;

/** What others were told of a version's last step. */
export interface StepEvents {
  /** The run that OpenLineage's events tell of; null where none are sent. */
  readonly lineage: { readonly runId: string; readonly namespace: string; readonly job: string } | null;
  readonly toldTo: readonly { readonly sink: string; readonly isTold: boolean }[];
}

/** All that is known of a version: what it is made of, who was told, and who read it. */
export interface TracedVersion extends VersionTrace {
  readonly events: StepEvents | null;
  /** What producers wrote beside the records of its last step; null where it was not asked for. */
  readonly headers: SourceHeaders | null;
  readonly readers: readonly VersionReader[];
}

async function eventsOf(config: Config, lake: Lake, { dataset, snapshot, window }: VersionTrace): Promise<StepEvents | null> {
  if (window === null) return null;
  const standing = (await lake.cursors.standing(dataset)).filter(({ sink }) => tellsOfCommits.test(sink));
  const toldTo = standing.map(({ sink, sequence }) => ({ sink, isTold: sequence >= snapshot.sequence }));
  const { kind, windowId, snapshotId } = window;
  const isSent = toldTo.some(({ sink }) => sink.startsWith("lineage-"));
  return { lineage: isSent ? runOf({ dataset, kind, windowId, snapshotId }, lineageNames(config)) : null, toldTo };
}

/** Traces a version back to its sources and on to its readers; with `withHeaders` the topic is asked too. Rejects with NOT_FOUND where nothing is known of it. */
export async function tracedVersion(
  { config, lake }: { readonly config: Config; readonly lake: Lake },
  dataset: string,
  snapshotId: string,
  withHeaders: boolean,
): Promise<TracedVersion> {
  const tree = await VersionTree.ofPast(lake, dataset);
  const trace = await traceVersion(lake, dataset, snapshotId);
  if (trace === null) throw new SluiceError("NOT_FOUND", `${dataset} has no snapshot ${snapshotId}, and never had one that it knows of`);
  return {
    ...trace,
    events: await eventsOf(config, lake, trace),
    headers: withHeaders ? await sourceHeaders(config, trace.window?.ranges ?? []) : null,
    readers: await readersOf(lake, dataset, tree, trace.snapshot.snapshotId),
  };
}
