import type { PartitionKey, Position } from "../../core/position.ts";
import type { SourceListener } from "../../core/ports.ts";
import type { PartitionSlot } from "./partition-slot.ts";
import { topicPartitionId } from "./topic-partition.ts";

/** Tells a listener of partitions gained and lost so that calls for one partition never overlap, come in order, and end only what was begun. */
export class OwnershipCalls {
  readonly #listener: SourceListener;
  /** By partition: the call under way. Slots of the same partition, of one assignment after another, share one chain. */
  readonly #chains = new Map<string, Promise<void>>();
  /** Slots that the listener was asked about and has not been told the end of. */
  readonly #told = new Set<PartitionSlot>();

  constructor(listener: SourceListener) {
    this.#listener = listener;
  }

  /** Asks where to begin, once earlier calls are over, about those slots that are `current` by then. Rejects if the listener does. */
  async assigned(slots: readonly PartitionSlot[], current: (slot: PartitionSlot) => boolean): Promise<readonly Position[]> {
    let answer: readonly Position[] = [];
    await this.#chain(slots, async () => {
      const asked = slots.filter(current);
      for (const slot of asked) this.#told.add(slot);
      if (asked.length > 0) answer = await this.#listener.assigned(asked.flatMap(keyOf));
    });
    return answer;
  }

  /** Resolves when the listener has let go or the deadline is over, whichever is first. */
  async revoked(slots: readonly PartitionSlot[], deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    const done = this.#chain(slots, async () => {
      const keys = this.#ending(slots);
      if (keys.length > 0) await this.#listener.revoked(keys, Math.max(0, until - performance.now()));
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([done.catch(() => undefined), late]);
    clearTimeout(timer);
  }

  /** At once where no call is under way: what is open must be dropped before it is committed. */
  lost(slots: readonly PartitionSlot[]): void {
    const free = slots.filter((slot) => !this.#chains.has(topicPartitionId(slot)));
    const say = (gone: readonly PartitionSlot[]): void => {
      const keys = this.#ending(gone);
      if (keys.length > 0) this.#listener.lost(keys);
    };
    say(free);
    for (const slot of slots) if (!free.includes(slot)) void this.#chain([slot], async () => say([slot]));
  }

  #ending(slots: readonly PartitionSlot[]): PartitionKey[] {
    return slots.filter((slot) => this.#told.delete(slot)).flatMap(keyOf);
  }

  #chain(slots: readonly PartitionSlot[], call: () => Promise<void>): Promise<void> {
    const ids = slots.map(topicPartitionId);
    const before = ids.map((id) => this.#chains.get(id) ?? Promise.resolve());
    const done = Promise.allSettled(before).then(call);
    const settled = done
      .catch(() => undefined)
      .then(() => {
        for (const id of ids) if (this.#chains.get(id) === settled) this.#chains.delete(id);
      });
    for (const id of ids) this.#chains.set(id, settled);
    return done;
  }
}

function keyOf({ key }: PartitionSlot): PartitionKey[] {
  return key === null ? [] : [key];
}
