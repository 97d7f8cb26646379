import { describe, expect, it } from "vitest";
import { produce } from "../live/harness/produce.ts";
import { addPartitions, createTopic, deleteRecords, deleteTopic, topicId, uniqueTopic } from "../live/harness/topics.ts";
import type { MakeSource, SourceCapabilities } from "./source-bench.ts";
import { sourceBench } from "./source-bench.ts";

/** Topics that appear, grow, vanish and come back as others; offsets that are gone. Nothing resets, and other topics go on. */
export function identityContract(make: MakeSource, { topicIdentity, partialBlocks, handOver }: SourceCapabilities): void {
  describe("identity", () => {
    const bench = sourceBench(make);

    it.skipIf(!topicIdentity || !partialBlocks)(
      "stops at a topic created again, reads the others, and goes on where a person says",
      async () => {
        const [topic, other] = [uniqueTopic("recreated"), uniqueTopic("other")];
        const where = bench.bootstrap();
        const before = await createTopic(where, topic);
        await createTopic(where, other);
        await produce(where, topic, [{ value: "1" }, { value: "2" }]);
        const { source, recorder, until } = await bench.open([topic, other]);
        await until(() => recorder.count === 2);
        await deleteTopic(where, topic);
        await createTopic(where, topic);
        const after = await topicId(where, topic);
        await produce(
          where,
          topic,
          Array.from({ length: 5 }, () => ({ value: "new" })),
        );
        // Noticed while it was read: the source says so. Noticed after a rebalance took the deleted topic away: it is offered under its new id.
        await until(() => recorder.blocks.length + recorder.strangers.length > 0);
        for (const { partition, error } of recorder.blocks) {
          expect([partition, error.code, error.details["from"], error.details["to"]]).toEqual([
            null,
            "SOURCE_IDENTITY_CHANGED",
            before,
            after,
          ]);
        }
        expect(recorder.strangers.every(({ topicId: id }) => id === after)).toBe(true);
        await produce(where, other, [{ value: "goes on" }]);
        await until(() => recorder.count === 3);
        await new Promise((resolve) => setTimeout(resolve, 700));
        expect(recorder.seen.map(({ value }) => value)).toEqual(["1", "2", "goes on"]);
        const start = { topic, topicId: after, partition: 0, next: 3n };
        recorder.seeking([start]);
        source.seek([start]);
        await until(() => recorder.count === 5);
        expect(recorder.violations).toEqual([]);
      },
    );

    it("says that a topic is missing, and picks it up when it is created; new partitions too", async () => {
      const [topic, other] = [uniqueTopic("late"), uniqueTopic("there")];
      const where = bench.bootstrap();
      await createTopic(where, other);
      await produce(where, other, [{ value: "1" }]);
      const { recorder, until } = await bench.open([topic, other]);
      await until(() => recorder.count === 1 && recorder.troubles.some((error) => error?.code === "SOURCE_TOPIC_MISSING"));
      await createTopic(where, topic);
      await produce(where, topic, [{ value: "2" }]);
      await until(() => recorder.count === 2 && recorder.troubles.at(-1) === null);
      await addPartitions(where, topic, 3);
      await produce(where, topic, [
        { value: "3", partition: 2 },
        { value: "4", partition: 1 },
      ]);
      await until(() => recorder.count === 4);
      const assigned = recorder.calls.filter((call) => call.startsWith("assigned")).toSorted();
      // Without a hand-over everything is given anew each time.
      expect(handOver ? assigned : [...new Set(assigned)]).toEqual(
        [`assigned ${topic}/0`, `assigned ${topic}/1`, `assigned ${topic}/2`, `assigned ${other}/0`].toSorted(),
      );
      expect(recorder.violations).toEqual([]);
    });

    it.skipIf(!partialBlocks)("reports a deleted topic and reads the others", async () => {
      const [topic, other] = [uniqueTopic("deleted"), uniqueTopic("stays")];
      const where = bench.bootstrap();
      await createTopic(where, topic);
      await createTopic(where, other);
      const { recorder, until } = await bench.open([topic, other]);
      await until(() => recorder.calls.length === 2);
      await deleteTopic(where, topic);
      await until(() => recorder.troubles.some((error) => error?.code === "SOURCE_TOPIC_MISSING"));
      await produce(where, other, [{ value: "1" }]);
      await until(() => recorder.count === 1);
      expect(recorder.calls.filter((call) => call === `revoked ${other}/0` || call === `lost ${other}/0`)).toEqual([]);
    });

    it.skipIf(!partialBlocks)("stops at an offset out of range, either way, never resets, and leaves other partitions alone", async () => {
      const topic = uniqueTopic("gone");
      const where = bench.bootstrap();
      await createTopic(where, topic, { partitions: 3 });
      const five = [0, 1, 2].flatMap((partition) => Array.from({ length: 5 }, (_, i) => ({ value: String(i), partition })));
      await produce(where, topic, five);
      const { source, recorder, until } = await bench.open([topic]);
      await until(() => recorder.count === 15);
      await deleteRecords(where, topic, 0, 3n);
      const [key] = source.ends().filter(({ partition }) => partition === 0);
      const [far] = source.ends().filter(({ partition }) => partition === 1);
      const positions = [
        { ...key!, next: 1n },
        { ...far!, next: 900n },
      ];
      recorder.seeking(positions);
      source.seek(positions);
      await until(() => recorder.blocks.length === 2);
      const found = recorder.blocks.map(({ partition, error }) => [
        partition,
        error.code,
        error.details["position"],
        error.details["earliest"],
        error.details["latest"],
      ]);
      expect(found.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
        [0, "SOURCE_OFFSET_OUT_OF_RANGE", "1", "3", "5"],
        [1, "SOURCE_OFFSET_OUT_OF_RANGE", "900", "0", "5"],
      ]);
      await produce(where, topic, [{ value: "on", partition: 2 }]);
      await until(() => recorder.count === 16);
      const answer = { ...key!, next: 3n };
      recorder.seeking([answer]);
      source.seek([answer]);
      await until(() => recorder.count === 18);
      expect(recorder.seen.slice(16).map(({ offset }) => offset)).toEqual([3n, 4n]);
    });

    it("does not read what `assigned` leaves out, until it is told where", async () => {
      const topic = uniqueTopic("left-out");
      await createTopic(bench.bootstrap(), topic, { partitions: 2 });
      await produce(bench.bootstrap(), topic, [{ value: "0" }, { value: "1", partition: 1 }]);
      const { source, recorder, until } = await bench.open([topic], {}, { leaveOut: ({ partition }) => partition === 1 });
      await until(() => recorder.count === 1);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(recorder.seen.map(({ value }) => value)).toEqual(["0"]);
      const { topicId: id } = source.ends()[0]!;
      const start = { topic, topicId: id, partition: 1, next: 0n };
      recorder.seeking([start]);
      source.seek([start]);
      await until(() => recorder.count === 2);
      expect(recorder.violations).toEqual([]);
    });
  });
}
