import type { Random } from "../drift/random.ts";
import { EventQueue } from "./event-queue.ts";

/** Workers that commit windows of one dataset. Times are ms. */
export interface Contention {
  readonly workers: number;
  /** Partitions that the workers share, in turn; whose window began where another's has been committed loses it. As many as workers: nobody loses any. */
  readonly partitions: number;
  readonly firstAtMs: () => number;
  /** When the next window is there, after one that was closed and has been settled. */
  readonly nextAtMs: (closedAtMs: number, settledAtMs: number) => number;
  /** What is done before a window's turn: data files, manifests, decision. */
  readonly beforeMs: () => number;
  /** From reading the tables to the swap, for so many windows at once. */
  readonly turnMs: (windows: number) => number;
  /**
   * `race`: whoever is first has it, the others try again after a pause. `queue`: in turns, first come, first served. `shared`: in turns, and whoever has the
   * turn commits for everyone who waits (what a committer would do; Sluice has none).
   */
  readonly order: "race" | "queue" | "shared";
  /** How long a turn is waited for before going without, as `turnLimits` has it. */
  readonly patienceMs: number;
  readonly durationMs: number;
}

export interface Contended {
  /** From a window's close to its commit, ascending. */
  readonly latenciesMs: readonly number[];
  /** How often each was tried. */
  readonly attempts: readonly number[];
  /** Windows that another worker of the partition had before. */
  readonly lost: number;
  /** Share of the time in which someone was between reading and swapping. */
  readonly busy: number;
}

const backoffMsMax = 1000;

/** The longest pause after a lost swap, as the lake's commit loop has it. */
function pauseMsMax(attempt: number): number {
  return Math.min(backoffMsMax, 10 * 2 ** Math.min(attempt, 7));
}

interface Commit {
  readonly worker: number;
  readonly closedAtMs: number;
  /** The version of its partition that it goes on from. */
  readonly from: number;
  attempt: number;
  state: "waiting" | "alone" | "inTurn";
}

/** Plays commits by compare-and-swap, as events on a clock of their own: nothing here waits. */
export function simulateContention(contention: Contention, random: Random): Contended {
  const { workers, partitions, order, patienceMs, durationMs } = contention;
  const events = new EventQueue();
  const latenciesMs: number[] = [];
  const attempts: number[] = [];
  const waiting: Commit[] = [];
  const positions = Array.from({ length: partitions }, () => 0);
  let version = 0;
  let lost = 0;
  let isTaken = false;
  let active = 0;
  let busyMs = 0;
  let busySinceMs = 0;
  const enter = (nowMs: number): void => {
    if (active++ === 0) busySinceMs = nowMs;
  };
  const leave = (nowMs: number): void => {
    if (--active === 0) busyMs += nowMs - busySinceMs;
  };

  const open = (worker: number, atMs: number): void => {
    events.add(atMs, () => {
      const from = positions[worker % partitions] as number;
      const readyAtMs = atMs + contention.beforeMs();
      events.add(readyAtMs, () => arrive({ worker, closedAtMs: atMs, from, attempt: 0, state: "waiting" }, readyAtMs));
    });
  };

  const settle = (commit: Commit, nowMs: number): void =>
    open(commit.worker, Math.max(nowMs, contention.nextAtMs(commit.closedAtMs, nowMs)));

  const arrive = (commit: Commit, nowMs: number): void => {
    if (order === "race") {
      commit.state = "alone";
      swap([commit], nowMs);
      return;
    }
    waiting.push(commit);
    events.add(nowMs + patienceMs, () => {
      if (commit.state !== "waiting") return;
      waiting.splice(waiting.indexOf(commit), 1);
      commit.state = "alone";
      swap([commit], nowMs + patienceMs);
    });
    callNext(nowMs);
  };

  const callNext = (nowMs: number): void => {
    if (isTaken || waiting.length === 0) return;
    const called = waiting.splice(0, order === "shared" ? waiting.length : 1);
    for (const commit of called) commit.state = "inTurn";
    isTaken = true;
    swap(called, nowMs);
  };

  /** Reads the tables, writes, and swaps if they are still what they were. */
  const swap = (commits: readonly Commit[], nowMs: number): void => {
    const read = version;
    const late = commits.filter((each) => positions[each.worker % partitions] !== each.from);
    const live = commits.filter((each) => !late.includes(each));
    lost += late.length;
    for (const each of late) settle(each, nowMs);
    const release = (atMs: number): void => {
      if (commits[0]?.state !== "inTurn") return;
      isTaken = false;
      callNext(atMs);
    };
    if (live.length === 0) {
      release(nowMs);
      return;
    }
    enter(nowMs);
    for (const each of live) each.attempt++;
    const doneAtMs = nowMs + contention.turnMs(live.length);
    events.add(doneAtMs, () => {
      leave(doneAtMs);
      if (version !== read) {
        const again = doneAtMs + random.uniform() * pauseMsMax((live[0] as Commit).attempt);
        events.add(again, () => swap(live, again));
        return;
      }
      version++;
      for (const each of live) {
        positions[each.worker % partitions] = (positions[each.worker % partitions] as number) + 1;
        latenciesMs.push(doneAtMs - each.closedAtMs);
        attempts.push(each.attempt);
        settle(each, doneAtMs);
      }
      release(doneAtMs);
    });
  };

  for (let worker = 0; worker < workers; worker++) open(worker, contention.firstAtMs());
  events.play(durationMs);
  if (active > 0) busyMs += durationMs - busySinceMs;
  return {
    latenciesMs: latenciesMs.toSorted((a, b) => a - b),
    attempts: attempts.toSorted((a, b) => a - b),
    lost,
    busy: busyMs / durationMs,
  };
}
