import type { CommittedWindow } from "../core/committed-window.ts";
import type { Downstream, Incident, IncidentPlan } from "../core/incident.ts";
import { addSightings, beginIncident, described, joinSpans, withSignals } from "./change-incident.ts";
import { Change } from "./change.ts";
import type { IncidentState, IncidentStep, RecentCommit } from "./incident-state.ts";
import type { Sighting, WindowSightings } from "./sightings.ts";
import { sightingsOf } from "./sightings.ts";

/** Commits kept to find the version before a tick's first window. */
const recentMax = 256;

/** The next state after a commit, in commit order. Replays and rollbacks open nothing. */
export function foldWindow(state: IncidentState, window: CommittedWindow, plan: IncidentPlan): IncidentStep {
  const { decision } = window;
  const live =
    decision.kind === "window"
      ? foldJudged(state, window, plan)
      : decision.kind === "publish" || decision.kind === "drop"
        ? foldAnswer(state, window)
        : decision.moved === undefined
          ? new Change(state)
          : foldMove(state, window);
  const { snapshotId, committedAtMs: atMs, sequence } = window;
  const commit: RecentCommit = {
    windowId: decision.windowId,
    sequence: sequence.toString(),
    openedAtMs: decision.openedAtMs,
    promoted: decision.counts.promoted,
    before: state.main,
  };
  const recent = decision.kind === "window" ? [...state.recent, commit].slice(-recentMax) : state.recent;
  return live.step({ recent, main: { snapshotId, atMs }, sequence: sequence.toString(), plan });
}

function foldJudged(state: IncidentState, window: CommittedWindow, plan: IncidentPlan): Change {
  const { decision } = window;
  const atMs = window.committedAtMs;
  const change = new Change(state);
  const sightings = sightingsOf(decision, plan, state.rate);
  change.rate = sightings.rate;
  const affected = affectedWindows(state, window, sightings);
  const at = { sinceMs: affected[0]?.openedAtMs ?? decision.openedAtMs, atMs };
  const isHeld = decision.verdict === "hold";
  for (const [target, shown] of assign(change, sightings.shown, {
    plan,
    window,
    at,
    isHeld,
    lastGood: affected[0]?.before ?? state.main,
  })) {
    change.put(addWindow(addSightings(target, shown, at), window, affected));
  }
  for (const incident of change.live) {
    const next = withSignals(incident, (signal) => {
      if (!signal.isActive || !sightings.isClean(signal.key)) return signal;
      const cleanWindows = signal.cleanWindows + 1;
      return { ...signal, cleanWindows, isActive: cleanWindows < plan.recoverWindows };
    });
    if (next.signals.some((signal, index) => signal !== incident.signals[index])) change.put(next);
  }
  change.settleAll(atMs);
  return change;
}

/** The windows that a signal is about: those of the tick that are still known, and the one that closed it, in commit order. */
function affectedWindows(state: IncidentState, window: CommittedWindow, { shown }: WindowSightings): readonly RecentCommit[] {
  const { decision } = window;
  const own: RecentCommit = {
    windowId: decision.windowId,
    sequence: window.sequence.toString(),
    openedAtMs: decision.openedAtMs,
    promoted: decision.counts.promoted,
    before: state.main,
  };
  if (!shown.some((one) => one.kind === "drift")) return [own];
  const named = new Set(decision.drift.tick?.windows ?? []);
  return [...state.recent.filter((one) => named.has(one.windowId)), own];
}

interface Assignment {
  readonly plan: IncidentPlan;
  readonly window: CommittedWindow;
  readonly at: { readonly sinceMs: number; readonly atMs: number };
  readonly isHeld: boolean;
  readonly lastGood: RecentCommit["before"];
}

/**
 * Which incident each signal of a window belongs to: the one that has it; else, together with all that are new, the open one whose newest onset is near;
 * else a new one. A held window always has an open incident: somebody must answer it.
 */
function assign(change: Change, shown: readonly Sighting[], how: Assignment): ReadonlyMap<Incident, readonly Sighting[]> {
  const { plan, window, at, isHeld, lastGood } = how;
  const targets = new Map<Incident, Sighting[]>();
  let rest: Sighting[] = [];
  const add = (incident: Incident, sighting: Sighting): void => {
    const known = targets.get(incident);
    if (known === undefined) targets.set(incident, [sighting]);
    else known.push(sighting);
  };
  for (const sighting of shown) {
    const owner = change.ownerOf(sighting.key);
    if (owner === undefined) rest.push(sighting);
    else add(owner, sighting);
  }
  const isAnswerable = [...targets.keys()].some((one) => one.status === "open");
  if (isHeld && rest.length === 0 && !isAnswerable) {
    rest = [...shown];
    targets.clear();
  }
  if (rest.length === 0) return targets;
  const near =
    [...targets.keys()].find((one) => one.status === "open") ??
    change.live.findLast((one) => one.status === "open" && at.sinceMs <= one.lastOnsetMs + plan.togetherSeconds * 1000);
  const keys = rest.map((one) => one.key);
  const cause = `${keys[0] ?? ""} ${window.decision.windowId}`;
  const target = near ?? beginIncident({ ...at, dataset: window.decision.dataset, cause, previous: change.previous(keys), lastGood });
  for (const sighting of rest) add(target, sighting);
  return targets;
}

function addWindow(incident: Incident, window: CommittedWindow, affected: readonly RecentCommit[]): Incident {
  const { decision } = window;
  const since = incident.sequences === null ? -1n : BigInt(incident.sequences.last);
  const added = affected.filter((one) => BigInt(one.sequence) > since);
  const [first] = affected as readonly [RecentCommit, ...RecentCommit[]];
  const exposed = added.reduce((sum, one) => sum + one.promoted, 0);
  const { downstream } = incident;
  return described({
    ...incident,
    windows: {
      first: incident.windows?.first ?? first.windowId,
      last: decision.windowId,
      count: (incident.windows?.count ?? 0) + added.length,
    },
    sequences: { first: incident.sequences?.first ?? first.sequence, last: window.sequence.toString() },
    heldWindows: decision.verdict === "hold" ? [...incident.heldWindows, decision.windowId] : incident.heldWindows,
    spans: joinSpans(incident.spans, decision.ranges),
    downstream: {
      ...downstream,
      // What comes on top of what was withdrawn is on main.
      state: exposed > 0 ? "exposed" : downstream.state,
      exposedRecords: downstream.exposedRecords + exposed,
      heldRecords: downstream.heldRecords + decision.counts.held,
    },
  });
}

/** A person published or dropped a held window: it waits no more. */
function foldAnswer(state: IncidentState, window: CommittedWindow): Change {
  const change = new Change(state);
  const heldId = window.answer?.heldWindowId;
  for (const incident of change.live) {
    if (heldId === undefined || !incident.heldWindows.includes(heldId)) continue;
    const downstream = window.decision.kind === "publish" ? withPublished(incident.downstream, window) : incident.downstream;
    change.put(described({ ...incident, downstream, heldWindows: incident.heldWindows.filter((one) => one !== heldId) }));
  }
  change.settleAll(window.committedAtMs);
  return change;
}

/** Its rows are on main from then on. */
function withPublished(downstream: Downstream, { decision, sequence }: CommittedWindow): Downstream {
  const { promoted } = decision.counts;
  if (promoted === 0) return downstream;
  const last = sequence.toString();
  const { records, first } = downstream.published ?? { records: 0, first: last };
  return {
    ...downstream,
    state: "exposed",
    exposedRecords: downstream.exposedRecords + promoted,
    published: { records: records + promoted, first, last },
  };
}

/** A rollback withdrew commits, or brought some back: whether readers see an incident's rows follows. */
function foldMove(state: IncidentState, window: CommittedWindow): Change {
  const change = new Change(state);
  const { kind, moved } = window.decision;
  const covers = (sequence: string): boolean =>
    moved?.sequences.some(({ first, last }) => BigInt(first) <= BigInt(sequence) && BigInt(sequence) <= BigInt(last)) === true;
  for (const incident of change.live) {
    const { sequences, downstream } = incident;
    const { exposedRecords, published } = downstream;
    if (sequences === null || exposedRecords === 0) continue;
    // Where all that main has of it was published, the held windows' own commits matter to nobody.
    const put = [...(exposedRecords > (published?.records ?? 0) ? [sequences] : []), ...(published === undefined ? [] : [published])];
    const isMoved =
      kind === "withdraw" ? put.every(({ first, last }) => covers(first) && covers(last)) : put.some(({ first }) => covers(first));
    if (!isMoved) continue;
    change.put({ ...incident, downstream: { ...downstream, state: kind === "withdraw" ? "withdrawn" : "exposed" } });
  }
  return change;
}
