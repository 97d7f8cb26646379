import * as fc from "fast-check";
import { expect, it } from "vitest";
import { decodeAssignment, decodeMembers, encodeSubscription } from "../../../src/adapters/kafka/group-assignment.ts";
import { type TopicPartition, topicPartitionId } from "../../../src/adapters/kafka/topic-partition.ts";

/** Members join and leave; each round is what a leader computes and what members then own, as the cooperative protocol has it. */
function rebalance(owned: Map<string, TopicPartition[]>, counts: ReadonlyMap<string, number>, generation: number): { moved: boolean } {
  const members = [...owned].map(([memberId, partitions]) => ({
    memberId,
    metadata: encodeSubscription([...counts.keys(), "missing"], partitions, generation),
  }));
  const group = decodeMembers(members);
  expect(group.topics).toContain("missing");
  const targets = new Map(group.assign(counts).map(({ memberId, assignment }) => [memberId, decodeAssignment(assignment)]));
  const held = new Map<string, string>();
  for (const [member, partitions] of owned) for (const partition of partitions) held.set(topicPartitionId(partition), member);
  let moved = false;
  for (const [member, target] of targets) {
    for (const partition of target) {
      const holder = held.get(topicPartitionId(partition));
      // Nobody is given what another still holds.
      expect(holder === undefined || holder === member).toBe(true);
    }
    const wanted = new Set(target.map(topicPartitionId));
    if ((owned.get(member) ?? []).some((partition) => !wanted.has(topicPartitionId(partition)))) moved = true;
  }
  for (const [member, target] of targets) owned.set(member, target);
  return { moved };
}

it("settles within two rounds on a fair assignment of everything, giving nothing away that another still holds", () => {
  const event = fc.record({ join: fc.boolean(), who: fc.nat(4) });
  fc.assert(
    fc.property(
      fc.array(event, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 5 }),
      (events, a, b) => {
        const counts = new Map([
          ["a", a],
          ["b", b],
        ]);
        const owned = new Map<string, TopicPartition[]>();
        let generation = 0;
        for (const { join, who } of events) {
          if (join && !owned.has(`m${who}`)) owned.set(`m${who}`, []);
          else if (!join) owned.delete(`m${who}`);
          if (owned.size === 0) continue;
          let rounds = 0;
          while (rebalance(owned, counts, generation++).moved) expect(++rounds).toBeLessThan(3);
          rebalance(owned, counts, generation++);
          const all = [...owned.values()].flat().map(topicPartitionId);
          expect(new Set(all).size).toBe(a + b);
          expect(all).toHaveLength(a + b);
          const sizes = [...owned.values()].map(({ length }) => length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        }
      },
    ),
  );
});

it("gives a newcomer its share even where nobody has more than the rounded-up one", () => {
  const counts = new Map([["a", 4]]);
  const owned = new Map<string, TopicPartition[]>([
    ["m0", []],
    ["m1", []],
  ]);
  rebalance(owned, counts, 0);
  owned.set("m2", []);
  expect(rebalance(owned, counts, 1).moved).toBe(true);
  rebalance(owned, counts, 2);
  expect([...owned.values()].map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
});

it("gives what two members claim for one generation to neither until both let go, and what is claimed from older ones to the latest", () => {
  const claim = (memberId: string, generation: number) => ({
    memberId,
    metadata: encodeSubscription(["a"], [{ topic: "a", partition: 0 }], generation),
  });
  const given = (members: ReturnType<typeof claim>[]): string[] =>
    decodeMembers(members)
      .assign(new Map([["a", 1]]))
      .filter(({ assignment }) => decodeAssignment(assignment).length > 0)
      .map(({ memberId }) => memberId);
  expect(given([claim("x", 4), claim("y", 4)])).toEqual([]);
  expect(given([claim("x", 4)])).toEqual(["x"]);
  expect(given([claim("x", 4), claim("y", 3)])).toEqual([]);
});
