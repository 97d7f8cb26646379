import type { Consumption } from "../core/consumption.ts";
import { SluiceError } from "../core/errors.ts";
import type { Lake } from "../core/ports.ts";
import { VersionTree } from "./version-tree.ts";

/** What tells a lake's tables from others in events of OpenLineage. */
export interface LakeNames {
  /** The catalog's namespace of tables. */
  readonly tableNamespace: string;
}

/** What an event tells of our datasets. */
interface ReportedInput {
  readonly dataset: string;
  /** The snapshot's id that the event names; null where it names none. */
  readonly version: string | null;
}

/** How many of an event's inputs were recorded. */
export interface RecordedEvent {
  readonly recorded: number;
  /** Of other datasets, of snapshots that the table does not have, or known already. */
  readonly ignored: number;
}

type Json = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function textAt(value: unknown, ...path: readonly string[]): string | null {
  let at: unknown = value;
  for (const key of path) at = objectOf(at)?.[key];
  // Iceberg's facet has the id as a number, which most parsers round: that one is not taken.
  return typeof at === "string" && at !== "" ? at : null;
}

function demandText(event: Json, ...path: readonly string[]): string {
  const text = textAt(event, ...path);
  if (text === null) throw new SluiceError("EVENT_INVALID", `${path.join(".")} is missing, or no text`);
  return text;
}

/**
 * Records which versions of the lake's datasets a run reads, as an event of OpenLineage (a RunEvent, core 2-0-2) says by its inputs. A dataset is ours by
 * its `symlinks` (`<namespace>.<dataset>`), or by the end of its name (`/<namespace>/<dataset>`, or the table's location); its version is `datasetVersion` of
 * the `version` facet. Where that is missing, main's version at the event's time is recorded, marked as assumed. The same again records nothing.
 * Rejects with EVENT_INVALID.
 */
export async function recordLineage(lake: Lake, names: LakeNames, body: unknown, nowMs: number): Promise<RecordedEvent> {
  const event = objectOf(body);
  if (event === null) throw new SluiceError("EVENT_INVALID", "the body is no JSON object");
  const job = demandText(event, "job", "name");
  const runId = demandText(event, "run", "runId");
  const eventMs = Date.parse(demandText(event, "eventTime"));
  if (Number.isNaN(eventMs)) throw new SluiceError("EVENT_INVALID", "eventTime is no time");
  const inputs = event["inputs"] ?? [];
  if (!Array.isArray(inputs)) throw new SluiceError("EVENT_INVALID", "inputs is no list");
  const ours = await reportedInputs(lake, names, inputs);
  const found: Consumption[] = [];
  for (const { dataset, version } of ours) {
    const seen = await versionOf(lake, dataset, version, eventMs);
    if (seen === null) continue;
    const details = {
      jobNamespace: textAt(event, "job", "namespace"),
      parentJob: textAt(event, "run", "facets", "parent", "job", "name"),
      parentRun: textAt(event, "run", "facets", "parent", "run", "runId"),
      producer: textAt(event, "producer"),
      assumed: version === null ? "the event names no version: this was main at its time" : null,
    };
    const reading = {
      dataset,
      snapshotId: seen,
      kind: "declared" as const,
      reader: "OpenLineage",
      job,
      runId,
      atMs: nowMs,
      details: present(details),
    };
    if (!(await isKnown(lake, reading))) found.push(reading);
  }
  if (found.length > 0) await lake.consumption.record(found);
  return { recorded: found.length, ignored: inputs.length - found.length };
}

function present(details: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(details).flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
}

async function reportedInputs(lake: Lake, { tableNamespace }: LakeNames, inputs: readonly unknown[]): Promise<readonly ReportedInput[]> {
  const tables: { readonly dataset: string; readonly uuid: string }[] = [];
  for (const dataset of await lake.datasets()) tables.push({ dataset, uuid: (await lake.state(dataset)).tableUuid });
  return inputs.flatMap((input) => {
    const said = namesOf(input);
    const own = tables.find(({ dataset, uuid }) =>
      said.some(
        (name) =>
          name === `${tableNamespace}.${dataset}` || name.endsWith(`/${tableNamespace}/${dataset}`) || name.endsWith(`/tables/${uuid}`),
      ),
    );
    return own === undefined ? [] : [{ dataset: own.dataset, version: textAt(input, "facets", "version", "datasetVersion") }];
  });
}

/** The names that an input goes by. */
function namesOf(input: unknown): string[] {
  const identifiers = objectOf(objectOf(objectOf(objectOf(input)?.["facets"])?.["symlinks"]))?.["identifiers"];
  const symlinks = Array.isArray(identifiers) ? identifiers.map((each) => textAt(each, "name")) : [];
  return [textAt(input, "name"), ...symlinks].filter((name) => name !== null);
}

async function versionOf(lake: Lake, dataset: string, version: string | null, eventMs: number): Promise<string | null> {
  const seen = seenVersion(new VersionTree(await lake.snapshots(dataset)), version, eventMs);
  // Events may come late: what was read then may have expired since.
  return seen ?? seenVersion(await VersionTree.ofPast(lake, dataset), version, eventMs);
}

function seenVersion(tree: VersionTree, version: string | null, eventMs: number): string | null {
  if (version !== null) return tree.get(version)?.snapshotId ?? null;
  const head = tree.named("main");
  const line = head === null ? [] : tree.lineOf(head.snapshotId);
  return line.find((each) => each.committedAtMs <= eventMs)?.snapshotId ?? null;
}

async function isKnown(lake: Lake, { dataset, job, runId, snapshotId }: Consumption): Promise<boolean> {
  const filter = {
    snapshotIds: [snapshotId],
    kinds: ["declared" as const],
    ...(job !== null && { job }),
    ...(runId !== null && { runId }),
  };
  for await (const _ of lake.consumption.of(dataset, filter)) return true;
  return false;
}
