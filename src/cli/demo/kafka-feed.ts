import { Admin, Producer } from "@platformatic/kafka";
import { connectionOptions } from "../../adapters/kafka/connection.ts";
import type { KafkaSourceConfig } from "../../config/config.ts";
import { createTopicEnds } from "../topic-ends.ts";
import { connectionOf } from "../kafka-connection.ts";
import type { DemoRecord } from "./flight-records.ts";

const chunkRecords = 2000;
const patienceMs = 15_000;

/** Makes the demo's topics: records never expire, whatever their time. */
export async function createTopics(
  source: KafkaSourceConfig,
  topics: readonly { readonly name: string; readonly partitions: number }[],
): Promise<void> {
  const admin = new Admin({ ...connectionOptions(connectionOf(source, "sluice-demo")), retries: 60, retryDelay: 100 });
  try {
    for (const { name, partitions } of topics) {
      await admin.createTopics({ topics: [name], partitions, replicas: -1, configs: [{ name: "retention.ms", value: "-1" }] });
    }
  } finally {
    await admin.close();
  }
}

/** How many records of each partition are in the topic already: what a killed demo had produced. */
export async function countProduced(source: KafkaSourceConfig, topic: string): Promise<readonly number[]> {
  const cluster = createTopicEnds(source, patienceMs);
  try {
    return (await cluster.positions(topic, { at: "latest" })).map((one) => Number(one.next));
  } finally {
    await cluster.close();
  }
}

/**
 * Produces records, index modulo partitions, in order and each once: the first `produced[p]` of partition p are there already and are left out.
 * One request at a time, idempotent, acks of all replicas: what is in a partition is always a beginning of its sequence, so a killed demo can go on.
 */
export async function produceRecords(
  source: KafkaSourceConfig,
  feed: {
    readonly topic: string;
    readonly partitions: number;
    readonly records: AsyncIterable<DemoRecord>;
    readonly produced: readonly number[];
    readonly onProduced: (records: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { topic, partitions, produced, onProduced, signal } = feed;
  const producer = new Producer({
    ...connectionOptions(connectionOf(source, "sluice-demo")),
    idempotent: true,
    retries: 100,
    retryDelay: 100,
  });
  let chunk: { topic: string; partition: number; key: Buffer; value: Buffer }[] = [];
  const flush = async (): Promise<void> => {
    if (chunk.length === 0) return;
    await producer.send({ messages: chunk, acks: -1 });
    onProduced(chunk.length);
    chunk = [];
  };
  try {
    for await (const { index, key, value } of feed.records) {
      if (signal.aborted) return;
      const partition = index % partitions;
      if (Math.floor(index / partitions) < (produced[partition] ?? 0)) continue;
      // The client's types know no null; its encoder writes null for undefined.
      const bytes = value === null ? undefined : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      chunk.push({ topic, partition, key, value: bytes as Buffer });
      if (chunk.length >= chunkRecords) await flush();
    }
    await flush();
  } finally {
    await producer.close();
  }
}
