import type { PartitionKey } from "./position.ts";
import type { Records } from "./records.ts";
import { recordsBytes } from "./records.ts";

/** One run in a packed buffer: its rows, its slab, and which of the packed partitions its own are. */
interface PackedRun {
  readonly count: number;
  /** Where its slab begins among the slabs. */
  readonly slabStart: number;
  readonly partitions: readonly number[];
}

/** Runs of records in one buffer, which another thread can see. */
export interface PackedRecords {
  readonly buffer: ArrayBufferLike;
  /** Used from its start. */
  readonly usedBytes: number;
  readonly count: number;
  readonly partitions: readonly PartitionKey[];
  readonly runs: readonly PackedRun[];
}

const wordArrays = ["keyStart", "keyLength", "valueStart", "valueLength", "headersStart", "headersLength"] as const;
/** Of one record: two of 8 bytes, six of 4, a partition of 2 and a timestamp type of 1. */
const bytesPerRow = 8 + 8 + 6 * 4 + 2 + 1;
/** Between memory that is shared and memory that isn't, V8 copies a word at a time where both begin at the same place in a word, and else a byte at a time. */
const wordBytes = 8;

/**
 * A run without the bytes of values larger than `valueBytesMax`, whose lengths stay: for those who don't look at such values. The run itself where it
 * has none.
 */
export function withoutLargeValues(run: Records, valueBytesMax: number): Records {
  if (run.bytes.byteLength <= valueBytesMax || !run.valueLength.some((length) => length > valueBytesMax)) return run;
  const kept = (row: number): readonly ["key" | "value" | "headers", number][] =>
    (["key", "value", "headers"] as const).map((part) => {
      const length = Math.max(0, run[`${part}Length`][row] as number);
      return [part, part === "value" && length > valueBytesMax ? 0 : length];
    });
  let size = 0;
  for (let row = 0; row < run.count; row++) for (const [, length] of kept(row)) size += length;
  const bytes = new Uint8Array(size);
  const starts = { key: new Uint32Array(run.count), value: new Uint32Array(run.count), headers: new Uint32Array(run.count) };
  let at = 0;
  for (let row = 0; row < run.count; row++) {
    for (const [part, length] of kept(row)) {
      const from = run[`${part}Start`][row] as number;
      starts[part][row] = at;
      bytes.set(run.bytes.subarray(from, from + length), at);
      at += length;
    }
  }
  return { ...run, bytes, keyStart: starts.key, valueStart: starts.value, headersStart: starts.headers };
}

/** What a buffer needs to hold these runs. */
export function packedBytes(runs: readonly Records[]): number {
  return runs.reduce((sum, run) => sum + run.bytes.byteLength + run.count * bytesPerRow + wordBytes, 0);
}

/** Bytes that backpressure counts while packed records are on their way. */
export function runsBytes(runs: readonly Records[]): number {
  return runs.reduce((sum, run) => sum + recordsBytes(run), 0);
}

/** Copies runs into a buffer of at least `packedBytes`: one copy of each array and of each slab, no work a record where a run is of one partition. */
export function packRecords(runs: readonly Records[], buffer: ArrayBufferLike): PackedRecords {
  const partitions: PartitionKey[] = [];
  const indexOf = new Map<string, number>();
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const slabAt = count * bytesPerRow;
  let end = slabAt;
  const packed = runs.map((run): PackedRun => {
    const { byteOffset, byteLength } = run.bytes;
    const start = end + ((((byteOffset - end) % wordBytes) + wordBytes) % wordBytes);
    end = start + byteLength;
    const own = run.partitions.map((key) => {
      const id = `${key.topic}\u0000${key.topicId}:${key.partition}`;
      const index = indexOf.get(id) ?? partitions.push(key) - 1;
      indexOf.set(id, index);
      return index;
    });
    return { count: run.count, slabStart: start - slabAt, partitions: own };
  });
  const out = arraysOver(buffer, count);
  let row = 0;
  for (const [i, run] of runs.entries()) {
    const { partitions: own, slabStart } = packed[i] as PackedRun;
    out.offsets.set(run.offsets, row);
    out.timestamps.set(run.timestamps, row);
    for (const name of wordArrays) out[name].set(run[name], row);
    if (own.length === 1) out.partition.fill(own[0] as number, row, row + run.count);
    else for (let k = 0; k < run.count; k++) out.partition[row + k] = own[run.partition[k] as number] as number;
    out.timestampTypes.set(run.timestampTypes, row);
    new Uint8Array(buffer, slabAt + slabStart, run.bytes.byteLength).set(run.bytes);
    row += run.count;
  }
  return { buffer, usedBytes: end, count, partitions, runs: packed };
}

/** The records of a packed buffer, as views of it; starts are moved to where their run's slab stands. To be called once. */
export function unpackRecords({ buffer, usedBytes, count, partitions, runs }: PackedRecords): Records {
  const arrays = arraysOver(buffer, count);
  // A single run keeps its starts.
  const slabsAt = runs.length === 1 ? (runs[0] as PackedRun).slabStart : 0;
  const slabAt = count * bytesPerRow + slabsAt;
  let row = 0;
  for (const { count: rows, slabStart } of runs) {
    if (slabStart > slabsAt) {
      for (const starts of [arrays.keyStart, arrays.valueStart, arrays.headersStart]) {
        for (let k = row; k < row + rows; k++) starts[k] = (starts[k] as number) + slabStart;
      }
    }
    row += rows;
  }
  return { count, partitions, ...arrays, bytes: new Uint8Array(buffer, slabAt, usedBytes - slabAt) };
}

function arraysOver(buffer: ArrayBufferLike, count: number): Omit<Records, "count" | "partitions" | "bytes"> {
  let at = 0;
  const take = (bytes: number): number => {
    const start = at;
    at += bytes;
    return start;
  };
  return {
    offsets: new BigInt64Array(buffer, take(count * 8), count),
    timestamps: new BigInt64Array(buffer, take(count * 8), count),
    keyStart: new Uint32Array(buffer, take(count * 4), count),
    keyLength: new Int32Array(buffer, take(count * 4), count),
    valueStart: new Uint32Array(buffer, take(count * 4), count),
    valueLength: new Int32Array(buffer, take(count * 4), count),
    headersStart: new Uint32Array(buffer, take(count * 4), count),
    headersLength: new Int32Array(buffer, take(count * 4), count),
    partition: new Uint16Array(buffer, take(count * 2), count),
    timestampTypes: new Uint8Array(buffer, take(count), count),
  };
}
