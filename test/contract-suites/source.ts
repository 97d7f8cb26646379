import { describe, expect, it } from "vitest";
import { openProducer, produce, type TestRecord } from "../live/harness/produce.ts";
import { kafkaHere } from "../live/harness/shared-broker.ts";
import { createTopic, uniqueTopic } from "../live/harness/topics.ts";
import type { MakeSource, SourceCapabilities } from "./source-bench.ts";
import { sourceBench } from "./source-bench.ts";
import { boundsContract } from "./source-bounds.ts";
import { faultContract } from "./source-faults.ts";
import { groupContract } from "./source-groups.ts";
import { identityContract } from "./source-identity.ts";
import { transactionContract } from "./source-transactions.ts";

/** The tests that every Kafka source passes, on real brokers; what `capabilities` denies is left out, and named as left out. */
export function sourceContract(name: string, make: MakeSource, capabilities: SourceCapabilities): void {
  describe.skipIf(!kafkaHere.available)(`${name}: the source contract`, () => {
    deliveryContract(make, capabilities);
    transactionContract(make, capabilities);
    identityContract(make, capabilities);
    boundsContract(make, capabilities);
    groupContract(make, capabilities);
    faultContract(make, capabilities);
  });
}

function deliveryContract(make: MakeSource, { codecs }: SourceCapabilities): void {
  describe("delivery", () => {
    const bench = sourceBench(make);

    it(`delivers every record of ${codecs.join(", ")}: complete, in order, byte for byte`, async () => {
      const topic = uniqueTopic("codecs");
      await createTopic(bench.bootstrap(), topic, { partitions: 2 });
      const written = nastyRecords();
      const producer = openProducer(bench.bootstrap());
      for (const codec of codecs) await producer.send(topic, written, codec);
      await producer.close();
      const { seen } = await bench.readAll(topic, written.length * codecs.length);
      for (const partition of [0, 1]) {
        const mine = written.filter((record) => (record.partition ?? 0) === partition);
        const expected = codecs
          .flatMap(() => mine)
          .map((record, i) => ({
            topic,
            partition,
            offset: BigInt(i),
            timestamp: BigInt(record.timestampMs as number),
            timestampType: 0,
            key: latin(record.key),
            value: latin(record.value),
            headers: (record.headers ?? []).map(([key, value]) => [key, latin(value)]),
          }));
        expect(seen.filter((record) => record.partition === partition)).toEqual(expected);
      }
    });

    it("takes log-append times from the batch", async () => {
      const topic = uniqueTopic("append-time");
      await createTopic(bench.bootstrap(), topic, { configs: { "message.timestamp.type": "LogAppendTime" } });
      const before = BigInt(Date.now());
      await produce(
        bench.bootstrap(),
        topic,
        [
          { value: "1", timestampMs: 1000 },
          { value: "2", timestampMs: 2000 },
        ],
        "gzip",
      );
      const { seen } = await bench.readAll(topic, 2);
      expect(seen.map(({ timestampType }) => timestampType)).toEqual([1, 1]);
      expect(seen.every(({ timestamp }) => timestamp >= before - 5000n)).toBe(true);
    });

    it("begins at any offset, the middle of a batch too, at the end, or at a time", async () => {
      const topic = uniqueTopic("resume");
      await createTopic(bench.bootstrap(), topic);
      const first = Date.now() - 100_000;
      const written = Array.from({ length: 100 }, (_, i) => ({ value: String(i), timestampMs: first + i * 1000 }));
      await produce(bench.bootstrap(), topic, written, codecs.at(-1));
      const { source, recorder, until } = await bench.open([topic]);
      await until(() => recorder.count === 100 && source.ends()[0]?.next === 100n);
      const keys = source.ends();
      const answers = [
        { at: "latest" },
        { at: "earliest" },
        { at: "time", ms: first + 49_500 },
        { at: "time", ms: Date.now() + 1_000_000 },
      ] as const;
      const resolved = await Promise.all(answers.map(async (start) => (await source.resolve(keys, start))[0]?.next));
      expect(resolved).toEqual([100n, 0n, 50n, 100n]);
      const position = { ...keys[0]!, next: 37n };
      recorder.seeking([position]);
      source.seek([position]);
      await until(() => recorder.count === 163);
      expect(recorder.seen.slice(100).map(({ offset }) => offset)).toEqual(Array.from({ length: 63 }, (_, i) => BigInt(37 + i)));
      await source.close();
      expect(recorder.violations).toEqual([]);
      expect(recorder.calls).toEqual([`assigned ${topic}/0`, `revoked ${topic}/0`]);
    });

    it("passes over the holes of a compacted topic", async () => {
      const topic = uniqueTopic("compacted");
      const configs = {
        "cleanup.policy": "compact",
        "segment.bytes": "1048576",
        "segment.ms": "500",
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "500",
      };
      await createTopic(bench.bootstrap(), topic, { configs });
      const producer = openProducer(bench.bootstrap());
      for (let round = 0; round < 5; round++) {
        await producer.send(
          topic,
          Array.from({ length: 20 }, (_, i) => ({ key: `k${i % (4 + round)}`, value: `${round}` })),
          codecs[round % codecs.length],
        );
      }
      // A record after the segment's time rolls it; only closed segments are compacted.
      const roll = async (): Promise<bigint> => (await producer.send(topic, [{ key: "roll", value: "x" }])).get(0) as bigint;
      const watching = await bench.open([topic]);
      // Not by their number: some may be gone before this member has joined.
      await watching.until(() => (watching.recorder.position(topic, 0) ?? 0n) >= 100n);
      for (;;) {
        const last = await roll();
        const { source, recorder, until } = watching;
        const start = { ...source.ends()[0]!, next: 0n };
        const mark = recorder.count;
        recorder.seeking([start]);
        source.seek([start]);
        await until(() => recorder.count > mark && recorder.seen.at(-1)?.offset === last);
        if (recorder.count - mark < 60) break;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      await watching.source.close();
      const last = await roll();
      await producer.close();
      const { recorder, until } = await bench.open([topic]);
      await until(() => recorder.seen.at(-1)?.offset === last);
      expect([...watching.recorder.violations, ...recorder.violations]).toEqual([]);
      const left = recorder.seen.map(({ offset }) => offset);
      expect(left).toEqual(left.toSorted((a, b) => Number(a - b)));
      expect(left.some((offset, i) => offset > (i === 0 ? 0n : (left[i - 1] as bigint) + 1n))).toBe(true);
      // The last value of every key survives.
      expect(left.filter((offset) => offset >= 92n && offset < 100n)).toHaveLength(8);
    });
  });
}

function nastyRecords(): TestRecord[] {
  const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const headers: [string, string | null][] = [
    ["a", "1"],
    ["a", "2"],
    ["", ""],
    ["b", null],
  ];
  const now = Date.now();
  return [
    { key: null, value: "", timestampMs: now },
    { key: "", value: null, timestampMs: now - 1000 },
    { key: binary, value: binary, headers, timestampMs: now + 5 },
    ...Array.from({ length: 200 }, (_, i) => ({ key: `k${i}`, value: `value ${i} `.repeat(i), partition: 1, timestampMs: now + i })),
  ];
}

function latin(part: string | Uint8Array | null | undefined): string | null {
  if (part === null || part === undefined) return null;
  return (typeof part === "string" ? Buffer.from(part) : Buffer.from(part)).toString("latin1");
}
