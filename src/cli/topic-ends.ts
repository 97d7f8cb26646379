import type { KafkaSourceConfig } from "../config/config.ts";
import type { Position } from "../core/position.ts";
import type { StartPoint } from "../core/ports.ts";
import { Cluster } from "../adapters/kafka/cluster.ts";

/** Asks a cluster where its topics begin and end, outside of any consumer group. */
export interface TopicEnds {
  /** Positions of all partitions of a topic as it is now. Rejects with SOURCE_UNREACHABLE or SOURCE_TOPIC_MISSING. */
  positions(topic: string, at: StartPoint): Promise<readonly Position[]>;
  close(): Promise<void>;
}

/** Opens a connection for such questions; each gives up after `patienceMs`. */
export function createTopicEnds(source: KafkaSourceConfig, patienceMs: number): TopicEnds {
  const { brokers, tls, sasl, isolation } = source;
  const cluster = new Cluster({ brokers, clientId: "sluice-cli", ...(tls !== undefined && { tls }), ...(sasl !== undefined && { sasl }) });
  return {
    async positions(topic, at) {
      await cluster.refresh([topic]);
      const known = cluster.topic(topic);
      const keys = (known?.partitions ?? []).map((_one, partition) => ({ topic, topicId: known?.id ?? "", partition }));
      return cluster.offsets(
        keys.length > 0 ? keys : [{ topic, topicId: "", partition: 0 }],
        at,
        isolation === "read_committed" ? 1 : 0,
        patienceMs,
      );
    },
    close: () => cluster.close(),
  };
}
