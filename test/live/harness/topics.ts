import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin, ListOffsetTimestamps } from "@platformatic/kafka";
import type { KafkaConnection } from "../../../src/adapters/kafka/connection.ts";
import { connectionOptions } from "../../../src/adapters/kafka/connection.ts";

/** A name that no other test uses. */
export function uniqueTopic(name: string): string {
  return `${name}-${randomBytes(4).toString("hex")}`;
}

/** Where a harness function finds Kafka: `host:port[,host:port]` without security, or all of a connection's settings. */
export type Where = string | KafkaConnection;

/** The client options of a place. */
export function clientOptions(where: Where): ReturnType<typeof connectionOptions> & { retries: number; retryDelay: number } {
  const connection = typeof where === "string" ? { brokers: where.split(","), clientId: "sluice-test" } : where;
  return { ...connectionOptions(connection), retries: 60, retryDelay: 100 };
}

/** Runs `work` with an admin client and closes it. */
export async function withAdmin<T>(where: Where, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin(clientOptions(where));
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

/** Creates a topic and resolves with its id once every partition has a leader. Default: one partition, the broker's default of replicas. */
export function createTopic(
  where: Where,
  topic: string,
  options: { partitions?: number; replicas?: number; configs?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { partitions = 1, replicas = -1, configs = {} } = options;
  return withAdmin(where, async (admin) => {
    await admin.createTopics({
      topics: [topic],
      partitions,
      replicas,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    });
    return awaitLeaders(admin, topic, partitions);
  });
}

async function awaitLeaders(admin: Admin, topic: string, partitions: number): Promise<string> {
  for (;;) {
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true }).catch(() => null);
    const found = metadata?.topics.get(topic);
    if (found !== undefined && found.partitionsCount === partitions && found.partitions.every((partition) => partition.leader >= 0)) {
      return found.id;
    }
    await sleep(50);
  }
}

/** Deletes a topic and resolves when the brokers no longer know it. */
export function deleteTopic(where: Where, topic: string): Promise<void> {
  return withAdmin(where, async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    while ((await admin.listTopics()).includes(topic)) await sleep(50);
  });
}

/** The topic's id, a UUID, as the brokers say it now. */
export function topicId(where: Where, topic: string): Promise<string> {
  return withAdmin(where, async (admin) => (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.id ?? "");
}

/** The broker that leads a partition now; -1 while none does. */
export function leaderOf(where: Where, topic: string, partition = 0): Promise<number> {
  return withAdmin(where, async (admin) => {
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
    return metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1;
  });
}

/** Removes the records before `before` of one partition, as retention would. */
export function deleteRecords(where: Where, topic: string, partition: number, before: bigint): Promise<void> {
  return withAdmin(where, async (admin) => {
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: before }] }] });
  });
}

/** Adds partitions to a topic. */
export function addPartitions(where: Where, topic: string, total: number): Promise<void> {
  return withAdmin(where, async (admin) => {
    await admin.createPartitions({ topics: [{ name: topic, count: total }] });
    await awaitLeaders(admin, topic, total);
  });
}

/** First and next offset of every partition, in partition order. */
export function topicOffsets(where: Where, topic: string): Promise<{ earliest: bigint; latest: bigint }[]> {
  return withAdmin(where, async (admin) => {
    const count = (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.partitionsCount ?? 0;
    const list = async (timestamp: bigint) => {
      const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }));
      const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
      return new Map(listed?.partitions.map((entry) => [entry.partitionIndex, entry.offset]));
    };
    const [earliest, latest] = [await list(ListOffsetTimestamps.EARLIEST), await list(ListOffsetTimestamps.LATEST)];
    return Array.from({ length: count }, (_, i) => ({ earliest: earliest.get(i) ?? -1n, latest: latest.get(i) ?? -1n }));
  });
}
