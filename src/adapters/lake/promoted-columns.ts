import { SluiceError } from "../../core/errors.ts";
import { icebergPrimitive } from "../../core/iceberg-type.ts";
import type { PartitionKey } from "../../core/position.ts";
import type { PromotedRange, PromotedRows } from "../../core/promoted-rows.ts";
import type { Field } from "../../core/schema.ts";
import { sourceColumns, type IcebergField } from "../../core/table-schema.ts";
import { DeleteFiles, VersionDeletes } from "../iceberg/deletes/version-deletes.ts";
import { columnOfPhysical, readPhysicalColumns, type PhysicalRows } from "../iceberg/parquet-column-reader.ts";
import type { ManifestEntry } from "../iceberg/manifest.ts";
import { EntryStatus } from "../iceberg/manifest.ts";
import { pathOfUri } from "../iceberg/storage-path.ts";
import { readManifest, readManifestList } from "../iceberg/table-io.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import { currentSchema, snapshotOfRef, snapshotWithId } from "../iceberg/table-metadata.ts";
import type { LakeContext } from "./lake-context.ts";
import { loadTables } from "./lake-context.ts";
import type { SequenceRange } from "./refs/rollback-records.ts";
import { isIn, parseRanges, readRollbacks } from "./refs/rollback-records.ts";
import { mainLine } from "./refs/version-line.ts";
import { windowOfBranch } from "./summary-keys.ts";
import { filesAddedBy } from "./table-files.ts";

/** A data file with rows that a range asks for, and the sequence number that they came with. */
interface RowsFile {
  readonly uri: string;
  readonly sequence: bigint;
  /** The file in the version that is read, with what is deleted there; null: a held window's, which no one else deletes from. */
  readonly from: { readonly entry: ManifestEntry; readonly deletes: VersionDeletes } | null;
}

/** A table, and the delete files of it that were read. */
interface Reading {
  readonly context: LakeContext;
  readonly metadata: TableMetadata;
  readonly deleteFiles: DeleteFiles;
}

/** The files of a version that came after a sequence number. Files that were rewritten since go by the newest of their rows, however many versions have expired. */
async function filesAfter(
  { context, metadata, deleteFiles }: Reading,
  snapshot: Snapshot | null,
  after: bigint,
  back: readonly SequenceRange[] = [],
): Promise<RowsFile[]> {
  const files: RowsFile[] = [];
  const manifests = await readManifestList(context.storage, snapshot);
  const deletes = await VersionDeletes.of({ storage: context.storage, metadata, snapshot, files: deleteFiles, manifests });
  for (const manifest of manifests) {
    if (manifest.content !== 0 || (manifest.sequence ?? 0n) <= after) continue;
    for (const entry of await readManifest(context.storage, manifest)) {
      const { status, sequence, file } = entry;
      if (status === EntryStatus.deleted || sequence === null) continue;
      if (sequence > after || isIn(back, sequence)) files.push({ uri: file.file_path as string, sequence, from: { entry, deletes } });
    }
  }
  return files;
}

/** Files of main after a sequence number, and of held and withdrawn windows where they are asked for, oldest first, each once. */
async function filesOf(reading: Reading, { after, held, withdrawn = false }: PromotedRange): Promise<RowsFile[]> {
  const { context, metadata } = reading;
  const main = snapshotOfRef(metadata, "main");
  // What a roll-forward brought back keeps its old sequence numbers, and yet came after.
  const files = await filesAfter(reading, main, after, mainLine(metadata, after).restored);
  for (const ref of held ? Object.keys(metadata.refs) : []) {
    const head = windowOfBranch(ref) === null ? null : snapshotOfRef(metadata, ref);
    if (head === null || head["sequence-number"] <= after) continue;
    for (const file of await filesAddedBy(context, head))
      files.push({ uri: file.file_path as string, sequence: head["sequence-number"], from: null });
  }
  if (withdrawn) files.push(...(await withdrawnFiles(reading, after)));
  const byUri = new Map(files.map((file) => [file.uri, file]));
  return [...byUri.values()].toSorted((a, b) => (a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0));
}

/** Files that rollbacks withdrew and that may come back: their rows keep their keys, unless those were given back. */
async function withdrawnFiles(reading: Reading, after: bigint): Promise<RowsFile[]> {
  const files: RowsFile[] = [];
  const { metadata } = reading;
  for (const { from, sequences, keysReleased } of readRollbacks(metadata.properties)) {
    if (keysReleased) continue;
    const ranges = parseRanges(sequences);
    const all = await filesAfter(reading, snapshotWithId(metadata, BigInt(from)), after);
    files.push(...all.filter(({ sequence }) => isIn(ranges, sequence)));
  }
  return files;
}

/** See `Lake.promotedColumns`. */
export async function* promotedColumns(
  context: LakeContext,
  dataset: string,
  columns: readonly Field[],
  range: PromotedRange,
): AsyncIterable<PromotedRows> {
  const { metadata } = (await loadTables(context, dataset)).promoted;
  const names = [...columns.map((field) => field.name), ...Object.values(sourceColumns)];
  const { fields } = currentSchema(metadata);
  for (const column of columns) refuseOtherType(dataset, column, fields);
  const reading = { context, metadata, deleteFiles: new DeleteFiles(context.storage) };
  for (const { uri, sequence, from } of await filesOf(reading, range)) {
    const deleted = from === null ? null : await from.deletes.rowsOf(from.entry);
    let first = 0;
    for await (const rows of readPhysicalColumns(context.storage, pathOfUri(context.storage, uri), names, fields)) {
      yield promotedRows(sequence, columns, keptRows(rows, deleted?.kept(first, rows.count) ?? null));
      first += rows.count;
    }
  }
}

/** What whole numbers of a stored type count; null where it has none. */
function countedBy(type: string): string | null {
  if (type === "int" || type === "long") return "numbers";
  if (type === "date") return "days";
  return type.startsWith("timestamp") ? (type.endsWith("_ns") ? "nanoseconds" : "microseconds") : null;
}

/**
 * Stored counts say no unit: days, micro- and nanoseconds would be compared as if they were one. And no text is the 16 bytes of a UUID, though it may be the
 * text of one.
 */
function refuseOtherType(dataset: string, { name, type }: Field, fields: readonly IcebergField[]): void {
  const stored = fields.find((field) => field.name === name)?.type;
  if (typeof stored !== "string") return;
  const wanted = icebergPrimitive(type);
  const [one, other] = [countedBy(stored), countedBy(wanted)];
  const isOtherUnit = one !== null && other !== null && one !== other;
  if (!isOtherUnit && (stored === "uuid") === (wanted === "uuid")) return;
  throw new SluiceError("CONTRACT_INVALID", `${dataset}.${name} is a ${stored}, not a ${wanted}: they are not compared`);
}

/** Rows without those that another program deleted. */
function keptRows(rows: PhysicalRows, kept: Uint8Array | null): PhysicalRows {
  if (kept === null) return rows;
  const keep = (values: readonly unknown[]): readonly unknown[] => values.filter((_, row) => kept[row] === 1);
  return {
    count: kept.reduce((sum, each) => sum + each, 0),
    values: new Map([...rows.values].map(([name, values]) => [name, keep(values)])),
  };
}

function promotedRows(sequence: bigint, columns: readonly Field[], { count, values }: PhysicalRows): PromotedRows {
  const of = (name: string): readonly unknown[] => values.get(name) ?? [];
  const partitions: PartitionKey[] = [];
  const known = new Map<string, number>();
  const partition = new Uint16Array(count);
  const sources = of(sourceColumns.source);
  const numbers = of(sourceColumns.partition);
  for (let row = 0; row < count; row++) {
    const topicId = Buffer.from(sources[row] as Uint8Array).toString("utf8");
    const number = Number(numbers[row]);
    const id = `${topicId}:${number}`;
    let index = known.get(id);
    if (index === undefined) {
      index = partitions.push({ topic: "", topicId, partition: number }) - 1;
      known.set(id, index);
    }
    partition[row] = index;
  }
  return {
    sequence,
    count,
    columns: columns.map((field) => columnOfPhysical(field, of(field.name))),
    partitions,
    partition,
    offsets: BigInt64Array.from(of(sourceColumns.offset), (value) => BigInt(value as bigint)),
    // The table has microseconds.
    timestampsMs: BigInt64Array.from(of(sourceColumns.timestamp), (value) => (value === null ? -1n : (value as bigint) / 1000n)),
  };
}
