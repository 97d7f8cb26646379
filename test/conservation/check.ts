import { differingFields, parseExact } from "./equal-fields.ts";
import { rowsOfVersion } from "./deleted-rows.ts";
import type { DataFile, Snapshot, Table } from "./iceberg-files.ts";
import { ancestry, catalogTables, deleteFiles, erasedIds, expiredSummaries, liveFiles, readTable, retiredIds } from "./iceberg-files.ts";
import type { LogRecord } from "./kafka-log.ts";
import { digestRecord, readTopic, sortHeaders } from "./kafka-log.ts";
import { Micros, readRows } from "./parquet-rows.ts";

export interface CheckOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly catalogFile: string;
  /** `namespace.table` of the promoted table; the quarantine table is found by its suffix. */
  readonly table: string;
  readonly quarantineTable: string;
  readonly dlqTopic: string | null;
  /** Every record of the topic must have been placed: lag is zero. */
  readonly complete: boolean;
}

export interface CheckReport {
  readonly ok: boolean;
  readonly records: number;
  readonly promoted: number;
  readonly quarantined: number;
  readonly held: number;
  /** Rows that a rollback took off main. */
  readonly withdrawn: number;
  /** Taken out for good on somebody's request. */
  readonly erased: number;
  /** Taken off main by the contract's retention. */
  readonly expired: number;
  /** Taken out by delete files of other programs, on main or in a version that is still there. */
  readonly deleted: number;
  readonly skipped: number;
  readonly unread: number;
  readonly dlq: number | null;
  /** At most some of each kind, with the total in the text. */
  readonly problems: readonly string[];
}

/** Collects problems by kind, so that a million of one kind do not hide another. */
class Problems {
  readonly #kinds = new Map<string, { count: number; samples: string[] }>();

  add(kind: string, detail: string): void {
    const entry = this.#kinds.get(kind) ?? { count: 0, samples: [] };
    entry.count++;
    if (entry.samples.length < 5) entry.samples.push(detail);
    this.#kinds.set(kind, entry);
  }

  list(): string[] {
    return [...this.#kinds].map(([kind, { count, samples }]) => `${kind} (${count}): ${samples.join(" | ")}`);
  }
}

interface PlacedRow {
  readonly id: string;
  readonly row: Record<string, unknown>;
  readonly file: string;
}

interface Version {
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly sequence: number;
  readonly digest: string | null;
}

/** Rows of a version of the promoted table, or of some of its files. */
async function promotedRows(snapshot: Snapshot | undefined, files?: readonly DataFile[]): Promise<PlacedRow[]> {
  const rows = snapshot === undefined ? [] : await rowsOfVersion(snapshot, files);
  return rows.filter(({ isDeleted }) => !isDeleted).map(({ row, file }) => ({ id: idOf(row), row, file }));
}

function idOf(row: Readonly<Record<string, unknown>>): string {
  return `${String(row["_sluice_partition"])}:${String(row["_sluice_offset"])}`;
}

/** Records whose rows delete files take out of some version that is still there: compaction writes them no more, and forgets the delete files. */
async function deletedIds(table: Table): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const snapshot of table.snapshots.values()) {
    if ((await deleteFiles(snapshot)).length === 0) continue;
    for (const { row, isDeleted } of await rowsOfVersion(snapshot)) if (isDeleted) ids.add(idOf(row));
  }
  return ids;
}

async function quarantineVersions(snapshot: Snapshot | undefined): Promise<Version[]> {
  const versions: Version[] = [];
  for (const file of snapshot === undefined ? [] : await liveFiles(snapshot)) {
    const { sequence } = file;
    for (const row of await readRows(file.path)) {
      const headers = (row["headers"] ?? []) as { key: string; value: Uint8Array | null }[];
      const value = (row["value"] ?? null) as Uint8Array | null;
      const state = String(row["state"]);
      versions.push({
        id: `${String(row["partition"])}:${String(row["offset"])}`,
        state,
        attempt: Number(row["attempt"]),
        sequence,
        digest:
          state === "promoted" && value === null
            ? null
            : digestRecord({
                key: (row["key"] ?? null) as Uint8Array | null,
                value,
                headers: sortHeaders(headers),
                timestampMs: row["timestamp_ms"] as bigint,
              }),
      });
    }
  }
  return versions;
}

function latestVersions(versions: readonly Version[]): Map<string, Version> {
  const latest = new Map<string, Version>();
  for (const version of versions) {
    const known = latest.get(version.id);
    const newer =
      known === undefined ||
      version.attempt > known.attempt ||
      // Of one file, that others were joined into, the later row.
      (version.attempt === known.attempt && version.sequence >= known.sequence);
    if (newer) latest.set(version.id, version);
  }
  return latest;
}

/** No data file may enter main's history twice. */
async function checkHistory(table: Table, problems: Problems): Promise<void> {
  const snapshot = ancestry(table, "main")[0];
  if (snapshot === undefined) return;
  const seen = new Map<string, string>();
  for (const file of await liveFiles(snapshot)) {
    const before = seen.get(file.path);
    if (before !== undefined) problems.add("data file added twice", `${file.path} by snapshots ${before} and ${file.addedIn}`);
    seen.set(file.path, file.addedIn);
  }
}

function comparePromoted(record: LogRecord, placed: PlacedRow, problems: Problems): void {
  if (record.value === null) {
    problems.add("tombstone promoted", record.id);
    return;
  }
  let sent: Record<string, unknown>;
  try {
    sent = parseExact(record.value.toString("utf8"));
  } catch {
    problems.add("promoted row differs from its record", `${record.id} is no JSON`);
    return;
  }
  const differing = differingFields(sent, placed.row);
  if (differing.length > 0) problems.add("promoted row differs from its record", `${record.id} in ${differing.join(", ")}`);
  const timestamp = placed.row["_sluice_timestamp"];
  if (!(timestamp instanceof Micros)) problems.add("promoted row has no timestamp", record.id);
}

function positionsOf(table: Table): Map<number, bigint> {
  const text = table.properties["sluice.positions"];
  const positions = new Map<number, bigint>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) walk(each);
    else if (typeof value === "object" && value !== null) {
      const entry = value as Record<string, unknown>;
      if ("partition" in entry && "next" in entry) positions.set(Number(entry["partition"]), BigInt(String(entry["next"])));
      else for (const each of Object.values(entry)) walk(each);
    }
  };
  if (text !== undefined) walk(JSON.parse(text));
  return positions;
}

/** A rollback that stands, as the table's property tells it. */
interface Rollback {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Files were rewritten between the two: then only the snapshots in between tell which rows came there. */
  readonly isRewritten: boolean;
  readonly sequences: readonly { readonly first: string; readonly last: string }[];
}

function rollbacksOf(table: Table): readonly Rollback[] {
  return JSON.parse(table.properties["sluice.withdrawn"] ?? "[]") as Rollback[];
}

/** Files that commits named by a rollback had added. */
async function withdrawnFiles(table: Table, rollback: Rollback): Promise<DataFile[]> {
  const { from, to, sequences, isRewritten } = rollback;
  const files: DataFile[] = [];
  if (isRewritten) {
    for (let at = table.snapshots.get(from); at !== undefined && at.id !== to; at = table.snapshots.get(at.parent ?? "")) {
      const { id } = at;
      if (at.summary["operation"] === "append") files.push(...(await liveFiles(at)).filter((file) => file.addedIn === id));
    }
    return files;
  }
  const isNamed = ({ sequence }: DataFile): boolean =>
    sequences.some(({ first, last }) => BigInt(first) <= BigInt(sequence) && BigInt(sequence) <= BigInt(last));
  return (await liveFiles(table.snapshots.get(from) as Snapshot)).filter(isNamed);
}

/** Rows that rollbacks withdrew. A file of theirs that stands on main is a problem. */
async function withdrawnRows(table: Table, problems: Problems): Promise<PlacedRow[]> {
  const main = ancestry(table, "main")[0];
  const onMain = new Set((main === undefined ? [] : await liveFiles(main)).map((file) => file.path));
  const placed: PlacedRow[] = [];
  for (const rollback of rollbacksOf(table)) {
    if (!table.snapshots.has(rollback.from) || table.refs[`withdrawn/${rollback.id}`] !== rollback.from) {
      problems.add("withdrawn version without a ref", rollback.id);
      continue;
    }
    const files = await withdrawnFiles(table, rollback);
    for (const file of files) {
      if (onMain.has(file.path)) problems.add("withdrawn and on main", file.path);
    }
    placed.push(...(await promotedRows(table.snapshots.get(rollback.from), files)));
  }
  return placed;
}

/** Of every commit that was ever on main: one that a rollback withdrew has still skipped what it skipped. */
function skippedBySummaries(table: Table): number {
  let skipped = 0;
  for (const summary of [...[...table.snapshots.values()].map((each) => each.summary), ...expiredSummaries(table)]) {
    if (summary["sluice.part"] !== undefined) continue;
    skipped += Number(summary["sluice.skipped-records"] ?? 0);
  }
  return skipped;
}

async function heldIds(promoted: Table, quarantine: Table): Promise<{ ids: Map<string, number>; digests: Map<string, string> }> {
  const ids = new Map<string, number>();
  const digests = new Map<string, string>();
  const mainFiles = new Set<string>();
  const main = ancestry(quarantine, "main")[0];
  if (main !== undefined) for (const file of await liveFiles(main)) mainFiles.add(file.path);
  for (const name of Object.keys(quarantine.refs).filter((ref) => ref.startsWith("held/"))) {
    if (promoted.refs[name] === undefined) continue;
    const snapshot = ancestry(quarantine, name)[0] as Snapshot;
    for (const file of await liveFiles(snapshot)) {
      if (mainFiles.has(file.path)) continue;
      for (const row of await readRows(file.path)) {
        const id = `${String(row["partition"])}:${String(row["offset"])}`;
        ids.set(id, (ids.get(id) ?? 0) + 1);
        digests.set(
          id,
          digestRecord({
            key: (row["key"] ?? null) as Uint8Array | null,
            value: (row["value"] ?? null) as Uint8Array | null,
            headers: sortHeaders((row["headers"] ?? []) as { key: string; value: Uint8Array | null }[]),
            timestampMs: row["timestamp_ms"] as bigint,
          }),
        );
      }
    }
  }
  return { ids, digests };
}

/**
 * Whether every record of a topic is in exactly one place. Reads only Kafka (kafkajs), the catalog's rows, table files (avsc, hyparquet) and the
 * dead letter topic; shares no code with the gate.
 */
export async function checkConservation(options: CheckOptions): Promise<CheckReport> {
  const problems = new Problems();
  const tables = catalogTables(options.catalogFile);
  const promoted = readTable(tables.get(options.table) as string);
  const quarantine = readTable(tables.get(options.quarantineTable) as string);
  const log = await readTopic(options.brokers, options.topic);
  const positions = positionsOf(promoted);

  const rows = new Map<string, PlacedRow>();
  for (const placed of await promotedRows(ancestry(promoted, "main")[0])) {
    if (rows.has(placed.id)) problems.add("promoted twice", placed.id);
    rows.set(placed.id, placed);
  }
  await checkHistory(promoted, problems);
  await checkHistory(quarantine, problems);
  const versions = await quarantineVersions(ancestry(quarantine, "main")[0]);
  const seenVersions = new Set<string>();
  for (const version of versions) {
    const key = `${version.id}#${version.attempt}`;
    if (seenVersions.has(key)) problems.add("quarantined twice", key);
    seenVersions.add(key);
  }
  const latest = latestVersions(versions);
  const held = await heldIds(promoted, quarantine);
  const withdrawn = new Map<string, PlacedRow>();
  for (const placed of await withdrawnRows(promoted, problems)) {
    if (withdrawn.has(placed.id)) problems.add("withdrawn twice", placed.id);
    withdrawn.set(placed.id, placed);
  }
  const erased = erasedIds(promoted);
  const retired = new Set([...retiredIds(promoted), ...retiredIds(quarantine)]);
  const deleted = await deletedIds(promoted);
  const counts = { promoted: 0, quarantined: 0, held: 0, withdrawn: 0, erased: 0, expired: 0, deleted: 0, skipped: 0, unread: 0 };
  const known = new Set<string>();
  const offsetSeen = new Set<string>();

  for (const record of log.records) {
    if (offsetSeen.has(record.id)) continue;
    offsetSeen.add(record.id);
    known.add(record.id);
    const read = record.offset < (positions.get(record.partition) ?? 0n);
    const row = rows.get(record.id);
    const version = latest.get(record.id);
    const open = version !== undefined && version.state !== "promoted";
    const inHeld = held.ids.get(record.id) ?? 0;
    const taken = withdrawn.get(record.id);
    const places = (row === undefined ? 0 : 1) + (open ? 1 : 0) + inHeld + (taken === undefined ? 0 : 1);
    if (!read) {
      counts.unread++;
      if (places > 0) problems.add("placed beyond the position", record.id);
      continue;
    }
    if (places > 1) problems.add("in more than one place", record.id);
    if (erased.has(record.id) && (places > 0 || version !== undefined)) problems.add("erased and still there", record.id);
    if (version?.state === "promoted" && row === undefined && taken === undefined && ![retired, deleted].some((ids) => ids.has(record.id)))
      problems.add("replayed and not in the table", record.id);
    if (row !== undefined) {
      counts.promoted++;
      comparePromoted(record, row, problems);
    } else if (open) counts.quarantined++;
    else if (inHeld > 0) counts.held++;
    else if (taken !== undefined) {
      counts.withdrawn++;
      comparePromoted(record, taken, problems);
    } else if (erased.has(record.id)) counts.erased++;
    else if (retired.has(record.id)) counts.expired++;
    else if (deleted.has(record.id)) counts.deleted++;
    else if (record.value === null) counts.skipped++;
    else problems.add("nowhere", record.id);
    const heldDigest = held.digests.get(record.id);
    if (heldDigest !== undefined && heldDigest !== record.digest) problems.add("held bytes differ", record.id);
  }
  const digests = new Map(log.records.map((record) => [record.id, record.digest]));
  for (const version of versions) {
    if (version.digest !== null && version.digest !== digests.get(version.id)) problems.add("quarantined bytes differ", version.id);
  }
  for (const id of [...rows.keys(), ...latest.keys(), ...held.ids.keys(), ...withdrawn.keys(), ...deleted])
    if (!known.has(id)) problems.add("placed but never produced", id);
  const skippedDeclared = skippedBySummaries(promoted);
  if (counts.skipped !== skippedDeclared)
    problems.add("skipped records", `${counts.skipped} tombstones are nowhere, decisions declare ${skippedDeclared}`);
  if (options.complete && counts.unread > 0) problems.add("unread", `${counts.unread} records are not read yet`);

  let dlq: number | null = null;
  if (options.dlqTopic !== null) {
    const values = new Map(log.records.map((record) => [record.id, record.value]));
    dlq = await checkDlq(options, latest, values, versions, new Set([...erased, ...retired]), problems);
  }
  const list = problems.list();
  return { ok: list.length === 0, records: known.size, ...counts, dlq, problems: list };
}

function headerText(record: LogRecord, key: string): string {
  return record.headers.findLast((each) => each.key === key)?.value?.toString() ?? "";
}

function sameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

/** Every quarantined record has a copy; every copy is of a quarantined record, with the same value. At least once: copies may repeat. */
async function checkDlq(
  options: CheckOptions,
  latest: ReadonlyMap<string, Version>,
  values: ReadonlyMap<string, Buffer | null>,
  versions: readonly Version[],
  gone: ReadonlySet<string>,
  problems: Problems,
): Promise<number> {
  const log = await readTopic(options.brokers, options.dlqTopic as string);
  const ever = new Set([...versions.map((version) => version.id), ...gone]);
  const copied = new Set<string>();
  for (const record of log.records) {
    const id = headerText(record, "sluice.id").split(":").slice(-2).join(":");
    copied.add(id);
    if (!ever.has(id)) problems.add("dead letter of a record that is not quarantined", id);
    const stub = headerText(record, "sluice.stub") !== "";
    if (!stub && !sameBytes(record.value, values.get(id) ?? null)) problems.add("dead letter's value differs", id);
  }
  if (options.complete) {
    for (const [id, version] of latest) {
      if (version.state === "open" && !copied.has(id)) problems.add("quarantined without a dead letter", id);
    }
  }
  return copied.size;
}
