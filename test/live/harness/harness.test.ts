import { Admin, Consumer, ListOffsetTimestamps, MessagesStreamModes } from "@platformatic/kafka";
import type { Message } from "@platformatic/kafka";
import { afterAll, describe, expect, it } from "vitest";
import { connectionOptions } from "../../../src/adapters/kafka/connection.ts";
import type { KafkaConnection } from "../../../src/adapters/kafka/connection.ts";
import { cluster, ownBroker, secureBroker } from "./own-brokers.ts";
import { openProducer, produce } from "./produce.ts";
import { kafkaHere, ownBrokersHere, sharedBroker } from "./shared-broker.ts";
import {
  addPartitions,
  clientOptions,
  createTopic,
  deleteRecords,
  deleteTopic,
  leaderOf,
  topicId,
  topicOffsets,
  uniqueTopic,
  withAdmin,
} from "./topics.ts";
import type { Where } from "./topics.ts";

/** Reads a topic's records up to its present ends, by the client's own consumer (which shows aborted ones too). */
async function readAll(where: Where, topic: string, count: number): Promise<Message[]> {
  const consumer = new Consumer({ ...clientOptions(where), groupId: uniqueTopic("reader") });
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false, maxWaitTime: 100 });
  const messages: Message[] = [];
  for await (const message of stream) {
    messages.push(message);
    if (messages.length === count) break;
  }
  await consumer.close(true);
  return messages;
}

/** One try: the harness's own clients would try for a minute. */
async function listTopics(connection: KafkaConnection): Promise<string[]> {
  const admin = new Admin({ ...connectionOptions(connection), retries: 0 });
  try {
    return await admin.listTopics();
  } finally {
    await admin.close();
  }
}

describe.skipIf(!kafkaHere.available)("the shared broker", () => {
  it("is one broker, found again", async () => {
    const [first, second] = await Promise.all([sharedBroker(), sharedBroker()]);
    expect(first.bootstrap).toBe(second.bootstrap);
  });

  it("keeps null and empty apart, and headers with duplicates in order", async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("bytes");
    await createTopic(bootstrap, topic);
    const headers: [string, string | null][] = [
      ["a", "1"],
      ["a", "2"],
      ["b", null],
      ["b", ""],
    ];
    await produce(bootstrap, topic, [
      { key: null, value: "", timestampMs: 1234 },
      { key: "", value: null, timestampMs: 1234 },
      { key: "k", value: "v", headers, timestampMs: 1200 },
    ]);
    const [one, two, three] = (await readAll(bootstrap, topic, 3)) as [Message, Message, Message];
    expect([one.key ?? null, one.value?.length]).toEqual([null, 0]);
    expect([two.key?.length, two.value ?? null]).toEqual([0, null]);
    expect(three.headerEntries.map(([name, value]) => [name.toString(), value?.toString() ?? null])).toEqual(headers);
    expect([one.timestamp, three.timestamp]).toEqual([1234n, 1200n]);
    await expect(produce(bootstrap, topic, [{ value: "now" }, { value: "then", timestampMs: 1234 }])).rejects.toThrow(RangeError);
  });

  it.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)("writes %s", async (codec) => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("codec");
    await createTopic(bootstrap, topic, { partitions: 2 });
    const records = Array.from({ length: 100 }, (_, i) => ({ value: `record ${i} ${"x".repeat(50)}`, partition: i % 2 }));
    expect(await produce(bootstrap, topic, records, codec)).toEqual(
      new Map([
        [0, 0n],
        [1, 0n],
      ]),
    );
    const read = await readAll(bootstrap, topic, 100);
    expect(new Set(read.map((message) => message.value.toString()))).toEqual(new Set(records.map((record) => record.value)));
  });

  it("commits and aborts transactions: each ends in a marker, which takes an offset", async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("transactions");
    await createTopic(bootstrap, topic);
    const producer = openProducer(bootstrap);
    await producer.transaction("commit", () => producer.send(topic, [{ value: "kept" }]));
    await producer.transaction("abort", () => producer.send(topic, [{ value: "gone" }, { value: "gone" }]));
    const open = await producer.begin();
    await producer.send(topic, [{ value: "open" }]);
    const stable = (isolationLevel: 0 | 1) =>
      withAdmin(bootstrap, async (admin) => {
        const partitions = [{ partitionIndex: 0, timestamp: ListOffsetTimestamps.LATEST }];
        const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions }], isolationLevel });
        return listed?.partitions[0]?.offset;
      });
    expect(await stable(0)).toBe(6n);
    expect(await stable(1)).toBe(5n);
    await open.commit();
    await producer.close();
    await expect.poll(() => stable(1), { timeout: 60_000 }).toBe(7n);
  });

  it("deletes records, adds partitions, and gives a topic created again another id", async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("admin");
    const id = await createTopic(bootstrap, topic);
    await produce(bootstrap, topic, [{ value: "1" }, { value: "2" }, { value: "3" }]);
    await deleteRecords(bootstrap, topic, 0, 2n);
    await addPartitions(bootstrap, topic, 2);
    expect(await topicOffsets(bootstrap, topic)).toEqual([
      { earliest: 2n, latest: 3n },
      { earliest: 0n, latest: 0n },
    ]);
    await deleteTopic(bootstrap, topic);
    expect(await createTopic(bootstrap, topic)).not.toBe(id);
    expect(await topicId(bootstrap, topic)).not.toBe(id);
  });
});

describe.skipIf(!ownBrokersHere)("brokers of one's own", () => {
  const ends: (() => Promise<void>)[] = [];
  afterAll(async () => void (await Promise.all(ends.map((end) => end()))));

  it("keeps data over kill -9 and restart", async () => {
    const broker = await ownBroker();
    ends.push(broker.stop);
    const topic = uniqueTopic("own");
    await createTopic(broker.bootstrap, topic);
    await produce(broker.bootstrap, topic, [{ value: "1" }]);
    await broker.kill();
    const again = await broker.restart();
    expect(again.bootstrap).toBe(broker.bootstrap);
    expect(await topicOffsets(again.bootstrap, topic)).toEqual([{ earliest: 0n, latest: 1n }]);
  });

  it("has three nodes; another takes over from a killed leader", async () => {
    const nodes = await cluster();
    ends.push(nodes.stop);
    const topic = uniqueTopic("cluster");
    await createTopic(nodes.bootstrap, topic);
    const leader = await leaderOf(nodes.bootstrap, topic);
    await nodes.kill(leader);
    expect(nodes.pid(leader)).toBeNull();
    await expect.poll(() => leaderOf(nodes.bootstrap, topic), { timeout: 60_000 }).not.toBe(leader);
    await produce(nodes.bootstrap, topic, [{ value: "1" }]);
    await nodes.restart(leader);
    expect(nodes.pid(leader)).not.toBeNull();
  });

  it("speaks TLS and every SASL mechanism, and refuses wrong passwords and strangers", async () => {
    const broker = await secureBroker();
    ends.push(broker.stop);
    const topic = uniqueTopic("secure");
    await createTopic(broker.bootstrapPlain, topic);
    const { ca, cert, key } = broker.tls;
    const base = { brokers: [broker.bootstrap], clientId: "secure-test", tls: { ca } };
    for (const sasl of broker.users) {
      await produce({ ...base, sasl }, topic, [{ value: sasl.mechanism }]);
      await produce({ ...base, tls: undefined as never, brokers: [broker.bootstrapSasl], sasl }, topic, [{ value: sasl.mechanism }]);
      await expect(listTopics({ ...base, sasl: { ...sasl, password: "wrong" } })).rejects.toThrow();
    }
    await produce({ ...base, brokers: [broker.bootstrapTls], tls: { ca, cert, key } }, topic, [{ value: "mutual" }]);
    await expect(listTopics({ ...base, brokers: [broker.bootstrapTls], tls: {} })).rejects.toThrow();
    expect(await topicOffsets(broker.bootstrapPlain, topic)).toEqual([{ earliest: 0n, latest: 7n }]);
  });
});
