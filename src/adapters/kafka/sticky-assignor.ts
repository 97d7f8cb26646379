import { type TopicPartition, topicPartitionId } from "./topic-partition.ts";

/** What a member said when it joined. */
export interface MemberClaim {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly owned: readonly TopicPartition[];
  /** The generation in which it came to own them; -1: none. */
  readonly generation: number;
}

/**
 * The cooperative sticky assignment (KIP-429, KIP-341): what members own stays with them as far as loads differ by one at most, and what has to move is
 * first taken from its owner and given on in the next round. The package's own assigner leaves a newcomer without work where
 * nobody has more than the rounded-up share. Deterministic in the members' ids.
 */
export function assignStickily(
  members: readonly MemberClaim[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const target = new Map(sorted.map(({ memberId }) => [memberId, new Map<string, TopicPartition>()]));
  const reads = new Map(sorted.map(({ memberId, topics }) => [memberId, new Set(topics)]));
  const claims = claimsOf(sorted);
  const free: TopicPartition[] = [];
  for (const topic of [...partitionCounts.keys()].toSorted()) {
    for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
      const id = topicPartitionId({ topic, partition });
      const owner = claims.owners.get(id);
      if (owner !== undefined && (reads.get(owner)?.has(topic) ?? false)) target.get(owner)?.set(id, { topic, partition });
      else free.push({ topic, partition });
    }
  }
  const load = (memberId: string): number => target.get(memberId)?.size ?? 0;
  for (const partition of free) {
    const able = sorted.filter(({ memberId }) => reads.get(memberId)?.has(partition.topic) ?? false).map(({ memberId }) => memberId);
    const least = able.toSorted((a, b) => load(a) - load(b))[0];
    if (least !== undefined) target.get(least)?.set(topicPartitionId(partition), partition);
  }
  balance(target, reads);
  for (const [memberId, partitions] of target) {
    for (const id of partitions.keys()) {
      const holders = claims.holders.get(id);
      // Whoever holds it must let go first, doubtful claims included.
      if (holders !== undefined && [...holders].some((holder) => holder !== memberId)) partitions.delete(id);
    }
  }
  return new Map([...target].map(([memberId, partitions]) => [memberId, [...partitions.values()]]));
}

/** Who owns what: the claim of the latest generation; two claims of one generation cancel each other. `holders`: everyone who claims it at all. */
function claimsOf(members: readonly MemberClaim[]): { owners: Map<string, string>; holders: Map<string, Set<string>> } {
  const latest = new Map<string, { generation: number; memberId: string | null }>();
  const holders = new Map<string, Set<string>>();
  for (const { memberId, owned, generation } of members) {
    for (const partition of owned) {
      const id = topicPartitionId(partition);
      holders.set(id, (holders.get(id) ?? new Set()).add(memberId));
      const known = latest.get(id);
      if (known === undefined || generation > known.generation) latest.set(id, { generation, memberId });
      else if (generation === known.generation) latest.set(id, { generation, memberId: null });
    }
  }
  const owners = new Map([...latest].flatMap(([id, { memberId }]) => (memberId === null ? [] : [[id, memberId] as const])));
  return { owners, holders };
}

/** Moves partitions one by one from the fullest to the emptiest members that can take them, until none differ by two. */
function balance(target: Map<string, Map<string, TopicPartition>>, reads: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (let moved = true; moved;) {
    moved = false;
    const byLoad = [...target].toSorted((a, b) => b[1].size - a[1].size);
    for (const [, full] of byLoad) {
      for (const [emptyId, empty] of byLoad.toReversed()) {
        if (full.size - empty.size < 2) break;
        const found = [...full].findLast(([, { topic }]) => reads.get(emptyId)?.has(topic) ?? false);
        if (found === undefined) continue;
        full.delete(found[0]);
        empty.set(...found);
        moved = true;
        break;
      }
      if (moved) break;
    }
  }
}
