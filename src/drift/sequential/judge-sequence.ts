import type { DriftEvidence, DriftSequence } from "../../core/drift.ts";
import { eValueOf } from "./e-value.ts";
import type { Sequential, SequenceState } from "./sequence-state.ts";
import { emptyStream, unsuspected } from "./sequence-state.ts";

const dayMs = 86_400_000;
/** A gap counts for at most this part of the wanted time: one tick after a long silence must not be all the evidence. */
const gapPart = 0.1;

/** Beyond this a suspicion is a certainty, and would only be slower to go. */
const cusumMost = 1e9;

export interface JudgedSequence {
  readonly sequence: DriftSequence;
  readonly evidence: ReadonlyMap<string, DriftEvidence>;
}

/**
 * The threshold of a dataset's detector, in its unit: twice the wanted mean time between false alarms, for half of them are the gate's against sudden
 * breaks.
 */
export function thresholdOf(plan: Sequential): number {
  return 2 * plan.between.mean;
}

/** How much time a tick adds, in the detector's unit. */
function timeOf(plan: Sequential, state: SequenceState, closedAtMs: number): number {
  if (plan.between.unit === "ticks") return 1;
  const days = state.tickAtMs === null ? 0 : (closedAtMs - state.tickAtMs) / dayMs;
  return Math.min(Math.max(0, days), gapPart * plan.between.mean);
}

/** A detector after a tick that takes `time` and has the e-value `e`. */
export function advanceDetector(detector: Sequential["detector"], before: number, time: number, e: number): number {
  return (detector === "cusum" ? Math.max(before, time) : before + time) * e;
}

/**
 * The detectors after a tick. Each stream's is that of Shiryaev and Roberts over e-values, R' = (R + w) e with w the time that passed, or
 * the smaller CUSUM form max(R, w) e; the dataset's is their mean. Where nothing drifts R minus the time that passed has no upward trend, whatever the
 * streams have in common, so a threshold of T is first met after T on average, or later (Shin, Ramdas and Rinaldo 2024). Once it was met and
 * is not any more, all begin anew. `openedAtMs` is the tick's begin; `streams` are all that the contract watches; `scores` those that
 * were measured.
 */
export function judgeSequence(
  plan: Sequential,
  state: SequenceState,
  tick: {
    readonly openedAtMs: number;
    readonly closedAtMs: number;
    readonly streams: readonly string[];
    readonly scores: ReadonlyMap<string, number>;
  },
): JudgedSequence {
  const threshold = thresholdOf(plan);
  const time = timeOf(plan, state, tick.closedAtMs);
  // The mean needs no more of one stream, and what is far above would be long in coming down again.
  const most = threshold * tick.streams.length;
  const evidence = new Map<string, DriftEvidence>();
  let sum = 0;
  for (const key of tick.streams) {
    const before = state.streams.get(key) ?? emptyStream;
    const score = tick.scores.get(key);
    if (score === undefined) {
      sum += before.value;
      continue;
    }
    const e = eValueOf(before.scores, score);
    const value = Math.min(most, advanceDetector(plan.detector, before.value, time, e));
    const cusum = Math.min(cusumMost, advanceDetector("cusum", before.cusum, 1, e));
    const sinceMs = cusum <= 1 ? null : before.cusum <= 1 ? tick.openedAtMs : (before.sinceMs ?? tick.openedAtMs);
    evidence.set(key, { score, e, calibration: before.scores.length, value, cusum, sinceMs });
    sum += value;
  }
  const value = sum / tick.streams.length;
  const isExceeded = value >= threshold;
  const sequence: DriftSequence = { detector: plan.detector, value, threshold, unit: plan.between.unit, isExceeded };
  if (state.isExceeded && !isExceeded) {
    for (const [key, each] of evidence) evidence.set(key, { ...each, ...unsuspected });
    return { sequence: { ...sequence, value: 0 }, evidence };
  }
  return { sequence, evidence };
}
