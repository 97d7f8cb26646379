import { AnswerTooLarge, type FetchRequest, fetchOnce } from "./fetch-channel.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Cluster, IsolationLevel } from "./cluster.ts";
import type { FetchMemory } from "./fetch-memory.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import type { PartitionSlot } from "./partition-slot.ts";

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly budget: ByteBudget;
  readonly memory: FetchMemory;
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

interface Asked {
  readonly slot: PartitionSlot;
  readonly version: number;
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
    return this.#options.cluster.leader(slot);
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
      const alone = ready.some((slot) => slot.alone > 0);
      // Room for that one batch, not all the room there is: an open window may keep some of it for as long as its contract says.
      const wanted = ready.reduce((most, slot) => Math.max(most, slot.alone > 0 ? slot.aloneBytes : 0), 0);
      const granted = await (alone
        ? budget.take(wanted, wanted)
        : budget.take(Math.min(requestBytesLeast, budget.max / 4), requestBytesMax));
      // Waiting for room may have taken long.
      ready = this.#stopped ? [] : this.#ready(node).filter((slot) => !alone || slot.alone > 0);
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
    // A batch that the whole budget has no room for is taken over it.
    const limit = alone && granted >= budget.max ? Math.max(granted, recordBytesMax) : granted;
    let answers: readonly FetchedPartition[] = [];
    let error: unknown = null;
    try {
      const address = cluster.broker(node);
      if (address === undefined) throw new Error(`broker ${node} is not in the cluster's metadata`);
      const answerBytesMax = answerSlackBytes + slots.length * 256 + limit;
      const { errorCode, partitions } = await fetchOnce(cluster.connections, address, {
        ...this.#request(slots, granted, alone),
        answerBytesMax,
      });
      if (errorCode !== 0) throw new Error(`the broker refuses to be fetched from (code ${errorCode})`);
      answers = partitions;
    } catch (caught) {
      error = caught;
    }
    for (const { slot } of asked) slot.fetching = false;
    // Counted before what was granted goes back, so that nobody else is granted room that these bytes take.
    for (const { records } of answers) budget.add(records?.length ?? 0);
    budget.give(granted);
    if (this.#stopped) return;
    if (error === null) {
      this.#options.recovered(node);
      this.#handOut(node, asked, answers, alone);
    } else if (!(error instanceof AnswerTooLarge)) {
      this.#options.failed(node, error);
      await this.#sleep(idleMs);
    } else if (alone && error.bytes > recordBytesMax + answerSlackBytes) {
      for (const { slot, version } of asked) if (slot.version === version) this.#options.oversized(slot, error.bytes);
    } else {
      for (const { slot } of asked) {
        slot.alone = Math.max(1, alone ? slot.alone : limit);
        slot.aloneBytes = Math.min(error.bytes, recordBytesMax);
      }
    }
  }

  /** Outside of any catch: a fault in what a listener does with records is a bug, not a broker's trouble. */
  #handOut(node: number, asked: readonly Asked[], answers: readonly FetchedPartition[], alone: boolean): void {
    for (const answer of answers) {
      const match = asked.find(({ slot }) => slot.key?.topicId === answer.topicId && slot.partition === answer.partition);
      const bytes = answer.records?.length ?? 0;
      if (match === undefined || match.slot.version !== match.version || match.slot.state !== "reading") {
        this.#options.budget.give(bytes);
        if (answer.records !== null) this.#options.memory.release(answer.records);
        continue;
      }
      if (alone) this.#found(node, match.slot, bytes);
      this.#options.fetched(match.slot, answer);
    }
  }

  /** Only one batch can have been too large for the request: once it is found, the others need not go alone. */
  #found(node: number, found: PartitionSlot, bytes: number): void {
    if (bytes > found.alone) for (const slot of this.#options.slots()) if (this.#leader(slot) === node) slot.alone = 0;
    found.alone = 0;
  }

  #request(slots: readonly PartitionSlot[], granted: number, alone: boolean): Omit<FetchRequest, "answerBytesMax"> {
    const { cluster, isolation, waitMs, memory } = this.#options;
    const targets = slots.map((slot) => ({
      topicId: slot.key?.topicId ?? "",
      partition: slot.partition,
      leaderEpoch: cluster.topic(slot.topic)?.partitions[slot.partition]?.leaderEpoch ?? -1,
      offset: slot.position,
      bytesMax: alone ? 1 : Math.min(partitionBytesMax, granted),
    }));
    // Alone: the broker sends exactly one batch, however large.
    return { targets, isolation, memory, waitMs: alone ? 0 : waitMs, bytesMax: alone ? 1 : granted };
  }
}
