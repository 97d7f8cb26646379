import type { CommittedWindow } from "../../core/committed-window.ts";
import type { NamedRef } from "../../core/lake-refs.ts";

/** The types of events; `schemas/events.schema.json` describes the data of each. */
export type EventType =
  | "io.sluice.version.published"
  | "io.sluice.version.withdrawn"
  | "io.sluice.version.restored"
  | "io.sluice.version.tagged"
  | "io.sluice.drift.detected";

/** A CloudEvent (specification 1.0.2) in its JSON form. */
export interface CloudEvent {
  readonly specversion: "1.0";
  /** The same event sent twice has the same id. */
  readonly id: string;
  readonly source: string;
  readonly type: EventType;
  /** The dataset. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly dataschema: "urn:sluice:schema:events:1";
  /** Events of one key keep their order (extension "partitioning"). */
  readonly partitionkey: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface EventDraft {
  readonly id: string;
  readonly type: EventType;
  readonly atMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

function cloudEvent(source: string, dataset: string, { id, type, atMs, data }: EventDraft): CloudEvent {
  return {
    specversion: "1.0",
    id: `${dataset}/${id}`,
    source,
    type,
    subject: dataset,
    time: new Date(atMs).toISOString(),
    datacontenttype: "application/json",
    dataschema: "urn:sluice:schema:events:1",
    partitionkey: dataset,
    data: { dataset, ...data },
  };
}

/** Windows of a tick that are named; more are counted. */
const tickNamesMax = 100;

function driftDraft({ decision, sequence, snapshotId, committedAtMs: atMs }: CommittedWindow): EventDraft | null {
  const { drift, windowId, verdict, kind } = decision;
  const found = drift.results.filter((one) => one.status === "drift");
  if (kind !== "window" || found.length === 0) return null;
  const columns = found.map(({ column, test, statistic, limit, policy, explanation, sinceMs }) => ({
    column,
    test,
    statistic,
    limit,
    policy,
    explanation,
    since: typeof sinceMs === "number" ? new Date(sinceMs).toISOString() : null,
  }));
  const windows = drift.tick?.windows ?? [windowId];
  const data = {
    snapshotId,
    sequence: sequence.toString(),
    windowId,
    verdict,
    isHeld: verdict === "hold",
    columns,
    baseline: drift.baseline === null ? null : { windows: drift.baseline.windows, rows: drift.baseline.rows, ref: drift.baseline.ref },
    tick: { windows: windows.slice(-tickNamesMax), count: windows.length, rows: drift.tick?.rows ?? decision.profile.rows },
  };
  return { id: `${sequence}/drift`, type: "io.sluice.drift.detected", atMs, data };
}

function versionDraft(window: CommittedWindow, tags: readonly string[]): EventDraft | null {
  const { decision, sequence, snapshotId, committedAtMs: atMs, answer } = window;
  const { counts, contract, windowId, kind, moved } = decision;
  const version = { snapshotId, sequence: sequence.toString(), tags };
  if (moved !== undefined) {
    const type = kind === "withdraw" ? "io.sluice.version.withdrawn" : "io.sluice.version.restored";
    const data = { ...version, rollback: moved.rollback, fromSnapshotId: moved.from, toSnapshotId: moved.to, windows: moved.windows };
    return { id: `${sequence}/moved`, type, atMs, data };
  }
  if (counts.promoted === 0) return null;
  const data = {
    ...version,
    windowId,
    by: kind,
    heldWindowId: answer?.heldWindowId ?? null,
    promoted: counts.promoted,
    quarantined: counts.quarantined,
    contract: { id: contract.id, version: contract.version, hash: contract.hash },
  };
  return { id: `${sequence}/published`, type: "io.sluice.version.published", atMs, data };
}

/** What a commit is told as: a version that came, went or came back, and drift that its window or tick showed; none for a commit of neither. */
export function windowEvents(window: CommittedWindow, source: string, tags: readonly string[]): readonly CloudEvent[] {
  const drafts = [versionDraft(window, tags), driftDraft(window)];
  return drafts.flatMap((draft) => (draft === null ? [] : [cloudEvent(source, window.decision.dataset, draft)]));
}

/** What a tag, or a dataset's part of a release, is told as. */
export function tagEvent(dataset: string, ref: NamedRef, source: string): CloudEvent {
  const { name, kind, snapshotId, rows, author, reason, createdAtMs, committedAtMs } = ref;
  const data = { snapshotId, tags: [name], kind, rows, author, reason };
  return cloudEvent(source, dataset, { id: `tags/${name}`, type: "io.sluice.version.tagged", atMs: createdAtMs ?? committedAtMs, data });
}
