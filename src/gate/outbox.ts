import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../core/errors.ts";
import type { Observe } from "../core/events.ts";
import type { Lake } from "../core/ports.ts";

/** A holder that dies leaves its sinks alone for this long. */
const leaseMs = 5000;
const backoffMsMax = 30_000;
/** The longest that a receiver's own word for how long to wait is taken for. */
const retryAfterMsMax = 3600_000;

/** Something to be delivered, with its place in the log that it stands in. */
export interface Delivery {
  readonly sequence: bigint;
  /** When it came to stand there, ms since the epoch. */
  readonly atMs: number;
  /** Rejects with a SluiceError to be called again with the same; its detail `retryAfterMs` says when at the earliest. */
  send(): Promise<void>;
}

/** What one sink is to hear of one dataset: a log, and the sink's cursor in it. */
export interface OutboxLine {
  readonly sink: string;
  readonly dataset: string;
  /** The dataset's name, or that of another log of it, by which the cursor is kept. */
  readonly cursor: string;
  /** Where a cursor begins that never was; absent: at the log's beginning. Above 0. */
  begin?(): Promise<bigint>;
  /** What stands after a place in the log, in order. */
  pending(after: bigint): AsyncIterable<Delivery>;
}

export interface OutboxOptions {
  readonly lake: Pick<Lake, "cursors">;
  readonly lines: readonly OutboxLine[];
  /** What the lines deliver to; closed with the outbox. */
  readonly sinks: readonly { close(): Promise<void> }[];
  /** Names this process as a holder of leases. */
  readonly holder: string;
  readonly observe: Observe;
  /** How long to wait before looking for more without a nudge. */
  readonly pollMs?: number;
}

interface Courier {
  readonly line: OutboxLine;
  wake: PromiseWithResolvers<void>;
  /** Passes over the log that ended well, and how the last one ended. */
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
 * Delivers what was committed to sinks: each sink has a cursor per dataset in the catalog, so that nothing is queued in memory, nothing is lost
 * with the process, and a sink that is down holds up nothing but itself. At least once, in order.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #couriers: Courier[];
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#couriers = options.lines.map((line) => ({
      line,
      wake: Promise.withResolvers<void>(),
      passes: 0,
      last: null,
      waitingSinceMs: null,
    }));
  }

  start(): void {
    this.#running = Promise.all(this.#couriers.map((courier) => this.#carry(courier))).then(() => undefined);
  }

  /** There is something new of a dataset: look now. */
  nudge(dataset: string): void {
    for (const courier of this.#couriers) if (courier.line.dataset === dataset) courier.wake.resolve();
  }

  /** How every sink stands with every dataset. */
  standings(): readonly SinkStanding[] {
    return this.#couriers.map(({ line, waitingSinceMs }) => ({ sink: line.sink, dataset: line.dataset, waitingSinceMs }));
  }

  /** Waits until what is committed so far is delivered, for at most `withinMs`. True if it is. */
  async drain(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    const reached = await Promise.all(
      this.#couriers.map(async (courier) => {
        // The pass that is under way may have read the log before its last entry; the one after it has not.
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
    const { sink, dataset } = courier.line;
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
        const asked = Math.min(retryAfterMsMax, Number(error.details["retryAfterMs"] ?? 0));
        const retryInMs = Math.max(asked, Math.min(backoffMsMax, 250 * 2 ** Math.min(attempt, 8)));
        observe({ type: "sink.failed", sink, dataset, error, attempt, retryInMs });
        await sleep(retryInMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  /** So that another worker need not wait for it to run out. */
  async #giveUpLease({ line, last }: Courier): Promise<void> {
    if (last !== "idle") return;
    try {
      await this.#options.lake.cursors.acquire(line.sink, line.cursor, this.#options.holder, 0);
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
    const { line } = courier;
    const { holder, observe } = this.#options;
    const { cursors } = this.#options.lake;
    const { sink, dataset, cursor } = line;
    const found = await cursors.acquire(sink, cursor, holder, leaseMs);
    if (found === null) return "elsewhere";
    const advance = (sequence: bigint): Promise<boolean> => cursors.advance(sink, cursor, found.fence, sequence);
    // A delivery may take longer than a lease: without renewals two holders could take it from each other for ever.
    const renewal = setInterval(() => {
      cursors.acquire(sink, cursor, holder, leaseMs).catch(() => undefined);
    }, leaseMs / 3);
    try {
      let after = found.sequence;
      if (after === 0n && line.begin !== undefined) {
        after = await line.begin();
        if (!(await advance(after))) return "elsewhere";
      }
      for await (const delivery of line.pending(after)) {
        if (this.#stop.signal.aborted) return "idle";
        const { sequence, atMs } = delivery;
        courier.waitingSinceMs = atMs;
        await delivery.send();
        if (!(await advance(sequence))) return "elsewhere";
        observe({ type: "sink.delivered", sink, dataset, sequence });
      }
      return "idle";
    } finally {
      clearInterval(renewal);
    }
  }
}
