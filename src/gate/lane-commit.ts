import type { Decision } from "../core/decision.ts";
import { SluiceError } from "../core/errors.ts";
import type { Block, WindowCommit } from "../core/ports.ts";
import type { GateContext } from "./context.ts";
import type { LaneRecord } from "./lane-record.ts";
import type { LaneWindow } from "./lane-window.ts";
import { patiently } from "./patience.ts";

/** What became of a window's commit: `lost` where another worker had moved its partitions, `abandoned` where its lane went on without it. */
export type CommitOutcome = "committed" | "lost" | "abandoned";

/** The effects of one lane's decisions on the lake, waited for as long as faults pass. */
export class LaneCommit {
  readonly #context: GateContext;
  readonly #record: LaneRecord;

  constructor(context: GateContext, record: LaneRecord) {
    this.#context = context;
    this.#record = record;
  }

  /** Commits a window, and tells of it. */
  async commit(open: LaneWindow, commit: WindowCommit, abandoned: () => boolean): Promise<CommitOutcome> {
    const { lake, clock, observe } = this.#context;
    const { decision } = commit;
    const { dataset, windowId } = decision;
    const commitStartMs = clock.now();
    const result = await patiently(() => lake.commitWindow(commit), {
      abandoned,
      trouble: (fault) => {
        this.#record.troubled(fault?.error ?? null);
        if (fault !== null) observe({ type: "commit.failed", dataset, windowId, ...fault });
      },
    });
    open.release();
    if (result === null) return "abandoned";
    if (result.status === "lost") {
      observe({ type: "window.lost", dataset, window: open.number, windowId, message: result.message });
      return "lost";
    }
    this.#record.committed(decision, commit.to, open.window.newestTimestampMs);
    observe({
      type: "window.committed",
      window: open.number,
      decision,
      snapshotId: result.snapshotId,
      attempts: result.attempts,
      commitStartMs,
      commitMs: clock.now() - commitStartMs,
      traceparents: [...open.traceparents],
    });
    return "committed";
  }

  /** Records that a window stopped its topic. The block; null where the lane went on without it. */
  async stop(decision: Decision, topic: string, abandoned: () => boolean): Promise<Block | null> {
    const { lake, clock } = this.#context;
    const message = decision.causes.map((cause) => cause.message).join("; ");
    const block: Block = { topic, topicId: null, partition: null, code: "WINDOW_STOPPED", message, sinceMs: clock.now() };
    const recorded = await this.patiently(async () => {
      await lake.block(decision.dataset, block);
      return true;
    }, abandoned);
    return recorded === null ? null : block;
  }

  /** Tells that a stop is in force. */
  tellStop({ topic, message }: Block, dataset: string): void {
    this.#context.observe({ type: "source.blocked", dataset, topic, partition: null, error: new SluiceError("WINDOW_STOPPED", message) });
  }

  /** Waits out faults of the lake that pass; null if abandoned meanwhile. */
  patiently<T>(operation: () => Promise<T>, abandoned: () => boolean): Promise<T | null> {
    return patiently(operation, {
      abandoned,
      trouble: (fault) => {
        this.#record.troubled(fault?.error ?? null);
        this.#context.observe({ type: "source.trouble", error: fault?.error ?? null });
      },
    });
  }
}
