import type { Contract, DriftPlan } from "../core/contract.ts";
import type { Decision } from "../core/decision.ts";
import type { DriftOutcome } from "../core/drift.ts";
import type { Profile } from "../core/profile.ts";
import { mergeProfiles } from "../sketches/merge-profiles.ts";

/** A promoted window's profile: only the columns that the contract checks. */
export interface BaselineWindow {
  readonly windowId: string;
  readonly profile: Profile;
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
 * Bounded: a baseline's worth of windows, twice, and the open tick's merged profile.
 */
export interface DriftState {
  /** Promoted windows of ticks that passed, oldest first. */
  readonly windows: readonly BaselineWindow[];
  readonly open: OpenTick | null;
  /** The profile of a pinned baseline, given from outside with the ref that the contract names. */
  readonly pinned: { readonly ref: string; readonly profile: Profile } | null;
}

/** What the fold takes of a committed window, in commit order. */
export interface CommittedDrift {
  readonly windowId: string;
  readonly kind: Decision["kind"];
  readonly closedAtMs: number;
  readonly verdict: Decision["verdict"];
  readonly drift: DriftOutcome;
  /** Null where no row passed. */
  readonly profile: Profile | null;
  /** True where a person published this held window: it joins the baseline, whatever drift said of it. */
  readonly accepted?: boolean;
}

/** Most window names that a tick lists. */
export const tickNamesMax = 1000;
/** Windows kept beside a pinned baseline, for their spread. */
const pinnedWindows = 20;

/** A dataset without history. */
export const emptyDriftState: DriftState = { windows: [], open: null, pinned: null };

/** The state with a pinned baseline's profile; null takes it away. */
export function pinBaseline(state: DriftState, pinned: DriftState["pinned"]): DriftState {
  return { ...state, pinned };
}

/** The next state after a committed window. Held, stopped, replayed and empty windows, and windows of an incident, never join a baseline. */
export function foldDrift(contract: Contract, state: DriftState, committed: CommittedDrift): DriftState {
  const plan = contract.drift;
  if (plan === null || committed.kind === "replay") return state;
  const limit = baselineLimit(plan);
  const window = baselineWindow(plan, committed);
  if (committed.accepted === true) return window === null ? state : { ...state, windows: [...state.windows, window].slice(-limit) };
  const promoted = committed.verdict === "promote" || committed.verdict === "promote-and-quarantine-rows" ? window : null;
  const incident = committed.drift.status === "warn" || committed.drift.status === "hold";
  if (committed.drift.tick !== null) return closeTick(state, committed.drift.tick.windows, incident ? null : promoted, incident, limit);
  if (promoted === null || incident) return state;
  // While nothing is judged there is no tick to wait for.
  if (committed.drift.status === "learning" || committed.drift.status === "off") {
    return { ...state, windows: [...state.windows, promoted].slice(-limit) };
  }
  return { ...state, open: extendTick(state.open, promoted, committed.closedAtMs, limit) };
}

/** How many promoted windows a baseline holds. */
export function baselineLimit(plan: DriftPlan): number {
  return plan.baseline.kind === "rolling" ? Math.max(1, plan.baseline.windows) : pinnedWindows;
}

function baselineWindow(plan: DriftPlan, committed: CommittedDrift): BaselineWindow | null {
  if (committed.profile === null || committed.profile.rows === 0) return null;
  return { windowId: committed.windowId, profile: checkedColumns(plan, committed.profile) };
}

/** The part of a profile that drift checks read. */
export function checkedColumns(plan: DriftPlan, profile: Profile): Profile {
  const checked = new Set(plan.checks.map((check) => check.column));
  return { rows: profile.rows, columns: new Map([...profile.columns].filter(([path]) => checked.has(path))) };
}

function closeTick(
  state: DriftState,
  named: readonly string[],
  promoted: BaselineWindow | null,
  incident: boolean,
  limit: number,
): DriftState {
  const members = new Set(named);
  const recent = state.open?.recent ?? [];
  const joining = incident ? [] : recent.filter((window) => members.has(window.windowId));
  if (promoted !== null) joining.push(promoted);
  // Another worker may have committed a window after this tick was judged: it belongs to the next tick.
  let open: OpenTick | null = null;
  for (const window of recent) {
    if (!members.has(window.windowId)) open = extendTick(open, window, state.open?.openedAtMs ?? 0, limit);
  }
  return { ...state, windows: [...state.windows, ...joining].slice(-limit), open };
}

function extendTick(open: OpenTick | null, window: BaselineWindow, closedAtMs: number, limit: number): OpenTick {
  if (open === null) {
    return { openedAtMs: closedAtMs, rows: window.profile.rows, windows: [window.windowId], profile: window.profile, recent: [window] };
  }
  return {
    openedAtMs: open.openedAtMs,
    rows: open.rows + window.profile.rows,
    windows: [...open.windows, window.windowId].slice(-tickNamesMax),
    profile: mergeProfiles(open.profile, window.profile),
    recent: [...open.recent, window].slice(-limit),
  };
}
