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
