import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimKeyBytes, type ClaimRows, type Claims, type ClaimScope, type Memo } from "../../src/core/claims.ts";
import type { SkippedRange } from "../../src/core/skipped-range.ts";

/** A record that wants a key: partition, offset, timestamp. */
type Wanted = readonly [key: string, partition: number, offset: number, timeMs?: number];

function rowsOf(wanted: readonly Wanted[]): ClaimRows {
  const count = wanted.length;
  const keys = new Uint8Array(count * claimKeyBytes);
  wanted.forEach(([key], i) => keys.set(createHash("sha256").update(key).digest().subarray(0, claimKeyBytes), i * claimKeyBytes));
  return {
    count,
    keys,
    partitions: [0, 1, 2].map((partition) => ({ topic: "t", topicId: "id", partition })),
    partition: Uint16Array.from(wanted, ([, partition]) => partition),
    offsets: BigInt64Array.from(wanted, ([, , offset]) => BigInt(offset)),
    timestampsMs: BigInt64Array.from(wanted, ([, , , time = -1]) => BigInt(time)),
  };
}

const always: ClaimScope = { dataset: "orders", rule: "order_id", horizonMs: null };
const anHour: ClaimScope = { dataset: "orders", rule: "order_id/hour", horizonMs: 3_600_000 };

/** Claims, as a process has them open. */
interface OpenClaims {
  readonly claims: Claims;
  /** How many keys are held in the database. */
  readonly count: () => Promise<number>;
  readonly close: () => void | Promise<void>;
}

/** Where claims stand; `open` again finds what was claimed, until `reset`. */
export interface ClaimsBench {
  readonly name: string;
  readonly reset: () => Promise<void>;
  readonly open: () => Promise<OpenClaims>;
}

/** What every implementation of `Claims` does. */
export function describeClaims(bench: ClaimsBench): void {
  describe(`claims: ${bench.name}`, () => {
    let opened: OpenClaims;
    let claims: Claims;
    const open = async (): Promise<void> => {
      opened = await bench.open();
      ({ claims } = opened);
    };
    const claim = async (scope: ClaimScope, ...wanted: Wanted[]): Promise<number[]> => [...(await claims.claim(scope, rowsOf(wanted)))];
    beforeEach(async () => {
      await bench.reset();
      await open();
    });
    afterEach(() => opened.close());

    it("the first record of a key holds it, in one call and over calls", async () => {
      expect(await claim(always, ["a", 0, 1], ["b", 0, 2], ["a", 0, 3])).toEqual([0, 0, 1]);
      expect(await claim(always, ["b", 1, 7], ["c", 1, 8])).toEqual([1, 0]);
    });

    it("claiming again from the same positions is no change, whatever was claimed between", async () => {
      const wanted: Wanted[] = [
        ["a", 0, 1],
        ["b", 0, 2],
        ["a", 0, 3],
      ];
      const first = await claim(always, ...wanted);
      await claim(always, ["a", 2, 9], ["d", 2, 10]);
      expect(await claim(always, ...wanted)).toEqual(first);
    });

    it("survives its process", async () => {
      await claim(always, ["a", 0, 1]);
      await opened.close();
      await open();
      expect(await claim(always, ["a", 0, 2], ["a", 0, 1])).toEqual([1, 0]);
    });

    it("rules and datasets do not see each other's keys", async () => {
      await claim(always, ["a", 0, 1]);
      expect(await claim({ ...always, rule: "other" }, ["a", 0, 2])).toEqual([0]);
      expect(await claim({ ...always, dataset: "other" }, ["a", 0, 2])).toEqual([0]);
    });

    it("within a horizon, records further apart are no duplicates, in either order", async () => {
      expect(await claim(anHour, ["a", 0, 1, 0], ["a", 0, 2, 3_599_999])).toEqual([0, 1]);
      expect(await claim(anHour, ["a", 0, 3, 3_600_000])).toEqual([0]);
      expect(await claim(anHour, ["a", 0, 4, 7_199_999], ["a", 0, 1, 0])).toEqual([1, 0]);
      expect(await claim(anHour, ["old", 0, 10, 10_000_000], ["old", 1, 11, 1])).toEqual([0, 0]);
      expect(await claim(anHour, ["old", 0, 12, 10_000_001], ["old", 1, 11, 1])).toEqual([1, 0]);
    });

    it("records without a timestamp are duplicates whatever the horizon", async () => {
      expect(await claim(anHour, ["a", 0, 1, -1], ["a", 0, 2, 9_000_000_000])).toEqual([0, 1]);
    });

    it("forgets keys beyond twice the horizon, so that it does not grow for ever", async () => {
      const old: Wanted[] = Array.from({ length: 500 }, (_, i) => [`old ${i}`, 0, i, 1000]);
      await claim(anHour, ...old);
      for (let i = 0; i < 256; i++) await claim(anHour, [`new ${i}`, 0, 1000 + i, 100_000_000]);
      expect(await opened.count()).toBe(256);
    });

    it("releases what records of the given ranges hold, and nothing else", async () => {
      await claim(always, ["a", 0, 1], ["b", 0, 2]);
      const range = { topic: "t", topicId: "id", partition: 0, from: 1n, to: 2n, count: 1 };
      await claims.release("other", [{ ...range, to: 9n }]);
      await claims.release("orders", [range, { ...range, partition: 1, from: 0n, to: 9n }]);
      expect(await claim(always, ["a", 1, 5], ["b", 1, 6])).toEqual([0, 1]);
    });

    it("what records of skipped ranges hold is void, whenever they claimed it", async () => {
      const skipped: SkippedRange[] = [{ topic: "t", topicId: "id", partition: 0, from: 5n, to: 8n }];
      const at = async (...wanted: Wanted[]): Promise<number[]> => [...(await claims.claim(always, rowsOf(wanted), skipped))];
      await claim(always, ["a", 0, 5], ["b", 0, 8], ["c", 0, 4], ["d", 0, 7]);
      expect(await at(["a", 1, 1], ["b", 1, 2], ["c", 1, 3], ["d", 1, 4], ["d", 1, 5])).toEqual([0, 1, 1, 0, 1]);
      // A worker that has not heard of the answer claims late: its record is never read again either.
      await claim(always, ["e", 0, 6]);
      expect(await at(["e", 2, 1], ["e", 0, 6])).toEqual([0, 1]);
      expect(await claim(always, ["a", 0, 5], ["a", 1, 1])).toEqual([1, 0]);
    });

    it("gives back what the very records hold that forfeit it", async () => {
      await claim(always, ["a", 0, 1], ["b", 0, 2], ["c", 0, 3]);
      await claims.forfeit(
        always,
        rowsOf([
          ["a", 0, 1],
          ["b", 0, 9],
          ["c", 1, 3],
        ]),
      );
      expect(await claim(always, ["a", 2, 5], ["b", 2, 6], ["c", 2, 7])).toEqual([0, 1, 1]);
    });

    it("keeps one memo a rule, the newest", async () => {
      const memo = (sequence: bigint): Memo => ({
        sequence,
        snapshotId: `${sequence}9223372036854775807`,
        bytes: Buffer.alloc(1000, Number(sequence)),
      });
      expect(await claims.memo("orders", "counts")).toBeNull();
      await claims.keepMemo("orders", "counts", memo(3n));
      await claims.keepMemo("orders", "counts", memo(2n));
      await claims.keepMemo("other", "counts", memo(7n));
      await opened.close();
      await open();
      const found = await claims.memo("orders", "counts");
      expect({ ...found, bytes: Buffer.from(found?.bytes ?? []) }).toEqual(memo(2n));
      expect(await claims.memo("orders", "else")).toBeNull();
    });

    it("remembers up to which snapshot the table's rows are claimed", async () => {
      expect(await claims.covered(always)).toBeNull();
      await claims.cover(always, 7n);
      await claims.cover(always, 5n);
      expect(await claims.covered(always)).toBe(7n);
      expect(await claims.covered(anHour)).toBeNull();
    });
  });
}
