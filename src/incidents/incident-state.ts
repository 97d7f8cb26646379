import type { Incident, IncidentNote, IncidentNotice, IncidentPlan } from "../core/incident.ts";
import { incidentPlanDefault } from "../core/incident.ts";

/** A commit as a later incident may need it: which version stood before it, and what it put on main. */
export interface RecentCommit {
  readonly windowId: string;
  readonly sequence: string;
  readonly openedAtMs: number;
  readonly promoted: number;
  readonly before: { readonly snapshotId: string; readonly atMs: number } | null;
}

/** A stop that stands, by the key of its signal. */
export interface StandingStop {
  readonly key: string;
  readonly topic: string;
  readonly partition: number | null;
  readonly code: string;
  readonly message: string;
  readonly sinceMs: number;
}

/**
 * All that incidents of one dataset rest on: a fold over its commits and the notes recorded between them, so it can always be rebuilt. Bounded by what
 * is wrong at the time and by the lists' own limits.
 */
export interface IncidentState {
  readonly format: 1;
  readonly dataset: string;
  /** The newest commit folded, as decimal text. */
  readonly sequence: string;
  /** How many notes were folded, and how many notices came of it. */
  readonly notes: number;
  readonly notices: number;
  /** Open ones, and resolved ones whose signals have not ended. */
  readonly live: readonly Incident[];
  /** The newest that are over, so that the next of their kind names them. */
  readonly over: readonly { readonly id: string; readonly keys: readonly string[] }[];
  /** Newest last. */
  readonly recent: readonly RecentCommit[];
  /** The newest version of main. */
  readonly main: { readonly snapshotId: string; readonly atMs: number } | null;
  /** Records since the share of quarantined ones was judged last. */
  readonly rate: { readonly records: number; readonly quarantined: number };
  readonly stops: readonly StandingStop[];
  /** Of the newest commit's contract. */
  readonly plan: IncidentPlan;
}

/** A dataset without history. */
export function emptyIncidentState(dataset: string): IncidentState {
  return {
    format: 1,
    dataset,
    sequence: "0",
    notes: 0,
    notices: 0,
    live: [],
    over: [],
    recent: [],
    main: null,
    rate: { records: 0, quarantined: 0 },
    stops: [],
    plan: incidentPlanDefault,
  };
}

/** The state of a kept text; null where it is of a form that this version does not read: then it is rebuilt. */
export function readIncidentState(text: string): IncidentState | null {
  const state = JSON.parse(text) as { readonly format?: unknown };
  return state.format === 1 ? (state as unknown as IncidentState) : null;
}

/** One step of the fold: the next state, and what it brought about. */
export interface IncidentStep {
  readonly state: IncidentState;
  /** Incidents that changed, as they now are. */
  readonly changed: readonly Incident[];
  readonly notices: readonly IncidentNotice[];
  /** The note that was folded, if it was one. */
  readonly note: IncidentNote | null;
}

/** The key of a stop's signal. */
export function stopKey(stop: Pick<StandingStop, "topic" | "partition" | "code">): string {
  return `stop:${stop.topic}:${stop.partition ?? "all"}:${stop.code}`;
}
