import { Admin } from "@platformatic/kafka";
import { SluiceError } from "../../core/errors.ts";
import type { Position } from "../../core/position.ts";
import { describeFault, protocolErrors, unreachable } from "./broker-faults.ts";
import { Cluster } from "./cluster.ts";
import { connectionOptions, type KafkaConnection } from "./connection.ts";

/** A topic as the cluster knows it now. */
export interface TopicDescription {
  readonly name: string;
  /** A UUID; a topic created again has another. */
  readonly id: string;
  readonly partitions: number;
}

/** What the command line, the demo and tests ask of a cluster. All reject with SOURCE_UNREACHABLE where no broker answers. */
export interface KafkaAdmin {
  /** Resolves once every partition has a leader; false where the topic was there already. */
  createTopic(
    topic: string,
    options?: { partitions?: number; replicas?: number; configs?: Readonly<Record<string, string>> },
  ): Promise<boolean>;
  /** Rejects with NOT_FOUND. */
  deleteTopic(topic: string): Promise<void>;
  /** Null where it does not exist. */
  describeTopic(topic: string): Promise<TopicDescription | null>;
  /** Names, sorted, internal topics left out. */
  listTopics(): Promise<string[]>;
  /** The next offset to be written of every partition, or under read_committed the last stable one. Rejects with SOURCE_TOPIC_MISSING. */
  endOffsets(topic: string, isolation?: "read_committed" | "read_uncommitted"): Promise<Position[]>;
  /** The first offset there still is, of every partition. Rejects with SOURCE_TOPIC_MISSING. */
  startOffsets(topic: string): Promise<Position[]>;
  close(): Promise<void>;
}

const leaderPatienceMs = 15_000;

/** Opens connections when first needed; close it when done. */
export function openAdmin(connection: KafkaConnection): KafkaAdmin {
  const cluster = new Cluster(connection);
  let client: Admin | null = null;
  const admin = (): Admin => (client ??= new Admin({ ...connectionOptions(connection), retries: 5, retryDelay: 200 }));
  const describeTopic = async (topic: string): Promise<TopicDescription | null> => {
    await cluster.refresh([topic]);
    const found = cluster.topic(topic);
    return found === undefined ? null : { name: topic, id: found.id, partitions: found.partitions.length };
  };
  const offsets = async (topic: string, at: "earliest" | "latest", isolation: 0 | 1): Promise<Position[]> => {
    const found = await describeTopic(topic);
    if (found === null) throw new SluiceError("SOURCE_TOPIC_MISSING", `topic ${topic} does not exist`);
    const keys = Array.from({ length: found.partitions }, (_, partition) => ({ topic, topicId: found.id, partition }));
    return cluster.offsets(keys, { at }, isolation);
  };
  return {
    describeTopic,
    listTopics: () => cluster.topicNames(),
    endOffsets: (topic, isolation = "read_uncommitted") => offsets(topic, "latest", isolation === "read_committed" ? 1 : 0),
    startOffsets: (topic) => offsets(topic, "earliest", 0),
    async createTopic(topic, { partitions = 1, replicas = -1, configs = {} } = {}) {
      try {
        const entries = Object.entries(configs).map(([name, value]) => ({ name, value }));
        await admin().createTopics({ topics: [topic], partitions, replicas, configs: entries });
      } catch (error) {
        if (protocolErrors(error).includes("TOPIC_ALREADY_EXISTS")) return false;
        throw unreachable(`topic ${topic} can't be created`, error);
      }
      const deadline = performance.now() + leaderPatienceMs;
      for (;;) {
        await cluster.refresh([topic]);
        const found = cluster.topic(topic)?.partitions ?? [];
        if (found.length === partitions && found.every(({ leader }) => leader >= 0)) return true;
        if (performance.now() > deadline)
          throw new SluiceError("SOURCE_UNREACHABLE", `topic ${topic} was created, but has partitions without a leader`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async deleteTopic(topic) {
      try {
        await admin().deleteTopics({ topics: [topic] });
      } catch (error) {
        if (protocolErrors(error).includes("UNKNOWN_TOPIC_OR_PARTITION"))
          throw new SluiceError("NOT_FOUND", `topic ${topic} does not exist`);
        throw unreachable(`topic ${topic} can't be deleted: ${describeFault(error)}`, error);
      }
    },
    async close() {
      await Promise.all([cluster.close(), client?.close()]);
    },
  };
}
