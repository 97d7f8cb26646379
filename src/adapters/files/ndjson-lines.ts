import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey } from "../../core/position.ts";
import { allocateRecords, TimestampType } from "../../core/records.ts";
import type { Records } from "../../core/records.ts";

const lineFeed = 10;
const carriageReturn = 13;

/** Rows of a file, with the offset that follows them. */
export interface FileRows {
  readonly records: Records;
  readonly next: bigint;
  /** To be called when nobody looks at the records' bytes any more; absent: the collector takes them. */
  readonly recycle?: () => void;
}

/** Memory for pieces of a file, used again once nobody looks at what it held. */
export class ChunkPool {
  readonly #free: Buffer[] = [];

  /** A buffer of at least so many bytes. */
  take(bytes: number): Buffer {
    const at = this.#free.findIndex((each) => each.length >= bytes);
    return at < 0 ? Buffer.allocUnsafeSlow(bytes) : (this.#free.splice(at, 1)[0] as Buffer);
  }

  give(buffer: Buffer): void {
    if (this.#free.length < 16) this.#free.push(buffer);
  }
}

/** What one run may hold, and what one record may. */
export interface FileRowLimits {
  readonly runRowsMax: number;
  readonly recordBytesMax: number;
}

/**
 * Lines as records: the value is the line's bytes without its end (LF or CRLF), the offset its number from 0. Empty lines are no records and leave holes
 * in the offsets; a last line needs no end. Lines before `from` are passed over. Memory holds one chunk and at most one line of `recordBytesMax`:
 * a longer one rejects with SOURCE_OVERSIZED, after the rows before it.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  key: PartitionKey,
  from: bigint,
  limits: FileRowLimits,
): AsyncGenerator<FileRows> {
  let line = 0;
  let pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const end = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).lastIndexOf(lineFeed) + 1;
    pieces.push(end === 0 || end === chunk.length ? chunk : chunk.subarray(0, end));
    size += end === 0 ? chunk.length : end;
    if (end === 0) {
      if (size > limits.recordBytesMax + 1) throw oversized(key, line, limits);
      continue;
    }
    const slab = pieces.length === 1 ? Buffer.from(chunk.buffer, chunk.byteOffset, end) : Buffer.concat(pieces);
    // A copy: a view would keep the whole chunk.
    pieces = end === chunk.length ? [] : [chunk.slice(end)];
    size = chunk.length - end;
    line = yield* splitLines(slab, line, { key, from, limits });
  }
  if (size > 0) yield* splitLines(Buffer.concat(pieces), line, { key, from, limits });
}

/** Whose lines they are, from which on, and how large they may be. */
export interface SplitContext {
  readonly key: PartitionKey;
  readonly from: bigint;
  readonly limits: FileRowLimits;
}

/** Hands out the whole lines of a slab as runs; answers the number of the line that follows. */
export function* splitLines(slab: Buffer, first: number, { key, from, limits }: SplitContext): Generator<FileRows, number> {
  let line = first;
  let at = 0;
  const skipped = Number(from);
  while (line < skipped && at < slab.length) {
    at = endOfLine(slab, at) + 1;
    line++;
  }
  while (at < slab.length) {
    const begin = at;
    const starts: number[] = [];
    const lengths: number[] = [];
    const lines: number[] = [];
    let tooLong = false;
    while (at < slab.length && starts.length < limits.runRowsMax) {
      const end = endOfLine(slab, at);
      const length = end - at - (end > at && slab[end - 1] === carriageReturn ? 1 : 0);
      tooLong = length > limits.recordBytesMax;
      if (tooLong) break;
      if (length > 0) {
        starts.push(at - begin);
        lengths.push(length);
        lines.push(line);
      }
      line++;
      at = end + 1;
    }
    // Only the run's own bytes: they are what backpressure and windows count.
    if (at > begin) yield { records: recordsOf(slab.subarray(begin, at), key, { starts, lengths, lines }), next: BigInt(line) };
    if (tooLong) throw oversized(key, line, limits);
  }
  return line;
}

function endOfLine(slab: Buffer, at: number): number {
  const end = slab.indexOf(lineFeed, at);
  return end < 0 ? slab.length : end;
}

function oversized(key: PartitionKey, line: number, limits: FileRowLimits): SluiceError {
  return new SluiceError("SOURCE_OVERSIZED", `line ${line + 1} of ${key.topic} is longer than ${limits.recordBytesMax} bytes`, {
    details: { topic: key.topic, topicId: key.topicId, offset: line },
  });
}

/** Values over one slab: no keys, headers or timestamps. */
export function recordsOf(
  slab: Uint8Array,
  key: PartitionKey,
  spans: { readonly starts: ArrayLike<number>; readonly lengths: ArrayLike<number>; readonly lines: ArrayLike<number> },
): Records {
  const count = spans.starts.length;
  const records = allocateRecords(count, slab, [key]);
  records.timestamps.fill(-1n);
  records.timestampTypes.fill(TimestampType.none);
  records.keyLength.fill(-1);
  records.valueStart.set(spans.starts);
  records.valueLength.set(spans.lengths);
  for (let row = 0; row < count; row++) records.offsets[row] = BigInt(spans.lines[row] as number);
  return records;
}
