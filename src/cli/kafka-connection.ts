import type { KafkaConnection } from "../adapters/kafka/connection.ts";
import type { KafkaSourceConfig } from "../config/config.ts";

/** How adapters reach the cluster of a Kafka source. */
export function connectionOf(source: KafkaSourceConfig, clientId: string): KafkaConnection {
  const { brokers, tls, sasl } = source;
  return { brokers, clientId, ...(tls !== undefined && { tls }), ...(sasl !== undefined && { sasl }) };
}
