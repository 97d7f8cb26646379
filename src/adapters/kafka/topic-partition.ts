/** A partition as group protocols name it: by topic name. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The map key of a topic partition. Topic names hold no slash. */
export function topicPartitionId({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
