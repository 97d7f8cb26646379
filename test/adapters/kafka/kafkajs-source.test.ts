import { describe, expect, it } from "vitest";
import { createKafkajsSource } from "../../../src/adapters/kafka/kafkajs-source.ts";
import { sourceBench } from "../../contract-suites/source-bench.ts";
import { PositionTable } from "../../contract-suites/source-recorder.ts";
import { sourceContract } from "../../contract-suites/source.ts";
import { openProducer, produce } from "../../live/harness/produce.ts";
import { kafkaHere } from "../../live/harness/shared-broker.ts";
import { createTopic, deleteRecords, deleteTopic, topicOffsets, uniqueTopic } from "../../live/harness/topics.ts";

// What is false here is said to users in docs/reference/kafka-clients.md.
sourceContract("kafkajs", createKafkajsSource, {
  codecs: ["none", "gzip", "snappy", "lz4", "zstd"],
  readCommitted: true,
  topicIdentity: false,
  checksums: false,
  bounded: false,
  partialBlocks: false,
  handOver: false,
  workerModule: new URL("kafkajs-worker.entry.ts", import.meta.url),
});

describe.skipIf(!kafkaHere.available)("kafkajs: what stands in for what it can't do", () => {
  const bench = sourceBench(createKafkajsSource);

  it("commits every record once while members come and go: the table's positions stand in for the hand-over", async () => {
    const topic = uniqueTopic("rebalance");
    const groupId = uniqueTopic("group");
    await createTopic(bench.bootstrap(), topic, { partitions: 4 });
    const table = new PositionTable();
    const first = await bench.open([topic], { groupId }, { table });
    await first.until((recorder) => recorder.owned.size === 4);
    const producer = openProducer(bench.bootstrap());
    const recorders = [first.recorder];
    let produced = 0;
    const write = async (): Promise<void> => {
      const base = produced;
      await producer.send(
        topic,
        Array.from({ length: 200 }, (_, i) => ({ value: String(base + i), partition: i % 4 })),
      );
      produced += 200;
    };
    for (let round = 0; round < 2; round++) {
      await write();
      const second = await bench.open([topic], { groupId }, { table });
      recorders.push(second.recorder);
      await second.until((recorder) => recorder.owned.size === 2);
      await write();
      await second.source.close();
      await first.until((recorder) => recorder.owned.size === 4);
    }
    await write();
    await producer.close();
    const ends = await topicOffsets(bench.bootstrap(), topic);
    await first.until(() => ends.every(({ latest }, partition) => first.recorder.position(topic, partition) === latest));
    const seen = new Set(recorders.flatMap((recorder) => recorder.seen).map(({ value }) => value));
    expect(seen.size).toBe(produced);
    for (const recorder of recorders) expect(recorder.violations).toEqual([]);
  });

  it("finds an offset that is out of range, which kafkajs would reset in silence", async () => {
    const topic = uniqueTopic("gone");
    await createTopic(bench.bootstrap(), topic, { partitions: 2 });
    await produce(
      bench.bootstrap(),
      topic,
      [0, 1].flatMap((partition) => Array.from({ length: 5 }, (_, i) => ({ value: String(i), partition }))),
    );
    const { source, recorder, until } = await bench.open([topic]);
    await until(() => recorder.count === 10 && source.ends().length === 2);
    await deleteRecords(bench.bootstrap(), topic, 0, 3n);
    const position = { ...source.ends().find(({ partition }) => partition === 0)!, next: 1n };
    recorder.seeking([position]);
    source.seek([position]);
    await until(() => recorder.blocks.length === 1);
    const [{ partition, error }] = recorder.blocks as [(typeof recorder.blocks)[0]];
    expect([partition, error.code, error.details]).toEqual([
      0,
      "SOURCE_OFFSET_OUT_OF_RANGE",
      { position: "1", earliest: "3", latest: "5" },
    ]);
    await produce(bench.bootstrap(), topic, [{ value: "on", partition: 1 }]);
    await until(() => recorder.count === 11);
    const answer = { ...position, next: 3n };
    recorder.seeking([answer]);
    source.seek([answer]);
    await until(() => recorder.count === 13);
    expect(recorder.violations).toEqual([]);
  });

  it("hands nothing out twice while ends are looked at under load", async () => {
    const topic = uniqueTopic("looking");
    await createTopic(bench.bootstrap(), topic, { partitions: 2 });
    const { recorder, until } = await bench.open([topic], { metadataRefreshMs: 2 });
    await until(() => recorder.owned.size === 2);
    const producer = openProducer(bench.bootstrap());
    for (let i = 0; i < 400; i++) await producer.send(topic, [{ value: String(i), partition: i % 2 }]);
    await producer.close();
    await until(() => [0, 1].every((partition) => recorder.position(topic, partition) === 200n));
    for (const partition of [0, 1]) {
      const offsets = recorder.seen.filter((record) => record.partition === partition).map(({ offset }) => Number(offset));
      expect(offsets).toEqual(Array.from({ length: 200 }, (_, i) => i));
    }
    expect(recorder.violations).toEqual([]);
  });

  it("does not read a topic created again as the one it knew, once it has noticed", async () => {
    const topic = uniqueTopic("recreated");
    await createTopic(bench.bootstrap(), topic);
    await produce(bench.bootstrap(), topic, [{ value: "1" }]);
    const { recorder, until } = await bench.open([topic]);
    await until(() => recorder.count === 1);
    await deleteTopic(bench.bootstrap(), topic);
    await until(() => recorder.troubles.some((error) => error?.code === "SOURCE_TOPIC_MISSING"));
    await createTopic(bench.bootstrap(), topic);
    await produce(bench.bootstrap(), topic, [{ value: "new" }, { value: "new" }]);
    await until(() => recorder.strangers.length + recorder.blocks.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(recorder.seen.map(({ value }) => value)).toEqual(["1"]);
  });
});
