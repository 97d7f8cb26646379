import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { lz4Decompress, snappyDecompress } from "@platformatic/wasm-utils";
import type { KafkaMessage } from "kafkajs";
import kafkajs from "kafkajs";
import { letIdleQueuesSleep } from "../../src/adapters/kafka/kafkajs-request-queue.ts";

/** One record as Kafka holds it; the digest covers key, value, headers and timestamp. */
export interface LogRecord {
  readonly id: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly value: Buffer | null;
  readonly digest: string;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[];
}

// A CommonJS package whose names Node does not see.
const { CompressionTypes, Kafka, logLevel } = kafkajs;

// kafkajs knows gzip only.
const reading = (decompress: (bytes: Buffer) => Buffer) => () => ({
  compress: () => Promise.reject(new Error("the checker only reads")),
  decompress: (bytes: Buffer) => Promise.resolve(decompress(bytes)),
});
kafkajs.CompressionCodecs[CompressionTypes.Snappy] = reading(snappyDecompress);
kafkajs.CompressionCodecs[CompressionTypes.LZ4] = reading(lz4Decompress);
kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = reading((bytes) => zstdDecompressSync(bytes));

/** Digest of everything a producer sent. Null and empty differ; header order counts. */
export function digestRecord(record: {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  readonly timestampMs: bigint;
}): string {
  const hash = createHash("sha256");
  const part = (bytes: Uint8Array | null): void => {
    hash.update(bytes === null ? "N;" : `${bytes.length};`);
    if (bytes !== null) hash.update(bytes);
  };
  part(record.key);
  part(record.value);
  for (const header of record.headers) {
    part(Buffer.from(header.key));
    part(header.value);
  }
  hash.update(`t${record.timestampMs}`);
  return hash.digest("hex");
}

/** kafkajs groups headers by key and so loses the order between different keys; producers here send at most one order per key. */
function headersOf(message: KafkaMessage): { key: string; value: Buffer | null }[] {
  const out: { key: string; value: Buffer | null }[] = [];
  for (const [key, value] of Object.entries(message.headers ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      out.push({ key, value: each === undefined || each === null ? null : Buffer.from(each) });
    }
  }
  return out.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Headers in the order that `digestRecord` is fed with here: by key, and as they came within a key. */
export function sortHeaders<T extends { readonly key: string }>(headers: readonly T[]): T[] {
  return headers.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Reads a whole topic, from its first to its last offset, through kafkajs: a client that the gate's default source shares no code with. */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
): Promise<{ records: LogRecord[]; ends: ReadonlyMap<number, bigint> }> {
  letIdleQueuesSleep();
  const kafka = new Kafka({ brokers: [...brokers], clientId: "conservation", logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const ends = new Map(offsets.map((each) => [each.partition, BigInt(each.high)]));
  const missing = new Map(
    offsets.filter((each) => BigInt(each.high) > BigInt(each.low)).map((each) => [each.partition, BigInt(each.high)]),
  );
  const records: LogRecord[] = [];
  // A member that loses its session and joins again begins at the start once more.
  const next = new Map<number, bigint>();
  if (missing.size === 0) return { records, ends };
  const consumer = kafka.consumer({ groupId: `conservation-${process.pid}-${Date.now()}`, maxBytesPerPartition: 1 << 20 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const done = Promise.withResolvers<void>();
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) {
        if (BigInt(message.offset) < (next.get(batch.partition) ?? 0n)) continue;
        next.set(batch.partition, BigInt(message.offset) + 1n);
        const headers = headersOf(message);
        records.push({
          id: `${batch.partition}:${message.offset}`,
          partition: batch.partition,
          offset: BigInt(message.offset),
          value: message.value,
          headers,
          digest: digestRecord({ key: message.key, value: message.value, headers, timestampMs: BigInt(message.timestamp) }),
        });
      }
      const end = missing.get(batch.partition);
      if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= end) missing.delete(batch.partition);
      if (missing.size === 0) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return { records, ends };
}
