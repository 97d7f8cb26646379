import type { NumberSuspect } from "../../core/drift.ts";
import type { Moments } from "../../core/profile.ts";

/** The numbers of the side that a mean moved to: those beyond all of the baseline's where there are any, else those as far out as the new mean. */
export function suspectShift(before: Moments, now: Moments): NumberSuspect {
  if (now.mean >= before.mean) {
    if (now.max > before.max) return { kind: "outside", least: now.min, most: before.max };
    return { kind: "within", least: now.mean, above: null, most: now.max };
  }
  if (now.min < before.min) return { kind: "outside", least: before.min, most: now.max };
  return { kind: "within", least: now.min, above: null, most: now.mean };
}
