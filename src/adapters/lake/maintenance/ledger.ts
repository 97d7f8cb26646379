import { SluiceError } from "../../../core/errors.ts";
import type { ContentStore } from "../../../core/storage.ts";
import { parseLosslessJson, writeLosslessJson } from "../../iceberg/lossless-json.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/table-metadata.ts";
import { propertyNames } from "../table-properties.ts";
import { redactSummary } from "./redact-summary.ts";

/** A snapshot as the ledger keeps it after its expiry: all but its files. */
export type LedgerEntry = Omit<Snapshot, "manifest-list">;

/** A stretch of the ledger: a content that holds so many entries, with sequence numbers between two bounds (inclusive). */
export interface LedgerSegment {
  readonly hash: string;
  readonly from: bigint;
  readonly to: bigint;
  readonly count: number;
}

/** So many segments of one size become one of the next, up to `segmentEntriesMax`: a table names about 15 of each size. */
const fanIn = 16;
const segmentEntriesMax = 65_536;

/** The segments of a table's ledger, in the order they were written. */
export function ledgerSegments(metadata: TableMetadata): LedgerSegment[] {
  const stored = JSON.parse(metadata.properties[propertyNames.ledger] ?? "[]") as {
    hash: string;
    from: string;
    to: string;
    count: number;
  }[];
  return stored.map((each) => ({ ...each, from: BigInt(each.from), to: BigInt(each.to) }));
}

function writeSegments(segments: readonly LedgerSegment[]): string {
  return JSON.stringify(segments.map((each) => ({ ...each, from: each.from.toString(), to: each.to.toString() })));
}

/** The entries of a segment, by sequence number. Rejects with TABLE_CORRUPT where the segment is gone. */
export async function readSegment(content: ContentStore, segment: LedgerSegment): Promise<LedgerEntry[]> {
  try {
    const text = new TextDecoder().decode(await content.get("ledger", segment.hash));
    return (parseLosslessJson(text) as { entries: LedgerEntry[] }).entries;
  } catch (fault) {
    if (!(fault instanceof SluiceError) || fault.code !== "NOT_FOUND") throw fault;
    throw new SluiceError("TABLE_CORRUPT", `the ledger of expired snapshots lacks its part ${segment.hash}`, { cause: fault });
  }
}

async function writeSegment(content: ContentStore, entries: readonly LedgerEntry[]): Promise<LedgerSegment> {
  const ordered = entries.toSorted(bySequence);
  const text = writeLosslessJson({ format: "sluice.ledger/1", entries: ordered });
  const hash = await content.put("ledger", new TextEncoder().encode(text));
  const [first, last] = [ordered[0] as LedgerEntry, ordered.at(-1) as LedgerEntry];
  return { hash, from: first["sequence-number"], to: last["sequence-number"], count: ordered.length };
}

function levelOf(segment: LedgerSegment): number {
  return Math.floor(Math.log(segment.count) / Math.log(fanIn));
}

/** Segments that should become one; none for most expiries. */
function fullLevel(segments: readonly LedgerSegment[]): readonly LedgerSegment[] {
  const small = segments.filter((each) => each.count < segmentEntriesMax);
  for (const level of [...new Set(small.map(levelOf))].toSorted((a, b) => a - b)) {
    const group = small.filter((each) => levelOf(each) === level);
    if (group.length >= fanIn) return group;
  }
  return [];
}

/** Adds snapshots to a table's ledger, durably; answers the property that names it then. Nothing refers to it before that property is committed. */
export async function extendLedger(content: ContentStore, metadata: TableMetadata, expired: readonly Snapshot[]): Promise<string> {
  const entries = expired.map(({ "manifest-list": _list, ...entry }): LedgerEntry => entry);
  let segments = [...ledgerSegments(metadata), await writeSegment(content, entries)];
  for (let group = fullLevel(segments); group.length > 0; group = fullLevel(segments)) {
    const merged: LedgerEntry[] = [];
    for (const segment of group) merged.push(...(await readSegment(content, segment)));
    segments = [...segments.filter((each) => !group.includes(each)), await writeSegment(content, merged)];
  }
  return writeSegments(segments);
}

/** The table with a ledger that names redacted decisions; the very same where it names none of those that were redacted. */
export async function redactLedger(
  content: ContentStore,
  metadata: TableMetadata,
  hashes: ReadonlyMap<string, string>,
): Promise<TableMetadata> {
  const segments: LedgerSegment[] = [];
  let changed = false;
  for (const segment of hashes.size === 0 ? [] : ledgerSegments(metadata)) {
    const entries = await readSegment(content, segment);
    const redacted = entries.map((entry) => ({ ...entry, summary: redactSummary(entry.summary, hashes) }));
    const isSame = redacted.every(({ summary }, i) => summary === entries[i]?.summary);
    segments.push(isSame ? segment : await writeSegment(content, redacted));
    changed ||= !isSame;
  }
  if (!changed) return metadata;
  return { ...metadata, properties: { ...metadata.properties, [propertyNames.ledger]: writeSegments(segments) } };
}

/** A snapshot that was expired, by its id; null where the ledger does not have it. */
export async function expiredSnapshot(content: ContentStore, metadata: TableMetadata, id: bigint): Promise<LedgerEntry | null> {
  for (const segment of ledgerSegments(metadata).toReversed()) {
    const found = (await readSegment(content, segment)).find((each) => each["snapshot-id"] === id);
    if (found !== undefined) return found;
  }
  return null;
}

/**
 * Snapshots that a table has or had with a sequence number above `after`, in their order: expired ones from the ledger, the others from the metadata.
 * One segment of the ledger is in memory at a time where segments do not overlap.
 */
export async function* everySnapshot(content: ContentStore, metadata: TableMetadata, after: bigint): AsyncIterable<LedgerEntry> {
  const later = (each: LedgerEntry): boolean => each["sequence-number"] > after;
  const segments = ledgerSegments(metadata)
    .filter((each) => each.to > after)
    .toSorted((a, b) => (a.from < b.from ? -1 : 1));
  let pending: LedgerEntry[] = metadata.snapshots.filter(later).toSorted(bySequence);
  for (const segment of segments) {
    const settled = pending.findIndex((each) => each["sequence-number"] >= segment.from);
    yield* pending.splice(0, settled < 0 ? pending.length : settled);
    const read = (await readSegment(content, segment)).filter(later);
    pending = [...pending, ...read].toSorted(bySequence);
  }
  yield* pending;
}

function bySequence(a: LedgerEntry, b: LedgerEntry): number {
  return a["sequence-number"] < b["sequence-number"] ? -1 : a["sequence-number"] > b["sequence-number"] ? 1 : 0;
}
