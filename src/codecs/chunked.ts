import type { Batch } from "../core/batch.ts";
import type { ChunkDecoder } from "../core/codec.ts";
import { sliceRecords } from "../core/record-chunks.ts";
import type { Records } from "../core/records.ts";

/** Most records, and most bytes of values, of one chunk. */
export interface ChunkLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

export const chunkLimits: ChunkLimits = { rowsMax: 2048, bytesMax: 1 << 20 };

/** Where a chunk that begins at `from` ends: as many records as the limits allow, and at least one. */
export function chunkEnd(records: Records, from: number, limits: ChunkLimits): number {
  const last = Math.min(records.count, from + limits.rowsMax);
  let left = limits.bytesMax;
  let to = from;
  for (; to < last; to++) {
    const length = records.valueLength[to] as number;
    if (length > 0) left -= length;
    if (left < 0 && to > from) break;
  }
  return to;
}

/** A chunk decoder of any codec's function: its batches have columns of their own. */
export function chunked(decode: (records: Records) => Batch, limits: ChunkLimits = chunkLimits): ChunkDecoder {
  return { decode: (records, from) => decode(sliceRecords(records, from, chunkEnd(records, from, limits))) };
}
