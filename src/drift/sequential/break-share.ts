import type { DriftPlan } from "../../core/contract.ts";
import type { DriftState } from "../drift-state.ts";
import { thresholdOf } from "./judge-sequence.ts";

/** Chance that a close in which nothing drifts raises any alarm by itself, over all checks, at most: a mean run of 1,000 closes. */
const shareMost = 0.001;
const dayMs = 86_400_000;

/**
 * The chance of a false alarm that one close of a window may spend on sudden breaks. With evidence over time: so much that these alarms come as
 * seldom as the detector's, by the part of a tick or of a day that the window is; a power of two, for few quantiles to be looked for.
 */
export function breakShare(plan: DriftPlan, state: DriftState, close: { readonly rows: number; readonly closedAtMs: number }): number {
  if (plan.detection?.mode !== "sequential") return shareMost;
  const { unit } = plan.detection.between;
  const tickDays = (plan.tick.seconds * 1000) / dayMs;
  const days = state.closedAtMs === null ? tickDays : (close.closedAtMs - state.closedAtMs) / dayMs;
  const time = unit === "ticks" ? Math.min(1, close.rows / plan.tick.rows) : days;
  const share = Math.min(shareMost, time / thresholdOf(plan.detection));
  return 2 ** Math.floor(Math.log2(Math.max(share, 1e-9)));
}
