import { describe, expect, it } from "vitest";
import { openProducer } from "../live/harness/produce.ts";
import { createTopic, uniqueTopic } from "../live/harness/topics.ts";
import type { MakeSource, SourceCapabilities } from "./source-bench.ts";
import { sourceBench } from "./source-bench.ts";
import { PositionTable } from "./source-recorder.ts";
import { startWorker } from "./source-worker-process.ts";

/** Several members of one group, coming and going. */
export function groupContract(make: MakeSource, { workerModule, handOver }: SourceCapabilities): void {
  describe("groups", () => {
    const bench = sourceBench(make);

    it.skipIf(!handOver)(
      "loses and doubles nothing while a second member joins and leaves under load, and disturbs what stays",
      async () => {
        const topic = uniqueTopic("rebalance");
        const groupId = uniqueTopic("group");
        await createTopic(bench.bootstrap(), topic, { partitions: 6 });
        const table = new PositionTable();
        const first = await bench.open([topic], { groupId }, { table });
        await first.until((recorder) => recorder.owned.size === 6);
        let produced = 0;
        const load = { over: false };
        const loading = (async () => {
          const producer = openProducer(bench.bootstrap());
          while (!load.over) {
            await producer.send(
              topic,
              Array.from({ length: 300 }, (_, i) => ({ value: String(produced + i), partition: i % 6 })),
            );
            produced += 300;
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          await producer.close();
        })();
        const recorders = [first.recorder];
        for (let round = 0; round < 3; round++) {
          const second = await bench.open([topic], { groupId }, { table });
          recorders.push(second.recorder);
          await second.until((recorder) => recorder.owned.size === 3 && recorder.count > 300);
          await second.source.close();
          await first.until((recorder) => recorder.owned.size === 6);
        }
        load.over = true;
        await loading;
        const total = (): number => recorders.reduce((sum, { count }) => sum + count, 0);
        await first.until(() => total() >= produced);
        const seen = recorders.flatMap((recorder) => recorder.seen);
        expect(new Set(seen.map(({ value }) => value)).size).toBe(produced);
        expect(seen).toHaveLength(produced);
        for (const recorder of recorders) {
          expect(recorder.violations).toEqual([]);
          expect(recorder.lostWindows).toBe(0);
          expect(recorder.calls.some((call) => call.startsWith("lost"))).toBe(false);
        }
        // Cooperative: three of six move, each time; the others are never given up.
        expect(first.recorder.calls.filter((call) => call.startsWith("revoked"))).toHaveLength(9);
      },
    );

    it.skipIf(!handOver)("awaits `revoked` before another member is given the partition", async () => {
      const topic = uniqueTopic("drain");
      const groupId = uniqueTopic("group");
      await createTopic(bench.bootstrap(), topic, { partitions: 2 });
      const table = new PositionTable();
      const first = await bench.open([topic], { groupId }, { table });
      await first.until((recorder) => recorder.owned.size === 2);
      let released = 0;
      const revoked = first.recorder.revoked.bind(first.recorder);
      first.recorder.revoked = async (partitions) => {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        await revoked(partitions);
        released = performance.now();
      };
      const second = await bench.open([topic], { groupId }, { table });
      await second.until((recorder) => recorder.owned.size === 1);
      expect(released).toBeGreaterThan(0);
      expect(performance.now()).toBeGreaterThanOrEqual(released);
      expect(first.recorder.owned.size).toBe(1);
    });

    it("drops what it held after it was frozen past its session, and joins anew", async () => {
      const topic = uniqueTopic("frozen");
      const groupId = uniqueTopic("group");
      await createTopic(bench.bootstrap(), topic, { partitions: 2 });
      const producer = openProducer(bench.bootstrap());
      const worker = await startWorker(workerModule, { bootstrap: bench.bootstrap(), topic, groupId });
      try {
        await producer.send(topic, [{ value: "1" }, { value: "2", partition: 1 }]);
        await worker.until((lines) => lines.filter((line) => line.startsWith("record")).length === 2);
        worker.freeze();
        const other = await bench.open([topic], { groupId }, { start: { at: "latest" } });
        // The coordinator gives the frozen member's partitions away when its session is over.
        await other.until((recorder) => recorder.owned.size === 2);
        // Where `latest` is must be known before more is written.
        await other.until((recorder) => [0, 1].every((partition) => recorder.position(topic, partition) === 1n));
        const mark = worker.lines.length;
        await producer.send(topic, [{ value: "3" }, { value: "4", partition: 1 }]);
        await other.until((recorder) => recorder.count === 2);
        worker.thaw();
        await worker.until((lines) => lines.slice(mark).some((line) => line.startsWith("assigned")));
        const after = worker.lines.slice(mark);
        expect(after.slice(0, 2).toSorted()).toEqual([`lost ${topic}/0`, `lost ${topic}/1`]);
        await other.source.close();
        await worker.until((lines) => lines.slice(mark).filter((line) => line.startsWith("assigned")).length >= 2);
      } finally {
        worker.kill();
        await producer.close();
      }
    });
  });
}
