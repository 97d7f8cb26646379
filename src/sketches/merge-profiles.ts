import type { ColumnProfile, Profile, WatchedParts } from "../core/profile.ts";
import { compareValueTexts } from "./compare-text.ts";
import { mergeDistinct } from "./distinct.ts";
import { mergeTop } from "./heavy-hitters.ts";
import { mergeMoments } from "./moments.ts";
import { mergeQuantiles } from "./quantiles.ts";
import { mergeArrivals } from "./watched/arrivals.ts";
import { mergeFieldCounts } from "./watched/field-counts.ts";
import { mergeJoint } from "./watched/joint-columns.ts";

/**
 * The profile of both together. A column that only one of them has is kept as it is; one whose kind changed between them (another
 * contract version) is taken from the second.
 */
export function mergeProfiles(a: Profile, b: Profile): Profile {
  if (a.rows === 0 && b.rows > 0) return b;
  if (b.rows === 0 && a.rows > 0) return a;
  const columns = new Map(a.columns);
  for (const [path, column] of b.columns) {
    const before = columns.get(path);
    columns.set(path, before === undefined || before.kind !== column.kind ? column : mergeColumns(before, column));
  }
  return { rows: a.rows + b.rows, columns };
}

/** The profile of both columns' cells together; they must be of one kind. */
export function mergeColumns(a: ColumnProfile, b: ColumnProfile): ColumnProfile {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const watched = both(a.watched ?? null, b.watched ?? null, mergeWatched);
  return {
    path: a.path,
    kind: a.kind,
    count: a.count + b.count,
    nulls: a.nulls + b.nulls,
    missing: a.missing + b.missing,
    min: outermost(a.kind, a.min, b.min, -1),
    max: outermost(a.kind, a.max, b.max, 1),
    moments: both(a.moments, b.moments, mergeMoments),
    quantiles: both(a.quantiles, b.quantiles, mergeQuantiles),
    distinct: mergeDistinct(a.distinct, b.distinct),
    top: both(a.top, b.top, mergeTop),
    lengths: both(a.lengths, b.lengths, mergeMoments),
    nan: a.nan + b.nan,
    ...(watched !== null && { watched }),
  };
}

/** What was watched besides, of both columns together. */
export function mergeWatched(a: WatchedParts, b: WatchedParts): WatchedParts {
  const part = <Name extends keyof WatchedParts>(name: Name, merge: (x: Part<Name>, y: Part<Name>) => Part<Name>): WatchedParts => {
    const merged = both(a[name] ?? null, b[name] ?? null, merge as (x: unknown, y: unknown) => unknown);
    return merged === null ? {} : { [name]: merged };
  };
  return {
    ...part("patterns", mergeTop),
    ...part("lag", (x, y) => ({ moments: mergeMoments(x.moments, y.moments), quantiles: mergeQuantiles(x.quantiles, y.quantiles) })),
    ...part("arrival", mergeArrivals),
    ...part("joint", mergeJoint),
    ...part("fields", mergeFieldCounts),
  };
}

type Part<Name extends keyof WatchedParts> = NonNullable<WatchedParts[Name]>;

function both<T>(a: T | null, b: T | null, merge: (a: T, b: T) => T): T | null {
  return a === null ? b : b === null ? a : merge(a, b);
}

/** The smaller (`sign` -1) or larger (1) of two exact texts of values. */
export function outermost(kind: ColumnProfile["kind"], a: string | null, b: string | null, sign: number): string | null {
  if (a === null || b === null) return a ?? b;
  return sign * compareValueTexts(kind, a, b) >= 0 ? a : b;
}
