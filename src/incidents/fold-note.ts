import type { Incident, IncidentNote } from "../core/incident.ts";
import { SluiceError } from "../core/errors.ts";
import { addSightings, beginIncident, isGoingOn, noticeOf, withSignals } from "./change-incident.ts";
import { Change } from "./change.ts";
import type { IncidentState, IncidentStep, StandingStop } from "./incident-state.ts";
import { stopKey } from "./incident-state.ts";
import type { Sighting } from "./sightings.ts";

/**
 * The next state after a note. `known`: the incident that an answer is about where it is not among the live ones (it was over). Rejects an answer that does
 * not fit with INCIDENT_REFUSED; facts always fit.
 */
export function foldNote(state: IncidentState, note: IncidentNote, known: Incident | null): IncidentStep {
  const counted = { notes: state.notes + 1 };
  const change = new Change(state);
  switch (note.kind) {
    case "stopped":
      return { ...foldStop(state, change, note).step({ ...counted, stops: [...state.stops, standing(note)] }), note };
    case "unstopped": {
      for (const incident of change.live) {
        if (!incident.signals.some((one) => one.key === note.key && one.isActive)) continue;
        change.put(withSignals(incident, (one) => (one.key === note.key ? { ...one, isActive: false } : one)));
      }
      change.settleAll(note.atMs);
      return { ...change.step({ ...counted, stops: state.stops.filter((one) => one.key !== note.key) }), note };
    }
    case "awoke": {
      const incident = state.live.find((one) => one.id === note.incident);
      if (incident !== undefined && incident.status === "open") {
        const awake: Incident = { ...incident, snoozedUntilMs: null };
        change.put(awake);
        change.tell([noticeOf("reminded", awake, note.atMs)]);
      }
      return { ...change.step(counted), note };
    }
    default: {
      const incident = state.live.find((one) => one.id === note.incident) ?? known;
      if (incident === null) throw new SluiceError("NOT_FOUND", `${state.dataset} has no incident ${note.incident}`);
      answer(change, incident, note);
      return { ...change.step(counted), note };
    }
  }
}

function standing(note: Extract<IncidentNote, { kind: "stopped" }>): StandingStop {
  const { topic, partition, code, message, sinceMs } = note;
  return { key: stopKey(note), topic, partition, code, message, sinceMs };
}

function foldStop(state: IncidentState, change: Change, note: Extract<IncidentNote, { kind: "stopped" }>): Change {
  const { topic, partition, code, message, sinceMs, atMs } = note;
  const key = stopKey(note);
  const subject = partition === null ? topic : `${topic}, partition ${partition}`;
  const sighting: Sighting = { key, kind: "stop", subject, severity: "critical", effect: `${code}: ${message}`.slice(0, 600), sinceMs };
  const owner = change.ownerOf(key);
  const near = state.live.findLast((one) => one.status === "open" && sinceMs <= one.lastOnsetMs + state.plan.togetherSeconds * 1000);
  // A stop that comes again waits for an answer again, whatever was said of the last one.
  const target =
    (owner?.status === "open" ? owner : near) ??
    beginIncident({
      dataset: state.dataset,
      cause: `${key} ${sinceMs}`,
      sinceMs,
      atMs,
      previous: change.previous([key]),
      lastGood: state.main,
    });
  change.put(addSightings(target, [sighting], { sinceMs, atMs }));
  change.settleAll(atMs);
  return change;
}

type Answer = Extract<IncidentNote, { author: string }>;

function refuse(incident: Incident, what: string): never {
  throw new SluiceError("INCIDENT_REFUSED", `incident ${incident.id} ${what}`);
}

function answer(change: Change, incident: Incident, note: Answer): void {
  const { author, reason, atMs } = note;
  const isOpen = incident.status === "open";
  switch (note.kind) {
    case "acknowledge": {
      if (!isOpen) refuse(incident, `is ${incident.status}: there is nothing to look at`);
      const isFirst = incident.acknowledged === null;
      const next: Incident = { ...incident, acknowledged: { author, atMs }, assignee: incident.assignee ?? author };
      change.put(next);
      if (isFirst) change.tell([noticeOf("acknowledged", next, atMs)]);
      break;
    }
    case "assign":
      if (!isOpen) refuse(incident, `is ${incident.status}: reopen it first`);
      change.put({ ...incident, assignee: note.assignee });
      break;
    case "snooze":
      if (!isOpen) refuse(incident, `is ${incident.status}: it says nothing any more`);
      change.put({ ...incident, snoozedUntilMs: note.untilMs });
      break;
    case "resolve": {
      if (incident.status === "resolved" && (incident.resolution?.isFalsePositive === true || !note.isFalsePositive))
        refuse(incident, `was resolved before, by ${incident.resolution?.author ?? "someone"}`);
      const resolution = { author, reason, atMs, isFalsePositive: note.isFalsePositive };
      const next: Incident = { ...incident, status: "resolved", closedAtMs: incident.closedAtMs ?? atMs, snoozedUntilMs: null, resolution };
      change.put(next);
      // Who was told that it is over is not told again: a label is for calibration.
      if (isOpen) change.tell([noticeOf("resolved", next, atMs)]);
      break;
    }
    case "reopen": {
      if (isOpen) refuse(incident, "is open");
      const next: Incident = {
        ...reactivated(incident),
        status: "open",
        closedAtMs: null,
        resolution: null,
        acknowledged: null,
        openings: incident.openings + 1,
      };
      change.put(next);
      change.tell([noticeOf("reopened", next, atMs)]);
      break;
    }
  }
}

/** A reopened incident is open until data are judged well again, or a person resolves it; a stop that was answered is not. */
function reactivated(incident: Incident): Incident {
  if (isGoingOn(incident)) return incident;
  return withSignals(incident, (one) => (one.kind === "stop" ? one : { ...one, isActive: true, cleanWindows: 0 }));
}
