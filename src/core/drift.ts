import type { Profile, TopEntry } from "./profile.ts";
import type { RecordSample } from "./record-sample.ts";
import type { Condition } from "./rule.ts";

/** The drift tests of single columns. */
export const columnTestNames = [
  "psi",
  "jensen-shannon",
  "hellinger",
  "chi-squared",
  "ks",
  "wasserstein",
  "l-infinity",
  "new-values",
  "vanished-values",
  "distinct",
  "mean",
  "stdev",
  "range",
  "length",
  "null-share",
  "missing-share",
  "pattern-mix",
  "event-lag",
  "volume",
  "correlation",
  "joint-mean",
] as const;

/** The drift tests of what fields records have. */
export const fieldTestNames = ["new-fields", "missing-fields", "retyped-fields"] as const;

/** The drift tests of how wrong a model is. */
export const modelTestNames = ["error-rate", "mean-absolute-error"] as const;

/** The drift tests that a contract can name; `drift/drift-tests.ts` holds one of each. */
export const driftTestNames = [...columnTestNames, ...fieldTestNames, ...modelTestNames] as const;
export type DriftTestName = (typeof driftTestNames)[number];

/** One committed window as drift sees it. */
export interface DriftInput {
  readonly windowId: string;
  /** When its first record came; absent: as it closed. A season is told by it. */
  readonly openedAtMs?: number;
  readonly closedAtMs: number;
  readonly profile: Profile;
  /** Finds records of the window that answer, some for each question; absent: nobody can. */
  readonly find?: (questions: readonly DriftQuestion[]) => readonly (readonly RecordSample[])[];
}

/** Numbers that a change is about, in a range or out of it. */
export type NumberSuspect =
  /** From `least` to `most`, both included, and above `above`. */
  | { readonly kind: "within"; readonly least: number; readonly above: number | null; readonly most: number }
  | { readonly kind: "outside"; readonly least: number; readonly most: number };

/** What a profile tells a value or a pattern by. */
type Hash = Pick<TopEntry, "hashHigh" | "hashLow">;

/** Cells of a column that a change is about: without a value, of one of some values, or numbers (times in seconds since the epoch), lengths or forms of text. */
export type DriftSuspect =
  | NumberSuspect
  | { readonly kind: "null" | "missing" }
  | { readonly kind: "values"; readonly values: readonly Hash[] }
  /** In code points of text, bytes of binary. */
  | { readonly kind: "length"; readonly length: NumberSuspect }
  | { readonly kind: "patterns"; readonly patterns: readonly Hash[] };

/** Which records to find: those of the rows that `where` holds of whose cell is a suspect. */
export interface DriftQuestion {
  /** Of the column. */
  readonly path: string;
  readonly where: Condition | null;
  readonly suspect: DriftSuspect;
}

/** A person's word that what came lately is the new normal. */
export interface DriftRebase {
  /** Commits after the first and up to the second sequence number make the baseline, incidents or not; what came before is forgotten. */
  readonly after: bigint;
  readonly until: bigint;
  readonly windows: number;
  readonly atMs: number;
  readonly author: string;
  readonly reason: string;
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
  /** Of a drift: what found it. Evidence over time, one tick or window that is far off by itself, or a fixed threshold. */
  readonly foundBy?: "evidence" | "break" | "threshold";
  /** Of a drift: when it began, as far as the evidence tells; milliseconds since the epoch. */
  readonly sinceMs?: number | null;
  /** Of a fixed threshold: how often chance alone exceeds it at these sample sizes, as a share of ticks. */
  readonly falseAlarmShare?: number;
  /** Of a drift that warns or holds: some of the window's records that have what came or came more often, ascending by position; absent where none can be named. */
  readonly samples?: readonly RecordSample[];
  /** What the stream of this column and test says over time, this tick included; absent where no tick closed or nothing was measured. */
  readonly evidence?: DriftEvidence;
}

/** The detector of one stream after a tick: with its newest scores, all that the next tick goes on from. */
export interface DriftEvidence {
  /** The statistic in units of what chance gives at these sample sizes. */
  readonly score: number;
  /** How surprising the score is among earlier ones, as an e-value: at most 1 on average where nothing drifts. */
  readonly e: number;
  /** Earlier scores that it was compared with. */
  readonly calibration: number;
  /** The stream's detector, in the unit of `DriftSequence`. */
  readonly value: number;
  /** Product of the e-values since `sinceMs`; 1 or less: nothing is suspected. */
  readonly cusum: number;
  /** Where something is suspected: the begin of the first tick that speaks for it. */
  readonly sinceMs: number | null;
}

/** The detector of a dataset: the mean over its streams. An alarm needs its threshold, and an effect that matters. */
export interface DriftSequence {
  readonly detector: "shiryaev-roberts" | "cusum";
  readonly value: number;
  /** Alarms by chance are at least this far apart on average, in the unit; half of them are left to single windows. */
  readonly threshold: number;
  readonly unit: "days" | "ticks";
  readonly isExceeded: boolean;
}

/** What drift says at the close of a window. */
export interface DriftOutcome {
  readonly status: "off" | "learning" | "pending" | "pass" | "observe" | "warn" | "hold";
  /** The tick judged: null where none closed with this window. */
  readonly tick: { readonly windows: readonly string[]; readonly rows: number } | null;
  /** What it was compared with. */
  readonly baseline: {
    readonly windows: number;
    readonly rows: number;
    readonly ref: string | null;
    /** Of a seasonal baseline: which hours and days it holds, such as "Monday 14:00". */
    readonly season?: string;
  } | null;
  /** While learning: windows still needed. */
  readonly needs: number;
  readonly results: readonly DriftResult[];
  /** Of a tick judged by evidence over time. */
  readonly sequence?: DriftSequence;
}
