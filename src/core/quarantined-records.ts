import { encodeHeaders } from "./headers.ts";
import type { PartitionKey } from "./position.ts";
import { partitionId } from "./position.ts";
import type { QuarantinedRecord } from "./ports.ts";
import type { Records } from "./records.ts";
import { allocateRecords } from "./records.ts";

/** Quarantined records as a run of source records, byte for byte as they first came; row i is record i. */
export function recordsOfQuarantined(rows: readonly QuarantinedRecord[]): Records {
  const partitions: PartitionKey[] = [];
  const indexes = new Map<string, number>();
  const headers = rows.map((row) => row.headersRaw ?? encodeHeaders(row.headers));
  const size = rows.reduce((sum, row, i) => sum + (row.key?.length ?? 0) + (row.value?.length ?? 0) + (headers[i] as Uint8Array).length, 0);
  const records = allocateRecords(rows.length, new Uint8Array(size), partitions);
  let at = 0;
  const put = (bytes: Uint8Array | null, start: Uint32Array, length: Int32Array, row: number): void => {
    start[row] = at;
    length[row] = bytes === null ? -1 : bytes.length;
    if (bytes === null) return;
    records.bytes.set(bytes, at);
    at += bytes.length;
  };
  rows.forEach((row, i) => {
    const key = { topic: row.topic, topicId: row.topicId, partition: row.partition };
    const index = indexes.get(partitionId(key)) ?? partitions.push(key) - 1;
    indexes.set(partitionId(key), index);
    records.partition[i] = index;
    records.offsets[i] = row.offset;
    records.timestamps[i] = row.timestampMs;
    records.timestampTypes[i] = row.timestampType;
    put(row.key, records.keyStart, records.keyLength, i);
    put(row.value, records.valueStart, records.valueLength, i);
    put(headers[i] as Uint8Array, records.headersStart, records.headersLength, i);
  });
  return records;
}
