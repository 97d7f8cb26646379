import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Consumption, ConsumptionLog } from "../../src/core/consumption.ts";
import type { Cursors } from "../../src/core/ports.ts";

/** What Sluice itself keeps beside a catalog, as one of several processes sees it. */
export interface CatalogStores {
  readonly cursors: Cursors;
  readonly consumption: ConsumptionLog;
  readonly close: () => Promise<void>;
}

/** `open` gives another process's view of the same stores. */
export interface StoresSubject {
  readonly name: string;
  readonly open: (lake: string) => Promise<CatalogStores>;
  readonly stop: () => Promise<void>;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What every store beside a catalog does. */
export function describeStores(subject: StoresSubject): void {
  describe(`stores in ${subject.name}`, () => {
    let mine: CatalogStores;
    let yours: CatalogStores;
    beforeAll(async () => {
      mine = await subject.open("sluice.db");
      yours = await subject.open("sluice.db");
    }, 120_000);
    afterAll(async () => {
      await mine.close();
      await yours.close();
      await subject.stop();
    });

    it("fences cursors: who lost the lease can't advance", async () => {
      const first = (await mine.cursors.acquire("dlq", "orders", "me", 60_000))!;
      expect(first).toEqual({ sequence: 0n, fence: 1n });
      expect(await yours.cursors.acquire("dlq", "orders", "you", 1000)).toBeNull();
      expect(await yours.cursors.acquire("lineage", "orders", "you", 1000)).toEqual({ sequence: 0n, fence: 1n });
      expect(await mine.cursors.advance("dlq", "orders", first.fence, 2n ** 60n)).toBe(true);
      expect(await mine.cursors.acquire("dlq", "orders", "me", 300)).toEqual({ sequence: 2n ** 60n, fence: 1n });
      await sleep(350);
      const second = (await yours.cursors.acquire("dlq", "orders", "you", 60_000))!;
      expect(second).toEqual({ sequence: 2n ** 60n, fence: 2n });
      expect(await mine.cursors.advance("dlq", "orders", first.fence, 2n ** 60n + 1n)).toBe(false);
      expect(await yours.cursors.advance("dlq", "orders", second.fence, 5n)).toBe(false);
      expect(await yours.cursors.advance("dlq", "orders", second.fence, 2n ** 60n + 1n)).toBe(true);
      expect(await mine.cursors.acquire("dlq", "orders", "me", 1000)).toBeNull();
      expect(await mine.cursors.standing("orders")).toMatchObject([
        { sink: "dlq", sequence: 2n ** 60n + 1n },
        { sink: "lineage", sequence: 0n },
      ]);
      // Given back: free at once.
      await yours.cursors.acquire("dlq", "orders", "you", 0);
      expect(await mine.cursors.acquire("dlq", "orders", "me", 1000)).toEqual({ sequence: 2n ** 60n + 1n, fence: 3n });
    });

    it("gives the lease to one of many that ask at once", async () => {
      const asked = await Promise.all(
        Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? mine : yours).cursors.acquire("raced", "orders", `holder ${i}`, 60_000)),
      );
      expect(asked.filter((each) => each !== null)).toEqual([{ sequence: 0n, fence: 1n }]);
    });

    it("keeps readings in order, and answers by what is asked", async () => {
      const reading = (changes: Partial<Consumption>): Consumption => ({
        dataset: "orders",
        snapshotId: String(2n ** 62n),
        kind: "declared",
        reader: "ann",
        job: null,
        runId: null,
        atMs: 1000,
        details: {},
        ...changes,
      });
      const all = [
        reading({ job: "train", runId: "r1", details: { tag: "v1", "o'dd": 'a "quote"' } }),
        reading({ kind: "load", snapshotId: "7", reader: "spark", atMs: 2000 }),
        reading({ kind: "scan", snapshotId: "7", atMs: 3000, dataset: "flights" }),
      ];
      await mine.consumption.record([]);
      await mine.consumption.record(all.slice(0, 2));
      await yours.consumption.record(all.slice(2));
      const of = (...asked: Parameters<ConsumptionLog["of"]>): Promise<Consumption[]> => collect(yours.consumption.of(...asked));
      expect(await of(null)).toEqual(all);
      expect(await of("orders")).toEqual(all.slice(0, 2));
      expect(await of(null, { snapshotIds: ["7", "8"] })).toEqual(all.slice(1));
      expect(await of(null, { kinds: ["load", "declared"], reader: "ann" })).toEqual(all.slice(0, 1));
      expect(await of(null, { job: "train", runId: "r1" })).toEqual(all.slice(0, 1));
      expect(await of(null, { sinceMs: 2000, untilMs: 3000 })).toEqual(all.slice(1, 2));
      const many = Array.from({ length: 1500 }, (_, i) => reading({ dataset: "many", atMs: i }));
      await mine.consumption.record(many);
      expect(await of("many")).toEqual(many);
      const other = await subject.open("sluice.other");
      expect(await collect(other.consumption.of(null))).toEqual([]);
      await other.close();
    });
  });
}
