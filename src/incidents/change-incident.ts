import { createHash } from "node:crypto";
import type { OffsetRange } from "../core/position.ts";
import type { Incident, IncidentNotice, IncidentSeverity, IncidentSignal, NoticeKind, SourceSpan } from "../core/incident.ts";
import { incidentSeverities, isAtLeast } from "../core/incident.ts";
import { tellTitle } from "./incident-words.ts";
import type { Sighting } from "./sightings.ts";

/** Partitions whose offsets an incident lists, and signals that it tells apart; what comes beyond is counted by the windows alone. */
const spansMax = 64;
const signalsMax = 500;

/** Where an incident begins. */
export interface Onset {
  readonly dataset: string;
  /** What makes it this incident and no other: the first signal and the window or note that showed it. */
  readonly cause: string;
  readonly sinceMs: number;
  readonly atMs: number;
  readonly previous: string | null;
  readonly lastGood: { readonly snapshotId: string; readonly atMs: number } | null;
}

/** An incident without signals, to add the first ones to. */
export function beginIncident({ dataset, cause, sinceMs, atMs, previous, lastGood }: Onset): Incident {
  return {
    id: `inc-${createHash("sha256").update(`${dataset}\n${cause}`).digest("hex").slice(0, 12)}`,
    dataset,
    status: "open",
    severity: "warning",
    title: "",
    sinceMs,
    openedAtMs: atMs,
    closedAtMs: null,
    lastOnsetMs: atMs,
    signals: [],
    windows: null,
    sequences: null,
    heldWindows: [],
    spans: [],
    downstream: {
      state: "held",
      exposedRecords: 0,
      heldRecords: 0,
      lastGoodSnapshotId: lastGood?.snapshotId ?? null,
      lastGoodAtMs: lastGood?.atMs ?? null,
    },
    acknowledged: null,
    assignee: null,
    snoozedUntilMs: null,
    resolution: null,
    openings: 1,
    previous,
  };
}

/** The incident with what a window, or a look at the source, shows of it. */
export function addSightings(
  incident: Incident,
  sightings: readonly Sighting[],
  at: { readonly sinceMs: number; readonly atMs: number },
): Incident {
  const signals = new Map(incident.signals.map((one) => [one.key, one]));
  let { lastOnsetMs, sinceMs, severity } = incident;
  for (const { key, kind, subject, severity: own, effect, samples, sinceMs: since } of sightings) {
    const known = signals.get(key);
    const named = samples ?? known?.samples;
    const begin = since ?? at.sinceMs;
    if (known === undefined && signals.size >= signalsMax) continue;
    if (known === undefined) lastOnsetMs = Math.max(lastOnsetMs, at.atMs);
    sinceMs = Math.min(sinceMs, begin);
    severity = worse(severity, own);
    signals.set(key, {
      key,
      kind,
      subject,
      severity: worse(known?.severity ?? own, own),
      effect,
      ...(named !== undefined && { samples: named }),
      sinceMs: Math.min(known?.sinceMs ?? begin, begin),
      lastMs: at.atMs,
      windows: (known?.windows ?? 0) + 1,
      isActive: true,
      cleanWindows: 0,
    });
  }
  const all = [...signals.values()];
  return described({ ...incident, lastOnsetMs, sinceMs, severity, signals: all, title: tellTitle(incident.dataset, all) });
}

function worse(a: IncidentSeverity, b: IncidentSeverity): IncidentSeverity {
  return incidentSeverities[Math.max(incidentSeverities.indexOf(a), incidentSeverities.indexOf(b))] as IncidentSeverity;
}

/** The incident with other signals, and what follows from them. */
export function withSignals(incident: Incident, change: (signal: IncidentSignal) => IncidentSignal): Incident {
  return described({ ...incident, signals: incident.signals.map(change) });
}

/** The incident with the state of its readers put right; every change ends here. */
export function described(incident: Incident): Incident {
  const { downstream, signals, heldWindows } = incident;
  const isStopped = signals.some((one) => one.kind === "stop" && one.isActive);
  const exposed = downstream.state === "withdrawn" ? "withdrawn" : "exposed";
  const state = downstream.exposedRecords > 0 ? exposed : isStopped && heldWindows.length === 0 ? "stopped" : "held";
  return state === downstream.state ? incident : { ...incident, downstream: { ...downstream, state } };
}

/** Spans of an incident's records, with a window's ranges in them. */
export function joinSpans(spans: readonly SourceSpan[], ranges: readonly OffsetRange[]): readonly SourceSpan[] {
  const joined = new Map(spans.map((one) => [`${one.topicId}:${one.partition}`, one]));
  for (const { topic, topicId, partition, from, to } of ranges) {
    const key = `${topicId}:${partition}`;
    const known = joined.get(key);
    if (known === undefined && joined.size >= spansMax) continue;
    joined.set(key, {
      topic,
      topicId,
      partition,
      from: known !== undefined && BigInt(known.from) < from ? known.from : from.toString(),
      to: known !== undefined && BigInt(known.to) > to ? known.to : to.toString(),
    });
  }
  return [...joined.values()];
}

/** Whether anything of an incident still goes on: a signal that did not end, or a window that waits. */
export function isGoingOn(incident: Incident): boolean {
  return incident.heldWindows.length > 0 || incident.signals.some((one) => one.isActive);
}

/** A notice of an incident as it now is. */
export function noticeOf(
  kind: NoticeKind,
  incident: Incident,
  atMs: number,
  severityBefore: IncidentSeverity | null = null,
): IncidentNotice {
  // What can come several times an opening has what makes it another one in its id.
  const nth: Partial<Record<NoticeKind, string | number>> = { raised: incident.severity, reminded: atMs };
  const suffix = nth[kind] === undefined ? "" : `/${nth[kind]}`;
  return { id: `${incident.id}/${incident.openings}/${kind}${suffix}`, kind, atMs, severityBefore, incident };
}

/** An incident after a change of its signals: whether it is over now, or came to be worse, with the notice that says so. A snoozed one is not raised. */
export function settle(
  before: Incident | null,
  incident: Incident,
  atMs: number,
): { incident: Incident; notices: readonly IncidentNotice[] } {
  if (incident.status !== "open") return { incident, notices: [] };
  if (before === null) return { incident, notices: [noticeOf("opened", incident, atMs)] };
  if (!isGoingOn(incident)) {
    const over: Incident = { ...incident, status: "recovered", closedAtMs: atMs, snoozedUntilMs: null };
    return { incident: over, notices: [noticeOf("recovered", over, atMs)] };
  }
  if (before.severity === incident.severity || !isAtLeast(incident.severity, before.severity) || incident.snoozedUntilMs !== null)
    return { incident, notices: [] };
  return { incident, notices: [noticeOf("raised", incident, atMs, before.severity)] };
}
