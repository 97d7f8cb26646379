import type { Contract, DriftPlan } from "../core/contract.ts";
import type { Decision } from "../core/decision.ts";
import type { DriftOutcome } from "../core/drift.ts";
import type { Profile } from "../core/profile.ts";
import { mergeProfiles } from "../sketches/merge-profiles.ts";
import { checkedColumns, summarizeColumns } from "./checked-columns.ts";
import type { Season } from "./season.ts";
import { seasonOf } from "./season.ts";
import type { SequenceState } from "./sequential/sequence-state.ts";
import { emptySequence, foldSequence, streamOf } from "./sequential/sequence-state.ts";

/** A promoted window's profile: only what the contract's checks read, in summaries unless it is of a season's day that is still going on. */
export interface BaselineWindow {
  readonly windowId: string;
  readonly profile: Profile;
  /** Where the baseline is seasonal: its season. All windows of one day's season are merged to one, named by the first. */
  readonly season?: Season;
}

/** Windows committed since the last tick closed. */
export interface OpenTick {
  /** Close time of its first window. */
  readonly openedAtMs: number;
  readonly rows: number;
  /** In commit order; the newest `tickNamesMax`. */
  readonly windows: readonly string[];
  readonly profile: Profile;
  /** The newest of its windows, as many as a baseline holds: they join it if the tick passes. */
  readonly recent: readonly BaselineWindow[];
}

/**
 * All that drift remembers of one dataset: a fold over its committed windows (`foldDrift`), so it can always be rebuilt from the lake.
 * Bounded: summaries of a baseline's worth of windows, twice, the open tick's merged profile, and some hundred scores of each stream.
 */
export interface DriftState {
  /** Promoted windows of ticks that passed, oldest first. */
  readonly windows: readonly BaselineWindow[];
  readonly open: OpenTick | null;
  /** The profile of a pinned baseline, given from outside with the ref that the contract names. */
  readonly pinned: PinnedProfile | null;
  /** Where the contract wants evidence over time. */
  readonly sequence: SequenceState;
  /** When the newest window closed; null before the first. */
  readonly closedAtMs: number | null;
}

/** A profile from elsewhere: a version of the dataset, or the newest windows of another one. */
export interface PinnedProfile {
  /** What the contract calls it: a ref, or a dataset. */
  readonly ref: string;
  readonly profile: Profile;
  /** How many windows it was made of; absent: not counted. */
  readonly windows?: number;
}

/** What the fold takes of a committed window, in commit order. */
export interface CommittedDrift {
  readonly windowId: string;
  readonly kind: Decision["kind"];
  readonly openedAtMs?: number;
  readonly closedAtMs: number;
  readonly verdict: Decision["verdict"];
  readonly drift: DriftOutcome;
  /** Null where no row passed. */
  readonly profile: Profile | null;
  /** True where a person published this held window: it joins the baseline, whatever drift said of it. */
  readonly accepted?: boolean;
  /** True where a person labelled its incident as a false positive: what it showed is usual. */
  readonly isFalseAlarm?: boolean;
}

/** Most window names that a tick lists. */
export const tickNamesMax = 1000;
/** Windows kept beside a pinned baseline, for their spread. */
const pinnedWindows = 20;

/** A dataset without history. */
export const emptyDriftState: DriftState = { windows: [], open: null, pinned: null, sequence: emptySequence, closedAtMs: null };

/** The state with a profile from elsewhere; null takes it away. */
export function pinBaseline(state: DriftState, pinned: DriftState["pinned"]): DriftState {
  return { ...state, pinned };
}

/** The next state after a committed window. Held, stopped, replayed and empty windows, and windows of an incident, never join a baseline. */
export function foldDrift(contract: Contract, state: DriftState, committed: CommittedDrift): DriftState {
  const plan = contract.drift;
  if (plan === null || committed.kind === "replay") return state;
  const heard = { ...foldEvidence(contract, state, committed), closedAtMs: committed.closedAtMs };
  const window = baselineWindow(plan, committed);
  if (committed.accepted === true) return window === null ? heard : { ...heard, windows: join(plan, state.windows, [window]) };
  const promoted = isPromoted(committed) ? window : null;
  const incident = isIncident(committed);
  if (committed.drift.tick !== null) return closeTick(plan, heard, committed.drift.tick.windows, incident ? null : promoted, incident);
  if (promoted === null || incident) return heard;
  // While nothing is judged there is no tick to wait for.
  if (committed.drift.status === "learning" || committed.drift.status === "off") {
    return { ...heard, windows: join(plan, state.windows, [promoted]) };
  }
  return { ...heard, open: extendTick(state.open, promoted, committed.closedAtMs, baselineLimit(plan)) };
}

/** The part of `foldDrift` that needs no profile: the detectors, as the window's decision recorded them. */
export function foldEvidence(contract: Contract, state: DriftState, committed: Omit<CommittedDrift, "profile">): DriftState {
  const plan = contract.drift;
  if (plan?.detection?.mode !== "sequential" || committed.drift.tick === null || committed.accepted === true) return state;
  const watched = new Set(plan.checks.flatMap((check) => check.tests.map((test) => streamOf(check.column, test))));
  // A false alarm's scores are usual though the window was held; its rows are in no baseline before they are published.
  const isUsual = committed.isFalseAlarm === true || (isPromoted(committed) && !isIncident(committed));
  const { drift: outcome, closedAtMs } = committed;
  return { ...state, sequence: foldSequence(plan.detection, state.sequence, { outcome, closedAtMs, isUsual, watched }) };
}

function isPromoted({ verdict }: Pick<CommittedDrift, "verdict">): boolean {
  return verdict === "promote" || verdict === "promote-and-quarantine-rows";
}

function isIncident({ drift, isFalseAlarm }: Pick<CommittedDrift, "drift" | "isFalseAlarm">): boolean {
  if (isFalseAlarm === true) return false;
  return drift.status === "warn" || drift.status === "hold";
}

/** How many promoted windows a baseline holds; of a seasonal one, how many of each season. */
export function baselineLimit(plan: DriftPlan): number {
  const { baseline } = plan;
  return baseline.kind === "rolling" || baseline.kind === "seasonal" ? Math.max(1, baseline.windows) : pinnedWindows;
}

function summarizeWindow(window: BaselineWindow): BaselineWindow {
  const profile = summarizeColumns(window.profile);
  return profile === window.profile ? window : { ...window, profile };
}

/** The newest windows; of a seasonal baseline, the newest days of each season, and the one that is still going on. */
function join(plan: DriftPlan, windows: readonly BaselineWindow[], joining: readonly BaselineWindow[]): readonly BaselineWindow[] {
  const limit = baselineLimit(plan);
  if (plan.baseline.kind !== "seasonal") return [...windows, ...joining.map(summarizeWindow)].slice(-limit);
  const days = new Map(windows.map((window) => [`${window.season?.date} ${window.season?.name}`, window]));
  for (const window of joining) {
    const key = `${window.season?.date} ${window.season?.name}`;
    const day = days.get(key);
    days.set(key, day === undefined ? window : { ...day, profile: mergeProfiles(day.profile, window.profile) });
  }
  const kept = new Map<string | undefined, number>();
  return [...days.values()]
    .toReversed()
    .flatMap((window) => {
      const newer = kept.get(window.season?.name) ?? 0;
      kept.set(window.season?.name, newer + 1);
      return newer > limit ? [] : [newer === 0 ? window : summarizeWindow(window)];
    })
    .toReversed();
}

function baselineWindow(plan: DriftPlan, committed: CommittedDrift): BaselineWindow | null {
  const { windowId, profile } = committed;
  if (profile === null || profile.rows === 0) return null;
  const window = { windowId, profile: checkedColumns(plan, profile) };
  if (plan.baseline.kind !== "seasonal") return window;
  return { ...window, season: seasonOf(plan.baseline, committed.openedAtMs ?? committed.closedAtMs) };
}

function closeTick(
  plan: DriftPlan,
  state: DriftState,
  named: readonly string[],
  promoted: BaselineWindow | null,
  incident: boolean,
): DriftState {
  const members = new Set(named);
  const recent = state.open?.recent ?? [];
  const joining = incident ? [] : recent.filter((window) => members.has(window.windowId));
  if (promoted !== null) joining.push(promoted);
  // Another worker may have committed a window after this tick was judged: it belongs to the next tick.
  let open: OpenTick | null = null;
  for (const window of recent) {
    if (!members.has(window.windowId)) open = extendTick(open, window, state.open?.openedAtMs ?? 0, baselineLimit(plan));
  }
  return { ...state, windows: join(plan, state.windows, joining), open };
}

function extendTick(open: OpenTick | null, window: BaselineWindow, closedAtMs: number, limit: number): OpenTick {
  if (open === null) {
    return {
      openedAtMs: closedAtMs,
      rows: window.profile.rows,
      windows: [window.windowId],
      profile: window.profile,
      recent: [summarizeWindow(window)],
    };
  }
  return {
    openedAtMs: open.openedAtMs,
    rows: open.rows + window.profile.rows,
    windows: [...open.windows, window.windowId].slice(-tickNamesMax),
    profile: mergeProfiles(open.profile, window.profile),
    recent: [...open.recent, recentWindow(window)].slice(-limit),
  };
}

/** Of a season's day that goes on, sketches are still merged. */
function recentWindow(window: BaselineWindow): BaselineWindow {
  return window.season === undefined ? summarizeWindow(window) : window;
}
