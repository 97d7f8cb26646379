import {
  cooperativeStickyAssigner,
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from "@platformatic/kafka";

/** A partition as group protocols name it: by topic name. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The one assignor offered: what stays, stays with its owner, and only what moves is given up first (KIP-429). */
export const assignorName = "cooperative-sticky";

/** The map key of a topic partition. Topic names hold no slash. */
export function topicPartitionId({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

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

export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  const { assignedPartitions } = decodeConsumerProtocolAssignment(bytes);
  return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

/** Members of a group as the leader is told of them. */
export interface GroupMembers {
  /** Every topic any member subscribes to. */
  readonly topics: string[];
  assign(partitionCounts: ReadonlyMap<string, number>): { memberId: string; assignment: Buffer }[];
}

export function decodeMembers(members: readonly { memberId: string; metadata: Buffer }[]): GroupMembers {
  const subscriptions = new Map(
    members.map(({ memberId, metadata }) => [memberId, { ...decodeConsumerProtocolSubscription(metadata), memberId }]),
  );
  const topics = [...new Set([...subscriptions.values()].flatMap((subscription) => subscription.topics))];
  return {
    topics,
    assign(partitionCounts) {
      const known = new Map([...partitionCounts].map(([topic, partitionsCount]) => [topic, { partitionsCount }]));
      const metadata = { topics: known } as unknown as Parameters<typeof cooperativeStickyAssigner>[3];
      const described = subscriptions as unknown as Parameters<typeof cooperativeStickyAssigner>[1];
      return cooperativeStickyAssigner("", described, new Set(known.keys()), metadata).map(({ memberId, assignments }) => ({
        memberId,
        assignment: encodeConsumerProtocolAssignment({ version: 3, assignedPartitions: [...assignments.values()] }),
      }));
    },
  };
}

function grouped(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return [...byTopic].map(([topic, numbers]) => ({ topic, partitions: numbers }));
}
