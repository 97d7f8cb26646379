import { Consumer, MessagesStreamModes } from "@platformatic/kafka";
import { afterAll, describe, expect, it } from "vitest";
import { KafkaProducer } from "../../../src/adapters/kafka/producer.ts";
import type { OutgoingRecord } from "../../../src/core/ports.ts";
import { freePorts } from "../../../src/adapters/broker/ports.ts";
import { cluster, secureBroker } from "../../live/harness/own-brokers.ts";
import { kafkaHere, ownBrokersHere, sharedBroker } from "../../live/harness/shared-broker.ts";
import { clientOptions, createTopic, leaderOf, topicOffsets, uniqueTopic } from "../../live/harness/topics.ts";
import type { Where } from "../../live/harness/topics.ts";

interface Read {
  readonly partition: number;
  readonly timestamp: bigint;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

/** All records of a topic up to its present ends, in offset order within each partition. */
async function readAll(where: Where, topic: string): Promise<Read[]> {
  const ends = await topicOffsets(where, topic);
  const total = ends.reduce((sum, { latest }) => sum + Number(latest), 0);
  const consumer = new Consumer({ ...clientOptions(where), groupId: uniqueTopic("reader") });
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false, maxWaitTime: 100 });
  const read: Read[] = [];
  for await (const message of stream) {
    const text = (part: Buffer | null | undefined) => part?.toString("latin1") ?? null;
    const headers = message.headerEntries.map(([name, value]) => [name.toString(), text(value)] as const);
    read.push({ partition: message.partition, timestamp: message.timestamp, key: text(message.key), value: text(message.value), headers });
    if (read.length === total) break;
  }
  await consumer.close(true);
  return read;
}

function outgoing(topic: string, value: string | null, more: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return { topic, key: null, value: value === null ? null : Buffer.from(value), headers: [], timestampMs: null, ...more };
}

const connectionTo = (bootstrap: string) => ({ brokers: bootstrap.split(","), clientId: "producer-test" });

describe.skipIf(!kafkaHere.available)("KafkaProducer", () => {
  it("keeps every byte: null apart from empty, duplicate headers in order, timestamps years apart in one call", async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("bytes");
    await createTopic(bootstrap, topic);
    const producer = new KafkaProducer({ connection: connectionTo(bootstrap) });
    const headers = [
      { key: "a", value: Buffer.from("1") },
      { key: "a", value: Buffer.from("2") },
      { key: "b", value: null },
      { key: "b", value: Buffer.alloc(0) },
    ];
    const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const year = 31_557_600_000n;
    await producer.send([
      outgoing(topic, null, { key: Buffer.alloc(0), timestampMs: 44n * year }),
      outgoing(topic, "", { timestampMs: 1n }),
      { topic, key: binary, value: binary, headers, timestampMs: 56n * year },
      outgoing(topic, "last", { timestampMs: 43n * year }),
    ]);
    await producer.close();
    const latin = binary.toString("latin1");
    expect(await readAll(bootstrap, topic)).toEqual([
      { partition: 0, timestamp: 44n * year, key: "", value: null, headers: [] },
      { partition: 0, timestamp: 1n, key: null, value: "", headers: [] },
      {
        partition: 0,
        timestamp: 56n * year,
        key: latin,
        value: latin,
        headers: [
          ["a", "1"],
          ["a", "2"],
          ["b", null],
          ["b", ""],
        ],
      },
      { partition: 0, timestamp: 43n * year, key: null, value: "last", headers: [] },
    ]);
  });

  it("keeps the order of each key over many calls, batches and partitions", async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("order");
    await createTopic(bootstrap, topic, { partitions: 5 });
    const producer = new KafkaProducer({ connection: connectionTo(bootstrap), compression: "zstd" });
    const padding = "x".repeat(500);
    const sends = Array.from({ length: 200 }, (_, call) =>
      producer.send(
        Array.from({ length: 50 }, (_unused, i) => outgoing(topic, `${call * 50 + i} ${padding}`, { key: Buffer.from(`key ${i % 10}`) })),
      ),
    );
    await Promise.all(sends);
    expect(producer.counts).toEqual({ acknowledged: 10_000, resent: 0 });
    await producer.close();
    const read = await readAll(bootstrap, topic);
    expect(read).toHaveLength(10_000);
    for (let k = 0; k < 10; k++) {
      const mine = read.filter(({ key }) => key === `key ${k}`);
      expect(new Set(mine.map(({ partition }) => partition)).size).toBe(1);
      expect(mine.map(({ value }) => Number(value?.split(" ")[0]))).toEqual(Array.from({ length: 1000 }, (_, i) => i * 10 + k));
    }
    expect(new Set(read.map(({ partition }) => partition)).size).toBeGreaterThan(2);
  });

  it("refuses only the record at fault, at once, and sends the others of its batch", async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("refused");
    await createTopic(bootstrap, topic, { configs: { "max.message.bytes": "2000" } });
    const producer = new KafkaProducer({ connection: connectionTo(bootstrap) });
    const [before, tooLarge, after] = await Promise.allSettled([
      producer.send([outgoing(topic, "before")]),
      producer.send([outgoing(topic, "x".repeat(3000))]),
      producer.send([outgoing(topic, "after")]),
    ]);
    expect(before.status).toBe("fulfilled");
    expect(tooLarge).toMatchObject({ status: "rejected", reason: { code: "PRODUCE_REFUSED" } });
    expect(after.status).toBe("fulfilled");
    expect(producer.counts).toEqual({ acknowledged: 2, resent: 0 });
    await producer.close();
    expect((await readAll(bootstrap, topic)).map(({ value }) => value)).toEqual(["before", "after"]);
  });

  it("gives up at its deadline, retryable, where no broker answers or the topic is missing, and goes on after it", async () => {
    const { bootstrap } = await sharedBroker();
    const [nobody] = await freePorts(1);
    const deaf = new KafkaProducer({ connection: connectionTo(`127.0.0.1:${nobody}`), deadlineMs: 700 });
    const began = Date.now();
    await expect(deaf.send([outgoing("any", "x")])).rejects.toMatchObject({ code: "SINK_UNAVAILABLE", retryable: true });
    expect(Date.now() - began).toBeLessThan(20_000);
    await deaf.close();

    const topic = uniqueTopic("late");
    const producer = new KafkaProducer({ connection: connectionTo(bootstrap), deadlineMs: 3000 });
    await expect(producer.send([outgoing(topic, "1")])).rejects.toMatchObject({
      code: "SINK_UNAVAILABLE",
      message: `the topic ${topic} does not exist, and the brokers don't make it: create it`,
    });
    await createTopic(bootstrap, topic);
    await producer.send([outgoing(topic, "2")]);
    await producer.close();
    expect((await readAll(bootstrap, topic)).map(({ value }) => value)).toEqual(["2"]);
  });

  it("closes in the time it is given, whatever brokers leave unanswered: what waits is rejected, retryable", async () => {
    const { bootstrap } = await sharedBroker();
    const producer = new KafkaProducer({ connection: connectionTo(bootstrap), closeWithinMs: 300 });
    const sent = expect(producer.send([outgoing(uniqueTopic("missing"), "x")])).rejects.toMatchObject({
      code: "SINK_UNAVAILABLE",
      retryable: true,
    });
    const began = Date.now();
    await producer.close();
    await sent;
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  it("bounds what waits: beyond the limit a send is refused, retryable", async () => {
    const { bootstrap } = await sharedBroker();
    const topic = uniqueTopic("bounded");
    await createTopic(bootstrap, topic);
    const producer = new KafkaProducer({ connection: connectionTo(bootstrap), queueBytesMax: 1000 });
    const large = producer.send([outgoing(topic, "x".repeat(5000))]);
    await expect(producer.send([outgoing(topic, "y")])).rejects.toMatchObject({ code: "SINK_UNAVAILABLE", retryable: true });
    await large;
    await producer.send([outgoing(topic, "z")]);
    await producer.close();
    await expect(producer.send([outgoing(topic, "closed")])).rejects.toMatchObject({ code: "SINK_UNAVAILABLE" });
  });
});

describe.skipIf(!ownBrokersHere)("KafkaProducer on brokers of its own", () => {
  const ends: (() => Promise<void>)[] = [];
  afterAll(async () => void (await Promise.all(ends.map((end) => end()))));

  it("loses nothing that was acknowledged when leaders are killed, three times", { timeout: 600_000 }, async () => {
    const nodes = await cluster();
    ends.push(nodes.stop);
    const topic = uniqueTopic("failover");
    await createTopic(nodes.bootstrap, topic, { partitions: 3 });
    const producer = new KafkaProducer({ connection: connectionTo(nodes.bootstrap), deadlineMs: 120_000 });
    const acknowledged: string[] = [];
    const stopping = new AbortController();
    const failures: unknown[] = [];
    const work = (async () => {
      for (let call = 0; !stopping.signal.aborted; call++) {
        const values = Array.from({ length: 20 }, (_, i) => `${call}-${i}`);
        await producer.send(values.map((value) => outgoing(topic, value, { key: Buffer.from(value) }))).then(
          () => acknowledged.push(...values),
          (error: unknown) => failures.push(error),
        );
      }
    })();
    for (let kill = 0; kill < 3; kill++) {
      const enough = acknowledged.length + 1000;
      await expect.poll(() => acknowledged.length, { timeout: 120_000, interval: 20 }).toBeGreaterThan(enough);
      const leader = await leaderOf(nodes.bootstrap, topic, kill);
      await nodes.kill(leader);
      await expect.poll(() => leaderOf(nodes.bootstrap, topic, kill), { timeout: 60_000 }).not.toBe(leader);
      await nodes.restart(leader);
    }
    const enough = acknowledged.length + 1000;
    await expect.poll(() => acknowledged.length, { timeout: 120_000, interval: 20 }).toBeGreaterThan(enough);
    stopping.abort();
    await work;
    const { resent } = producer.counts;
    await producer.close();
    expect(failures).toEqual([]);
    const read = await readAll(nodes.bootstrap, topic);
    const seen = new Set(read.map(({ value }) => value));
    expect(acknowledged.filter((value) => !seen.has(value))).toEqual([]);
    const doubled = read.length - seen.size;
    console.log(
      `leader kills: ${acknowledged.length} acknowledged, all there; ${doubled} doubled, ${resent} resent by the producer itself`,
    );
    expect(doubled).toBeLessThanOrEqual(resent);
  });

  it("speaks TLS and SASL, and says at once that a password is wrong", async () => {
    const broker = await secureBroker();
    ends.push(broker.stop);
    const topic = uniqueTopic("secure");
    await createTopic(broker.bootstrapPlain, topic);
    for (const sasl of broker.users) {
      const connection = { brokers: [broker.bootstrap], clientId: "producer-test", tls: { ca: broker.tls.ca }, sasl };
      const producer = new KafkaProducer({ connection });
      await producer.send([outgoing(topic, sasl.mechanism)]);
      await producer.close();
      const wrong = new KafkaProducer({ connection: { ...connection, sasl: { ...sasl, password: "wrong" } } });
      await expect(wrong.send([outgoing(topic, "never")])).rejects.toMatchObject({ code: "PRODUCE_REFUSED" });
      await wrong.close();
    }
    expect((await readAll(broker.bootstrapPlain, topic)).map(({ value }) => value)).toEqual(broker.users.map(({ mechanism }) => mechanism));
  });
});
