import * as fc from "fast-check";
import { expect, it } from "vitest";
import { partitionId, type PartitionKey, type Position } from "../../src/core/position.ts";
import { skippedTest, skipTo, type SkippedRange } from "../../src/core/skipped-range.ts";

const partitions: readonly PartitionKey[] = [0, 1].map((partition) => ({ topic: "t", topicId: "id", partition }));
const end = 14;

/** Reads on for some records; goes on from an offset by a person's answer; or is read no more. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("read" as const), partition: fc.nat(1), by: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ kind: fc.constant("set" as const), partition: fc.nat(1), to: fc.nat(end) }),
  fc.record({ kind: fc.constant("remove" as const), partition: fc.nat(1) }),
);

it("holds exactly the records that were passed over and not read since", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let skipped: SkippedRange[] = [];
      const positions = new Map<number, number>();
      /** What each record is: read, passed over, or still to come (absent). */
      const fate = partitions.map(() => new Map<number, "read" | "passed">());
      const stood = (): Position[] =>
        [...positions].map(([partition, next]) => ({ ...(partitions[partition] as PartitionKey), next: BigInt(next) }));
      for (const each of steps) {
        const of = fate[each.partition] as Map<number, "read" | "passed">;
        const key = partitions[each.partition] as PartitionKey;
        const at = positions.get(each.partition);
        if (each.kind === "read") {
          if (at === undefined) continue;
          for (let offset = at; offset < Math.min(at + each.by, end); offset++) of.set(offset, "read");
          positions.set(each.partition, Math.min(at + each.by, end));
        } else if (each.kind === "set") {
          skipped = skipTo(skipped, { stood: stood(), set: [{ ...key, next: BigInt(each.to) }], removed: [] });
          if (at !== undefined) for (let offset = at; offset < each.to; offset++) of.set(offset, "passed");
          for (let offset = each.to; offset < end; offset++) of.delete(offset);
          positions.set(each.partition, each.to);
        } else {
          skipped = skipTo(skipped, { stood: stood(), set: [], removed: [key] });
          if (at !== undefined) for (let offset = at; offset < end; offset++) of.set(offset, "passed");
          positions.delete(each.partition);
        }
        const isSkipped = skippedTest(skipped);
        for (const [partition, known] of fate.entries()) {
          const id = partitionId(partitions[partition] as PartitionKey);
          for (let offset = 0; offset < end; offset++) {
            // Records before a position that was moved back are read twice, and are no concern of this.
            expect([offset, isSkipped(id, BigInt(offset))]).toEqual([offset, known.get(offset) === "passed"]);
          }
        }
      }
    }),
  );
});

it("says nothing of other partitions", () => {
  const [first, second] = partitions as readonly [PartitionKey, PartitionKey];
  const skipped = skipTo([], { stood: [{ ...first, next: 3n }], set: [], removed: [first, second] });
  expect(skipped).toEqual([{ ...first, from: 3n, to: null }]);
  const isSkipped = skippedTest(skipped);
  expect([isSkipped(partitionId(first), 3n), isSkipped(partitionId(first), 2n), isSkipped(partitionId(second), 3n)]).toEqual([
    true,
    false,
    false,
  ]);
});
