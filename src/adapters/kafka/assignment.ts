import type { Position } from "../../core/position.ts";
import type { SourceListener } from "../../core/ports.ts";
import { unreachable } from "./broker-faults.ts";
import { type Cluster, identityChanged } from "./cluster.ts";
import { OwnershipCalls } from "./ownership.ts";
import { createSlot, type PartitionSlot } from "./partition-slot.ts";
import type { RunPump } from "./run-pump.ts";
import { type TopicPartition, topicPartitionId } from "./topic-partition.ts";
import type { TroubleBoard } from "./trouble-board.ts";

export interface AssignmentOptions {
  readonly cluster: Cluster;
  readonly pump: RunPump;
  readonly troubles: TroubleBoard;
  /** Time that a listener has to let go. */
  readonly revokeMs: number;
  readonly refresh: () => Promise<void>;
  readonly changed: () => void;
  readonly blockTopic: (topic: string, error: ReturnType<typeof identityChanged>) => void;
}

const retryMs = 200;

/** The partitions that the group gave us, a slot each, and what the listener is told of them. */
export class Assignment {
  readonly #options: AssignmentOptions;
  readonly #slots = new Map<string, PartitionSlot>();
  #calls: OwnershipCalls | null = null;
  #ended = false;

  constructor(options: AssignmentOptions) {
    this.#options = options;
  }

  /** Before anything is assigned. */
  listen(listener: SourceListener): void {
    this.#calls = new OwnershipCalls(listener);
  }

  slots(): Iterable<PartitionSlot> {
    return this.#slots.values();
  }

  of(partition: TopicPartition): PartitionSlot | undefined {
    return this.#slots.get(topicPartitionId(partition));
  }

  /** Whether a slot is still the one of its partition. */
  holds(slot: PartitionSlot): boolean {
    return this.of(slot) === slot;
  }

  assign(partitions: readonly TopicPartition[]): void {
    const slots = partitions.map(({ topic, partition }) => createSlot(topic, partition));
    for (const slot of slots) this.#slots.set(topicPartitionId(slot), slot);
    void this.#begin(slots);
  }

  /** Names new slots by their topic's id, asks the listener where each begins, and tries again until it knows. */
  async #begin(slots: readonly PartitionSlot[]): Promise<void> {
    const { troubles, refresh, changed } = this.#options;
    const cause = `assignment of ${slots.map(topicPartitionId).join(",")}`;
    for (let open = slots; ;) {
      open = open.filter((slot) => this.holds(slot) && slot.state === "waiting");
      if (open.length === 0 || this.#ended) return troubles.clear(cause);
      const named = open.filter((slot) => this.#name(slot));
      if (named.length > 0 && this.#calls !== null) {
        try {
          const answer = await this.#calls.assigned(named, (slot) => this.holds(slot) && slot.state === "waiting");
          for (const slot of named) this.#answered(slot, answer);
          changed();
        } catch (error) {
          troubles.set(cause, unreachable("positions can't be read", error));
          await refresh();
          await new Promise((resolve) => setTimeout(resolve, 5 * retryMs));
        }
      }
      if (named.length < open.length) {
        await refresh();
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  #name(slot: PartitionSlot): boolean {
    const { topic, partition } = slot;
    const known = this.#options.cluster.topic(topic);
    if (known?.partitions[partition] === undefined) return false;
    slot.key = { topic, topicId: known.id, partition };
    return true;
  }

  #answered(slot: PartitionSlot, answer: readonly Position[]): void {
    if (!this.holds(slot) || slot.state !== "waiting") return;
    const found = answer.find(({ topic, partition }) => topic === slot.topic && partition === slot.partition);
    if (found === undefined || slot.key === null) slot.state = "unread";
    else if (found.topicId === slot.key.topicId) this.read(slot, found.next);
    else this.#options.blockTopic(slot.topic, identityChanged(slot.topic, found.topicId, slot.key.topicId));
  }

  /** Begins to read a slot from a position, whatever was fetched for it before; not one that is being given up. */
  read(slot: PartitionSlot, position: bigint): void {
    if (slot.state === "leaving") return;
    this.halt(slot, "reading");
    slot.position = position;
    slot.badReads = slot.retryAt = slot.alone = 0;
  }

  /** Ends reading: nothing fetched so far is handed out. */
  halt(slot: PartitionSlot, state: PartitionSlot["state"]): void {
    this.#options.pump.drop(slot);
    this.#options.troubles.clear(topicPartitionId(slot));
    slot.version++;
    slot.state = state;
  }

  /** Nothing more is read into the windows that now close; the slots stay known, so that offsets can still be committed. */
  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    const slots = partitions.flatMap((partition) => this.of(partition) ?? []);
    for (const slot of slots) this.halt(slot, "leaving");
    await this.#calls?.revoked(slots, this.#options.revokeMs);
    for (const slot of slots) if (this.holds(slot)) this.#slots.delete(topicPartitionId(slot));
  }

  /** All is gone at once. */
  lose(): void {
    const slots = [...this.#slots.values()];
    for (const slot of slots) this.halt(slot, "leaving");
    this.#slots.clear();
    this.#calls?.lost(slots);
  }

  /** The source is closed: what still waits for an answer waits no longer. */
  end(): void {
    this.#ended = true;
    for (const slot of this.#slots.values()) this.halt(slot, "leaving");
    this.#slots.clear();
  }
}
