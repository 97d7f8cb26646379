import type { Rollback } from "../../../core/lake-refs.ts";
import { propertyNames } from "../table-properties.ts";

type Properties = Readonly<Record<string, string>>;

/** Commits by their sequence numbers, both ends included. */
export interface SequenceRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Rollbacks whose rows are withdrawn now, oldest first. A property, so that no expiry of snapshots forgets them. */
export function readRollbacks(properties: Properties): Rollback[] {
  return JSON.parse(properties[propertyNames.withdrawn] ?? "[]") as Rollback[];
}

/** The text of rollbacks. */
export function writeRollbacks(rollbacks: readonly Rollback[]): string {
  return JSON.stringify(rollbacks);
}

/** The tag that keeps what a rollback withdrew. */
export function withdrawnTag(id: string): string {
  return `withdrawn/${id}`;
}

/** Ranges as decisions and properties write them. */
export function parseRanges(ranges: readonly { readonly first: string; readonly last: string }[]): SequenceRange[] {
  return ranges.map(({ first, last }) => ({ first: BigInt(first), last: BigInt(last) }));
}

/** Ranges in the form that decisions and properties keep. */
export function formatRanges(ranges: readonly SequenceRange[]): { readonly first: string; readonly last: string }[] {
  return ranges.map(({ first, last }) => ({ first: first.toString(), last: last.toString() }));
}

/** Whether a sequence number lies in one of some ranges. */
export function isIn(ranges: readonly SequenceRange[], sequence: bigint): boolean {
  return ranges.some(({ first, last }) => first <= sequence && sequence <= last);
}

/** Sequence numbers that are in ranges of the first list and in none of the second; ascending, none touching the next. */
export function subtractRanges(ranges: readonly SequenceRange[], without: readonly SequenceRange[]): SequenceRange[] {
  const removed = uniteRanges(without);
  return uniteRanges(ranges).flatMap((range) => {
    const left: SequenceRange[] = [];
    let { first } = range;
    for (const hole of removed) {
      if (hole.last < first || hole.first > range.last) continue;
      if (hole.first > first) left.push({ first, last: hole.first - 1n });
      first = hole.last + 1n;
    }
    if (first <= range.last) left.push({ first, last: range.last });
    return left;
  });
}

/** The same sequence numbers, ascending, none touching the next. */
export function uniteRanges(ranges: readonly SequenceRange[]): SequenceRange[] {
  const united: { first: bigint; last: bigint }[] = [];
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const before = united.at(-1);
    if (before === undefined || range.first > before.last + 1n) united.push({ ...range });
    else if (range.last > before.last) before.last = range.last;
  }
  return united;
}
