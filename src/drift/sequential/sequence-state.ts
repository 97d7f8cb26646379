import type { DriftDetection } from "../../core/contract.ts";
import type { DriftOutcome } from "../../core/drift.ts";

/** What is remembered of one stream: a test of a column, tick by tick. */
export interface StreamState {
  /** The newest scores of ticks without incident, oldest first; at most `scoresMax`. */
  readonly scores: readonly number[];
  readonly value: number;
  readonly cusum: number;
  readonly sinceMs: number | null;
}

/** What the detectors of a dataset remember: a fold over what committed decisions recorded, so its newest ticks rebuild it. */
export interface SequenceState {
  readonly streams: ReadonlyMap<string, StreamState>;
  /** When the last tick closed. */
  readonly tickAtMs: number | null;
  /** Whether the last tick exceeded the threshold. */
  readonly isExceeded: boolean;
}

export type Sequential = Extract<DriftDetection, { mode: "sequential" }>;

/** Scores that a stream keeps: the least p-value is 1 / (scores + 1). */
export const scoresMax = 500;

/** A dataset without history. */
export const emptySequence: SequenceState = { streams: new Map(), tickAtMs: null, isExceeded: false };

/** The detector of a stream in which nothing is suspected. */
export const unsuspected = { value: 0, cusum: 0, sinceMs: null } as const;
/** A stream without history. */
export const emptyStream: StreamState = { scores: [], ...unsuspected };

/** The key of a stream. */
export function streamOf(column: string, test: string): string {
  return `${test} ${column}`;
}

/**
 * The next state after a committed tick, from what its decision recorded of the streams that the contract watches. Its scores join those that later
 * ticks are compared with where `isUsual`: promoted, and no incident.
 */
export function foldSequence(
  plan: Sequential,
  state: SequenceState,
  tick: {
    readonly outcome: DriftOutcome;
    readonly closedAtMs: number;
    readonly isUsual: boolean;
    readonly watched: ReadonlySet<string>;
  },
): SequenceState {
  const { sequence, results } = tick.outcome;
  if (sequence === undefined) return state;
  // Another detector's values, of an earlier contract, are none of this one's.
  const isOurs = sequence.detector === plan.detector && sequence.unit === plan.between.unit;
  const begins = state.isExceeded && !sequence.isExceeded;
  const streams = new Map<string, StreamState>();
  for (const [key, stream] of state.streams) if (tick.watched.has(key)) streams.set(key, begins ? { ...stream, ...unsuspected } : stream);
  for (const { column, test, evidence } of results) {
    const key = streamOf(column, test);
    if (evidence === undefined || !tick.watched.has(key)) continue;
    const { scores } = streams.get(key) ?? emptyStream;
    streams.set(key, {
      scores: tick.isUsual ? withNewest(scores, evidence.score) : scores,
      value: isOurs ? evidence.value : 0,
      cusum: evidence.cusum,
      sinceMs: evidence.sinceMs,
    });
  }
  return { streams, tickAtMs: tick.closedAtMs, isExceeded: isOurs && sequence.isExceeded };
}

/** Made of each stream, each tick: cut first, then added to. */
function withNewest(scores: readonly number[], score: number): readonly number[] {
  if (scores.length < scoresMax) return [...scores, score];
  const newest = scores.slice(scores.length - scoresMax + 1);
  newest.push(score);
  return newest;
}

/** Ticks that the stream with the fewest scores can be compared with. */
export function calibrationOf(state: SequenceState): number {
  return state.streams.size === 0 ? 0 : Math.min(...[...state.streams.values()].map((stream) => stream.scores.length));
}
