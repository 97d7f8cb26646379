import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunDecoder } from "../../../src/adapters/kafka/run-decoder.ts";
import { writeBatch } from "./batch-writer.ts";

type Step = { readonly producer: number; readonly act: "send" | "commit" | "abort" | "plain" };

/** What brokers do: a log of batches and markers, each transaction's range, and the last stable offset. */
function logOf(steps: readonly Step[]) {
  const batches: { bytes: Buffer; offset: bigint; kept: boolean | null; producer: number }[] = [];
  const open = new Map<number, { first: bigint; batches: (typeof batches)[0][] }>();
  const aborted: { producerId: bigint; firstOffset: bigint; marker: bigint }[] = [];
  for (const { producer, act } of steps) {
    const offset = BigInt(batches.length);
    const records = [{ offset, timestamp: 0n, key: null, value: Buffer.from("v") }];
    const producerId = BigInt(producer);
    if (act === "plain") batches.push({ bytes: writeBatch({ records }), offset, kept: true, producer });
    else if (act === "send") {
      const batch = { bytes: writeBatch({ records, producerId, transactional: true, codec: "lz4" }), offset, kept: null, producer };
      batches.push(batch);
      const transaction = open.get(producer) ?? { first: offset, batches: [] };
      transaction.batches.push(batch);
      open.set(producer, transaction);
    } else {
      const transaction = open.get(producer);
      if (transaction === undefined) continue;
      open.delete(producer);
      batches.push({
        bytes: writeBatch({ records: [], marker: act, baseOffset: offset, producerId, transactional: true }),
        offset,
        kept: false,
        producer,
      });
      for (const batch of transaction.batches) batch.kept = act === "commit";
      if (act === "abort") aborted.push({ producerId, firstOffset: transaction.first, marker: offset });
    }
  }
  const firstOpen = [...open.values()].map(({ first }) => first);
  const stable = firstOpen.reduce((least, first) => (first < least ? first : least), BigInt(batches.length));
  return { batches: batches.slice(0, Number(stable)), aborted, stable };
}

describe("read_committed", () => {
  it("keeps exactly the committed records of any interleaving of transactions, however the log is cut into fetches", () => {
    const step = fc.record({
      producer: fc.integer({ min: 1, max: 3 }),
      act: fc.constantFrom("send", "send", "commit", "abort", "plain"),
    }) as fc.Arbitrary<Step>;
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        (steps, cuts) => {
          const { batches, aborted } = logOf(steps);
          const seen: bigint[] = [];
          let position = 0n;
          for (let at = 0, i = 0; at < batches.length; i++) {
            const fetched = batches.slice(at, at + (cuts[i % cuts.length] as number));
            at += fetched.length;
            const last = BigInt(at - 1);
            // The broker lists aborted transactions that overlap the range it sends, in no particular order.
            const abortedTransactions = aborted.filter(({ firstOffset, marker }) => firstOffset <= last && marker >= position).toReversed();
            const bytes = Buffer.concat(fetched.map((batch) => batch.bytes));
            const key = { topic: "t", topicId: "id", partition: 0 };
            const decoder = new RunDecoder({
              key,
              bytes,
              position,
              highWatermark: -1n,
              abortedTransactions,
              batchBytesMax: 2 ** 20,
              runBytesMax: 100,
            });
            for (let run = decoder.next(); run !== null; run = decoder.next()) {
              for (let row = 0; row < run.records.count; row++) seen.push(run.records.offsets[row] as bigint);
              position = run.next;
            }
            expect(position).toBe(last + 1n);
          }
          expect(seen).toEqual(batches.filter(({ kept }) => kept === true).map(({ offset }) => offset));
        },
      ),
      { numRuns: 500 },
    );
  });
});
