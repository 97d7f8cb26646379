import type { TopEntry, TopValues } from "../core/profile.ts";

/** Entries of a summary that is not exact. */
const kept = 128;
/** Most entries of a summary: with no more distinct values than this, all counts are exact. */
export const topEntriesMax = 2 * kept;

/** A summary of no values. */
export const emptyTop: TopValues = { kind: "top", total: 0, error: 0, entries: [] };

/**
 * The Misra-Gries summary of counted values: all of them if they are few and exact; else the 129th largest count is subtracted from all, which adds
 * to `error`, and what is left stays. `describe` tells an entry's hash and text.
 */
export function topOf(counts: Uint32Array, total: number, error: number, describe: (entry: number) => Omit<TopEntry, "count">): TopValues {
  const size = counts.length;
  const cut = size > (error > 0 ? kept : topEntriesMax) ? purgeCut(counts) : 0;
  const entries: TopEntry[] = [];
  for (let entry = 0; entry < size; entry++) {
    const count = (counts[entry] as number) - cut;
    if (count > 0) entries.push({ ...describe(entry), count });
  }
  entries.sort(compareHashes);
  return { kind: "top", total, error: error + cut, entries };
}

/** The order of a summary's entries. */
export function compareHashes(a: TopEntry, b: TopEntry): number {
  return a.hashHigh - b.hashHigh || a.hashLow - b.hashLow;
}

const tallyLength = 1024;
const tally = new Uint32Array(tallyLength);

/** The 129th largest of more counts than that, which leaves at most 128 above it. */
function purgeCut(counts: ArrayLike<number>): number {
  tally.fill(0);
  for (let i = 0; i < counts.length; i++) {
    const at = Math.min(counts[i] as number, tallyLength - 1);
    tally[at] = (tally[at] as number) + 1;
  }
  let reached = 0;
  for (let cut = tallyLength - 1; cut > 0; cut--) {
    reached += tally[cut] as number;
    if (reached > kept && cut < tallyLength - 1) return cut;
    if (reached > kept) break;
  }
  return Float64Array.from(counts).sort()[counts.length - kept - 1] as number;
}

/** A summary of both together: counts and errors add up; exact where both are and together they fit. */
export function mergeTop(a: TopValues, b: TopValues): TopValues {
  if (a.total === 0) return b;
  if (b.total === 0) return a;
  return boundTop(a.total + b.total, a.error + b.error, exchangeEntries(a.entries, [], b.entries));
}

/**
 * What stays of entries if the counts of some that are among them are taken away, and others come; all ascending by hash. Counts are whole: in whatever order
 * entries came and went, the result is the same.
 */
export function exchangeEntries(
  pool: readonly TopEntry[],
  leaving: readonly TopEntry[],
  entering: readonly TopEntry[],
): readonly TopEntry[] {
  const entries: TopEntry[] = [];
  let [j, k] = [0, 0];
  for (const entry of pool) {
    for (let next = entering[k]; next !== undefined && compareHashes(next, entry) < 0; next = entering[++k]) entries.push(next);
    const [left, next] = [leaving[j], entering[k]];
    let { count } = entry;
    if (left !== undefined && compareHashes(left, entry) === 0) {
      count -= left.count;
      j++;
    }
    if (next !== undefined && compareHashes(next, entry) === 0) {
      count += next.count;
      k++;
    }
    if (count > 0) entries.push(count === entry.count ? entry : { ...entry, count });
  }
  for (; k < entering.length; k++) entries.push(entering[k] as TopEntry);
  return entries;
}

/** The summary of entries, ascending by hash: if they are too many, the 129th largest count is taken off all, and adds to the error. */
export function boundTop(total: number, error: number, entries: readonly TopEntry[]): TopValues {
  if (entries.length <= (error > 0 ? kept : topEntriesMax)) return { kind: "top", total, error, entries };
  const cut = purgeCut(entries.map((entry) => entry.count));
  const rest = entries.filter((entry) => entry.count > cut).map((entry) => ({ ...entry, count: entry.count - cut }));
  return { kind: "top", total, error: error + cut, entries: rest };
}

/** Entries by count, largest first; equal counts by text, so that the order is always the same. */
export function rankTop(top: TopValues): readonly TopEntry[] {
  return top.entries.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
}
