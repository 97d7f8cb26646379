import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openProducer, produce } from "../live/harness/produce.ts";
import { createTopic, uniqueTopic } from "../live/harness/topics.ts";
import type { MakeSource, SourceCapabilities } from "./source-bench.ts";
import { sourceBench } from "./source-bench.ts";

const mib = 2 ** 20;

/** Memory: the budget holds, pauses hold, large records go alone, and what is too large ends in a block. */
export function boundsContract(make: MakeSource, { bounded, codecs }: SourceCapabilities): void {
  describe("bounds", () => {
    const bench = sourceBench(make);

    it("pauses and resumes single partitions", async () => {
      const topic = uniqueTopic("paused");
      await createTopic(bench.bootstrap(), topic, { partitions: 2 });
      const { source, recorder, until } = await bench.open([topic]);
      await produce(bench.bootstrap(), topic, [{ value: "0" }, { value: "1", partition: 1 }]);
      await until(() => recorder.count === 2);
      const paused = source.ends().filter(({ partition }) => partition === 0);
      source.pause(paused);
      // A fetch that was under way may still bring what is written now; it is over when the other partition's record is there.
      await produce(bench.bootstrap(), topic, [{ value: "1", partition: 1 }]);
      await until(() => recorder.count === 3);
      await produce(bench.bootstrap(), topic, [{ value: "0" }, { value: "1", partition: 1 }]);
      await until(() => recorder.count === 4);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(recorder.seen.map(({ partition }) => partition).toSorted((a, b) => a - b)).toEqual([0, 1, 1, 1]);
      source.resume(paused);
      await until(() => recorder.count === 5);
      expect(recorder.violations).toEqual([]);
    });

    it.skipIf(!bounded)("keeps bytes in flight under the limit while nothing is released, and goes on when it is", async () => {
      const topic = uniqueTopic("budget");
      await createTopic(bench.bootstrap(), topic, { partitions: 4 });
      const producer = openProducer(bench.bootstrap());
      const value = randomBytes(10_000);
      for (let i = 0; i < 20; i++) {
        await producer.send(
          topic,
          Array.from({ length: 100 }, (_, j) => ({ value, partition: j % 4 })),
          codecs[i % codecs.length],
        );
      }
      await producer.close();
      const { source, recorder, until } = await bench.open([topic], { bytesInFlightMax: 4 * mib }, { hold: true, decode: "count" });
      await until(() => source.bytesInFlight() >= 2 * mib);
      // A budget that does not hold lets all 2000 come before anything stands still.
      for (let held = -1; held !== recorder.count;) {
        held = recorder.count;
        await new Promise((resolve) => setTimeout(resolve, 700));
      }
      expect(recorder.count).toBeLessThan(500);
      await until(() => {
        recorder.releaseAll();
        return recorder.count === 2000;
      });
      recorder.releaseAll();
      // One run may run over: at most a quarter of the budget and a batch.
      expect(recorder.bytesMax).toBeLessThan(6 * mib);
      expect(source.bytesInFlight()).toBe(0);
      expect(recorder.violations).toEqual([]);
    });

    it.skipIf(!bounded)("hands out a record larger than the budget, alone, between ordinary ones", async () => {
      const topic = uniqueTopic("large");
      await createTopic(bench.bootstrap(), topic, { partitions: 2, configs: { "max.message.bytes": "30000000" } });
      const producer = openProducer(bench.bootstrap());
      const large = randomBytes(5 * mib);
      await producer.send(topic, [{ value: "before" }, { value: "other", partition: 1 }]);
      await producer.send(topic, [{ value: large }], "none");
      await producer.send(topic, [{ value: "between" }]);
      await producer.send(topic, [{ value: large }], "lz4");
      await producer.send(topic, [{ value: "after" }]);
      await producer.close();
      const { source, recorder, until } = await bench.open([topic], { bytesInFlightMax: mib }, { hold: true });
      const alone: boolean[] = [];
      await until(() => {
        if (recorder.held > 0 && recorder.seen.at(-1)?.value?.length === large.length) alone.push(recorder.held === 1);
        recorder.releaseAll();
        return recorder.count === 6;
      });
      expect(recorder.seen.filter(({ partition }) => partition === 0).map(({ value }) => value?.length)).toEqual([
        6,
        large.length,
        7,
        large.length,
        5,
      ]);
      expect(recorder.seen.find(({ value }) => value?.length === large.length)?.value === large.toString("latin1")).toBe(true);
      expect(alone.length > 0 && alone.every(Boolean)).toBe(true);
      recorder.releaseAll();
      expect(source.bytesInFlight()).toBe(0);
      expect(recorder.violations).toEqual([]);
    });

    it.skipIf(!bounded)("blocks a partition at a batch beyond the limit, as sent or decompressed, and reads the others", async () => {
      const topic = uniqueTopic("oversized");
      await createTopic(bench.bootstrap(), topic, { partitions: 4, configs: { "max.message.bytes": "30000000" } });
      const producer = openProducer(bench.bootstrap());
      await producer.send(topic, [{ value: "1" }, { value: "2", partition: 1 }, { value: "3", partition: 2 }]);
      await producer.send(topic, [{ value: randomBytes(3 * mib) }]);
      // A bomb: 20 MiB of zeros in a few kilobytes.
      await producer.send(topic, [{ value: Buffer.alloc(20 * mib), partition: 1 }], "zstd");
      await producer.send(topic, [{ value: Buffer.alloc(20 * mib), partition: 2 }], "lz4");
      await producer.send(topic, [{ value: "on", partition: 3 }]);
      await producer.close();
      const { source, recorder, until } = await bench.open([topic], { bytesInFlightMax: mib, recordBytesMax: 2 * mib });
      await until(() => recorder.blocks.length === 3 && recorder.count === 4);
      expect(recorder.blocks.map(({ partition, error }) => `${partition} ${error.code} ${error.details["position"]}`).toSorted()).toEqual([
        "0 SOURCE_OVERSIZED 1",
        "1 SOURCE_OVERSIZED 1",
        "2 SOURCE_OVERSIZED 1",
      ]);
      expect(source.bytesInFlight()).toBe(0);
    });
  });
}
