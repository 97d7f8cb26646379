import { type Connection, findCoordinatorV4, listOffsetsV7, metadataV12 } from "@platformatic/kafka";
import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey, Position } from "../../core/position.ts";
import type { StartPoint } from "../../core/ports.ts";
import { type BrokerAddress, BrokerConnections } from "./broker-connections.ts";
import { responseOf, unreachable } from "./broker-faults.ts";
import type { KafkaConnection } from "./connection.ts";

type MetadataResponse = ReturnType<typeof metadataV12.parseResponse>;

export interface PartitionMetadata {
  /** -1 while it has none. */
  readonly leader: number;
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly id: string;
  /** By partition number. */
  readonly partitions: readonly PartitionMetadata[];
}

/** How transactions are seen: 0 read_uncommitted, 1 read_committed. */
export type IsolationLevel = 0 | 1;

/** What is known of a cluster: brokers, topics with their ids, leaders. Refreshed on demand; one topic's fault never hides another. */
export class Cluster {
  readonly connections: BrokerConnections;
  readonly #brokers = new Map<number, BrokerAddress>();
  readonly #topics = new Map<string, TopicMetadata>();
  #refreshing: { topics: string; done: Promise<void> } | null = null;

  constructor(connection: KafkaConnection) {
    this.connections = new BrokerConnections(connection);
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** The node that leads a partition; -1 while none does. */
  leader({ topic, partition }: { readonly topic: string; readonly partition: number }): number {
    return this.#topics.get(topic)?.partitions[partition]?.leader ?? -1;
  }

  /** Asks anew about these topics; one that doesn't exist is forgotten. Rejects with SOURCE_UNREACHABLE. */
  async refresh(topics: readonly string[]): Promise<void> {
    const id = topics.toSorted().join("\n");
    if (this.#refreshing?.topics === id) return this.#refreshing.done;
    const done = this.#ask(topics);
    const refreshing = { topics: id, done };
    this.#refreshing = refreshing;
    try {
      await done;
    } finally {
      if (this.#refreshing === refreshing) this.#refreshing = null;
    }
  }

  async #ask(topics: readonly string[]): Promise<void> {
    const response = await this.#metadata([...topics]);
    this.#brokers.clear();
    for (const { nodeId, host, port } of response.brokers) this.#brokers.set(nodeId, { host, port });
    for (const name of topics) {
      const found = response.topics.find((topic) => topic.name === name);
      if (found === undefined || found.errorCode === 3) this.#topics.delete(name);
      if (found === undefined || found.errorCode !== 0) continue;
      const partitions: PartitionMetadata[] = [];
      for (const { partitionIndex, leaderId, leaderEpoch } of found.partitions)
        partitions[partitionIndex] = { leader: leaderId, leaderEpoch };
      this.#topics.set(name, { id: found.topicId, partitions });
    }
  }

  async #metadata(topics: string[] | null): Promise<MetadataResponse> {
    const connection = await this.control();
    try {
      return await metadataV12.api.async(connection, topics, false, false);
    } catch (error) {
      const response = responseOf(error) as MetadataResponse | null;
      if (response === null) throw unreachable("asking for metadata failed", error);
      return response;
    }
  }

  /** Names of all topics, internal ones left out. Rejects with SOURCE_UNREACHABLE. */
  async topicNames(): Promise<string[]> {
    const { topics } = await this.#metadata(null);
    return topics
      .filter(({ isInternal, name }) => !isInternal && name !== null)
      .map(({ name }) => name as string)
      .toSorted();
  }

  /** A connection for questions any broker answers. */
  async control(): Promise<Connection> {
    try {
      return await this.connections.any(this.#brokers.values());
    } catch (error) {
      throw unreachable("no broker can be reached", error);
    }
  }

  broker(node: number): BrokerAddress | undefined {
    return this.#brokers.get(node);
  }

  /** The broker that coordinates a consumer group. Rejects with the broker's own error, or SOURCE_UNREACHABLE. */
  async coordinator(groupId: string): Promise<BrokerAddress> {
    const { coordinators } = await findCoordinatorV4.api.async(await this.control(), 0, [groupId]);
    const found = coordinators[0];
    if (found === undefined) throw new SluiceError("SOURCE_UNREACHABLE", `no broker coordinates the group ${groupId}`);
    return { host: found.host, port: found.port };
  }

  /**
   * Offsets of a starting point, or of an end, by the partitions' leaders; a time past the last record is the end.
   * Tries again through leader changes for `patienceMs`, then rejects with SOURCE_UNREACHABLE or SOURCE_TOPIC_MISSING.
   */
  async offsets(keys: readonly PartitionKey[], start: StartPoint, isolation: IsolationLevel, patienceMs = 15_000): Promise<Position[]> {
    const timestamp = "ms" in start ? BigInt(start.ms) : start.at === "earliest" ? -2n : -1n;
    const topics = [...new Set(keys.map(({ topic }) => topic))];
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        if (topics.some((name) => this.topic(name) === undefined)) await this.refresh(topics);
        const found = await this.#listOffsets(keys, timestamp, isolation);
        const open = found.filter(({ next }) => next < 0n);
        if (open.length === 0) return found;
        const ends = await this.#listOffsets(open, -1n, isolation);
        return found.map((position, i) => (position.next < 0n ? (ends[open.indexOf(found[i] as Position)] as Position) : position));
      } catch (error) {
        if (error instanceof SluiceError && error.code === "SOURCE_IDENTITY_CHANGED") throw error;
        if (performance.now() > deadline) throw unreachable("offsets can't be listed", error);
        await new Promise((resolve) => setTimeout(resolve, 200));
        await this.refresh(topics).catch(() => undefined);
      }
    }
  }

  async #listOffsets(keys: readonly PartitionKey[], timestamp: bigint, isolation: IsolationLevel): Promise<Position[]> {
    const byNode = new Map<number, PartitionKey[]>();
    for (const key of keys) {
      const topic = this.topic(key.topic);
      if (topic === undefined) throw new SluiceError("SOURCE_TOPIC_MISSING", `topic ${key.topic} does not exist`);
      // ListOffsets asks by name: another topic under the same name must not answer for this one.
      if (topic.id !== key.topicId) throw identityChanged(key.topic, key.topicId, topic.id);
      const leader = this.leader(key);
      byNode.set(leader, [...(byNode.get(leader) ?? []), key]);
    }
    const answers = new Map<string, bigint>();
    await Promise.all(
      [...byNode].map(async ([node, mine]) => {
        const address = this.broker(node);
        if (address === undefined) throw new Error(`partition ${mine[0]?.topic}/${mine[0]?.partition} has no leader`);
        const asked = new Map<string, { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[]>();
        for (const { topic, partition } of mine) {
          asked.set(topic, [...(asked.get(topic) ?? []), { partitionIndex: partition, currentLeaderEpoch: -1, timestamp }]);
        }
        const connection = await this.connections.get(address, "offsets");
        const request = [...asked].map(([name, partitions]) => ({ name, partitions }));
        const { topics } = await listOffsetsV7.api.async(connection, -1, isolation, request);
        for (const { name, partitions } of topics)
          for (const { partitionIndex, offset } of partitions) answers.set(`${name}/${partitionIndex}`, offset);
      }),
    );
    return keys.map(({ topic, topicId, partition }) => ({ topic, topicId, partition, next: answers.get(`${topic}/${partition}`) ?? -1n }));
  }

  close(): Promise<void> {
    return this.connections.close();
  }
}

/** The error of a topic that was deleted and created again under its name. */
export function identityChanged(topic: string, from: string, to: string): SluiceError {
  return new SluiceError(
    "SOURCE_IDENTITY_CHANGED",
    `topic ${topic} had the id ${from} and now has ${to}: it was deleted and created again`,
    {
      details: { topic, from, to },
    },
  );
}
