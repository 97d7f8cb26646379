import { Producer } from "@platformatic/kafka";
import type { CompressionAlgorithmValue } from "@platformatic/kafka";
import { clientOptions } from "./topics.ts";
import type { Where } from "./topics.ts";

/** A record to write; text is UTF-8, null is Kafka's null, and an absent key or value is null too. */
export interface TestRecord {
  readonly key?: string | Uint8Array | null;
  readonly value?: string | Uint8Array | null;
  /** In order; duplicate names are kept. */
  readonly headers?: readonly (readonly [string, string | Uint8Array | null])[];
  /** Default 0. */
  readonly partition?: number;
  readonly timestampMs?: number;
}

export type Codec = CompressionAlgorithmValue;

/** A writer of test records: each `send` is one record batch a partition. */
export interface TestProducer {
  /** Offset of the first record of each partition written. */
  readonly send: (topic: string, records: readonly TestRecord[], codec?: Codec) => Promise<Map<number, bigint>>;
  /** Runs `write` in one transaction and ends it as said; `send` inside `write` belongs to it. */
  readonly transaction: (end: "commit" | "abort", write: () => Promise<unknown>) => Promise<void>;
  /** Begins a transaction that stays open; the returned functions end it. */
  readonly begin: () => Promise<{ commit: () => Promise<void>; abort: () => Promise<void> }>;
  readonly close: () => Promise<void>;
}

/** Opens a writer. Give `transactionalId` to share or fence one between writers; `retries` (20 ms apart) are 500 by default, through an election. */
export function openProducer(where: Where, options: { transactionalId?: string; retries?: number } = {}): TestProducer {
  const producer = new Producer({
    ...clientOptions(where),
    idempotent: true,
    retryDelay: 20,
    retries: options.retries ?? 500,
    ...(options.transactionalId !== undefined && { transactionalId: options.transactionalId }),
  });
  let open: Awaited<ReturnType<typeof producer.beginTransaction>> | null = null;
  const begin = async () => {
    const transaction = await producer.beginTransaction();
    open = transaction;
    const end = (how: "commit" | "abort") => () => {
      open = null;
      return transaction[how]();
    };
    return { commit: end("commit"), abort: end("abort") };
  };
  return {
    send: async (topic, records, codec = "none") => {
      const messages = records.map((record) => toMessage(topic, record));
      refuseWideTimestamps(messages);
      const result = await (open ?? producer).send({ messages, compression: codec, acks: -1 });
      return new Map(result.offsets?.map((entry) => [entry.partition, entry.offset]));
    },
    begin,
    transaction: async (end, write) => {
      const transaction = await begin();
      await write();
      await transaction[end]();
    },
    close: () => producer.close(),
  };
}

/** Writes records to a topic and closes: one batch a partition. */
export async function produce(
  where: Where,
  topic: string,
  records: readonly TestRecord[],
  codec: Codec = "none",
): Promise<Map<number, bigint>> {
  const producer = openProducer(where);
  try {
    return await producer.send(topic, records, codec);
  } finally {
    await producer.close();
  }
}

/** The client corrupts timestamps that are 2^31 ms (25 days) or more from the batch's first: its varints are right for 32 bits only. */
function refuseWideTimestamps(messages: readonly { timestamp?: bigint }[]): void {
  const now = BigInt(Date.now());
  const times = messages.map((message) => message.timestamp ?? now);
  if (times.some((time) => time - (times[0] as bigint) >= 2n ** 31n || (times[0] as bigint) - time >= 2n ** 31n)) {
    throw new RangeError("timestamps of one batch must lie within 24 days of each other: write them in several sends");
  }
}

function toMessage(topic: string, record: TestRecord) {
  return {
    topic,
    partition: record.partition ?? 0,
    // The client's types know no null; its encoder writes null for undefined.
    key: bytes(record.key) as Buffer,
    value: bytes(record.value) as Buffer,
    // Its headers are a Map by identity: two equal buffers are two keys, so duplicates survive.
    headers: new Map((record.headers ?? []).map(([name, value]) => [Buffer.from(name), bytes(value) as Buffer])),
    ...(record.timestampMs !== undefined && { timestamp: BigInt(record.timestampMs) }),
  };
}

function bytes(part: string | Uint8Array | null | undefined): Buffer | undefined {
  if (part === null || part === undefined) return undefined;
  return typeof part === "string" ? Buffer.from(part) : Buffer.from(part.buffer, part.byteOffset, part.byteLength);
}
