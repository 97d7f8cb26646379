/** A place records come from. Kafka: a topic's partition. Files: one file, whose `topicId` is its content hash. */
export interface PartitionKey {
  readonly topic: string;
  /** What makes the source unique for ever: Kafka's topic id (a UUID), or `sha256:<hex>` of a file's bytes. */
  readonly topicId: string;
  readonly partition: number;
}

/** The next offset to read of one partition. Offsets are sparse: never assume that `next - 1` exists. */
export interface Position extends PartitionKey {
  readonly next: bigint;
}

/** Half-open range of offsets `[from, to)` of one partition; sparse, so `count <= to - from`. */
export interface OffsetRange extends PartitionKey {
  readonly from: bigint;
  readonly to: bigint;
  readonly count: number;
}

/** The map key of a partition: `<topicId>:<partition>`. */
export function partitionId(key: PartitionKey): string {
  return `${key.topicId}:${key.partition}`;
}
