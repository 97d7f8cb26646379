import type { EachBatchPayload } from "kafkajs";
import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey, Position } from "../../core/position.ts";
import type { Source, SourceListener, StartPoint } from "../../core/ports.ts";
import { recordsBytes } from "../../core/records.ts";
import type { Records } from "../../core/records.ts";
import { unreachable } from "./broker-faults.ts";
import { Cluster, identityChanged } from "./cluster.ts";
import type { IsolationLevel } from "./cluster.ts";
import type { KafkaSourceOptions } from "./kafka-source.ts";
import { KafkajsConsumer } from "./kafkajs-consumer.ts";
import { registerCodecs, toRecords } from "./kafkajs-records.ts";
import { OwnershipCalls } from "./ownership.ts";
import { createSlot } from "./partition-slot.ts";
import type { PartitionSlot } from "./partition-slot.ts";
import { TroubleBoard } from "./trouble-board.ts";

const retryMs = 200;

/**
 * Reads topics through kafkajs. It joins, fetches and decodes; topic ids and offsets, which it does not know or resets by itself, are asked
 * through our own requests. What it can't do is in docs/reference/kafka-clients.md. Nothing is ever reset: what can't be read is `blocked`.
 */
export function createKafkajsSource(options: KafkaSourceOptions): Source {
  return new KafkajsSource(options);
}

class KafkajsSource implements Source {
  readonly #options: KafkaSourceOptions & typeof defaults;
  readonly #cluster: Cluster;
  readonly #consumer: KafkajsConsumer;
  readonly #isolation: IsolationLevel;
  readonly #slots = new Map<string, PartitionSlot>();
  readonly #troubles = new TroubleBoard((error) => this.#listener?.trouble(error));
  #listener: SourceListener | null = null;
  #calls: OwnershipCalls | null = null;
  #timer: NodeJS.Timeout | undefined;
  #inFlight = 0;
  #roomWaiters: (() => void)[] = [];
  #closed = false;

  constructor(options: KafkaSourceOptions) {
    this.#options = { ...defaults, ...options };
    this.#isolation = this.#options.isolation === "read_committed" ? 1 : 0;
    this.#cluster = new Cluster(options.connection);
    this.#consumer = new KafkajsConsumer(this.#options, {
      joined: (assignment) => this.#joined(assignment),
      lost: () => this.#lose(),
      batch: (payload) => this.#batch(payload),
      passed: (topic, partition, next) => this.#passed(topic, partition, next),
      trouble: (error) => (error === null ? this.#troubles.clear("consumer") : this.#troubles.set("consumer", error)),
    });
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener;
    this.#calls = new OwnershipCalls(listener);
    registerCodecs(this.#options.recordBytesMax);
    try {
      await this.#cluster.refresh(this.#options.topics);
    } catch (error) {
      await this.#cluster.close();
      throw unreachable("the source can't begin", error);
    }
    this.#follow();
    this.#timer = setInterval(() => void this.#refresh(), this.#options.metadataRefreshMs);
  }

  resolve(partitions: readonly PartitionKey[], start: StartPoint): Promise<readonly Position[]> {
    return this.#cluster.offsets(partitions, start, this.#isolation);
  }

  async commit(positions: readonly Position[]): Promise<void> {
    const owned = positions.filter((position) => this.#slotOf(position)?.key?.topicId === position.topicId);
    const offsets = owned.map(({ topic, partition, next }) => ({ topic, partition, offset: String(next) }));
    // A hint for lag tools; the next one is as good.
    if (offsets.length > 0) await this.#consumer.commit(offsets);
  }

  pause(partitions: readonly PartitionKey[]): void {
    this.#setPaused(partitions, true);
  }

  resume(partitions: readonly PartitionKey[]): void {
    this.#setPaused(partitions, false);
  }

  seek(positions: readonly Position[]): void {
    for (const { topic, topicId, partition, next } of positions) {
      const slot = this.#slotOf({ topic, partition });
      if (slot === undefined || this.#cluster.topic(topic)?.id !== topicId) continue;
      slot.key = { topic, topicId, partition };
      this.#read(slot, next);
    }
  }

  ends(): readonly Position[] {
    return [...this.#slots.values()].flatMap(({ key, end }) => (key === null || end < 0n ? [] : [{ ...key, next: end }]));
  }

  bytesInFlight(): number {
    return this.#inFlight;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#consumer.settle();
    const slots = [...this.#slots.values()];
    for (const slot of slots) slot.state = "unread";
    await this.#calls?.revoked(slots, 0.8 * this.#options.rebalanceTimeoutMs);
    this.#slots.clear();
    this.#wake();
    await this.#consumer.close();
    await this.#cluster.close();
  }

  /** Reads the topics that exist; says which don't. */
  #follow(): void {
    const { topics } = this.#options;
    const there = topics.filter((topic) => this.#cluster.topic(topic) !== undefined);
    for (const topic of topics) {
      if (there.includes(topic)) this.#troubles.clear(`topic ${topic}`);
      else this.#troubles.set(`topic ${topic}`, new SluiceError("SOURCE_TOPIC_MISSING", `topic ${topic} does not exist`));
    }
    this.#consumer.follow(there);
  }

  // ---- ownership

  #slotOf({ topic, partition }: { topic: string; partition: number }): PartitionSlot | undefined {
    return this.#slots.get(`${topic}/${partition}`);
  }

  #current(slot: PartitionSlot): boolean {
    return this.#slotOf(slot) === slot;
  }

  /** kafkajs rebalances eagerly and waits for no one: whatever is open must be dropped, and is read again from the table's positions. */
  #lose(): void {
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    this.#wake();
    this.#calls?.lost(slots);
  }

  #joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    const slots = Object.entries(assignment).flatMap(([topic, partitions]) => partitions.map((partition) => createSlot(topic, partition)));
    for (const slot of slots) {
      this.#slots.set(`${slot.topic}/${slot.partition}`, slot);
      this.#applyPause(slot);
    }
    if (slots.length > 0) void this.#begin(slots);
  }

  /** Names new slots by their topic's id, asks the listener where each begins, and tries again until it knows. */
  async #begin(slots: readonly PartitionSlot[]): Promise<void> {
    for (;;) {
      const open = slots.filter((slot) => this.#current(slot) && slot.state === "waiting");
      if (open.length === 0 || this.#closed) return;
      try {
        await this.#cluster.refresh(this.#options.topics);
        for (const slot of open) {
          const id = this.#cluster.topic(slot.topic)?.id;
          if (id !== undefined) slot.key = { topic: slot.topic, topicId: id, partition: slot.partition };
        }
        const named = open.filter((slot) => slot.key !== null);
        const ends = await this.#cluster.offsets(
          named.flatMap(({ key }) => key ?? []),
          { at: "latest" },
          this.#isolation,
        );
        const answer = (await this.#calls?.assigned(named, (slot) => this.#current(slot))) ?? [];
        this.#troubles.clear("assignment");
        named.forEach((slot, i) => {
          slot.end = (ends[i] as Position).next;
          this.#answered(slot, answer);
        });
      } catch (error) {
        this.#troubles.set("assignment", unreachable("positions can't be read", error));
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  #answered(slot: PartitionSlot, answer: readonly Position[]): void {
    if (!this.#current(slot) || slot.state !== "waiting") return;
    const found = answer.find(({ topic, partition }) => topic === slot.topic && partition === slot.partition);
    if (found === undefined || slot.key === null) slot.state = "unread";
    else if (found.topicId !== slot.key.topicId) this.#block(slot, identityChanged(slot.topic, found.topicId, slot.key.topicId));
    else this.#read(slot, found.next);
  }

  #read(slot: PartitionSlot, position: bigint): void {
    slot.state = "reading";
    slot.position = position;
    slot.version++;
    this.#consumer.tell((consumer) => consumer.seek({ topic: slot.topic, partition: slot.partition, offset: String(position) }));
    this.#applyPause(slot);
    this.#wake();
  }

  #setPaused(partitions: readonly PartitionKey[], paused: boolean): void {
    for (const key of partitions) {
      const slot = this.#slotOf(key);
      if (slot === undefined) continue;
      slot.paused = paused;
      this.#applyPause(slot);
    }
  }

  #applyPause(slot: PartitionSlot): void {
    const which = [{ topic: slot.topic, partitions: [slot.partition] }];
    this.#consumer.tell((consumer) => (slot.state === "reading" && !slot.paused ? consumer.resume(which) : consumer.pause(which)));
  }

  // ---- records

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    // A member that was frozen past its session learns it here, before it hands over what is no longer its own.
    await payload.heartbeat();
    const slot = this.#slotOf(batch);
    const version = slot?.version;
    const usable = (): boolean =>
      slot !== undefined && this.#current(slot) && slot.state === "reading" && slot.version === version && !payload.isStale();
    if (slot === undefined || !usable()) return;
    const { fetchedOffset } = batch as unknown as { fetchedOffset: string };
    if (BigInt(fetchedOffset) !== slot.position) return this.#checkRange(slot);
    while (this.#inFlight >= this.#options.bytesInFlightMax && usable()) {
      await this.#room();
      await payload.heartbeat();
    }
    if (!usable() || slot.key === null) return;
    if (this.#isolation === 0) slot.end = BigInt(batch.highWatermark);
    this.#deliver(slot, toRecords(slot.key, batch.messages), BigInt(batch.lastOffset()) + 1n);
    payload.resolveOffset(batch.lastOffset());
  }

  /** A fetch held only what is never handed out: markers and aborted records. */
  #passed(topic: string, partition: number, next: bigint): void {
    const slot = this.#slotOf({ topic, partition });
    if (slot?.state !== "reading" || slot.key === null || next <= slot.position) return;
    this.#deliver(slot, toRecords(slot.key, []), next);
  }

  #deliver(slot: PartitionSlot, records: Records, next: bigint): void {
    const key = slot.key as PartitionKey;
    const from = { ...key, next: slot.position };
    slot.position = next;
    if (next > slot.end) slot.end = next;
    const bytes = records.count === 0 ? 0 : recordsBytes(records);
    this.#inFlight += bytes;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      this.#inFlight -= bytes;
      this.#wake();
    };
    this.#listener?.records({ records, from: [from], next: [{ ...key, next }], supersedes: [], release });
  }

  /** Resolves when something is released or lost, at the latest in time for a heartbeat. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.heartbeatIntervalMs);
      this.#roomWaiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #wake(): void {
    for (const waiter of this.#roomWaiters.splice(0)) waiter();
  }

  // ---- what kafkajs would pass over in silence

  /** Looks at topics, ids and ends; what kafkajs would reset or not notice is found here. */
  async #refresh(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#cluster.refresh(this.#options.topics);
      this.#troubles.clear("metadata");
      this.#follow();
      for (const slot of this.#slots.values()) {
        const known = this.#cluster.topic(slot.topic)?.id;
        if (slot.state === "reading" && slot.key !== null && known !== undefined && known !== slot.key.topicId) {
          this.#block(slot, identityChanged(slot.topic, slot.key.topicId, known));
        }
      }
      const reading = [...this.#slots.values()].filter(
        (slot) => slot.key !== null && this.#cluster.topic(slot.topic)?.id === slot.key.topicId,
      );
      if (reading.length === 0) return;
      const positions = reading.map(({ position }) => position);
      const ends = await this.#cluster.offsets(
        reading.flatMap(({ key }) => key ?? []),
        { at: "latest" },
        this.#isolation,
        0,
      );
      // The answer is older than what was handed out meanwhile.
      const still = reading.filter(({ position }, i) => position === positions[i]);
      reading.forEach((slot, i) => {
        const end = (ends[i] as Position).next;
        if (still.includes(slot) || end > slot.end) slot.end = end;
      });
      for (const slot of still) if (slot.state === "reading" && slot.position > slot.end) await this.#checkRange(slot);
    } catch (error) {
      if (!this.#closed) this.#troubles.set("metadata", unreachable("topics can't be looked at", error));
    }
  }

  /** kafkajs begins elsewhere than where we are: it has reset an offset that is out of range, or went astray. */
  async #checkRange(slot: PartitionSlot): Promise<void> {
    const { key, version, position } = slot;
    if (key === null) return;
    const [earliest] = await this.#cluster.offsets([key], { at: "earliest" }, 0);
    const [latest] = await this.#cluster.offsets([key], { at: "latest" }, 0);
    // Records handed out meanwhile show that all is well; seeking back to where we stood would hand them out again.
    if (!this.#current(slot) || slot.version !== version || slot.position !== position) return;
    if (earliest === undefined || latest === undefined) return;
    if (position >= earliest.next && position <= latest.next) return this.#read(slot, position);
    const message = `${slot.topic}/${slot.partition}: offset ${position} does not exist; the log holds [${earliest.next}, ${latest.next})`;
    const details = { position: String(position), earliest: String(earliest.next), latest: String(latest.next) };
    this.#block(slot, new SluiceError("SOURCE_OFFSET_OUT_OF_RANGE", message, { details }));
  }

  #block(slot: PartitionSlot, error: SluiceError): void {
    slot.state = "blocked";
    slot.version++;
    this.#applyPause(slot);
    this.#listener?.blocked({ topic: slot.topic, partition: error.code === "SOURCE_IDENTITY_CHANGED" ? null : slot.partition, error });
  }
}

const defaults = {
  isolation: "read_committed" as "read_committed" | "read_uncommitted",
  bytesInFlightMax: 64 * 2 ** 20,
  recordBytesMax: 64 * 2 ** 20,
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 60_000,
  heartbeatIntervalMs: 3000,
  fetchWaitMs: 500,
  metadataRefreshMs: 10_000,
};
