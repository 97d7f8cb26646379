import { describe, expect, it } from "vitest";
import { openProducer } from "../live/harness/produce.ts";
import { createTopic, uniqueTopic } from "../live/harness/topics.ts";
import type { MakeSource, SourceCapabilities } from "./source-bench.ts";
import { sourceBench } from "./source-bench.ts";

/** read_committed by every shape of aborted transaction. */
export function transactionContract(make: MakeSource, { readCommitted }: SourceCapabilities): void {
  describe("transactions", () => {
    const bench = sourceBench(make);

    it.skipIf(!readCommitted)("leaves out several aborts of one producer in one fetch, and markers move positions", async () => {
      const topic = uniqueTopic("aborts");
      await createTopic(bench.bootstrap(), topic);
      const producer = openProducer(bench.bootstrap());
      const ten = (value: string) => Array.from({ length: 10 }, () => ({ value }));
      for (let i = 0; i < 3; i++) {
        await producer.transaction("abort", () => producer.send(topic, ten("aborted")));
        await producer.transaction("commit", () => producer.send(topic, ten("committed"), "lz4"));
      }
      await producer.transaction("abort", () => producer.send(topic, ten("aborted")));
      await producer.close();
      const { source, recorder, until } = await bench.open([topic]);
      // 77 offsets: 70 records and 7 markers; nothing is left behind the last one, so lag is zero.
      await until(() => recorder.position(topic, 0) === 77n);
      expect(recorder.seen.map(({ value }) => value)).toEqual(
        ten("committed")
          .concat(ten("committed"), ten("committed"))
          .map(({ value }) => value),
      );
      expect(source.ends()[0]?.next).toBe(77n);
      const uncommitted = await bench.readAll(topic, 70, { isolation: "read_uncommitted" });
      expect(uncommitted.seen.filter(({ value }) => value === "aborted")).toHaveLength(40);
    });

    it.skipIf(!readCommitted)("leaves out an aborted transaction whose marker lies in a later fetch", async () => {
      const topic = uniqueTopic("long-abort");
      await createTopic(bench.bootstrap(), topic);
      const producer = openProducer(bench.bootstrap());
      const other = openProducer(bench.bootstrap());
      await producer.transaction("abort", async () => {
        for (let i = 0; i < 30; i++) {
          await producer.send(
            topic,
            Array.from({ length: 100 }, () => ({ value: "a".repeat(1024) })),
          );
          if (i % 10 === 0) await other.send(topic, [{ value: "plain" }]);
        }
      });
      await producer.transaction("commit", () => producer.send(topic, [{ value: "committed" }]));
      await producer.close();
      await other.close();
      const { recorder, until } = await bench.open([topic]);
      await until(() => recorder.position(topic, 0) === 3006n);
      expect(recorder.seen.map(({ value }) => value)).toEqual(["plain", "plain", "plain", "committed"]);
    });

    it.skipIf(!readCommitted)("does not read past the last stable offset, and reads on when the transaction ends", async () => {
      const topic = uniqueTopic("open");
      await createTopic(bench.bootstrap(), topic);
      const producer = openProducer(bench.bootstrap());
      const other = openProducer(bench.bootstrap());
      await other.send(topic, [{ value: "before" }]);
      const transaction = await producer.begin();
      await producer.send(topic, [{ value: "open" }]);
      await other.send(topic, [{ value: "after" }]);
      const { source, recorder, until } = await bench.open([topic]);
      await until(() => recorder.count === 1 && source.ends()[0]?.next === 1n);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(recorder.seen.map(({ value }) => value)).toEqual(["before"]);
      await transaction.commit();
      await until(() => recorder.position(topic, 0) === 4n);
      expect(recorder.seen.map(({ value }) => value)).toEqual(["before", "open", "after"]);
      await producer.close();
      await other.close();
    });
  });
}
