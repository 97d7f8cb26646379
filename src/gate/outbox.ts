import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../core/errors.ts";
import type { Observe } from "../core/events.ts";
import type { Lake, Sink } from "../core/ports.ts";

/** A holder that dies leaves its sinks alone for this long. */
const leaseMs = 5000;
const backoffMsMax = 30_000;

export interface OutboxOptions {
  readonly lake: Lake;
  readonly sinks: readonly Sink[];
  readonly datasets: readonly string[];
  /** Names this process as a holder of leases. */
  readonly holder: string;
  readonly observe: Observe;
  /** How long to wait before looking for new commits without a nudge. */
  readonly pollMs?: number;
}

interface Courier {
  readonly sink: Sink;
  readonly dataset: string;
  wake: PromiseWithResolvers<void>;
  /** Passes over history that ended well, and how the last one ended. */
  passes: number;
  last: "idle" | "elsewhere" | null;
  waitingSinceMs: number | null;
}

/** How far one sink is behind with one dataset. */
export interface SinkStanding {
  readonly sink: string;
  readonly dataset: string;
  /** When the oldest was committed that it was not given yet, ms since the epoch; null: it was given all, or another process delivers. */
  readonly waitingSinceMs: number | null;
}

/**
 * Delivers committed decisions to sinks: each sink has a cursor per dataset in the catalog, so that nothing is queued in memory, nothing is lost
 * with the process, and a sink that is down holds up nothing but itself. At least once, in commit order.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #couriers: Courier[];
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#couriers = options.sinks.flatMap((sink) =>
      options.datasets.map((dataset) => ({
        sink,
        dataset,
        wake: Promise.withResolvers<void>(),
        passes: 0,
        last: null,
        waitingSinceMs: null,
      })),
    );
  }

  start(): void {
    this.#running = Promise.all(this.#couriers.map((courier) => this.#carry(courier))).then(() => undefined);
  }

  /** A window was committed: look now. */
  nudge(dataset: string): void {
    for (const courier of this.#couriers) if (courier.dataset === dataset) courier.wake.resolve();
  }

  /** How every sink stands with every dataset. */
  standings(): readonly SinkStanding[] {
    return this.#couriers.map(({ sink, dataset, waitingSinceMs }) => ({ sink: sink.name, dataset, waitingSinceMs }));
  }

  /** Waits until what is committed so far is delivered, for at most `withinMs`. True if it is. */
  async drain(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    const reached = await Promise.all(
      this.#couriers.map(async (courier) => {
        // The pass that is under way may have read history before the last commit; the one after it has not.
        const enough = courier.passes + 2;
        while (performance.now() < deadline) {
          if (courier.passes >= enough && courier.last === "idle") return true;
          courier.wake.resolve();
          await sleep(20);
        }
        return false;
      }),
    );
    return reached.every(Boolean);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const courier of this.#couriers) courier.wake.resolve();
    // Closing is what ends a delivery that nobody answers; what it had not delivered, the next holder will.
    await Promise.all([this.#running, ...this.#options.sinks.map((sink) => sink.close())]);
    for (const courier of this.#couriers) await this.#giveUpLease(courier);
  }

  async #carry(courier: Courier): Promise<void> {
    const { observe, pollMs = 2000 } = this.#options;
    let attempt = 0;
    while (!this.#stop.signal.aborted) {
      try {
        courier.last = await this.#deliver(courier);
        courier.passes++;
        courier.waitingSinceMs = null;
        attempt = 0;
        await this.#pause(courier, pollMs);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        attempt++;
        const retryInMs = Math.min(backoffMsMax, 250 * 2 ** Math.min(attempt, 8));
        observe({ type: "sink.failed", sink: courier.sink.name, dataset: courier.dataset, error, attempt, retryInMs });
        await sleep(retryInMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  /** So that another worker need not wait for it to run out. */
  async #giveUpLease({ sink, dataset, last }: Courier): Promise<void> {
    if (last !== "idle") return;
    try {
      await this.#options.lake.cursors.acquire(sink.name, dataset, this.#options.holder, 0);
    } catch (error) {
      // Then it runs out by itself.
      if (!(error instanceof SluiceError)) throw error;
    }
  }

  async #pause(courier: Courier, ms: number): Promise<void> {
    await Promise.race([courier.wake.promise, sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)]);
    courier.wake = Promise.withResolvers<void>();
  }

  /** `idle`: all is delivered; `elsewhere`: another process holds the lease. */
  async #deliver(courier: Courier): Promise<"idle" | "elsewhere"> {
    const { sink, dataset } = courier;
    const { lake, holder, observe } = this.#options;
    const cursor = await lake.cursors.acquire(sink.name, dataset, holder, leaseMs);
    if (cursor === null) return "elsewhere";
    // A delivery may take longer than a lease: without renewals two holders could take it from each other for ever.
    const renewal = setInterval(() => {
      lake.cursors.acquire(sink.name, dataset, holder, leaseMs).catch(() => undefined);
    }, leaseMs / 3);
    try {
      for await (const window of lake.history(dataset, cursor.sequence)) {
        if (this.#stop.signal.aborted) return "idle";
        courier.waitingSinceMs = window.committedAtMs;
        const hash = window.decision.contract.hash;
        await sink.deliver(window, { hash, text: await lake.contractText(hash) });
        if (!(await lake.cursors.advance(sink.name, dataset, cursor.fence, window.sequence))) return "elsewhere";
        observe({ type: "sink.delivered", sink: sink.name, dataset, sequence: window.sequence });
      }
      return "idle";
    } finally {
      clearInterval(renewal);
    }
  }
}
