import { AnswerTooLarge, type FetchRequest, fetchOnce } from "./fetch-channel.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Cluster, IsolationLevel } from "./cluster.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import type { PartitionSlot } from "./partition-slot.ts";

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly budget: ByteBudget;
  readonly isolation: IsolationLevel;
  readonly waitMs: number;
  /** The most that one batch fetched alone may take. */
  readonly recordBytesMax: number;
  readonly slots: () => Iterable<PartitionSlot>;
  /** An answer for a slot that is still the one that was asked for; its bytes are counted in the budget. */
  readonly fetched: (slot: PartitionSlot, answer: FetchedPartition) => void;
  readonly failed: (node: number, error: unknown) => void;
  readonly recovered: (node: number) => void;
  readonly oversized: (slot: PartitionSlot, bytes: number) => void;
}

const requestBytesMax = 8 * 1024 * 1024;
const requestBytesLeast = 2 * 1024 * 1024;
const partitionBytesMax = 1024 * 1024;
/** What an answer may hold besides record batches: its own fields, and the list of aborted transactions. */
const answerSlackBytes = 64 * 1024;
const idleMs = 100;

/** Fetches for all slots that are ready, one long poll at a time per broker, never more than the budget grants. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #running = new Set<number>();
  readonly #sleepers = new Set<() => void>();
  #turn = 0;
  #stopped = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Something changed: new slots, leaders, room. */
  wake(): void {
    if (this.#stopped) return;
    for (const slot of this.#options.slots()) {
      const node = this.#leader(slot);
      if (node >= 0 && !this.#running.has(node)) {
        this.#running.add(node);
        void this.#loop(node);
      }
    }
    for (const sleeper of this.#sleepers) sleeper();
  }

  stop(): void {
    this.#stopped = true;
    for (const sleeper of this.#sleepers) sleeper();
  }

  #leader(slot: PartitionSlot): number {
    return this.#options.cluster.topic(slot.topic)?.partitions[slot.partition]?.leader ?? -1;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleepers.add(wake);
    });
  }

  #ready(node: number): PartitionSlot[] {
    const now = performance.now();
    const ready = [...this.#options.slots()].filter(
      (slot) =>
        slot.state === "reading" &&
        !slot.paused &&
        !slot.fetching &&
        slot.decoder === null &&
        slot.retryAt <= now &&
        this.#leader(slot) === node,
    );
    // Brokers fill an answer in the order asked, and only a first batch may be larger than the limits: each gets its turn at the front.
    const front = ready.length > 0 ? this.#turn++ % ready.length : 0;
    return [...ready.slice(front), ...ready.slice(0, front)];
  }

  async #loop(node: number): Promise<void> {
    const { slots, budget } = this.#options;
    while (!this.#stopped) {
      let ready = this.#ready(node);
      if (ready.length === 0) {
        if (![...slots()].some((slot) => this.#leader(slot) === node)) break;
        await this.#sleep(idleMs);
        continue;
      }
      const alone = ready.some((slot) => slot.alone);
      const granted = await (alone
        ? budget.take(budget.max, budget.max)
        : budget.take(Math.min(requestBytesLeast, budget.max / 4), requestBytesMax));
      // Waiting for room may have taken long.
      ready = this.#stopped ? [] : this.#ready(node).filter((slot) => !alone || slot.alone);
      if (alone) ready = ready.slice(0, 1);
      if (ready.length === 0) budget.give(granted);
      else await this.#fetch(node, ready, granted, alone);
    }
    this.#running.delete(node);
  }

  async #fetch(node: number, slots: readonly PartitionSlot[], granted: number, alone: boolean): Promise<void> {
    const { cluster, budget, recordBytesMax } = this.#options;
    const asked = slots.map((slot) => ({ slot, version: slot.version }));
    for (const { slot } of asked) slot.fetching = true;
    let error: unknown = null;
    try {
      const address = cluster.broker(node);
      if (address === undefined) throw new Error(`broker ${node} is not in the cluster's metadata`);
      const answerBytesMax = answerSlackBytes + slots.length * 256 + (alone ? recordBytesMax : granted);
      const { errorCode, partitions } = await fetchOnce(cluster.connections, address, {
        ...this.#request(slots, granted, alone),
        answerBytesMax,
      });
      if (errorCode !== 0) throw new Error(`the broker refuses to be fetched from (code ${errorCode})`);
      this.#release(asked, budget, granted);
      granted = 0;
      this.#options.recovered(node);
      for (const answer of partitions) {
        const match = asked.find(({ slot }) => slot.key?.topicId === answer.topicId && slot.partition === answer.partition);
        if (match === undefined || match.slot.version !== match.version || match.slot.state !== "reading") continue;
        if (alone) match.slot.alone = false;
        if (answer.records !== null) budget.add(answer.records.length);
        this.#options.fetched(match.slot, answer);
      }
    } catch (caught) {
      error = caught;
    }
    if (granted > 0) this.#release(asked, budget, granted);
    if (error === null || this.#stopped) return;
    if (!(error instanceof AnswerTooLarge)) {
      this.#options.failed(node, error);
      await this.#sleep(idleMs);
    } else if (!alone) for (const { slot } of asked) slot.alone = true;
    else for (const { slot, version } of asked) if (slot.version === version) this.#options.oversized(slot, error.bytes);
  }

  #release(asked: readonly { slot: PartitionSlot }[], budget: ByteBudget, granted: number): void {
    for (const { slot } of asked) slot.fetching = false;
    budget.give(granted);
  }

  #request(slots: readonly PartitionSlot[], granted: number, alone: boolean): Omit<FetchRequest, "answerBytesMax"> {
    const { cluster, isolation, waitMs } = this.#options;
    const targets = slots.map((slot) => ({
      topicId: slot.key?.topicId ?? "",
      partition: slot.partition,
      leaderEpoch: cluster.topic(slot.topic)?.partitions[slot.partition]?.leaderEpoch ?? -1,
      offset: slot.position,
      bytesMax: alone ? 1 : Math.min(partitionBytesMax, granted),
    }));
    // Alone: the broker sends exactly one batch, however large.
    return { targets, isolation, waitMs: alone ? 0 : waitMs, bytesMax: alone ? 1 : granted };
  }
}
