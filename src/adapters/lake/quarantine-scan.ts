import { SluiceError } from "../../core/errors.ts";
import type { QuarantinedRecord, QuarantineFilter, QuarantineState } from "../../core/ports.ts";
import type { Storage } from "../../core/storage.ts";
import type { AvroRow } from "../iceberg/avro-schema.ts";
import { EntryStatus } from "../iceberg/manifest.ts";
import { readQuarantineFile, readQuarantineVersions } from "../iceberg/parquet-quarantine-reader.ts";
import { quarantineFieldIds } from "../iceberg/quarantine-schema.ts";
import { pathOfUri } from "../iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../iceberg/table-io.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";
import { snapshotOfRef, snapshotWithId } from "../iceberg/table-metadata.ts";
import type { LakeContext } from "./lake-context.ts";
import { expiredSnapshot } from "./maintenance/ledger.ts";
import { summaryKeys } from "./summary-keys.ts";
import { filesAddedBy } from "./table-files.ts";

/** A file of the quarantine table and the sequence number of the snapshot that wrote its rows. */
interface VersionFile {
  readonly file: AvroRow;
  readonly sequence: bigint;
}

/** One version of a record: later is by attempt, then by sequence, then by its row: files that were joined stand in their order. */
interface Version {
  readonly attempt: number;
  readonly sequence: bigint;
  readonly row: number;
  readonly state: QuarantineState;
}

function isLater(a: Version, b: Version): boolean {
  if (a.attempt !== b.attempt) return a.attempt > b.attempt;
  return a.sequence !== b.sequence ? a.sequence > b.sequence : a.row > b.row;
}

async function filesOfMain(context: LakeContext, metadata: TableMetadata): Promise<VersionFile[]> {
  const files: VersionFile[] = [];
  for (const manifest of await readManifestList(context.storage, snapshotOfRef(metadata, "main"))) {
    if (manifest.content !== 0) {
      throw new SluiceError("TABLE_UNSUPPORTED", "another program deleted rows of the quarantine table by delete files");
    }
    for (const entry of await readManifest(context.storage, manifest)) {
      if (entry.status !== EntryStatus.deleted) files.push({ file: entry.file, sequence: entry.sequence ?? 0n });
    }
  }
  return files.toSorted((a, b) => (a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0));
}

function boundsOf(file: AvroRow, fieldId: number): { readonly lower: Buffer; readonly upper: Buffer } | null {
  const lower = (file.lower_bounds as ReadonlyMap<number, Uint8Array> | null)?.get(fieldId);
  const upper = (file.upper_bounds as ReadonlyMap<number, Uint8Array> | null)?.get(fieldId);
  return lower === undefined || upper === undefined ? null : { lower: Buffer.from(lower), upper: Buffer.from(upper) };
}

/** Whether a file surely holds nothing but first versions: every attempt is 0, every state open. Most files do, and need not be read for states. */
function holdsFirstVersions({ file }: VersionFile): boolean {
  const attempt = boundsOf(file, quarantineFieldIds.attempt);
  const state = boundsOf(file, quarantineFieldIds.state);
  if (attempt === null || state === null) return false;
  const isOpen = state.lower.toString() === "open" && state.upper.toString() === "open";
  return isOpen && attempt.lower.readInt32LE() === 0 && attempt.upper.readInt32LE() === 0;
}

/** Whether the bounds of a file rule out every row that the filter could match. */
function isPruned({ file }: VersionFile, filter: QuarantineFilter): boolean {
  const time = boundsOf(file, quarantineFieldIds.quarantinedAt);
  if (time !== null) {
    if (filter.sinceMs !== undefined && time.upper.readBigInt64LE() < BigInt(filter.sinceMs) * 1000n) return true;
    if (filter.untilMs !== undefined && time.lower.readBigInt64LE() > BigInt(filter.untilMs) * 1000n) return true;
  }
  const window = boundsOf(file, quarantineFieldIds.windowId);
  if (filter.windowId === undefined || window === null) return false;
  const wanted = Buffer.from(filter.windowId);
  return Buffer.compare(wanted, window.lower) < 0 || Buffer.compare(wanted, window.upper) > 0;
}

function matches(record: QuarantinedRecord, filter: QuarantineFilter, ids: ReadonlySet<string> | null): boolean {
  const { states, rule, windowId, sinceMs, untilMs } = filter;
  return (
    (states === undefined || states.includes(record.state)) &&
    (rule === undefined || record.reasons.some((reason) => reason.rule === rule)) &&
    (windowId === undefined || record.windowId === windowId) &&
    (sinceMs === undefined || record.quarantinedAtMs >= sinceMs) &&
    (untilMs === undefined || record.quarantinedAtMs <= untilMs) &&
    (ids === null || ids.has(record.id))
  );
}

function readRows(context: LakeContext, file: AvroRow, filter: QuarantineFilter): AsyncIterable<QuarantinedRecord> {
  return reading(context, file, (storage, path) => readQuarantineFile(storage, path, filter.valueBytesMax));
}

async function* reading<T>(
  context: LakeContext,
  file: AvroRow,
  read: (storage: Storage, path: string) => AsyncIterable<T>,
): AsyncIterable<T> {
  const uri = file.file_path as string;
  try {
    yield* read(context.storage, pathOfUri(context.storage, uri));
  } catch (fault) {
    const missing = fault instanceof SluiceError && fault.code === "NOT_FOUND";
    if (!missing && !(fault instanceof RangeError)) throw fault;
    throw new SluiceError("TABLE_CORRUPT", `${uri} can't be read: ${fault.message}`, { cause: fault });
  }
}

/** Latest versions of the records that have more than a first one; as many entries as records were ever replayed. */
async function laterVersions(context: LakeContext, files: readonly VersionFile[]): Promise<Map<string, Version>> {
  const latest = new Map<string, Version>();
  for (const each of files) {
    if (holdsFirstVersions(each)) continue;
    let row = 0;
    for await (const { id, attempt, state } of reading(context, each.file, readQuarantineVersions)) {
      const version = { attempt, sequence: each.sequence, row: row++, state };
      const known = latest.get(id);
      if (known === undefined || isLater(version, known)) latest.set(id, version);
    }
  }
  return latest;
}

async function* rowsAsAdded(
  context: LakeContext,
  metadata: TableMetadata,
  snapshotId: string,
  filter: QuarantineFilter,
): AsyncIterable<QuarantinedRecord> {
  const snapshot = /^\d+$/.test(snapshotId) ? snapshotWithId(metadata, BigInt(snapshotId)) : null;
  if (snapshot === null) {
    yield* rowsOfExpired(context, metadata, snapshotId, filter);
    return;
  }
  for (const file of await filesAddedBy(context, snapshot)) yield* readRows(context, file, filter);
}

/** What an expired snapshot added, as far as it still stands on main: by the window and the decision that its rows name. */
async function* rowsOfExpired(
  context: LakeContext,
  metadata: TableMetadata,
  snapshotId: string,
  filter: QuarantineFilter,
): AsyncIterable<QuarantinedRecord> {
  const expired = /^\d+$/.test(snapshotId) ? await expiredSnapshot(context.content, metadata, BigInt(snapshotId)) : null;
  if (expired === null) throw new SluiceError("NOT_FOUND", `the quarantine table has no snapshot ${snapshotId}`);
  const { summary } = expired;
  const heldId = summary[summaryKeys.heldWindowId];
  const isOwn = (record: QuarantinedRecord): boolean =>
    record.decisionHash === summary[summaryKeys.decisionHash] ||
    (record.attempt === 0 && record.windowId === (heldId ?? summary[summaryKeys.windowId]));
  for (const each of await filesOfMain(context, metadata)) {
    if (isPruned(each, filter)) continue;
    for await (const record of readRows(context, each.file, filter)) if (isOwn(record)) yield record;
  }
}

async function* rowsAsTheyStand(context: LakeContext, metadata: TableMetadata, filter: QuarantineFilter): AsyncIterable<QuarantinedRecord> {
  const files = await filesOfMain(context, metadata);
  const latest = await laterVersions(context, files);
  for (const each of files) {
    if (isPruned(each, filter)) continue;
    let row = 0;
    for await (const record of readRows(context, each.file, filter)) {
      const newest = latest.get(record.id);
      const version = { attempt: record.attempt, sequence: each.sequence, row: row++, state: record.state };
      if (newest === undefined || !isLater(newest, version)) yield record;
    }
  }
}

/**
 * Quarantined records of main that a filter matches, in the order they came, as they stand in this version of the table; with a `snapshotId`, the
 * rows that this snapshot added, as it added them.
 */
export async function* scanQuarantine(
  context: LakeContext,
  metadata: TableMetadata,
  filter: QuarantineFilter,
): AsyncIterable<QuarantinedRecord> {
  const { snapshotId, limit = Infinity } = filter;
  const ids = filter.ids === undefined ? null : new Set(filter.ids);
  if (limit <= 0) return;
  let found = 0;
  const rows = snapshotId === undefined ? rowsAsTheyStand(context, metadata, filter) : rowsAsAdded(context, metadata, snapshotId, filter);
  for await (const record of rows) {
    if (!matches(record, filter, ids)) continue;
    yield record;
    if (++found >= limit) return;
  }
}

/** The first of some records that is no longer open at the attempt it was read with; null where all still are. */
export async function findMoved(
  context: LakeContext,
  metadata: TableMetadata,
  records: readonly QuarantinedRecord[],
): Promise<QuarantinedRecord | null> {
  const latest = await laterVersions(context, await filesOfMain(context, metadata));
  const moved = (record: QuarantinedRecord): boolean => {
    const now = latest.get(record.id);
    if (now === undefined) return record.attempt !== 0 || record.state !== "open";
    return now.attempt !== record.attempt || now.state !== "open";
  };
  return records.find(moved) ?? null;
}
