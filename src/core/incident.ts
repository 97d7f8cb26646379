import type { RecordSample } from "./record-sample.ts";

/** How bad an incident is: what went on and is odd, what is held, what stands still. */
export const incidentSeverities = ["warning", "error", "critical"] as const;
export type IncidentSeverity = (typeof incidentSeverities)[number];

/** `recovered`: data are well again by themselves; `resolved`: a person said so. */
export const incidentStatuses = ["open", "recovered", "resolved"] as const;
export type IncidentStatus = (typeof incidentStatuses)[number];

export type SignalKind = "drift" | "rule" | "quarantine" | "stop";

/** One thing that is wrong: a column that moved, a broken rule, a share of rejected records, a stop. Aggregates of unclassified columns only. */
export interface IncidentSignal {
  /** Tells signals of a dataset apart: `drift:carrier`, `rule:rows_min`, `quarantine`, `stop:flights:3:WINDOW_STOPPED`. */
  readonly key: string;
  readonly kind: SignalKind;
  /** The column, the rule, or what stands still. */
  readonly subject: string;
  readonly severity: IncidentSeverity;
  /** How much, in plain words, as of the last window that showed it. */
  readonly effect: string;
  /** Some records that show it, of the last window that had any: of drift, as far as single records do. Absent where none can be named. */
  readonly samples?: readonly RecordSample[];
  /** Since when, as far as it is known, and when it was last seen; ms since the epoch. */
  readonly sinceMs: number;
  readonly lastMs: number;
  /** How many windows (of a stop: observations) showed it. */
  readonly windows: number;
  readonly isActive: boolean;
  /** Windows in a row that were judged and did not show it. */
  readonly cleanWindows: number;
}

/** Offsets `[from, to)` of one partition, as decimal text. */
export interface SourceSpan {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly from: string;
  readonly to: string;
}

/** What readers of `main` see of an incident's records, and the version that they can go back to. */
export interface Downstream {
  /** `held`: nothing of it; `stopped`: nothing, and nothing new; `exposed`: rows of it; `withdrawn`: no more, they were rolled back. */
  readonly state: "held" | "stopped" | "exposed" | "withdrawn";
  /** Records of its windows that were promoted, and that are or were held. */
  readonly exposedRecords: number;
  readonly heldRecords: number;
  /** Of the promoted ones, those of held windows that a person published, by commits from the first to the last sequence number; absent: none. */
  readonly published?: { readonly records: number; readonly first: string; readonly last: string };
  /** The version before its first window; null where there was none, or it is too long ago to be known. */
  readonly lastGoodSnapshotId: string | null;
  readonly lastGoodAtMs: number | null;
}

/** One cause and all that it did to a dataset, from the first sign until data were well again or a person said what it was. */
export interface Incident {
  /** `inc-` and twelve hexadecimal digits; the same cause folded again has the same id. */
  readonly id: string;
  readonly dataset: string;
  readonly status: IncidentStatus;
  /** The worst that it came to. */
  readonly severity: IncidentSeverity;
  /** What, in one line. */
  readonly title: string;
  /** Since when the data are odd, when that was noticed, and when it was over; ms since the epoch. */
  readonly sinceMs: number;
  readonly openedAtMs: number;
  readonly closedAtMs: number | null;
  /** The onset of its newest signal: what begins soon after belongs to it. */
  readonly lastOnsetMs: number;
  readonly signals: readonly IncidentSignal[];
  /** The windows that showed it, in commit order. Null where it is a stop and nothing else. */
  readonly windows: { readonly first: string; readonly last: string; readonly count: number } | null;
  /** Sequence numbers of their commits, as decimal text, both ends included. */
  readonly sequences: { readonly first: string; readonly last: string } | null;
  /** Windows that wait to be published or dropped. */
  readonly heldWindows: readonly string[];
  /** Where its records came from: one span a partition, of the first 64. */
  readonly spans: readonly SourceSpan[];
  readonly downstream: Downstream;
  readonly acknowledged: { readonly author: string; readonly atMs: number } | null;
  readonly assignee: string | null;
  readonly snoozedUntilMs: number | null;
  readonly resolution: {
    readonly author: string;
    readonly reason: string;
    readonly atMs: number;
    readonly isFalsePositive: boolean;
  } | null;
  /** How often it was opened: 1, and once more for each time that a person reopened it. */
  readonly openings: number;
  /** An earlier incident that had one of its signals. */
  readonly previous: string | null;
}

/**
 * `opened` and `recovered` or `resolved`: once each an opening. `raised`: it came to be worse. `reopened`: by a person. `reminded`: it was snoozed, and is
 * still open. `acknowledged`: someone looks at it.
 */
export type NoticeKind = "opened" | "raised" | "acknowledged" | "recovered" | "resolved" | "reopened" | "reminded";

/** Something about an incident that others are told, with the incident as it then was. */
export interface IncidentNotice {
  /** Tells notices apart for ever, so that one that comes twice is known: `inc-0123456789ab/1/opened`. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly atMs: number;
  /** The severity that was told before, for `raised`; null for any other kind. */
  readonly severityBefore: IncidentSeverity | null;
  readonly incident: Incident;
}

/** What a person, or a look at the dataset's state, adds to what windows say. `after`: the newest commit that was folded when it was recorded. */
export type IncidentNote = {
  /** Random; a note that is recorded twice counts once. */
  readonly id: string;
  readonly after: string;
  readonly atMs: number;
} & IncidentFact;

export type IncidentFact =
  | ({ readonly incident: string; readonly author: string; readonly reason: string } & IncidentAnswer)
  /** A stop that stands since `sinceMs`, and one that stands no more. */
  | {
      readonly kind: "stopped";
      readonly topic: string;
      readonly partition: number | null;
      readonly code: string;
      readonly message: string;
      readonly sinceMs: number;
    }
  | { readonly kind: "unstopped"; readonly key: string }
  /** The time until which an incident was snoozed is over. */
  | { readonly kind: "awoke"; readonly incident: string };

/** What a person says of an incident. */
export type IncidentAnswer =
  | { readonly kind: "acknowledge" }
  | { readonly kind: "assign"; readonly assignee: string | null }
  | { readonly kind: "snooze"; readonly untilMs: number | null }
  | { readonly kind: "resolve"; readonly isFalsePositive: boolean }
  | { readonly kind: "reopen" };

/** What of a dataset is an incident beside drift, holds and stops, and when it is over. */
export interface IncidentPlan {
  /** More than this percentage of so many records quarantined is an incident; null: no share is. */
  readonly quarantine: { readonly percent: number; readonly records: number } | null;
  /** Judged windows in a row that must be well before it is over. */
  readonly recoverWindows: number;
  /** What begins within this many seconds belongs together. */
  readonly togetherSeconds: number;
}

/** What holds where a contract says nothing. */
export const incidentPlanDefault: IncidentPlan = { quarantine: null, recoverWindows: 3, togetherSeconds: 900 };

/** Tests whether one severity is at least another. */
export function isAtLeast(severity: IncidentSeverity, least: IncidentSeverity): boolean {
  return incidentSeverities.indexOf(severity) >= incidentSeverities.indexOf(least);
}
