import { afterAll, describe, expect, it } from "vitest";
import { TopicCopies } from "../../../src/adapters/kafka/topic-copies.ts";
import type { CopiesErased, RecordCopy } from "../../../src/core/record-copies.ts";
import { readTopic } from "../../conservation/kafka-log.ts";
import type { TestRecord } from "../../live/harness/produce.ts";
import { openProducer, produce } from "../../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../../live/harness/shared-broker.ts";
import { createTopic, topicOffsets, uniqueTopic } from "../../live/harness/topics.ts";

const text = (part: Uint8Array | null): string => (part === null ? "" : Buffer.from(part).toString());
const isErika = ({ key, value, headers }: RecordCopy): boolean =>
  [key, value, ...headers.map((each) => each.value)].some((part) => text(part).includes("erika"));

const broker = kafkaHere.available ? await sharedBroker() : null;
const opened: TopicCopies[] = [];
afterAll(() => Promise.all(opened.map((each) => each.close())));

async function open(topic: string): Promise<TopicCopies> {
  const copies = await TopicCopies.open({ brokers: broker!.brokers, clientId: "test" }, topic);
  opened.push(copies!);
  return copies!;
}

/** What a client that shares no code with ours reads, by partition: all of a record but its offset. */
async function digests(topic: string): Promise<string[]> {
  return (await readTopic(broker!.brokers, topic)).records.map(({ partition, digest }) => `${partition} ${digest}`).toSorted();
}

describe.skipIf(broker === null)("copies on a topic", () => {
  it("are erased, and what stands between them is kept as it is: bytes, headers, times and partition", async () => {
    const topic = uniqueTopic("dlq");
    // The old times are beyond the default retention.
    await createTopic(broker!.bootstrap, topic, { partitions: 3, configs: { "retention.ms": "-1" } });
    const day = 86_400_000;
    const others: TestRecord[][] = [
      [
        {
          key: "k1",
          value: "one",
          timestampMs: 1_700_000_000_000,
          headers: [
            ["h", "a"],
            ["h", null],
            ["h", new Uint8Array()],
          ],
        },
        { value: null, key: "k2", timestampMs: 1_700_000_000_001 },
      ],
      [{ key: null, value: new Uint8Array([0, 255, 1]), partition: 1, timestampMs: 1_700_000_000_000 + 300 * day }],
      Array.from({ length: 2500 }, (_, i) => ({ key: `k${i}`, value: `value ${i}`.repeat(20), timestampMs: 1_700_000_000_000 + i })),
      // No copy is in this partition: it is left as it is.
      [{ key: "z", value: "untouched", partition: 2, timestampMs: 1_700_000_000_000 }],
    ];
    const writer = openProducer(broker!.bootstrap, { transactionalId: topic });
    const plain = openProducer(broker!.bootstrap);
    try {
      for (const each of others) await plain.send(topic, each, "gzip");
      const kept = await digests(topic);
      await plain.send(topic, [{ key: "erika", value: "by key" }], "zstd");
      await writer.transaction("abort", () => writer.send(topic, [{ value: "never written" }, { value: "nor erika" }]));
      await writer.transaction("commit", () => writer.send(topic, [{ value: "for erika@example.org", partition: 1 }]));
      await plain.send(topic, [{ value: "x", headers: [["about", "erika"]] }]);
      await plain.send(topic, [{ key: "last", value: "behind the last copy", timestampMs: 1_700_000_000_000 }]);
      const last = (await digests(topic)).filter((each) => !kept.includes(each));
      const behind = last.find((each) => each.startsWith("0 ")) as string;
      expect(behind).toBeDefined();

      const copies = await open(topic);
      await copies.assertErasable();
      expect(await copies.find(isErika)).toMatchObject({ where: `topic ${topic}`, found: 4 });
      const starts = async (): Promise<bigint[]> => (await topicOffsets(broker!.bootstrap, topic)).map(({ earliest }) => earliest);
      expect(await starts()).toEqual([0n, 0n, 0n]);
      expect(await copies.erase(isErika)).toMatchObject({ erased: 4, moved: 2503, remaining: 0 });
      const after = await readTopic(broker!.brokers, topic);
      expect(after.records.some(({ value }) => text(value).includes("erika"))).toBe(false);
      expect(after.records.some(({ value }) => text(value) === "never written")).toBe(false);
      const found = await digests(topic);
      expect(found.filter((each) => kept.includes(each))).toEqual(kept);
      expect(found.length).toBe(kept.length + 1);
      expect((await starts())[2]).toBe(0n);
      // Nothing is left to do, and nothing is done.
      const before = await topicOffsets(broker!.bootstrap, topic);
      expect(await copies.erase(isErika)).toMatchObject({ erased: 0, moved: 0, scanned: found.length, remaining: 0 });
      expect(await topicOffsets(broker!.bootstrap, topic)).toEqual(before);
    } finally {
      await plain.close();
      await writer.close();
    }
  });

  it("on a topic that is only compacted are refused before anything is written; a topic that is not there is none", async () => {
    const topic = uniqueTopic("dlq");
    await createTopic(broker!.bootstrap, topic, { configs: { "cleanup.policy": "compact" } });
    await produce(broker!.bootstrap, topic, [{ key: "erika", value: "one" }]);
    const copies = await open(topic);
    await expect(copies.assertErasable()).rejects.toMatchObject({ code: "COPIES_REFUSED", message: /cleanup\.policy/ });
    expect((await topicOffsets(broker!.bootstrap, topic))[0]).toEqual({ earliest: 0n, latest: 1n });
    expect(await TopicCopies.open({ brokers: broker!.brokers, clientId: "test" }, uniqueTopic("none"))).toBe(null);
  });

  it("behind an open transaction wait for its end", async () => {
    const topic = uniqueTopic("dlq");
    await createTopic(broker!.bootstrap, topic);
    const writer = openProducer(broker!.bootstrap, { transactionalId: topic });
    try {
      await produce(broker!.bootstrap, topic, [{ key: "k", value: "before" }]);
      const transaction = await writer.begin();
      await writer.send(topic, [{ value: "undecided" }]);
      await produce(broker!.bootstrap, topic, [{ key: "erika", value: "one" }]);
      const copies = await open(topic);
      await expect(copies.erase(isErika)).rejects.toMatchObject({ code: "COPIES_REFUSED", message: /open transaction/ });
      expect((await topicOffsets(broker!.bootstrap, topic))[0]?.earliest).toBe(0n);
      await transaction.commit();
      // The broker answers the commit a moment before it has marked the log.
      let report: CopiesErased | null = null;
      while (report === null) {
        report = await copies.erase(isErika).catch((fault: unknown) => {
          expect(fault).toMatchObject({ message: expect.stringMatching(/open transaction/) });
          return null;
        });
      }
      expect(report).toMatchObject({ erased: 1, moved: 2, remaining: 0 });
    } finally {
      await writer.close();
    }
  });

  it("are erased by the next call, and nothing else is lost, wherever one ended before", async () => {
    const records: TestRecord[] = [
      { value: "one" },
      { key: "erika", value: "x" },
      { value: "two" },
      { value: "for erika" },
      { value: "three" },
    ];
    // Five looks to find them, four to write the others again, and five or more to prove it.
    for (const step of [1, 5, 6, 7, 9, 10, 12]) {
      const topic = uniqueTopic("dlq");
      await createTopic(broker!.bootstrap, topic);
      await produce(broker!.bootstrap, topic, records);
      const copies = await open(topic);
      let looks = 0;
      const dying = (copy: RecordCopy): boolean => {
        if (++looks === step) throw new Error("died");
        return isErika(copy);
      };
      await expect(copies.erase(dying)).rejects.toThrow("died");
      const report = await copies.erase(isErika);
      expect(report.remaining).toBe(0);
      const values = (await readTopic(broker!.brokers, topic)).records.map(({ value }) => text(value));
      expect([step, [...new Set(values)].toSorted()]).toEqual([step, ["one", "three", "two"]]);
    }
  });
});
