import { setTimeout as sleep } from "node:timers/promises";
import { Producer as PlatformaticProducer, murmur2 } from "@platformatic/kafka";
import type { CompressionAlgorithmValue, MessageToProduce } from "@platformatic/kafka";
import { SluiceError } from "../../core/errors.ts";
import type { OutgoingRecord, Producer } from "../../core/ports.ts";
import { describeFault, protocolErrors } from "./broker-faults.ts";
import { connectionOptions } from "./connection.ts";
import type { KafkaConnection } from "./connection.ts";
import { OutgoingQueue } from "./outgoing-queue.ts";
import type { Outgoing } from "./outgoing-queue.ts";

export interface KafkaProducerOptions {
  readonly connection: KafkaConnection;
  /** How long one `send` may take, retries included; default 120 s. */
  readonly deadlineMs?: number;
  /** How long `close` waits for what was sent; default: until its deadline. */
  readonly closeWithinMs?: number;
  /** What may wait in memory; a `send` beyond it is refused (retryable), one alone is always taken. Default 64 MiB. */
  readonly queueBytesMax?: number;
  /** Default `none`. */
  readonly compression?: CompressionAlgorithmValue;
}

/** What a producer has done since it was made. */
export interface ProducerCounts {
  readonly acknowledged: number;
  /** Records sent again after an attempt of unknown outcome: each may be in the topic twice. */
  readonly resent: number;
}

/** Faults of the records or of permissions: sending the same again changes nothing. */
const refusals: ReadonlySet<string> = new Set([
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "INVALID_TOPIC_EXCEPTION",
  "TOPIC_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "UNSUPPORTED_COMPRESSION_TYPE",
  "POLICY_VIOLATION",
]);
const retryPauseMs = 200;
/** The client's varints are right for 32 bits only: a timestamp further than this from its batch's first would be corrupted. */
const batchSpanMs = 2n ** 31n;

/**
 * The `Producer` port over @platformatic/kafka: acks=all, idempotent, one batch a partition in flight, so that records of one key stay in
 * order. Tries until the deadline, then rejects with SINK_UNAVAILABLE (retryable); what the brokers refuse is PRODUCE_REFUSED at once.
 */
export class KafkaProducer implements Producer {
  readonly #options: KafkaProducerOptions;
  readonly #queue: OutgoingQueue;
  #client: PlatformaticProducer | null = null;
  #pumping: Promise<void> | null = null;
  #closed = false;
  /** Once closing: when what still waits is given up. */
  #closeByMs = Number.POSITIVE_INFINITY;
  /** Ends each answer that is waited for. */
  readonly #waits = new Set<(reason: Error) => void>();
  #acknowledged = 0;
  #resent = 0;
  #chunks = 0;

  constructor(options: KafkaProducerOptions) {
    this.#options = options;
    this.#queue = new OutgoingQueue(options.queueBytesMax ?? 64 * 1024 * 1024);
  }

  get counts(): ProducerCounts {
    return { acknowledged: this.#acknowledged, resent: this.#resent };
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new SluiceError("SINK_UNAVAILABLE", "the producer is closed"));
    if (records.length === 0) return Promise.resolve();
    const now = Date.now();
    const sent = this.#queue.add(records, now, now + (this.#options.deadlineMs ?? 120_000));
    this.#pumping ??= this.#pump();
    return sent;
  }

  /** Waits for what was sent, at most until its deadline or for `closeWithinMs`, and leaves; what waits then is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const { closeWithinMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    if (closeWithinMs !== undefined) {
      this.#closeByMs = Date.now() + closeWithinMs;
      timer = setTimeout(() => {
        for (const end of this.#waits) end(new TimeIsUp("the producer was closed"));
      }, closeWithinMs);
    }
    await this.#pumping;
    clearTimeout(timer);
    await this.#drop();
  }

  async #pump(): Promise<void> {
    // Sends of one turn of the event loop share their batches.
    await Promise.resolve();
    for (let chunk = this.#queue.take(); chunk.length > 0; chunk = this.#queue.take()) await this.#deliver(chunk);
    this.#pumping = null;
  }

  /** One chunk, all partitions at once, again and again until nothing of it waits: acknowledged, refused or out of time. */
  async #deliver(chunk: readonly Outgoing[]): Promise<void> {
    this.#chunks++;
    let left = chunk;
    let fault: unknown = null;
    while (left.length > 0) {
      const latest = await this.#attempt(left);
      // That time is up says less than what went wrong before.
      if (fault === null || !(latest instanceof TimeIsUp)) fault = latest;
      const now = Date.now();
      for (const outgoing of left) {
        if (outgoing.isWaiting() && now >= Math.min(outgoing.deadlineMs, this.#closeByMs)) {
          outgoing.fail(unacknowledged(outgoing, fault));
        }
      }
      left = left.filter((outgoing) => outgoing.isWaiting());
      if (left.length > 0) await sleep(retryPauseMs);
    }
  }

  /** Sends each partition's records once; a fault that is worth another try, or null. */
  async #attempt(records: readonly Outgoing[]): Promise<unknown> {
    const client = (this.#client ??= this.#open());
    const deadlineMs = Math.min(...records.map((outgoing) => outgoing.deadlineMs));
    try {
      const partitions = await this.#within(deadlineMs, this.#byPartition(client, records));
      const faults = await Promise.all(partitions.map((partition) => this.#sendPartition(client, partition, deadlineMs)));
      const fault = faults.find((each) => each !== null) ?? null;
      // A client that gave up, or is still trying past our deadline, must not go on beside its successor.
      if (fault !== null) await this.#drop();
      return fault;
    } catch (error) {
      if (isRefusal(error)) for (const outgoing of records) outgoing.fail(refused(error));
      await this.#drop();
      return error;
    }
  }

  /** Groups by partition, in order. One request a partition: the client sends a retried request whole to its first partition's leader. */
  async #byPartition(client: PlatformaticProducer, records: readonly Outgoing[]): Promise<Outgoing[][]> {
    const metadata = await client.metadata({ topics: [...new Set(records.map(({ record }) => record.topic))], retries: 0 });
    const groups = new Map<string, Outgoing[]>();
    for (const outgoing of records) {
      const { topic, key } = outgoing.record;
      // Java's partitioner for keys; records without one take turns by chunk.
      const slot = key === null ? this.#chunks : murmur2(asBuffer(key)) & 0x7fffffff;
      outgoing.partition ??= slot % (metadata.topics.get(topic)?.partitionsCount ?? 1);
      const id = `${topic}/${outgoing.partition}`;
      const group = groups.get(id);
      if (group === undefined) groups.set(id, [outgoing]);
      else group.push(outgoing);
    }
    return [...groups.values()];
  }

  async #sendPartition(client: PlatformaticProducer, records: readonly Outgoing[], deadlineMs: number): Promise<unknown> {
    for (const batch of splitByTime(records)) {
      const fault = await this.#sendBatch(client, batch, deadlineMs);
      // Later records must not overtake.
      if (fault !== null) return fault;
    }
    return null;
  }

  /** One batch; a refused one is taken apart, so that only the records at fault are refused. */
  async #sendBatch(client: PlatformaticProducer, batch: readonly Outgoing[], deadlineMs: number): Promise<unknown> {
    for (const outgoing of batch) {
      if (outgoing.doubtful) this.#resent++;
      outgoing.doubtful = true;
    }
    try {
      await this.#within(deadlineMs, client.send({ messages: batch.map(toMessage), acks: -1 }));
    } catch (error) {
      if (!isRefusal(error)) return error;
      // Refused means not written.
      for (const outgoing of batch) outgoing.doubtful = false;
      if (batch.length > 1) return this.#sendOneByOne(client, batch, deadlineMs);
      (batch[0] as Outgoing).fail(refused(error));
      return null;
    }
    for (const outgoing of batch) outgoing.acknowledge();
    this.#acknowledged += batch.length;
    return null;
  }

  async #sendOneByOne(client: PlatformaticProducer, batch: readonly Outgoing[], deadlineMs: number): Promise<unknown> {
    for (const outgoing of batch) {
      const fault = outgoing.isWaiting() ? await this.#sendBatch(client, [outgoing], deadlineMs) : null;
      if (fault !== null) return fault;
    }
    return null;
  }

  #open(): PlatformaticProducer {
    return new PlatformaticProducer({
      ...connectionOptions(this.#options.connection),
      idempotent: true,
      compression: this.#options.compression ?? "none",
      // A retry inside the client repeats a batch under its sequence number, which brokers recognise; ours can't. So let it try for ever.
      retries: true,
      retryDelay: retryPauseMs,
      requestTimeout: 10_000,
    });
  }

  /** The promise's own outcome, or a rejection at the deadline or when a closing producer waits no longer, whichever comes first. */
  async #within<T>(deadlineMs: number, promise: Promise<T>): Promise<T> {
    const { promise: expiry, reject } = Promise.withResolvers<never>();
    const leftMs = Math.min(deadlineMs, this.#closeByMs) - Date.now();
    const timer = setTimeout(() => reject(new TimeIsUp("no broker has acknowledged them")), Math.max(0, leftMs));
    this.#waits.add(reject);
    try {
      return await Promise.race([promise, expiry]);
    } finally {
      clearTimeout(timer);
      this.#waits.delete(reject);
    }
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.close(true).catch(() => undefined);
  }
}

/** Runs of records whose timestamps one batch can hold. */
function splitByTime(records: readonly Outgoing[]): Outgoing[][] {
  const batches: Outgoing[][] = [];
  let first = 0n;
  for (const outgoing of records) {
    const distance = outgoing.timestampMs - first;
    const batch = batches.at(-1);
    if (batch !== undefined && distance < batchSpanMs && distance >= -batchSpanMs) {
      batch.push(outgoing);
    } else {
      batches.push([outgoing]);
      first = outgoing.timestampMs;
    }
  }
  return batches;
}

function toMessage({ record, timestampMs, partition }: Outgoing): MessageToProduce {
  // The client's types know no null, its encoder writes null for undefined. Its headers are a Map by identity: equal names stay apart.
  return {
    topic: record.topic,
    partition: partition ?? 0,
    timestamp: timestampMs,
    headers: new Map(record.headers.map(({ key, value }) => [Buffer.from(key), optionalBuffer(value)])),
    key: optionalBuffer(record.key),
    value: optionalBuffer(record.value),
  };
}

function optionalBuffer(bytes: Uint8Array | null): Buffer {
  return (bytes === null ? undefined : asBuffer(bytes)) as Buffer;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The end of a wait, not a fault of a broker. */
class TimeIsUp extends Error {}

function unacknowledged({ record: { topic } }: Outgoing, fault: unknown): SluiceError {
  const story = describeFault(fault);
  // Where it looked a topic up, the client puts its own words in place of the broker's error.
  const isMissing = protocolErrors(fault).includes("UNKNOWN_TOPIC_OR_PARTITION") || story === `Unknown topic ${topic}.`;
  const message = isMissing
    ? `the topic ${topic} does not exist, and the brokers don't make it: create it`
    : `records for the topic ${topic} were not acknowledged in time: ${story}`;
  return new SluiceError("SINK_UNAVAILABLE", message, { cause: fault });
}

function isRefusal(error: unknown): boolean {
  return protocolErrors(error).some((name) => refusals.has(name));
}

function refused(error: unknown): SluiceError {
  return new SluiceError("PRODUCE_REFUSED", `the brokers refuse these records: ${describeFault(error)}`, { cause: error });
}
