import type { CommittedWindow, OutgoingRecord, Probe, Producer, QuarantinedRecord, QuarantineFilter, Sink } from "../../core/ports.ts";
import { SluiceError } from "../../core/errors.ts";
import type { Header } from "../../core/records.ts";

/** Records of one produce call; a batch of them stays well under a broker's request limit. */
const sendRecordsMax = 500;
const sendBytesMax = 4 << 20;
/** What a header takes in memory on its way, beside its bytes. */
const headerBytes = 256;

export interface DlqOptions {
  readonly producer: Producer;
  /** The dead letter topic of a dataset. */
  readonly topicOf: (dataset: string) => string;
  readonly rows: (dataset: string, filter: QuarantineFilter) => AsyncIterable<QuarantinedRecord>;
  /** A record whose key, value and headers take more than this many bytes is not copied whole: a stub points to the quarantine table. */
  readonly recordBytesMax: number;
  readonly probe: Probe;
}

const encoder = new TextEncoder();

function header(key: string, value: string): Header {
  return { key, value: encoder.encode(value) };
}

/**
 * The dead letter copy of a quarantined record: key, value, headers and timestamp as they came, then headers in Kafka Connect's names, which other
 * tools parse, and Sluice's own. `sluice.id` with `sluice.attempt` de-duplicates: delivery is at least once. A record larger than `recordBytesMax` leaves
 * behind its value, then its headers, then its key, until the rest fits; `sluice.stub` says so.
 */
function dlqRecord(row: QuarantinedRecord, topic: string, recordBytesMax: number): OutgoingRecord {
  const first = row.reasons[0];
  const left = leftBehind(row, recordBytesMax);
  const headers: Header[] = [
    ...(left.includes("headers") ? [] : row.headers),
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
  if (left.length > 0) {
    const sizes = left.map((part) => `${part} of ${sizesOf(row)[part]} bytes`).join(", ");
    headers.push(header("sluice.stub", `${sizes}: in the quarantine table only`));
  }
  return {
    topic,
    key: left.includes("key") ? null : row.key,
    value: left.includes("value") ? null : row.value,
    headers,
    timestampMs: row.timestampMs < 0n ? null : row.timestampMs,
  };
}

type Part = "key" | "value" | "headers";

function sizesOf(row: QuarantinedRecord): Readonly<Record<Part, number>> {
  const headers = row.headers.reduce((sum, each) => sum + each.key.length * 3 + (each.value?.length ?? 0) + 10, 0);
  return { key: row.key?.length ?? 0, value: row.unreadValueBytes ?? row.value?.length ?? 0, headers };
}

function leftBehind(row: QuarantinedRecord, bytesMax: number): readonly Part[] {
  const sizes = sizesOf(row);
  const left: Part[] = [];
  let bytes = sizes.key + sizes.value + sizes.headers;
  for (const part of ["value", "headers", "key"] as const) {
    if (bytes <= bytesMax) break;
    if (sizes[part] === 0) continue;
    left.push(part);
    bytes -= sizes[part];
  }
  return left;
}

function isRefused(error: unknown): boolean {
  return error instanceof SluiceError && error.code === "PRODUCE_REFUSED";
}

/** Copies newly quarantined records to the dataset's dead letter topic. */
export function createDlqSink(options: DlqOptions): Sink {
  const { producer, topicOf, rows, recordBytesMax, probe } = options;

  /** Where the brokers refuse some of the copies (a topic may take less than we think), each goes alone, as a stub if need be. */
  async function sendCopies(copied: readonly QuarantinedRecord[], topic: string): Promise<void> {
    try {
      await producer.send(copied.map((row) => dlqRecord(row, topic, recordBytesMax)));
    } catch (error) {
      if (!isRefused(error)) throw error;
      for (const row of copied) await sendAlone(row, topic);
    }
  }

  async function sendAlone(row: QuarantinedRecord, topic: string): Promise<void> {
    try {
      await producer.send([dlqRecord(row, topic, recordBytesMax)]);
    } catch (error) {
      if (!isRefused(error)) throw error;
      // What is refused even without any bytes of its own is not the record's fault.
      await producer.send([dlqRecord(row, topic, 0)]);
    }
  }

  async function deliver(window: CommittedWindow): Promise<void> {
    if (window.quarantineSnapshotId === null) return;
    const { dataset } = window.decision;
    const topic = topicOf(dataset);
    let chunk: QuarantinedRecord[] = [];
    let bytes = 0;
    const send = async (): Promise<void> => {
      if (chunk.length === 0) return;
      probe("dlq.before-produce");
      await sendCopies(chunk, topic);
      probe("dlq.after-produce");
      chunk = [];
      bytes = 0;
    };
    for await (const row of rows(dataset, { snapshotId: window.quarantineSnapshotId, states: ["open"], valueBytesMax: recordBytesMax })) {
      const sizes = sizesOf(row);
      chunk.push(row);
      bytes += sizes.key + (row.value?.length ?? 0) + sizes.headers + row.headers.length * headerBytes;
      if (chunk.length >= sendRecordsMax || bytes >= sendBytesMax) await send();
    }
    await send();
  }

  return { name: "dlq", deliver, close: () => producer.close() };
}
