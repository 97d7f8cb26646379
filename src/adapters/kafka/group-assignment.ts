import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from "@platformatic/kafka";
import { assignStickily } from "./sticky-assignor.ts";
import type { TopicPartition } from "./topic-partition.ts";

/** The one assignor offered: what stays, stays with its owner, and only what moves is given up first (KIP-429). */
export const assignorName = "cooperative-sticky";

/** What a member says of itself when it joins: its topics, and what it still owns of which generation. */
export function encodeSubscription(topics: readonly string[], owned: readonly TopicPartition[], generation: number): Buffer {
  return encodeConsumerProtocolSubscription({
    version: 3,
    topics: [...topics],
    ownedPartitions: grouped(owned),
    generationId: owned.length > 0 ? generation : -1,
    rackId: null,
  });
}

/** The partitions that a leader gave us; none for empty bytes. Throws on bytes that are no assignment. */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  return ungrouped(decodeConsumerProtocolAssignment(bytes).assignedPartitions);
}

/** Members of a group as the leader is told of them. */
export interface GroupMembers {
  /** Every topic any member subscribes to. */
  readonly topics: string[];
  assign(partitionCounts: ReadonlyMap<string, number>): { memberId: string; assignment: Buffer }[];
}

/** Members' own words, as JoinGroup hands them to the leader, ready to be assigned partitions. */
export function decodeMembers(members: readonly { memberId: string; metadata: Buffer }[]): GroupMembers {
  const claims = members.map(({ memberId, metadata }) => {
    const { topics, ownedPartitions, generationId } = decodeConsumerProtocolSubscription(metadata);
    return { memberId, topics, owned: ungrouped(ownedPartitions), generation: generationId };
  });
  return {
    topics: [...new Set(claims.flatMap(({ topics }) => topics))],
    assign: (partitionCounts) =>
      [...assignStickily(claims, partitionCounts)].map(([memberId, partitions]) => ({
        memberId,
        assignment: encodeConsumerProtocolAssignment({ version: 3, assignedPartitions: grouped(partitions) }),
      })),
  };
}

function ungrouped(topics: readonly { topic: string; partitions: number[] }[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

function grouped(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return [...byTopic].map(([topic, numbers]) => ({ topic, partitions: numbers }));
}
