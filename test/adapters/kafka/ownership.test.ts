import { expect, it } from "vitest";
import { OwnershipCalls } from "../../../src/adapters/kafka/ownership.ts";
import { createSlot, type PartitionSlot } from "../../../src/adapters/kafka/partition-slot.ts";
import type { PartitionKey, Position } from "../../../src/core/position.ts";
import type { SourceListener } from "../../../src/core/ports.ts";

function slotOf(partition: number): PartitionSlot {
  return Object.assign(createSlot("t", partition), { key: { topic: "t", topicId: "id", partition } });
}

/** A listener whose answers the test gives when it likes. */
function openListener() {
  const log: string[] = [];
  const open: (() => void)[] = [];
  const hold = (what: string, partitions: readonly PartitionKey[]): Promise<void> => {
    log.push(`${what} ${partitions.map(({ partition }) => partition).join(",")}`);
    return new Promise((resolve) => {
      open.push(() => {
        log.push(`${what} done`);
        resolve();
      });
    });
  };
  const listener = {
    assigned: async (partitions: readonly PartitionKey[]): Promise<Position[]> => {
      await hold("assigned", partitions);
      return partitions.map((key) => ({ ...key, next: 7n }));
    },
    revoked: (partitions: readonly PartitionKey[]) => hold("revoked", partitions),
    lost: (partitions: readonly PartitionKey[]) => void log.push(`lost ${partitions.map(({ partition }) => partition).join(",")}`),
  };
  return {
    calls: new OwnershipCalls(listener as unknown as SourceListener),
    log,
    answer: () => open.shift()?.(),
    settle: () => new Promise((resolve) => setTimeout(resolve, 5)),
  };
}

it("never lets calls of one partition overlap, and lets others pass", async () => {
  const { calls, log, answer, settle } = openListener();
  const [a, b] = [slotOf(0), slotOf(1)];
  const asked = calls.assigned([a], () => true);
  const gone = calls.revoked([a], 10_000);
  void calls.assigned([b], () => true);
  await settle();
  expect(log).toEqual(["assigned 0", "assigned 1"]);
  answer();
  expect(await asked).toEqual([{ topic: "t", topicId: "id", partition: 0, next: 7n }]);
  await settle();
  expect(log).toEqual(["assigned 0", "assigned 1", "assigned done", "revoked 0"]);
  answer();
  answer();
  await gone;
});

it("says `lost` at once where nothing is under way, else as soon as that is over", async () => {
  const { calls, log, answer, settle } = openListener();
  const [a, b] = [slotOf(0), slotOf(1)];
  const asked = calls.assigned([b], () => true);
  await settle();
  answer();
  await asked;
  log.length = 0;
  void calls.assigned([a], () => true);
  await settle();
  calls.lost([a, b]);
  expect(log).toEqual(["assigned 0", "lost 1"]);
  answer();
  await settle();
  expect(log).toEqual(["assigned 0", "lost 1", "assigned done", "lost 0"]);
});

it("ends only what was begun, and that once", async () => {
  const { calls, log, answer, settle } = openListener();
  const [a, never] = [slotOf(0), slotOf(1)];
  const asked = calls.assigned([a], () => true);
  await settle();
  answer();
  await asked;
  const gone = calls.revoked([a, never], 10_000);
  await settle();
  calls.lost([a, never]);
  answer();
  await gone;
  await settle();
  expect(log).toEqual(["assigned 0", "assigned done", "revoked 0", "revoked done"]);
});

it("does not ask about what is no longer ours, and gives up waiting at the deadline", async () => {
  const { calls, log, answer, settle } = openListener();
  const a = slotOf(0);
  void calls.assigned([a], () => true);
  const begun = performance.now();
  await calls.revoked([a], 50);
  expect(performance.now() - begun).toBeLessThan(10_000);
  const again = calls.assigned([a], () => false);
  answer();
  await settle();
  answer();
  expect(await again).toEqual([]);
  expect(log).toEqual(["assigned 0", "assigned done", "revoked 0", "revoked done"]);
});
