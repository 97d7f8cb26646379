import type { Profile } from "./profile.ts";

/** The drift tests that a contract can name; `drift/drift-tests.ts` holds one of each. */
export const driftTestNames = ["psi", "jensen-shannon", "null-share"] as const;
export type DriftTestName = (typeof driftTestNames)[number];

/** One committed window as drift sees it. */
export interface DriftInput {
  readonly windowId: string;
  readonly closedAtMs: number;
  readonly profile: Profile;
}

/** One test of one column at one tick. */
export interface DriftResult {
  readonly column: string;
  readonly test: string;
  /** The effect size, in the test's unit. */
  readonly statistic: number | null;
  /** What it had to stay under: the larger of the effect-size floor and what chance gives at these sample sizes. */
  readonly limit: number | null;
  readonly status: "pass" | "drift" | "learning" | "skipped";
  readonly policy: "observe" | "warn" | "hold";
  /** In plain words, for the person woken by it; null for a pass. Aggregates of unclassified columns only. */
  readonly explanation: string | null;
}

/** What drift says at the close of a window. */
export interface DriftOutcome {
  readonly status: "off" | "learning" | "pending" | "pass" | "observe" | "warn" | "hold";
  /** The tick judged: null where none closed with this window. */
  readonly tick: { readonly windows: readonly string[]; readonly rows: number } | null;
  /** What it was compared with. */
  readonly baseline: { readonly windows: number; readonly rows: number; readonly ref: string | null } | null;
  /** While learning: windows still needed. */
  readonly needs: number;
  readonly results: readonly DriftResult[];
}
