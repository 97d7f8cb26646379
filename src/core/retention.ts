import type { SourceLocation } from "./errors.ts";

/** A span of calendar time. */
export interface AgeSpan {
  readonly count: number;
  readonly unit: "day" | "month" | "year";
}

/** One rule of what becomes of a dataset's old data; all conditions that it states must hold. At least one is stated. */
export interface RetentionRule {
  /** Rows go from main, or data files go to another place and stay readable. */
  readonly action: "expire" | "archive";
  /** The promoted table or the quarantine table. */
  readonly of: "rows" | "quarantine";
  /** Older than this; null: of any age. */
  readonly olderThan: AgeSpan | null;
  /** The date or timestamp that a row's age goes by; null: when it was promoted, or quarantined. */
  readonly column: string | null;
  /** No reading is known of any version with the data for so long; null: read or not. */
  readonly unreadFor: AgeSpan | null;
  /** The oldest files beyond so many bytes of the table; null: however large it is. */
  readonly bytesMax: number | null;
  /** Only while the contract names nobody who owns the dataset. */
  readonly unowned: boolean;
  /** The name of the archive, for `archive`; null for `expire`. */
  readonly place: string | null;
  /** Whether tags go with their files, for `archive`: each gets a version in which they stand in the archive. */
  readonly tagged: boolean;
  readonly location: SourceLocation;
}

/** The units of spans by the names that contracts may write: what one of each comes to. */
const units: readonly { readonly names: readonly string[]; readonly one: AgeSpan }[] = [
  { names: ["d", "day", "days"], one: { count: 1, unit: "day" } },
  { names: ["w", "week", "weeks"], one: { count: 7, unit: "day" } },
  { names: ["month", "months"], one: { count: 1, unit: "month" } },
  { names: ["y", "yr", "yrs", "year", "years"], one: { count: 1, unit: "year" } },
];

/** A number and a unit such as `d`, `weeks`, `months` or `y` as a span; null for a unit that is none of these, or a number that is no whole one from 1. */
export function ageSpan(count: number, unit: string): AgeSpan | null {
  const one = units.find(({ names }) => names.includes(unit.toLowerCase()))?.one;
  if (one === undefined || !Number.isInteger(count) || count < 1 || count > 99_999) return null;
  return { count: count * one.count, unit: one.unit };
}

/**
 * The last midnight in UTC that lies a span before a time, ms since the epoch: what is older than a span is known by whole days, so that a file is written
 * anew for its old rows once a day at most. A month before the 31st is the last of the month where that has no 31st.
 */
export function cutoffMs(nowMs: number, { count, unit }: AgeSpan): number {
  const now = new Date(nowMs);
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (unit === "day") return Date.UTC(year, month, day - count);
  const months = unit === "year" ? count * 12 : count;
  const lastDay = new Date(Date.UTC(year, month - months + 1, 0)).getUTCDate();
  return Date.UTC(year, month - months, Math.min(day, lastDay));
}

function spanText({ count, unit }: AgeSpan): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** A rule in words, for snapshots and reports. */
export function describeRule(rule: RetentionRule): string {
  const { action, of, olderThan, column, unreadFor, bytesMax, unowned, place, tagged } = rule;
  const conditions = [
    olderThan === null ? null : `older than ${spanText(olderThan)}${column === null ? "" : ` by ${column}`}`,
    unreadFor === null ? null : `not read for ${spanText(unreadFor)}`,
    bytesMax === null ? null : `beyond ${bytesMax} bytes`,
    unowned ? "owned by nobody" : null,
  ].filter((each) => each !== null);
  return `${action} ${of}${place === null ? "" : ` to ${place}`}${tagged ? " with what tags name" : ""}: ${conditions.join(", ")}`;
}

/** The policy of a dataset as its contract in force states it. */
export interface RetentionPolicy {
  readonly contractHash: string;
  readonly rules: readonly RetentionRule[];
  /** Whether the contract names an owner. */
  readonly isOwned: boolean;
}

/** What one rule did, or in a dry run would do. */
export interface RetentionReport {
  readonly dataset: string;
  readonly table: "promoted" | "quarantine";
  readonly action: "expire" | "archive";
  readonly dryRun: boolean;
  /** The rule in words. */
  readonly rule: string;
  /** Files that went from main whole, were moved, or were written anew without their old rows. */
  readonly files: number;
  /** Rows that went, or that were moved; in a dry run those of all files that would be touched. */
  readonly rows: number;
  /** Bytes of the files before. */
  readonly bytes: number;
  /** Null where there was nothing to do. */
  readonly snapshotId: string | null;
  /** Files that the rule would take and that were left alone, and why. */
  readonly skipped: readonly { readonly files: number; readonly why: string }[];
}
