import { type Connection, heartbeatV4, joinGroupV9, leaveGroupV5, offsetCommitV8, syncGroupV5 } from "@platformatic/kafka";
import { SluiceError } from "../../core/errors.ts";
import type { Position } from "../../core/position.ts";
import { type BrokerAddress, destroy } from "./broker-connections.ts";
import { protocolErrors, responseOf, unreachable } from "./broker-faults.ts";
import type { Cluster } from "./cluster.ts";
import { assignorName, decodeAssignment, decodeMembers, encodeSubscription } from "./group-assignment.ts";
import { type TopicPartition, topicPartitionId } from "./topic-partition.ts";

export interface GroupMemberOptions {
  readonly cluster: Cluster;
  readonly groupId: string;
  /** Static membership (KIP-345): null for none. */
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

export interface GroupMemberEvents {
  /** Awaited, heartbeats going on, before the group hears that these are free. */
  revoke(partitions: readonly TopicPartition[]): Promise<void>;
  assign(partitions: readonly TopicPartition[]): void;
  /** All that was owned is gone. */
  lose(): void;
  trouble(error: SluiceError | null): void;
}

const retryDelayMs = 250;

/**
 * Membership in a consumer group by the classic protocol with incremental cooperative rebalancing (KIP-429), on the package's low-level requests:
 * its own `Consumer` lets heartbeats of all topics fail with one deleted topic, sends none while it waits for a drain, and gives up joining.
 */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #events: GroupMemberEvents;
  readonly #owned = new Map<string, TopicPartition>();
  #memberId = "";
  #generation = -1;
  #coordinator: BrokerAddress | null = null;
  /** The last moment at which the coordinator surely counted us in. */
  #lastContact = 0;
  #lastTick = 0;
  #joining = false;
  #beating = false;
  #closing = false;
  #stopped = false;
  #ticker: NodeJS.Timeout | undefined;
  #lastBeat = 0;
  #interrupt = Promise.withResolvers<void>();
  #fault: Error | null = null;
  /** Counts the times that ownership ended unawares: what was begun before is void. */
  #losses = 0;
  /** As leader: the partition counts that the assignment was made from. */
  #assignedCounts: { readonly topics: readonly string[]; readonly counts: string } | null = null;

  constructor(options: GroupMemberOptions, events: GroupMemberEvents) {
    this.#options = options;
    this.#events = events;
  }

  start(): void {
    this.#lastContact = this.#lastTick = performance.now();
    const every = Math.max(20, Math.min(this.#options.heartbeatIntervalMs, this.#options.sessionTimeoutMs / 5) / 4);
    this.#ticker = setInterval(() => this.#tick(), every);
    void this.#run();
  }

  /** Topics whose metadata the leader must watch. */
  get watchedTopics(): readonly string[] {
    return this.#assignedCounts?.topics ?? [];
  }

  /** False once the session must have expired (a frozen process, a lost coordinator): everything owned is then lost, and we join anew. */
  alive(): boolean {
    const now = performance.now();
    if (now - this.#lastContact <= this.#options.sessionTimeoutMs) return true;
    if (this.#owned.size > 0) this.#lose(null);
    return false;
  }

  /** Called after metadata was refreshed: a leader whose topics grew, appeared or vanished asks for a rebalance. */
  metadataChanged(): void {
    if (this.#assignedCounts !== null && this.#counts(this.#assignedCounts.topics).text !== this.#assignedCounts.counts)
      this.#interrupt.resolve();
  }

  /** Commits group offsets under our generation, straight to the coordinator: a fenced commit must fail, not be sent again under a new generation. */
  async commit(positions: readonly Position[], leaderEpoch: (position: Position) => number): Promise<void> {
    if (this.#generation < 0 || positions.length === 0) return;
    const { groupId, groupInstanceId, cluster } = this.#options;
    const topics = new Map<
      string,
      { partitionIndex: number; committedOffset: bigint; committedLeaderEpoch: number; committedMetadata: null }[]
    >();
    for (const position of positions) {
      const { topic, partition, next } = position;
      const entry = {
        partitionIndex: partition,
        committedOffset: next,
        committedLeaderEpoch: leaderEpoch(position),
        committedMetadata: null,
      };
      topics.set(topic, [...(topics.get(topic) ?? []), entry]);
    }
    const connection = await cluster.connections.get(await this.#findCoordinator(), "commit");
    const request = [...topics].map(([name, partitions]) => ({ name, partitions }));
    await offsetCommitV8.api.async(connection, groupId, this.#generation, this.#memberId, groupInstanceId, request);
  }

  /** Gives everything up in good order and leaves; a static member stays on the books, as its restart is meant to be seamless. */
  async close(): Promise<void> {
    this.#closing = true;
    const owned = [...this.#owned.values()];
    if (owned.length > 0 && this.alive()) await this.#events.revoke(owned);
    this.#owned.clear();
    this.#stopped = true;
    clearInterval(this.#ticker);
    this.#interrupt.resolve();
    const { cluster, groupId, groupInstanceId } = this.#options;
    if (this.#memberId === "" || groupInstanceId !== null || this.#coordinator === null) return;
    try {
      // Not the membership's own connection: a join may be waiting there.
      const connection = await cluster.connections.get(this.#coordinator, "leave", 3000);
      await leaveGroupV5.api.async(connection, groupId, [{ memberId: this.#memberId, reason: "the source is closed" }]);
    } catch {
      // The session times out by itself.
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#interrupt = Promise.withResolvers<void>();
        this.#fault = null;
        const again = await this.#join();
        this.#events.trouble(null);
        if (!again) await this.#interrupt.promise;
        this.#throwFault();
      } catch (error) {
        if (!this.#stopped) await this.#recover(error);
      }
    }
  }

  #throwFault(): void {
    if (this.#fault !== null) throw this.#fault;
  }

  /** Joins and takes the assignment. Answers whether partitions were given up, and the group must hear of it at once. */
  async #join(): Promise<boolean> {
    const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, topics } = this.#options;
    const losses = this.#losses;
    const connection = await this.#connect();
    this.#joining = true;
    let target: TopicPartition[];
    try {
      const metadata = encodeSubscription(topics, [...this.#owned.values()], this.#generation);
      const protocols = [{ name: assignorName, metadata }];
      const joined = await joinGroupV9.api.async(
        connection,
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        this.#memberId,
        groupInstanceId,
        "consumer",
        protocols,
        null,
      );
      this.#memberId = joined.memberId;
      this.#generation = joined.generationId;
      if (joined.leader !== joined.memberId) this.#assignedCounts = null;
      // A static leader that is back is told to change nothing (KIP-814), yet watches the topics from now on.
      const made = joined.leader === joined.memberId ? await this.#assign(joined.members) : [];
      const assignments = joined.skipAssignment ? [] : made;
      const { assignment } = await syncGroupV5.api.async(
        connection,
        groupId,
        this.#generation,
        this.#memberId,
        groupInstanceId,
        "consumer",
        assignorName,
        assignments,
      );
      target = decodeAssignment(assignment);
    } finally {
      this.#joining = false;
    }
    // The answer may have waited in a socket while this process was frozen: the last tick is the last moment it surely ran.
    this.#lastContact = Math.max(this.#lastContact, this.#lastTick);
    this.#lastBeat = performance.now();
    if (this.#closing) return false;
    if (!this.alive() || losses !== this.#losses) return true;
    const wanted = new Set(target.map(topicPartitionId));
    const given = [...this.#owned.values()].filter((owned) => !wanted.has(topicPartitionId(owned)));
    if (given.length > 0) {
      await this.#events.revoke(given);
      if (this.#closing) return false;
      for (const partition of given) this.#owned.delete(topicPartitionId(partition));
    }
    if (losses !== this.#losses) return true;
    const added = target.filter((partition) => !this.#owned.has(topicPartitionId(partition)));
    for (const partition of added) this.#owned.set(topicPartitionId(partition), partition);
    if (added.length > 0) this.#events.assign(added);
    return given.length > 0;
  }

  async #assign(members: readonly { memberId: string; metadata: Buffer }[]): Promise<{ memberId: string; assignment: Buffer }[]> {
    const group = decodeMembers(members);
    await this.#options.cluster.refresh(group.topics);
    const { counts, text } = this.#counts(group.topics);
    this.#assignedCounts = { topics: group.topics, counts: text };
    return group.assign(counts);
  }

  #counts(topics: readonly string[]): { counts: Map<string, number>; text: string } {
    const counts = new Map<string, number>();
    for (const name of topics) {
      const topic = this.#options.cluster.topic(name);
      if (topic !== undefined) counts.set(name, topic.partitions.length);
    }
    return { counts, text: JSON.stringify([...counts]) };
  }

  async #findCoordinator(): Promise<BrokerAddress> {
    this.#coordinator ??= await this.#options.cluster.coordinator(this.#options.groupId);
    return this.#coordinator;
  }

  /** Joining may take as long as the slowest member's hand-over, so requests on this connection are patient; heartbeats have their own limit. */
  async #connect(): Promise<Connection> {
    const { cluster, rebalanceTimeoutMs } = this.#options;
    return cluster.connections.get(await this.#findCoordinator(), "group", rebalanceTimeoutMs + 15_000);
  }

  #tick(): void {
    const now = performance.now();
    const frozen = now - this.#lastTick > this.#options.sessionTimeoutMs;
    // While a join waits, the coordinator counts us in as long as we are there to take its answer.
    if (this.#joining && !frozen && this.#generation >= 0) this.#lastContact = now;
    if (frozen) this.#losses++;
    this.alive();
    this.#lastTick = now;
    if (!this.#joining && !this.#beating && this.#generation >= 0 && now - this.#lastBeat >= this.#options.heartbeatIntervalMs)
      void this.#beat();
  }

  async #beat(): Promise<void> {
    const sent = (this.#lastBeat = performance.now());
    const { groupId, groupInstanceId, sessionTimeoutMs } = this.#options;
    const generation = this.#generation;
    this.#beating = true;
    let patience: NodeJS.Timeout | undefined;
    try {
      const connection = await this.#connect();
      patience = setTimeout(() => void destroy(connection), Math.max(1000, sessionTimeoutMs / 2));
      await heartbeatV4.api.async(connection, groupId, generation, this.#memberId, groupInstanceId);
      this.#lastContact = sent;
    } catch (error) {
      const ids = protocolErrors(error);
      if (ids.includes("REBALANCE_IN_PROGRESS")) {
        this.#lastContact = sent;
        this.#interrupt.resolve();
      } else if (ids.length > 0 && generation === this.#generation && !this.#joining) {
        if (ids.some((id) => id === "UNKNOWN_MEMBER_ID" || id === "ILLEGAL_GENERATION" || id === "FENCED_INSTANCE_ID"))
          this.#lose(error as Error);
        else this.#coordinator = null;
      } else if (ids.length === 0) {
        this.#coordinator = null;
        if (!this.#stopped) this.#events.trouble(unreachable(`heartbeat of group ${groupId} failed`, error));
      }
    } finally {
      clearTimeout(patience);
      this.#beating = false;
    }
    if (this.#fault === null && this.#lastContact === sent) this.#events.trouble(null);
  }

  /** Ownership is over; the loop joins anew, owning nothing. */
  #lose(fault: Error | null): void {
    this.#owned.clear();
    this.#losses++;
    this.#fault ??= fault;
    this.#events.lose();
    this.#interrupt.resolve();
  }

  async #recover(error: unknown): Promise<void> {
    const ids = protocolErrors(error);
    const has = (...names: string[]): boolean => names.some((name) => ids.includes(name));
    if (has("MEMBER_ID_REQUIRED")) {
      this.#memberId = (responseOf(error) as { memberId?: string } | null)?.memberId ?? "";
      return;
    }
    if (has("REBALANCE_IN_PROGRESS")) return;
    if (has("UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID")) {
      if (!has("ILLEGAL_GENERATION")) this.#memberId = "";
      this.#generation = -1;
      if (this.#owned.size > 0) this.#lose(null);
    }
    if (has("FENCED_INSTANCE_ID")) {
      const { groupId, groupInstanceId, sessionTimeoutMs } = this.#options;
      this.#events.trouble(new SluiceError("SOURCE_FENCED", `another member of group ${groupId} runs as instance ${groupInstanceId}`));
      // Two that share an id would fence each other for ever; a long pause leaves the other in peace.
      return this.#pause(2 * sessionTimeoutMs);
    }
    if (has("UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION")) return;
    this.#coordinator = null;
    this.#events.trouble(unreachable(`group ${this.#options.groupId} can't be joined`, error));
    await this.#pause(
      retryDelayMs * (has("GROUP_AUTHORIZATION_FAILED", "INCONSISTENT_GROUP_PROTOCOL", "INVALID_SESSION_TIMEOUT") ? 20 : 1),
    );
  }

  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.#stopped && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, Math.min(100, ms)));
  }
}
