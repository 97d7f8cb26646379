import { pathToFileURL } from "node:url";
import { createDlqSink } from "../adapters/dlq/dlq-sink.ts";
import { createEventsSink } from "../adapters/events/events-sink.ts";
import type { EventsSink } from "../adapters/events/events-sink.ts";
import { KafkaProducer } from "../adapters/kafka/producer.ts";
import { createLineageSink } from "../adapters/lineage/lineage-sink.ts";
import type { LineageNames } from "../adapters/lineage/run-event.ts";
import { fileTransport, httpTransport, kafkaTransport } from "../adapters/lineage/transport.ts";
import type { LineageTransport } from "../adapters/lineage/transport.ts";
import type { Config, KafkaSourceConfig } from "../config/config.ts";
import type { Contract } from "../core/contract.ts";
import type { Lake, Probe, Producer, Sink } from "../core/ports.ts";
import { contractReader } from "./contract-reader.ts";
import { deadLetterTopics } from "./dead-letters.ts";
import { connectionOf } from "./kafka-connection.ts";

/** After a stop: how long brokers have that have not answered a dead letter or an event. */
const closeWithinMs = 1000;
/** DLQ copies above this are stubs: a broker's default limit is 1 MiB a batch. */
const dlqRecordBytesMax = 900_000;
const lineageTimeoutMs = 10_000;
/** A delivery that no broker took for so long is reported, and tried again. */
const deadlineMs = 20_000;

/** A producer to the source's own cluster. */
function sourceProducer(config: Config): Producer {
  const connection = connectionOf(config.source as KafkaSourceConfig, `${config.worker}-producer`);
  return new KafkaProducer({ connection, deadlineMs, closeWithinMs });
}

/** The sink of CloudEvents on a topic. */
export function eventsSink(config: Config, lake: Lake): EventsSink {
  const { topic, source } = config.events;
  return createEventsSink({ producer: sourceProducer(config), topic, source, refsOf: (dataset) => lake.refs.list(dataset) });
}

/** What OpenLineage's events of a lake are named by. */
export function lineageNames({ lineage, source, lake }: Config): LineageNames {
  return {
    jobNamespace: lineage.namespace,
    sourceNamespace: source.kind === "kafka" ? `kafka://${source.brokers[0] ?? ""}` : "file",
    warehouseUri: lake.s3?.uri.replace(/\/+$/, "") ?? pathToFileURL(lake.folder).href,
    tableNamespace: lake.namespace,
  };
}

/** Sinks of committed windows, as a configuration names them: dead letters, lineage. */
export function windowSinks(config: Config, contracts: readonly Contract[], lake: Lake, probe: Probe): readonly Sink[] {
  const { dlq, lineage } = config;
  const produce = (): Producer => sourceProducer(config);
  const sinks: Sink[] = [];
  if (dlq.enabled) {
    sinks.push(
      createDlqSink({
        producer: produce(),
        topicOf: deadLetterTopics(config, contracts),
        rows: (dataset, filter) => lake.quarantined(dataset, filter),
        recordBytesMax: dlqRecordBytesMax,
        probe,
      }),
    );
  }
  const names = lineageNames(config);
  lineage.transports.forEach((each, index) => {
    const transport = createTransport(each, produce);
    // The name is the sink's cursor: two transports of a kind need two.
    const nth = lineage.transports.slice(0, index).filter((other) => other.kind === each.kind).length + 1;
    sinks.push(
      createLineageSink({
        transport: nth === 1 ? transport : { ...transport, name: `${transport.name}-${nth}` },
        names,
        quarantineTableOf: (dataset) => `${dataset}__quarantine`,
        contractOf: contractReader(contracts),
      }),
    );
  });
  return sinks;
}

function createTransport(config: Config["lineage"]["transports"][number], produce: () => Producer): LineageTransport {
  switch (config.kind) {
    case "file":
      return fileTransport(config.path);
    case "http":
      return httpTransport({ url: config.url, apiKey: config.apiKey ?? null, timeoutMs: lineageTimeoutMs });
    case "kafka":
      return kafkaTransport(produce(), config.topic);
  }
}
