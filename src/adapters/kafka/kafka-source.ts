import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey, Position } from "../../core/position.ts";
import type { Source, SourceListener, StartPoint } from "../../core/ports.ts";
import { unreachable } from "./broker-faults.ts";
import { ByteBudget } from "./byte-budget.ts";
import { Cluster, identityChanged, type IsolationLevel } from "./cluster.ts";
import type { KafkaConnection } from "./connection.ts";
import { Fetcher } from "./fetcher.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import { type TopicPartition, topicPartitionId } from "./topic-partition.ts";
import { GroupMember } from "./group-member.ts";
import { OwnershipCalls } from "./ownership.ts";
import { createSlot, type PartitionSlot } from "./partition-slot.ts";
import { RunDecoder } from "./run-decoder.ts";
import { RunPump } from "./run-pump.ts";
import { TroubleBoard } from "./trouble-board.ts";

export interface KafkaSourceOptions {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Default `read_committed`. */
  readonly isolation?: "read_committed" | "read_uncommitted";
  /** Fetched or handed out and not released; one batch may run over it, alone. Default 64 MiB. */
  readonly bytesInFlightMax?: number;
  /** The most that one batch may take, as sent and as decompressed; a larger one blocks its partition with SOURCE_OVERSIZED. Default 64 MiB. */
  readonly recordBytesMax?: number;
  /** Default 30 s; brokers want 6 s at least. */
  readonly sessionTimeoutMs?: number;
  /** The time that the group waits for a member to let go; windows are closed within 80 % of it. Default 60 s. */
  readonly rebalanceTimeoutMs?: number;
  /** Default 3 s. */
  readonly heartbeatIntervalMs?: number;
  /** How long a broker waits for records before it answers with none. Default 500 ms. */
  readonly fetchWaitMs?: number;
  /** How often topics are looked at for new partitions, and missing topics for their creation. Default 10 s. */
  readonly metadataRefreshMs?: number;
  /** Static membership (KIP-345): a restart within the session keeps its partitions; closing does not leave the group. */
  readonly groupInstanceId?: string;
}

const runBytesMax = 1024 * 1024;
const badReadsMax = 3;
const retryMs = 200;
/** Kafka's error codes that a fetch may answer. */
const offsetOutOfRange = 1;
const corruptMessage = 2;
const unknownTopic = 3;
const unknownTopicId = 100;

/**
 * Reads topics as a member of a consumer group: @platformatic/kafka's low-level requests, our own group membership, fetch loop and batch decoding.
 * Needs Kafka 3.3 or later (fetch by topic id, KIP-516). Nothing is ever reset: what can't be read is `blocked`, and `seek` answers it.
 */
export function createKafkaSource(options: KafkaSourceOptions): Source {
  return new KafkaSource(options);
}

class KafkaSource implements Source {
  readonly #options: Required<Omit<KafkaSourceOptions, "groupInstanceId">>;
  readonly #cluster: Cluster;
  readonly #slots = new Map<string, PartitionSlot>();
  readonly #budget: ByteBudget;
  readonly #pump: RunPump;
  readonly #fetcher: Fetcher;
  readonly #member: GroupMember;
  readonly #isolation: IsolationLevel;
  readonly #blockedTopics = new Set<string>();
  #listener: SourceListener | null = null;
  #calls: OwnershipCalls | null = null;
  #troubles = new TroubleBoard((error) => this.#listener?.trouble(error));
  #refreshTimer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | null = null;
  #closed = false;

  constructor(given: KafkaSourceOptions) {
    const { groupInstanceId, ...rest } = given;
    const defaults = {
      isolation: "read_committed",
      bytesInFlightMax: 64 * 2 ** 20,
      recordBytesMax: 64 * 2 ** 20,
      sessionTimeoutMs: 30_000,
    } as const;
    const times = { rebalanceTimeoutMs: 60_000, heartbeatIntervalMs: 3000, fetchWaitMs: 500, metadataRefreshMs: 10_000 };
    const options = (this.#options = { ...defaults, ...times, ...rest });
    this.#isolation = options.isolation === "read_committed" ? 1 : 0;
    const cluster = (this.#cluster = new Cluster(options.connection));
    const budget = (this.#budget = new ByteBudget(options.bytesInFlightMax));
    const { groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs, recordBytesMax } = options;
    this.#member = new GroupMember(
      { cluster, groupId, groupInstanceId: groupInstanceId ?? null, topics, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs },
      {
        revoke: (partitions) => this.#revoke(partitions),
        assign: (partitions) => this.#assign(partitions),
        lose: () => this.#lose(),
        trouble: (error) => this.#trouble("group", error),
      },
    );
    this.#pump = new RunPump({
      budget,
      alive: () => this.#member.alive(),
      current: (slot) => this.#current(slot),
      deliver: (run) => this.#listener?.records(run),
      bad: (slot, error) => this.#bad(slot, error),
      drained: () => this.#fetcher.wake(),
    });
    this.#fetcher = new Fetcher({
      cluster,
      budget,
      isolation: this.#isolation,
      waitMs: options.fetchWaitMs,
      recordBytesMax,
      slots: () => this.#slots.values(),
      fetched: (slot, answer) => this.#fetched(slot, answer),
      failed: (node, error) => this.#failed(node, error),
      recovered: (node) => this.#troubles.clear(`broker ${node}`),
      oversized: (slot, bytes) => this.#block(slot, oversized(slot, bytes, recordBytesMax)),
    });
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener;
    this.#calls = new OwnershipCalls(listener);
    try {
      await this.#cluster.refresh(this.#options.topics);
    } catch (error) {
      await this.#cluster.close();
      throw unreachable("the source can't begin", error);
    }
    this.#metadataSeen();
    this.#member.start();
    this.#refreshTimer = setInterval(() => void this.#refresh(), this.#options.metadataRefreshMs);
  }

  resolve(partitions: readonly PartitionKey[], start: StartPoint): Promise<readonly Position[]> {
    return this.#cluster.offsets(partitions, start, this.#isolation);
  }

  async commit(positions: readonly Position[]): Promise<void> {
    const owned = positions.filter((position) => this.#slotOf(position)?.key?.topicId === position.topicId);
    const epoch = ({ topic, partition }: Position): number => this.#cluster.topic(topic)?.partitions[partition]?.leaderEpoch ?? -1;
    try {
      await this.#member.commit(owned, epoch);
    } catch {
      // A hint for lag tools; the next one is as good.
    }
  }

  pause(partitions: readonly PartitionKey[]): void {
    for (const key of partitions) {
      const slot = this.#slotOf(key);
      if (slot !== undefined) slot.paused = true;
    }
  }

  resume(partitions: readonly PartitionKey[]): void {
    for (const key of partitions) {
      const slot = this.#slotOf(key);
      if (slot !== undefined) slot.paused = false;
    }
    this.#fetcher.wake();
  }

  seek(positions: readonly Position[]): void {
    for (const { topic, topicId, partition, next } of positions) {
      const slot = this.#slotOf({ topic, partition });
      const known = this.#cluster.topic(topic);
      if (slot === undefined || known?.id !== topicId) continue;
      slot.key = { topic, topicId, partition };
      this.#blockedTopics.delete(topic);
      this.#read(slot, next);
    }
    this.#fetcher.wake();
  }

  ends(): readonly Position[] {
    return [...this.#slots.values()].flatMap(({ key, end }) => (key === null || end < 0n ? [] : [{ ...key, next: end }]));
  }

  bytesInFlight(): number {
    let waiting = 0;
    for (const { decoder } of this.#slots.values()) waiting += decoder?.remaining ?? 0;
    return this.#pump.delivered + waiting;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#refreshTimer);
    if (this.#listener !== null) await this.#member.close();
    for (const slot of this.#slots.values()) this.#pump.drop(slot);
    this.#slots.clear();
    this.#fetcher.stop();
    await this.#cluster.close();
  }

  // ---- ownership

  #slotOf(partition: TopicPartition): PartitionSlot | undefined {
    return this.#slots.get(topicPartitionId(partition));
  }

  #current(slot: PartitionSlot): boolean {
    return this.#slotOf(slot) === slot;
  }

  #assign(partitions: readonly TopicPartition[]): void {
    const slots = partitions.map(({ topic, partition }) => createSlot(topic, partition));
    for (const slot of slots) this.#slots.set(topicPartitionId(slot), slot);
    void this.#begin(slots);
  }

  /** Names new slots by their topic's id, asks the listener where each begins, and tries again until it knows. */
  async #begin(slots: readonly PartitionSlot[]): Promise<void> {
    let open = slots;
    for (;;) {
      open = open.filter((slot) => this.#current(slot) && slot.state === "waiting");
      if (open.length === 0 || this.#closed) return;
      const named = open.filter((slot) => this.#name(slot));
      if (named.length > 0 && this.#calls !== null) {
        try {
          const answer = await this.#calls.assigned(named, (slot) => this.#current(slot));
          this.#troubles.clear("assignment");
          for (const slot of named) this.#answered(slot, answer);
          this.#fetcher.wake();
        } catch (error) {
          this.#troubles.set("assignment", unreachable("positions can't be read", error));
          await new Promise((resolve) => setTimeout(resolve, 5 * retryMs));
        }
      }
      if (named.length < open.length) {
        await this.#refresh();
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  #name(slot: PartitionSlot): boolean {
    const { topic, partition } = slot;
    const known = this.#cluster.topic(topic);
    if (known?.partitions[partition] === undefined) return false;
    slot.key = { topic, topicId: known.id, partition };
    return true;
  }

  #answered(slot: PartitionSlot, answer: readonly Position[]): void {
    if (!this.#current(slot) || slot.state !== "waiting") return;
    const found = answer.find(({ topic, partition }) => topic === slot.topic && partition === slot.partition);
    if (found === undefined || slot.key === null) slot.state = "unread";
    else if (found.topicId !== slot.key.topicId) this.#blockTopic(slot.topic, identityChanged(slot.topic, found.topicId, slot.key.topicId));
    else this.#read(slot, found.next);
  }

  #read(slot: PartitionSlot, position: bigint): void {
    this.#pump.drop(slot);
    slot.version++;
    slot.state = "reading";
    slot.position = position;
    slot.badReads = slot.retryAt = 0;
    slot.alone = false;
  }

  /** Ends slots: nothing of theirs is delivered from here on. */
  #end(partitions: readonly TopicPartition[]): PartitionSlot[] {
    const slots = partitions.flatMap((partition) => this.#slotOf(partition) ?? []);
    for (const slot of slots) {
      this.#pump.drop(slot);
      this.#slots.delete(topicPartitionId(slot));
    }
    return slots;
  }

  async #revoke(partitions: readonly TopicPartition[]): Promise<void> {
    // Offsets are committed while the slots are still known to be ours, but no more is read into their windows.
    const slots = partitions.flatMap((partition) => this.#slotOf(partition) ?? []);
    for (const slot of slots) {
      this.#pump.drop(slot);
      slot.state = "unread";
      slot.version++;
    }
    await this.#calls?.revoked(slots, 0.8 * this.#options.rebalanceTimeoutMs);
    this.#end(slots.filter((slot) => this.#current(slot)));
  }

  #lose(): void {
    const slots = this.#end([...this.#slots.values()]);
    this.#calls?.lost(slots);
  }

  // ---- answers

  #fetched(slot: PartitionSlot, answer: FetchedPartition): void {
    const { records, errorCode } = answer;
    if (errorCode !== 0) {
      if (records !== null) this.#budget.give(records.length);
      this.#refused(slot, errorCode);
      return;
    }
    this.#troubles.clear(topicPartitionId(slot));
    slot.end = this.#isolation === 1 ? answer.lastStableOffset : answer.highWatermark;
    if (records === null) return;
    const { recordBytesMax } = this.#options;
    const decoder = new RunDecoder({
      key: slot.key as PartitionKey,
      bytes: records,
      position: slot.position,
      highWatermark: answer.highWatermark,
      abortedTransactions: this.#isolation === 1 ? answer.abortedTransactions : null,
      limits: { bytesMax: recordBytesMax, ratioMax: 1000, freeBytes: 2 ** 20 },
      runBytesMax: Math.min(runBytesMax, Math.max(1, this.#budget.max / 4)),
    });
    if (decoder.cutAtStart === null) return this.#pump.add(slot, decoder);
    this.#budget.give(records.length);
    if (decoder.cutAtStart > recordBytesMax) this.#block(slot, oversized(slot, decoder.cutAtStart, recordBytesMax));
    slot.alone = true;
  }

  #refused(slot: PartitionSlot, code: number): void {
    slot.retryAt = performance.now() + retryMs;
    if (code === offsetOutOfRange) return void this.#checkRange(slot);
    if (code === corruptMessage) return this.#bad(slot, new SluiceError("SOURCE_CORRUPT", "the broker finds the record batch corrupt"));
    const missing = code === unknownTopic || code === unknownTopicId;
    const message = missing ? "the broker does not know the topic" : `the broker refuses to be fetched from (Kafka error ${code})`;
    this.#troubles.set(topicPartitionId(slot), new SluiceError("SOURCE_UNREACHABLE", `${topicPartitionId(slot)}: ${message}`));
    void this.#refresh();
  }

  /** A leader that is behind may refuse a good offset; only what the log's ends say counts. */
  async #checkRange(slot: PartitionSlot): Promise<void> {
    const { key, version, position } = slot;
    if (key === null) return;
    try {
      const [earliest] = await this.#cluster.offsets([key], { at: "earliest" }, 0);
      const [latest] = await this.#cluster.offsets([key], { at: "latest" }, 0);
      if (!this.#current(slot) || slot.version !== version || earliest === undefined || latest === undefined) return;
      if (position >= earliest.next && position <= latest.next) return;
      const message = `${topicPartitionId(slot)}: offset ${position} does not exist; the log holds [${earliest.next}, ${latest.next})`;
      const details = { position: String(position), earliest: String(earliest.next), latest: String(latest.next) };
      this.#block(slot, new SluiceError("SOURCE_OFFSET_OUT_OF_RANGE", message, { details }));
    } catch {
      void this.#refresh();
    }
  }

  #bad(slot: PartitionSlot, error: unknown): void {
    if (!(error instanceof SluiceError)) throw error;
    slot.retryAt = performance.now() + retryMs;
    if (error.code === "SOURCE_CORRUPT" && ++slot.badReads < badReadsMax) return;
    const details = { position: String(slot.position) };
    this.#block(
      slot,
      new SluiceError(error.code, `${topicPartitionId(slot)} at offset ${slot.position}: ${error.message}`, { details, cause: error }),
    );
  }

  #block(slot: PartitionSlot, error: SluiceError): void {
    if (!this.#current(slot) || slot.state === "blocked") return;
    this.#pump.drop(slot);
    slot.state = "blocked";
    slot.version++;
    this.#troubles.clear(topicPartitionId(slot));
    this.#listener?.blocked({ topic: slot.topic, partition: slot.partition, error });
  }

  #blockTopic(topic: string, error: SluiceError): void {
    for (const slot of this.#slots.values()) {
      if (slot.topic !== topic) continue;
      this.#pump.drop(slot);
      slot.state = "blocked";
      slot.version++;
      this.#troubles.clear(topicPartitionId(slot));
    }
    if (this.#blockedTopics.has(topic)) return;
    this.#blockedTopics.add(topic);
    this.#listener?.blocked({ topic, partition: null, error });
  }

  // ---- the cluster

  #failed(node: number, error: unknown): void {
    this.#troubles.set(`broker ${node}`, unreachable(`broker ${node} can't be fetched from`, error));
    void this.#refresh().then(() => {
      // A broker that leads nothing any more is nobody's trouble.
      const leads = [...this.#slots.values()].some(
        ({ topic, partition }) => this.#cluster.topic(topic)?.partitions[partition]?.leader === node,
      );
      if (!leads) this.#troubles.clear(`broker ${node}`);
    });
  }

  #trouble(cause: string, error: SluiceError | null): void {
    if (error === null) this.#troubles.clear(cause);
    else if (!this.#closed) this.#troubles.set(cause, error);
  }

  /** Looks at the topics anew; one look at a time, and never in a tight loop. */
  #refresh(): Promise<void> {
    this.#refreshing ??= (async () => {
      try {
        await this.#cluster.refresh([...new Set([...this.#options.topics, ...this.#member.watchedTopics])]);
        this.#troubles.clear("cluster");
        this.#metadataSeen();
      } catch (error) {
        if (!this.#closed) this.#troubles.set("cluster", unreachable("metadata can't be read", error));
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs / 2));
      this.#refreshing = null;
    })();
    return this.#refreshing;
  }

  #metadataSeen(): void {
    if (this.#closed) return;
    for (const topic of this.#options.topics) {
      const known = this.#cluster.topic(topic);
      if (known === undefined) {
        this.#troubles.set(`topic ${topic}`, new SluiceError("SOURCE_TOPIC_MISSING", `topic ${topic} does not exist`));
        continue;
      }
      this.#troubles.clear(`topic ${topic}`);
      const other = [...this.#slots.values()].find((slot) => slot.topic === topic && slot.key !== null && slot.key.topicId !== known.id);
      if (other?.key && other.state !== "blocked") this.#blockTopic(topic, identityChanged(topic, other.key.topicId, known.id));
    }
    this.#member.metadataChanged();
    this.#fetcher.wake();
  }
}

function oversized(slot: PartitionSlot, bytes: number, limit: number): SluiceError {
  const message = `${topicPartitionId(slot)}: the record batch at offset ${slot.position} takes ${bytes} bytes, more than the ${limit} allowed`;
  return new SluiceError("SOURCE_OVERSIZED", message, { details: { position: String(slot.position), bytes, limit } });
}
