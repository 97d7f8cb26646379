import type { Records } from "./records.ts";

/** Some rows of a run as a run of their own: views of the same arrays and slab. */
export function sliceRecords(records: Records, from: number, to: number): Records {
  if (from === 0 && to === records.count) return records;
  return {
    ...records,
    count: to - from,
    partition: records.partition.subarray(from, to),
    offsets: records.offsets.subarray(from, to),
    timestamps: records.timestamps.subarray(from, to),
    timestampTypes: records.timestampTypes.subarray(from, to),
    keyStart: records.keyStart.subarray(from, to),
    keyLength: records.keyLength.subarray(from, to),
    valueStart: records.valueStart.subarray(from, to),
    valueLength: records.valueLength.subarray(from, to),
    headersStart: records.headersStart.subarray(from, to),
    headersLength: records.headersLength.subarray(from, to),
  };
}

/** Cuts a run, in order, into runs of at most `rowsMax` rows and about `bytesMax` bytes of values; a row above that stands alone. */
export function* chunkRecords(records: Records, rowsMax: number, bytesMax: number): Iterable<Records> {
  let from = 0;
  let bytes = 0;
  for (let row = 0; row < records.count; row++) {
    const size = Math.max(0, records.valueLength[row] as number);
    if (row > from && (row - from === rowsMax || bytes + size > bytesMax)) {
      yield sliceRecords(records, from, row);
      from = row;
      bytes = 0;
    }
    bytes += size;
  }
  if (records.count > from) yield sliceRecords(records, from, records.count);
}
