import { describe, expect, it } from "vitest";
import { openAdmin } from "../../../src/adapters/kafka/admin.ts";
import { openProducer } from "../../live/harness/produce.ts";
import { kafkaHere, sharedBroker } from "../../live/harness/shared-broker.ts";
import { uniqueTopic } from "../../live/harness/topics.ts";

describe.skipIf(!kafkaHere.available)("the admin", () => {
  it("creates, describes, lists and deletes topics, and tells their offsets", async () => {
    const { brokers, bootstrap } = await sharedBroker();
    const admin = openAdmin({ brokers, clientId: "admin-test" });
    const topic = uniqueTopic("admin");
    expect(await admin.describeTopic(topic)).toBeNull();
    expect(await admin.createTopic(topic, { partitions: 3, configs: { "retention.ms": "1000000" } })).toBe(true);
    expect(await admin.createTopic(topic)).toBe(false);
    const described = await admin.describeTopic(topic);
    expect(described).toMatchObject({ name: topic, partitions: 3 });
    expect(described?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await admin.listTopics()).toContain(topic);
    const producer = openProducer(bootstrap);
    await producer.send(topic, [{ value: "1" }, { value: "2", partition: 2 }]);
    const transaction = await producer.begin();
    await producer.send(topic, [{ value: "open" }]);
    expect((await admin.endOffsets(topic)).map(({ next }) => next)).toEqual([2n, 0n, 1n]);
    expect((await admin.endOffsets(topic, "read_committed")).map(({ next }) => next)).toEqual([1n, 0n, 1n]);
    expect((await admin.startOffsets(topic)).map(({ next, topicId }) => [next, topicId])).toEqual(
      Array.from({ length: 3 }, () => [0n, described?.id]),
    );
    await transaction.commit();
    await producer.close();
    await admin.deleteTopic(topic);
    await expect.poll(() => admin.describeTopic(topic), { timeout: 60_000 }).toBeNull();
    await expect(admin.deleteTopic(topic)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(admin.endOffsets(topic)).rejects.toMatchObject({ code: "SOURCE_TOPIC_MISSING" });
    await admin.close();
  });

  it("says where nobody answers", async () => {
    const admin = openAdmin({ brokers: ["127.0.0.1:1"], clientId: "admin-test" });
    await expect(admin.listTopics()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    await admin.close();
  });
});
