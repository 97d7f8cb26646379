import type { PartitionKey } from "./position.ts";

/** How a record's timestamp came to be, as Kafka's record batches say it. */
export const TimestampType = { create: 0, logAppend: 1, none: 2 } as const;

/**
 * A run of source messages as structure of arrays over one slab of bytes; no object per record.
 * Rows of one partition stand in offset order. A length of -1 is Kafka's null (not the same as empty).
 */
export interface Records {
  readonly count: number;
  /** The partitions that `partition` indexes; one entry as a source hands runs out, more after `concatRecords`. */
  readonly partitions: readonly PartitionKey[];
  readonly partition: Uint16Array;
  readonly offsets: BigInt64Array;
  /** Milliseconds since the epoch as the broker or file says; -1 where there is none. */
  readonly timestamps: BigInt64Array;
  readonly timestampTypes: Uint8Array;
  /** The slab that all starts index. */
  readonly bytes: Uint8Array;
  readonly keyStart: Uint32Array;
  readonly keyLength: Int32Array;
  readonly valueStart: Uint32Array;
  readonly valueLength: Int32Array;
  /**
   * The span of a record's headers in Kafka's record encoding (KIP-98, message format v2): zig-zag varint count, then per header
   * varint key length, key, varint value length (-1 null), value. Length 0 means no headers at all.
   */
  readonly headersStart: Uint32Array;
  readonly headersLength: Int32Array;
}

/** One header, in order, duplicates kept, null apart from empty. */
export interface Header {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** The bytes a run's records take: what backpressure counts. */
export function recordsBytes(records: Records): number {
  return records.bytes.byteLength + records.count * 44;
}

/** The key, value or headers span of one record, or null; a view, valid as long as the slab. */
export function span(records: Records, part: "key" | "value" | "headers", row: number): Uint8Array | null {
  const length = records[`${part}Length`][row] as number;
  if (length < 0) return null;
  const start = records[`${part}Start`][row] as number;
  return records.bytes.subarray(start, start + length);
}

/** Allocates the arrays of `count` records over a slab; the caller fills them. */
export function allocateRecords(count: number, bytes: Uint8Array, partitions: readonly PartitionKey[]): Records {
  return {
    count,
    partitions,
    bytes,
    partition: new Uint16Array(count),
    offsets: new BigInt64Array(count),
    timestamps: new BigInt64Array(count),
    timestampTypes: new Uint8Array(count),
    keyStart: new Uint32Array(count),
    keyLength: new Int32Array(count),
    valueStart: new Uint32Array(count),
    valueLength: new Int32Array(count),
    headersStart: new Uint32Array(count),
    headersLength: new Int32Array(count),
  };
}

/** Joins runs into one, in order, over one new slab; a single run is returned as it is. */
export function concatRecords(runs: readonly Records[]): Records {
  if (runs.length === 1) return runs[0] as Records;
  const partitions: PartitionKey[] = [];
  const indexOf = new Map<string, number>();
  let count = 0;
  let size = 0;
  for (const run of runs) {
    count += run.count;
    size += run.bytes.byteLength;
  }
  const out = allocateRecords(count, new Uint8Array(size), partitions);
  let row = 0;
  let base = 0;
  for (const run of runs) {
    out.bytes.set(run.bytes, base);
    out.offsets.set(run.offsets, row);
    out.timestamps.set(run.timestamps, row);
    out.timestampTypes.set(run.timestampTypes, row);
    const renumber = run.partitions.map((key) => {
      const id = `${key.topic}\u0000${key.topicId}:${key.partition}`;
      let index = indexOf.get(id);
      if (index === undefined) {
        index = partitions.push(key) - 1;
        indexOf.set(id, index);
      }
      return index;
    });
    for (let i = 0; i < run.count; i++) out.partition[row + i] = renumber[run.partition[i] as number] as number;
    for (const part of ["key", "value", "headers"] as const) {
      const starts = out[`${part}Start`];
      const from = run[`${part}Start`];
      for (let i = 0; i < run.count; i++) starts[row + i] = (from[i] as number) + base;
      out[`${part}Length`].set(run[`${part}Length`], row);
    }
    row += run.count;
    base += run.bytes.byteLength;
  }
  return out;
}
