import { TopicCopies } from "../adapters/kafka/topic-copies.ts";
import type { Config, KafkaSourceConfig } from "../config/config.ts";
import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { RecordCopies } from "../core/record-copies.ts";
import { loadContracts } from "./contracts.ts";
import { connectionOf } from "./kafka-connection.ts";

/** Which topic holds the dead letters of a dataset. */
export function deadLetterTopics({ dlq }: Config, contracts: readonly Contract[]): (dataset: string) => string {
  const topics = new Map(contracts.map((one) => [one.dataset, `${one.topic}${dlq.topicSuffix}`]));
  return (dataset) => topics.get(dataset) ?? `${dataset}${dlq.topicSuffix}`;
}

/**
 * Runs work with the dead letters of a dataset, or without where the configuration has none or their topic does not exist. Rejects with COPIES_REFUSED, before
 * anything is done, where they can't be looked at, or are to be erased and the brokers would not let them be.
 */
export async function withDeadLetters<T>(
  config: Config,
  dataset: string,
  toErase: boolean,
  work: (copies: RecordCopies | undefined) => Promise<T>,
): Promise<T> {
  if (!config.dlq.enabled) return work(undefined);
  const topic = deadLetterTopics(config, await loadContracts(config))(dataset);
  const copies = await TopicCopies.open(connectionOf(config.source as KafkaSourceConfig, "sluice-cli"), topic).catch((cause: unknown) => {
    if (!(cause instanceof SluiceError)) throw cause;
    throw new SluiceError("COPIES_REFUSED", `dead letters on topic ${topic}: ${cause.message}`, { cause });
  });
  if (copies === null) return work(undefined);
  try {
    if (toErase) await copies.assertErasable();
    return await work(copies);
  } finally {
    await copies.close();
  }
}
