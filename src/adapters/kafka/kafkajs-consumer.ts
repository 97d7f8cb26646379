import kafkajs from "kafkajs";
import type { Consumer, EachBatchPayload, LogEntry } from "kafkajs";
import { SluiceError } from "../../core/errors.ts";
import { unreachable } from "./broker-faults.ts";
import type { KafkaConnection } from "./connection.ts";
import { letIdleQueuesSleep } from "./kafkajs-request-queue.ts";

export interface KafkajsConsumerOptions {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  readonly isolation: "read_committed" | "read_uncommitted";
  readonly bytesInFlightMax: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly fetchWaitMs: number;
  readonly metadataRefreshMs: number;
}

/** What happens to the group's member. `lost` comes before every `joined` and whenever membership ends. */
export interface KafkajsConsumerEvents {
  joined(assignment: Readonly<Record<string, readonly number[]>>): void;
  lost(): void;
  batch(payload: EachBatchPayload): Promise<void>;
  /** A fetch held only what is never handed out: markers and aborted records, up to before `next`. */
  passed(topic: string, partition: number, next: bigint): void;
  trouble(error: SluiceError | null): void;
}

const connectionFault = /ECONN|EPIPE|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|Connection (error|timeout)|timed out|Closed connection|certificate/i;
const retry = { initialRetryTime: 100, maxRetryTime: 2000, retries: 8 };

/** A kafkajs consumer that can change its topics and comes back when kafkajs gives up: each time a new one, whose predecessor is not heard any more. */
export class KafkajsConsumer {
  readonly #options: KafkajsConsumerOptions;
  readonly #events: KafkajsConsumerEvents;
  #consumer: Consumer | null = null;
  /** The topics that the consumer was started with. */
  #topics: readonly string[] = [];
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: KafkajsConsumerOptions, events: KafkajsConsumerEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Reads these topics: starts anew where they are not those it reads, or where it has ended. */
  follow(topics: readonly string[]): void {
    if (topics.join("\n") === this.#topics.join("\n")) return;
    this.#topics = topics;
    this.#changing = this.#changing.then(async () => {
      const old = this.#consumer;
      this.#consumer = null;
      this.#events.lost();
      await old?.disconnect().catch(() => undefined);
      if (this.#closed || topics.length === 0) return;
      try {
        await this.#run(topics);
      } catch (error) {
        this.#failed(unreachable("kafkajs can't join", error));
      }
    });
  }

  /** Passes a command on; a consumer that is just ending refuses, and is told anew when it has joined again. */
  tell(command: (consumer: Consumer) => void): void {
    try {
      if (this.#consumer !== null) command(this.#consumer);
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSNonRetriableError)) throw error;
    }
  }

  /** Best effort. */
  async commit(offsets: readonly { topic: string; partition: number; offset: string }[]): Promise<void> {
    await this.#consumer?.commitOffsets([...offsets]).catch(() => undefined);
  }

  /** Lets a change under way come to its end; no other begins. */
  async settle(): Promise<void> {
    this.#closed = true;
    await this.#changing;
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    await this.settle();
    await this.#consumer?.disconnect().catch(() => undefined);
  }

  /** The next `follow` starts it again. */
  #failed(error: SluiceError): void {
    this.#events.trouble(error);
    this.#topics = [];
    this.#events.lost();
  }

  async #run(topics: readonly string[]): Promise<void> {
    const options = this.#options;
    letIdleQueuesSleep();
    const kafka = new kafkajs.Kafka({
      ...clientOptions(options.connection),
      logLevel: kafkajs.logLevel.ERROR,
      logCreator: () => (entry) => this.#log(entry),
      retry,
    });
    const consumer = kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      maxWaitTimeInMs: options.fetchWaitMs,
      maxBytes: Math.max(1024, Math.min(8 * 2 ** 20, Math.floor(options.bytesInFlightMax / 2))),
      maxBytesPerPartition: Math.max(1024, Math.min(2 ** 20, Math.floor(options.bytesInFlightMax / 4))),
      metadataMaxAge: options.metadataRefreshMs,
      readUncommitted: options.isolation === "read_uncommitted",
      allowAutoTopicCreation: false,
      retry,
    });
    this.#listen(consumer);
    this.#consumer = consumer;
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    const eachBatch = (payload: EachBatchPayload): Promise<void> =>
      this.#consumer === consumer ? this.#events.batch(payload) : Promise.resolve();
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
  }

  #listen(consumer: Consumer): void {
    const mine = (): boolean => this.#consumer === consumer && !this.#closed;
    const { REBALANCING, GROUP_JOIN, CRASH, END_BATCH_PROCESS, FETCH } = consumer.events;
    consumer.on(REBALANCING, () => {
      if (mine()) this.#events.lost();
    });
    consumer.on(GROUP_JOIN, ({ payload }) => {
      if (!mine()) return;
      this.#events.lost();
      this.#events.joined(payload.memberAssignment);
    });
    consumer.on(FETCH, () => {
      if (mine()) this.#events.trouble(null);
    });
    consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      if (mine() && payload.batchSize === 0) this.#events.passed(payload.topic, payload.partition, BigInt(payload.lastOffset) + 1n);
    });
    consumer.on(CRASH, ({ payload }) => {
      if (!mine()) return;
      const error = unreachable("kafkajs gave up and begins anew", payload.error);
      if (!payload.restart) return this.#failed(error);
      this.#events.trouble(error);
      this.#events.lost();
    });
  }

  /** kafkajs says through its log only that a broker can't be reached, and tries again. */
  #log({ log }: LogEntry): void {
    const { message, error } = log as { message: string; error?: unknown };
    const detail = typeof error === "string" ? `${message}: ${error}` : message;
    // Membership, leaders that move and the like are its daily business.
    if (this.#closed || !connectionFault.test(detail)) return;
    this.#events.trouble(new SluiceError("SOURCE_UNREACHABLE", `kafkajs: ${detail}`));
  }
}

/** A connection's settings as kafkajs names them. The `sasl` object is new each time: kafkajs keeps state by it. */
function clientOptions({ brokers, clientId, tls, sasl }: KafkaConnection) {
  return {
    brokers: [...brokers],
    clientId,
    ...(tls !== undefined && {
      ssl: {
        ...(tls.ca !== undefined && { ca: [tls.ca] }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
        ...(tls.serverName !== undefined && { servername: tls.serverName }),
        rejectUnauthorized: tls.rejectUnauthorized ?? true,
      },
    }),
    ...(sasl !== undefined && {
      sasl: { mechanism: sasl.mechanism.toLowerCase() as "plain", username: sasl.username, password: sasl.password },
    }),
  };
}
