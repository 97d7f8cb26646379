import type { PartitionKey, Position } from "../../core/position.ts";
import type { SourceListener } from "../../core/ports.ts";
import type { PartitionSlot } from "./partition-slot.ts";

/** Tells a listener of partitions gained and lost so that calls for one partition never overlap and come in order. */
export class OwnershipCalls {
  readonly #listener: SourceListener;
  /** By slot: the call under way or last made. Slots of the same partition share one chain. */
  readonly #chains = new Map<string, Promise<void>>();

  constructor(listener: SourceListener) {
    this.#listener = listener;
  }

  /** Asks where to begin, once earlier calls are over, about those slots that are `current` by then. Rejects if the listener does. */
  assigned(slots: readonly PartitionSlot[], current: (slot: PartitionSlot) => boolean): Promise<readonly Position[]> {
    let answer: readonly Position[] = [];
    const done = this.#chain(slots, async () => {
      const keys = slots.filter(current).flatMap(keyOf);
      if (keys.length > 0) answer = await this.#listener.assigned(keys);
    });
    return done.then(() => answer);
  }

  /** Resolves when the listener has let go or the deadline is over, whichever is first. */
  async revoked(slots: readonly PartitionSlot[], deadlineMs: number): Promise<void> {
    const keys = slots.flatMap(keyOf);
    if (keys.length === 0) return;
    const until = performance.now() + deadlineMs;
    const done = this.#chain(slots, () => this.#listener.revoked(keys, Math.max(0, until - performance.now())));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([done.catch(() => undefined), late]);
    clearTimeout(timer);
  }

  /** At once where no call is under way: what is open must be dropped before it is committed. */
  lost(slots: readonly PartitionSlot[]): void {
    const free = slots.filter((slot) => !this.#chains.has(chainId(slot)));
    const busy = slots.filter((slot) => !free.includes(slot));
    const keys = free.flatMap(keyOf);
    if (keys.length > 0) this.#listener.lost(keys);
    for (const slot of busy) void this.#chain([slot], async () => this.#listener.lost(keyOf(slot)));
  }

  #chain(slots: readonly PartitionSlot[], call: () => Promise<void>): Promise<void> {
    const ids = slots.map(chainId);
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

function chainId({ topic, partition }: PartitionSlot): string {
  return `${topic}/${partition}`;
}

function keyOf({ key }: PartitionSlot): PartitionKey[] {
  return key === null ? [] : [key];
}
