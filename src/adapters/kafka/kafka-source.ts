import { SluiceError } from "../../core/errors.ts";
import type { PartitionKey, Position } from "../../core/position.ts";
import type { Source, SourceListener, StartPoint } from "../../core/ports.ts";
import { Assignment } from "./assignment.ts";
import { unreachable } from "./broker-faults.ts";
import { ByteBudget } from "./byte-budget.ts";
import { Cluster, identityChanged, type IsolationLevel } from "./cluster.ts";
import type { KafkaConnection } from "./connection.ts";
import { FetchMemory } from "./fetch-memory.ts";
import { Fetcher } from "./fetcher.ts";
import { GroupMember } from "./group-member.ts";
import { PartitionReader } from "./partition-reader.ts";
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
  /** Whether memory of records is overwritten once their run is released: for those who look at them no more by then. Default: no. */
  readonly reuseMemory?: boolean;
  /** The most that one batch may take, as sent and as decompressed; a larger one blocks its partition with SOURCE_OVERSIZED. Default 64 MiB. */
  readonly recordBytesMax?: number;
  /** Default 30 s; brokers want 6 s at least. */
  readonly sessionTimeoutMs?: number;
  /** The time that the group waits for a member to let go; windows are closed within 80 % of it. Default 60 s. */
  readonly rebalanceTimeoutMs?: number;
  /** Default 3 s, or a third of the session where that is less. */
  readonly heartbeatIntervalMs?: number;
  /** How long a broker waits for records before it answers with none. Default 500 ms. */
  readonly fetchWaitMs?: number;
  /** How often topics are looked at for new partitions, and missing topics for their creation. Default 10 s. */
  readonly metadataRefreshMs?: number;
  /** Static membership (KIP-345): a restart within the session keeps its partitions; closing does not leave the group. */
  readonly groupInstanceId?: string;
}

const retryMs = 200;

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
  readonly #assignment: Assignment;
  readonly #pump: RunPump;
  readonly #fetcher: Fetcher;
  readonly #reader: PartitionReader;
  readonly #member: GroupMember;
  readonly #isolation: IsolationLevel;
  /** Topics whose id differs from the one being read, and since when. */
  readonly #strangers = new Map<string, { readonly id: string; readonly at: number }>();
  #listener: SourceListener | null = null;
  #troubles = new TroubleBoard((error) => this.#listener?.trouble(error));
  #refreshTimer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | null = null;
  #closed = false;

  constructor(given: KafkaSourceOptions) {
    const { groupInstanceId, ...rest } = given;
    const defaults = {
      isolation: "read_committed",
      bytesInFlightMax: 64 * 2 ** 20,
      reuseMemory: false,
      recordBytesMax: 64 * 2 ** 20,
      sessionTimeoutMs: 30_000,
    } as const;
    const heartbeat = Math.min(3000, (given.sessionTimeoutMs ?? defaults.sessionTimeoutMs) / 3);
    const times = { rebalanceTimeoutMs: 60_000, heartbeatIntervalMs: heartbeat, fetchWaitMs: 500, metadataRefreshMs: 10_000 };
    const options = (this.#options = { ...defaults, ...times, ...rest });
    this.#isolation = options.isolation === "read_committed" ? 1 : 0;
    const cluster = (this.#cluster = new Cluster(options.connection));
    const budget = new ByteBudget(options.bytesInFlightMax);
    const memory = new FetchMemory(options.reuseMemory ? options.bytesInFlightMax / 2 : 0);
    const { groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs, recordBytesMax } = options;
    this.#member = new GroupMember(
      { cluster, groupId, groupInstanceId: groupInstanceId ?? null, topics, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs },
      {
        revoke: (partitions) => this.#assignment.revoke(partitions),
        assign: (partitions) => this.#assignment.assign(partitions),
        lose: () => this.#assignment.lose(),
        trouble: (error) => this.#trouble("group", error),
      },
    );
    this.#pump = new RunPump({
      budget,
      memory,
      alive: () => this.#member.alive(),
      current: (slot) => this.#assignment.holds(slot),
      deliver: (run) => this.#listener?.records(run),
      bad: (slot, error) => this.#reader.bad(slot, error),
      drained: () => this.#fetcher.wake(),
    });
    this.#assignment = new Assignment({
      cluster,
      pump: this.#pump,
      troubles: this.#troubles,
      revokeMs: 0.8 * rebalanceTimeoutMs,
      refresh: () => this.#refresh(),
      changed: () => this.#fetcher.wake(),
      blockTopic: (topic, error) => this.#reader.blockTopic(topic, error),
    });
    this.#reader = new PartitionReader({
      cluster,
      budget,
      memory,
      recordBytesMax,
      assignment: this.#assignment,
      pump: this.#pump,
      troubles: this.#troubles,
      isolation: this.#isolation,
      refresh: () => this.#refresh(),
      blocked: (fault) => this.#listener?.blocked(fault),
    });
    this.#fetcher = new Fetcher({
      cluster,
      budget,
      memory,
      isolation: this.#isolation,
      waitMs: options.fetchWaitMs,
      recordBytesMax,
      slots: () => this.#assignment.slots(),
      fetched: (slot, answer) => this.#reader.fetched(slot, answer),
      failed: (node, error) => this.#failed(node, error),
      recovered: (node) => this.#troubles.clear(`broker ${node}`),
      oversized: (slot, bytes) => this.#reader.oversized(slot, bytes),
    });
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener;
    this.#assignment.listen(listener);
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
    const owned = positions.filter((position) => this.#assignment.of(position)?.key?.topicId === position.topicId);
    const epoch = ({ topic, partition }: Position): number => this.#cluster.topic(topic)?.partitions[partition]?.leaderEpoch ?? -1;
    try {
      await this.#member.commit(owned, epoch);
    } catch {
      // A hint for lag tools; the next one is as good.
    }
  }

  pause(partitions: readonly PartitionKey[]): void {
    for (const key of partitions) {
      const slot = this.#assignment.of(key);
      if (slot !== undefined) slot.paused = true;
    }
  }

  resume(partitions: readonly PartitionKey[]): void {
    for (const key of partitions) {
      const slot = this.#assignment.of(key);
      if (slot !== undefined) slot.paused = false;
    }
    this.#fetcher.wake();
  }

  seek(positions: readonly Position[]): void {
    for (const position of positions) if (!this.#seek(position)) void this.#refresh().then(() => this.#seekAgain(position));
    this.#fetcher.wake();
  }

  /** False where the topic, as far as is known, has another id. */
  #seek({ topic, topicId, partition, next }: Position): boolean {
    const slot = this.#assignment.of({ topic, partition });
    if (slot === undefined) return true;
    if (this.#cluster.topic(topic)?.id !== topicId) return false;
    slot.key = { topic, topicId, partition };
    this.#assignment.read(slot, next);
    return true;
  }

  #seekAgain(position: Position): void {
    const id = this.#cluster.topic(position.topic)?.id;
    if (this.#seek(position)) this.#fetcher.wake();
    else if (id !== undefined)
      this.#listener?.blocked({ topic: position.topic, partition: null, error: identityChanged(position.topic, position.topicId, id) });
  }

  ends(): readonly Position[] {
    return [...this.#assignment.slots()].flatMap(({ key, end, position }) =>
      key === null || end < 0n ? [] : [{ ...key, next: end > position ? end : position }],
    );
  }

  bytesInFlight(): number {
    let waiting = 0;
    for (const { decoder } of this.#assignment.slots()) waiting += decoder?.remaining ?? 0;
    return this.#pump.delivered + waiting;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#refreshTimer);
    if (this.#listener !== null) await this.#member.close();
    this.#assignment.end();
    this.#fetcher.stop();
    await this.#cluster.close();
  }

  // ---- the cluster

  #failed(node: number, error: unknown): void {
    this.#troubles.set(`broker ${node}`, unreachable(`broker ${node} can't be fetched from`, error));
    void this.#refresh();
  }

  #trouble(cause: string, error: SluiceError | null): void {
    if (error === null) this.#troubles.clear(cause);
    else if (!this.#closed) this.#troubles.set(cause, error);
  }

  /** Looks at the topics anew; one look at a time, and never in a tight loop. */
  #refresh(): Promise<void> {
    if (this.#closed) return Promise.resolve();
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
      this.#checkIdentity(topic, known.id);
    }
    // A broker that leads nothing of ours is no trouble of ours.
    const leaders = new Set([...this.#assignment.slots()].map((slot) => `broker ${this.#cluster.leader(slot)}`));
    for (const cause of this.#troubles.causes()) if (cause.startsWith("broker ") && !leaders.has(cause)) this.#troubles.clear(cause);
    this.#member.metadataChanged();
    this.#fetcher.wake();
  }

  /** A broker that lags may tell of an older topic: what is blocked for a person must have been told twice, some time apart. */
  #checkIdentity(topic: string, id: string): void {
    const changed = [...this.#assignment.slots()].find((slot) => slot.topic === topic && slot.key !== null && slot.key.topicId !== id);
    const seen = this.#strangers.get(topic);
    if (changed === undefined || changed.key === null) this.#strangers.delete(topic);
    else if (seen?.id !== id) {
      this.#strangers.set(topic, { id, at: performance.now() });
      setTimeout(() => void this.#refresh(), 2 * retryMs);
    } else if (performance.now() - seen.at >= retryMs) this.#reader.blockTopic(topic, identityChanged(topic, changed.key.topicId, id));
  }
}
