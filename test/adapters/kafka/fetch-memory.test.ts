import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteBudget } from "../../../src/adapters/kafka/byte-budget.ts";
import { FetchMemory } from "../../../src/adapters/kafka/fetch-memory.ts";
import { createSlot } from "../../../src/adapters/kafka/partition-slot.ts";
import { RunDecoder } from "../../../src/adapters/kafka/run-decoder.ts";
import { RunPump } from "../../../src/adapters/kafka/run-pump.ts";
import type { SourceRun } from "../../../src/core/ports.ts";
import { span } from "../../../src/core/records.ts";
import { writeBatch } from "./batch-writer.ts";

const key = { topic: "t", topicId: "00000000-0000-0000-0000-000000000001", partition: 0 };
const mebibyte = 1 << 20;

describe("memory of fetched bytes", () => {
  it("is used again when the last holder has let go, and not before", () => {
    const memory = new FetchMemory(8 * mebibyte);
    const first = memory.take(mebibyte);
    memory.hold(first);
    memory.release(first);
    expect(memory.take(mebibyte).buffer).not.toBe(first.buffer);
    memory.release(first.subarray(10));
    expect(memory.take(mebibyte - 100_000).buffer).toBe(first.buffer);
  });

  it("is never handed out twice, whatever the order of takes, holds and releases", () => {
    const step = fc.record({
      kind: fc.constantFrom("take", "hold", "release"),
      pick: fc.nat(),
      bytes: fc.integer({ min: 1, max: 3 * mebibyte }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new FetchMemory(4 * mebibyte);
        const held: { bytes: Buffer; holders: number }[] = [];
        for (const { kind, pick, bytes } of steps) {
          const one = held[pick % Math.max(1, held.length)];
          if (kind === "take") {
            const taken = memory.take(bytes);
            expect(taken.length).toBe(bytes);
            expect(held.some((each) => each.bytes.buffer === taken.buffer)).toBe(false);
            held.push({ bytes: taken, holders: 1 });
          } else if (one !== undefined && kind === "hold") {
            memory.hold(one.bytes);
            one.holders++;
          } else if (one !== undefined) {
            memory.release(one.bytes);
            if (--one.holders === 0) held.splice(held.indexOf(one), 1);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("does not keep more than it may, nor pieces of unusual sizes", () => {
    const memory = new FetchMemory(2 * mebibyte);
    const pieces = [1, 2, 3].map(() => memory.take(mebibyte));
    for (const piece of pieces) memory.release(piece);
    const again = [1, 2, 3].map(() => memory.take(mebibyte).buffer);
    expect(again.filter((buffer) => pieces.some((piece) => piece.buffer === buffer))).toHaveLength(2);
    for (const bytes of [1000, 3 * mebibyte]) {
      const odd = memory.take(bytes);
      memory.release(odd);
      expect(memory.take(bytes).buffer).not.toBe(odd.buffer);
    }
  });

  it("is not kept at all where records may be looked at after their release", () => {
    const memory = new FetchMemory(0);
    const piece = memory.take(mebibyte);
    memory.release(piece);
    expect(memory.take(mebibyte).buffer).not.toBe(piece.buffer);
  });
});

describe.each(["none", "zstd"] as const)("runs of batches with codec %s", (codec) => {
  it("keep their bytes until they are released, while other answers come and go in the same memory", () => {
    const memory = new FetchMemory(8 * mebibyte);
    const out: { run: SourceRun; value: string }[] = [];
    const released: ArrayBufferLike[] = [];
    let reused = 0;
    const pump = new RunPump({
      budget: new ByteBudget(64 * mebibyte),
      memory,
      alive: () => true,
      current: () => true,
      deliver: (run) => {
        const value = Buffer.from(span(run.records, "value", 0) as Uint8Array).toString("latin1");
        if (released.includes(run.records.bytes.buffer)) reused++;
        out.push({ run, value });
      },
      bad: (_, error) => {
        throw error;
      },
      drained: () => {},
    });
    const slot = { ...createSlot("t", 0), key, position: 0n };
    for (let round = 0; round < 24; round++) {
      // Two batches, which are put together once they are decompressed.
      const batches = [2 * round, 2 * round + 1].map((offset) => {
        // Text that zstd makes little of: answers of either codec are large enough to be kept.
        const letters = Array.from({ length: 250_000 }, (_, i) => 33 + ((Math.imul(i + 7919 * offset, 2_654_435_761) >>> 20) % 90));
        const record = { offset: BigInt(offset), timestamp: 1n, key: null, value: Buffer.from(letters), headers: [] };
        return writeBatch({ records: [record], codec });
      });
      const batch = Buffer.concat(batches);
      const bytes = memory.take(batch.length);
      batch.copy(bytes);
      const decoder = new RunDecoder({
        key,
        bytes,
        position: slot.position,
        highWatermark: -1n,
        abortedTransactions: null,
        batchBytesMax: 2 ** 24,
        runBytesMax: mebibyte,
        memory,
      });
      pump.add(slot, decoder);
      for (const { run, value } of out) expect(Buffer.from(span(run.records, "value", 0) as Uint8Array).toString("latin1")).toBe(value);
      if (out.length < 4) continue;
      const [oldest] = out.splice(round % 4, 1);
      released.push(oldest?.run.records.bytes.buffer as ArrayBufferLike);
      oldest?.run.release();
    }
    expect(reused).toBeGreaterThan(10);
  });
});
