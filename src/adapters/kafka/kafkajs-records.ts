import kafkajs from "kafkajs";
import type { KafkaMessage } from "kafkajs";
import { encodeHeaders } from "../../core/headers.ts";
import type { PartitionKey } from "../../core/position.ts";
import { allocateRecords, TimestampType } from "../../core/records.ts";
import type { Header, Records } from "../../core/records.ts";
import { Compression, decompress } from "./compression.ts";

/** What kafkajs knows of a record's batch and its types don't say. */
interface BatchContext {
  readonly timestampType?: number;
}

/**
 * Gives kafkajs the codecs it lacks, and ours for gzip too, within a size for one batch. Its registry is one a process: the last size given counts.
 */
export function registerCodecs(batchBytesMax: number): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  const codecs = [
    [CompressionTypes.GZIP, Compression.gzip],
    [CompressionTypes.Snappy, Compression.snappy],
    [CompressionTypes.LZ4, Compression.lz4],
    [CompressionTypes.ZSTD, Compression.zstd],
  ] as const;
  for (const [type, codec] of codecs) {
    CompressionCodecs[type] = () => ({
      compress: () => Promise.reject(new Error("Sluice does not produce through kafkajs")),
      decompress: (bytes: Buffer) => Promise.resolve(decompress(codec, bytes, batchBytesMax)),
    });
  }
}

/** kafkajs messages of one partition as a run's records, copied into a slab of their own. */
export function toRecords(key: PartitionKey, messages: readonly KafkaMessage[]): Records {
  const headers = messages.map((message) => encodeHeaders(headersOfMessage(message)));
  const size = messages.reduce(
    (sum, { key: k, value }, i) => sum + (k?.length ?? 0) + (value?.length ?? 0) + (headers[i] as Uint8Array).length,
    0,
  );
  const slab = new Uint8Array(size);
  const records = allocateRecords(messages.length, slab, [key]);
  let at = 0;
  const put = (bytes: Uint8Array | null, starts: Uint32Array, lengths: Int32Array, row: number): void => {
    starts[row] = at;
    lengths[row] = bytes === null ? -1 : bytes.length;
    if (bytes === null) return;
    slab.set(bytes, at);
    at += bytes.length;
  };
  messages.forEach((message, row) => {
    const { timestampType } = (message as KafkaMessage & { batchContext?: BatchContext }).batchContext ?? {};
    records.offsets[row] = BigInt(message.offset);
    records.timestamps[row] = BigInt(message.timestamp);
    records.timestampTypes[row] = timestampType === 1 ? TimestampType.logAppend : TimestampType.create;
    put(message.key, records.keyStart, records.keyLength, row);
    put(message.value, records.valueStart, records.valueLength, row);
    put(headers[row] as Uint8Array, records.headersStart, records.headersLength, row);
  });
  return records;
}

/** kafkajs keeps headers as an object by name: equal names stay in their order, but next to each other; that is all it can say. */
function headersOfMessage({ headers }: KafkaMessage): Header[] {
  const list: Header[] = [];
  for (const [key, given] of Object.entries(headers ?? {})) {
    for (const value of Array.isArray(given) ? given : [given])
      list.push({ key, value: typeof value === "string" ? Buffer.from(value) : (value ?? null) });
  }
  return list;
}
