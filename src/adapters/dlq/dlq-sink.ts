import type { CommittedWindow, OutgoingRecord, Probe, Producer, QuarantinedRecord, QuarantineFilter, Sink } from "../../core/ports.ts";
import type { Header } from "../../core/records.ts";

/** Records of one produce call; a batch of them stays well under a broker's request limit. */
const sendRecordsMax = 500;
const sendBytesMax = 4 << 20;

export interface DlqOptions {
  readonly producer: Producer;
  /** The dead letter topic of a dataset. */
  readonly topicOf: (dataset: string) => string;
  readonly rows: (dataset: string, filter: QuarantineFilter) => AsyncIterable<QuarantinedRecord>;
  /** Values above this many bytes are not copied: a stub points to the quarantine table. */
  readonly valueBytesMax: number;
  readonly probe: Probe;
}

const encoder = new TextEncoder();

function header(key: string, value: string): Header {
  return { key, value: encoder.encode(value) };
}

/**
 * The dead letter copy of a quarantined record: key, value, headers and timestamp as they came, then headers in Kafka Connect's names, which other
 * tools parse, and Sluice's own. `sluice.id` with `sluice.attempt` de-duplicates: delivery is at least once.
 */
function dlqRecord(row: QuarantinedRecord, topic: string, valueBytesMax: number): OutgoingRecord {
  const first = row.reasons[0];
  const tooLarge = (row.value?.length ?? 0) > valueBytesMax;
  const headers: Header[] = [
    ...row.headers,
    header("__connect.errors.topic", row.topic),
    header("__connect.errors.partition", String(row.partition)),
    header("__connect.errors.offset", String(row.offset)),
    header("__connect.errors.stage", first?.family === "decode" ? "VALUE_CONVERTER" : "TRANSFORMATION"),
    header("__connect.errors.exception.class.name", first === undefined ? "sluice" : `sluice.${first.family}`),
    header(
      "__connect.errors.exception.message",
      row.reasons
        .map((reason) => reason.message)
        .join("; ")
        .slice(0, 4096),
    ),
    header("sluice.id", row.id),
    header("sluice.topic.id", row.topicId),
    header("sluice.attempt", String(row.attempt)),
    header("sluice.window", row.windowId),
    header("sluice.decision", row.decisionHash),
    header("sluice.contract", row.contractHash),
    header(
      "sluice.rules",
      row.reasons
        .map((reason) => reason.rule)
        .join(",")
        .slice(0, 4096),
    ),
  ];
  if (tooLarge) headers.push(header("sluice.stub", `value of ${row.value?.length ?? 0} bytes is in the quarantine table only`));
  return { topic, key: row.key, value: tooLarge ? null : row.value, headers, timestampMs: row.timestampMs < 0n ? null : row.timestampMs };
}

/** Copies newly quarantined records to the dataset's dead letter topic. */
export function createDlqSink(options: DlqOptions): Sink {
  const { producer, topicOf, rows, valueBytesMax, probe } = options;

  async function deliver(window: CommittedWindow): Promise<void> {
    if (window.quarantineSnapshotId === null) return;
    const { dataset } = window.decision;
    const topic = topicOf(dataset);
    let chunk: OutgoingRecord[] = [];
    let bytes = 0;
    const send = async (): Promise<void> => {
      if (chunk.length === 0) return;
      probe("dlq.before-produce");
      await producer.send(chunk);
      probe("dlq.after-produce");
      chunk = [];
      bytes = 0;
    };
    for await (const row of rows(dataset, { snapshotId: window.quarantineSnapshotId, states: ["open"] })) {
      chunk.push(dlqRecord(row, topic, valueBytesMax));
      bytes += row.value?.length ?? 0;
      if (chunk.length >= sendRecordsMax || bytes >= sendBytesMax) await send();
    }
    await send();
  }

  return { name: "dlq", deliver, close: () => producer.close() };
}
