import type { PartitionKey } from "../../core/position.ts";
import type { PromotedRange, PromotedRows } from "../../core/promoted-rows.ts";
import type { Field } from "../../core/schema.ts";
import { sourceColumns } from "../../core/table-schema.ts";
import { columnOfPhysical, readPhysicalColumns, type PhysicalRows } from "../iceberg/parquet-column-reader.ts";
import { pathOfUri } from "../iceberg/storage-path.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import { ancestorsOf, snapshotOfRef, snapshotWithId } from "../iceberg/table-metadata.ts";
import type { LakeContext } from "./lake-context.ts";
import { loadTables } from "./lake-context.ts";
import { isIn, parseRanges, readRollbacks } from "./refs/rollback-records.ts";
import { windowOfBranch } from "./summary-keys.ts";
import { filesAddedBy } from "./table-files.ts";

/** Snapshots of main after a sequence number, and of held and withdrawn windows where they are asked for, oldest first. */
function snapshotsOf(metadata: TableMetadata, { after, held }: PromotedRange): Snapshot[] {
  const found = new Map(ancestorsOf(metadata, snapshotOfRef(metadata, "main"), after).map((each) => [each["snapshot-id"], each]));
  for (const ref of held ? Object.keys(metadata.refs) : []) {
    const head = windowOfBranch(ref) === null ? null : snapshotOfRef(metadata, ref);
    if (head !== null && head["sequence-number"] > after) found.set(head["snapshot-id"], head);
  }
  for (const each of held ? withdrawnSnapshots(metadata, after) : []) found.set(each["snapshot-id"], each);
  return [...found.values()].toSorted((a, b) => (a["sequence-number"] < b["sequence-number"] ? -1 : 1));
}

/** Versions that rollbacks withdrew and that may come back: their rows keep their keys, unless those were given back. */
function withdrawnSnapshots(metadata: TableMetadata, after: bigint): Snapshot[] {
  return readRollbacks(metadata.properties).flatMap(({ from, sequences, keysReleased }) => {
    const ranges = parseRanges(sequences);
    const line = keysReleased ? [] : ancestorsOf(metadata, snapshotWithId(metadata, BigInt(from)), after);
    return line.filter((each) => isIn(ranges, each["sequence-number"]));
  });
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
  for (const snapshot of snapshotsOf(metadata, range)) {
    for (const file of await filesAddedBy(context, snapshot)) {
      const path = pathOfUri(context.storage, file.file_path as string);
      for await (const rows of readPhysicalColumns(context.storage, path, names)) {
        yield promotedRows(snapshot["sequence-number"], columns, rows);
      }
    }
  }
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
