import { setImmediate as nextTurn } from "node:timers/promises";
import type { Decision } from "../core/decision.ts";
import { SluiceError } from "../core/errors.ts";
import type { LaneStatus } from "../core/events.ts";
import type { PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { Block, SourceRun, WindowCommit } from "../core/ports.ts";
import { concatRecords } from "../core/records.ts";
import type { CompiledContract } from "./compiled.ts";
import { DriftLedger } from "./drift-ledger.ts";
import type { GateContext } from "./context.ts";
import { judgeWindow } from "./judge.ts";
import { LaneRecord } from "./lane-record.ts";
import { LaneWindow } from "./lane-window.ts";
import { OffsetHints } from "./offset-hints.ts";
import { patiently } from "./patience.ts";
import { RunQueue } from "./run-queue.ts";
import { Serial } from "./serial.ts";
import { OpenWindow } from "./window.ts";

/** One batch: small enough that heartbeats and timers get their turn, large enough for columns to pay. */
const batchRowsMax = 8192;
const batchBytesMax = 4 << 20;

/**
 * One dataset in one worker: runs come in, windows are judged and committed one after the other. A window that is being committed and the
 * next one that is filling overlap; judging waits for the commit before.
 */
export class Lane {
  readonly #context: GateContext;
  readonly #queue = new RunQueue();
  readonly #steps = new Serial();
  readonly #ledger: DriftLedger;
  /** Owned partitions and where the next run of each begins. */
  readonly #reading = new Map<string, Position>();
  readonly #record = new LaneRecord();
  readonly #hints: OffsetHints;
  #compiled: CompiledContract;
  #next: CompiledContract | null = null;
  #open: LaneWindow | null = null;
  #commit: Promise<void> = Promise.resolve();
  #epoch = 0;
  #scheduled = false;
  /** Between giving up what was read and seeking back: whatever arrives meanwhile is repeated after the seek. */
  #syncing = false;
  #suspended: string | null = null;
  #windows = 0;
  holdNext = false;

  constructor(compiled: CompiledContract, context: GateContext) {
    this.#compiled = compiled;
    this.#context = context;
    this.#hints = new OffsetHints(context);
    this.#ledger = new DriftLedger(context.lake, compiled.contract);
  }

  get dataset(): string {
    return this.#compiled.contract.dataset;
  }

  get topic(): string {
    return this.#compiled.contract.topic;
  }

  get contractHash(): string {
    return this.#compiled.contract.hash;
  }

  /** Whether this lane judges, or is about to judge, by the contract with this hash. */
  follows(hash: string): boolean {
    return hash === this.#compiled.contract.hash || hash === this.#next?.contract.hash;
  }

  get owned(): readonly Position[] {
    return [...this.#reading.values()];
  }

  /** Begins partitions at their positions (again, after a seek). */
  assign(positions: readonly Position[]): void {
    for (const position of positions) this.#reading.set(partitionId(position), position);
    this.#record.place(positions);
    if (this.#suspended !== null) this.#context.source.pause(positions);
  }

  /** Takes a run; one of partitions that are not ours (any more), or that a coming seek repeats, is given back: nothing is kept that can't be judged. */
  offer(run: SourceRun): void {
    if (this.#syncing || this.#suspended !== null || run.next.some((each) => !this.#reading.has(partitionId(each)))) {
      run.release();
      return;
    }
    this.#queue.push(run);
    this.#schedule();
  }

  /** Takes effect when the open window is over. False, and no change, where `activate` gave up. */
  async changeContract(compiled: CompiledContract, activate: () => Promise<boolean>): Promise<boolean> {
    const changed = await this.#steps.run(async () => {
      await this.#close("contract");
      await this.#commit;
      this.#next = compiled;
      try {
        if (!(await activate())) return false;
        this.#compiled = compiled;
        this.#record.contractError = null;
        this.#ledger.change(compiled.contract);
        return true;
      } finally {
        this.#next = null;
      }
    });
    this.#schedule();
    return changed;
  }

  /** Says that a newer contract was refused; null where the file holds the contract in force again. */
  refuseContract(message: string | null): void {
    this.#record.contractError = message;
  }

  /** Stops judging (blocked, contract superseded) until `resume`; what is open is dropped and will be read again. */
  suspend(reason: string): void {
    if (this.#suspended === reason) return;
    this.#suspended = reason;
    this.#context.source.pause(this.owned);
    // Bytes that wait for a person would take the room of other topics.
    this.#dropOpen();
    this.#queue.drop(this.owned);
  }

  get suspended(): string | null {
    return this.#suspended;
  }

  /** A partition or the topic can't be read any further; what came before is judged and committed as usual. */
  block(block: Block): void {
    this.#record.blocks = [...this.#record.blocks, block];
  }

  /** The table's recorded stops, for the status. */
  showBlocks(blocks: readonly Block[]): void {
    this.#record.blocks = blocks;
  }

  /** Goes on from what the table says. */
  async resume(): Promise<void> {
    if (!(await this.#resync(() => (this.#suspended = null)))) return;
    this.#context.source.resume(this.owned);
    this.#schedule();
  }

  /** Before partitions are given away: commits what is open of them, forgets what is queued. */
  async drain(partitions: readonly PartitionKey[], deadlineMs: number): Promise<void> {
    this.#queue.drop(partitions);
    const done = this.#steps.run(async () => {
      this.#queue.drop(partitions);
      if (this.#suspended === null) await this.#close("revoke");
      await this.#commit;
    });
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(() => deadline.resolve(), deadlineMs);
    await Promise.race([done, deadline.promise]);
    clearTimeout(timer);
    this.#forget(partitions);
    this.#queue.drop(partitions);
  }

  /** Ownership is gone already, or reading begins elsewhere: nothing open of these partitions is committed. */
  lose(partitions: readonly PartitionKey[]): void {
    this.#queue.drop(partitions);
    this.#forget(partitions);
    const ids = new Set(partitions.map(partitionId));
    if (this.#open === null || !this.#open.window.from.some((each) => ids.has(partitionId(each)))) return;
    const kept = this.#open.window.from.filter((each) => !ids.has(partitionId(each)));
    this.#dropOpen();
    for (const position of kept) this.#reading.set(partitionId(position), position);
    this.#queue.drop(kept);
    this.#context.source.seek(kept);
  }

  /** The source has no more: commits all that is left. */
  async finish(): Promise<void> {
    while (this.#queue.length > 0 && this.#suspended === null) await this.#steps.run(() => this.#step());
    await this.#steps.run(async () => {
      if (this.#suspended === null) await this.#close("end");
      await this.#commit;
    });
  }

  async stop(): Promise<void> {
    this.#epoch++;
    this.#dropOpen();
    this.#queue.drop(this.owned);
    await this.#steps.idle();
    await this.#commit;
    await this.#hints.idle();
  }

  status(): LaneStatus {
    return this.#record.status({
      compiled: this.#compiled,
      suspended: this.#suspended,
      ends: this.#context.source.ends(),
      open: this.#open?.window ?? null,
      queuedBytes: this.#queue.bytes,
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#suspended !== null || this.#queue.length === 0) return;
    this.#scheduled = true;
    void this.#steps
      .run(async () => {
        this.#scheduled = false;
        await this.#step();
        await nextTurn();
        this.#schedule();
      })
      .catch((error: unknown) => this.#context.fatal(error));
  }

  /** Judges one batch; closes the window if it is full. */
  async #step(): Promise<void> {
    if (this.#suspended !== null) return;
    const limits = this.#compiled.contract.window;
    const bytesMax = Math.min(limits.bytes, this.#context.windowBytesMax);
    const runs = this.#queue.take(Math.max(1, Math.min(batchRowsMax, limits.rows - (this.#open?.window.rows ?? 0))), batchBytesMax);
    if (runs.length === 0) return;
    const open = this.#open ?? this.#openWindow();
    const { window } = open;
    this.#judgeBatch(open, runs);
    if (window.rows >= limits.rows) await this.#close("rows");
    else if (window.bytes >= bytesMax) await this.#close("bytes");
  }

  #judgeBatch(open: LaneWindow, runs: readonly SourceRun[]): void {
    const { window } = open;
    const { clock, observe } = this.#context;
    for (const run of runs) {
      open.take(run, this.#reading);
      for (const next of run.next) this.#reading.set(partitionId(next), next);
    }
    const filled = runs.filter((run) => run.records.count > 0);
    if (filled.length === 0) return;
    const startMs = clock.now();
    const { batch, validation, timings } = window.add(concatRecords(filled.map((run) => run.records)), this.#context.tick);
    let rejected = 0;
    for (const flag of validation.rejected) rejected += flag;
    observe({
      type: "batch.judged",
      dataset: this.dataset,
      window: open.number,
      rows: batch.rows,
      faults: batch.faults.length,
      rejected,
      startMs,
      ...timings,
    });
  }

  #openWindow(): LaneWindow {
    const window = new OpenWindow(this.#compiled, this.#context.clock.now());
    const expire = (): void => {
      void this.#steps
        .run(async () => {
          if (this.#open?.window === window && this.#suspended === null) await this.#close("seconds");
        })
        .catch((error: unknown) => this.#context.fatal(error));
    };
    this.#open = new LaneWindow(++this.#windows, window, this.#compiled.contract.window.seconds * 1000, expire);
    return this.#open;
  }

  /** Ends the open window: judges it once the one before is committed, then commits it beside what follows. */
  async #close(closedBy: Decision["closedBy"]): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    open.stopTimer();
    if (open.window.from.length === 0) return;
    const epoch = this.#epoch;
    await this.#commit;
    if (epoch !== this.#epoch) {
      open.release();
      return;
    }
    const { clock, worker, producer } = this.#context;
    if ((await this.#patiently(() => this.#ledger.catchUp(), epoch)) === null) {
      open.release();
      return;
    }
    const { commit } = judgeWindow(open.window, {
      closedAtMs: clock.now(),
      closedBy,
      worker,
      producer,
      holdNext: this.holdNext,
      drift: (input) => this.#ledger.judge(input),
    });
    if (commit.decision.verdict === "stop") {
      await this.#stopTopic(open, commit.decision);
      return;
    }
    this.#commit = this.#commitWindow(open, commit, epoch).catch((error: unknown) => this.#context.fatal(error));
  }

  async #commitWindow(open: LaneWindow, commit: WindowCommit, epoch: number): Promise<void> {
    const { clock, observe } = this.#context;
    const commitStartMs = clock.now();
    const { windowId } = commit.decision;
    const result = await patiently(() => this.#context.lake.commitWindow(commit), {
      abandoned: () => epoch !== this.#epoch,
      trouble: (fault) => {
        this.#record.trouble = fault === null ? null : `${fault.error.code}: ${fault.error.message}`;
        if (fault !== null) observe({ type: "commit.failed", dataset: this.dataset, windowId, ...fault });
      },
    });
    open.release();
    if (result === null) return;
    const { decision } = commit;
    if (result.status === "lost") {
      observe({ type: "window.lost", dataset: this.dataset, window: open.number, windowId: decision.windowId, message: result.message });
      await this.#resync(() => undefined);
      return;
    }
    if (decision.verdict === "hold") this.holdNext = false;
    this.#record.committed(decision, commit.to, open.window.newestTimestampMs);
    this.#ledger.remember(decision, commit.profile);
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
    this.#hints.tell(commit.to);
  }

  async #stopTopic(open: LaneWindow, decision: Decision): Promise<void> {
    const { lake, clock, observe } = this.#context;
    open.release();
    const message = decision.causes.map((cause) => cause.message).join("; ");
    const block: Block = { topic: this.topic, topicId: null, partition: null, code: "WINDOW_STOPPED", message, sinceMs: clock.now() };
    // Recorded first: a lane that is suspended without a record of it looks as if a person had answered.
    const recorded = await this.#patiently(async () => {
      await lake.block(this.dataset, block);
      return true;
    }, this.#epoch);
    if (recorded === null) return;
    this.suspend(block.code);
    this.block(block);
    const error = new SluiceError("WINDOW_STOPPED", message);
    observe({ type: "source.blocked", dataset: this.dataset, topic: this.topic, partition: null, error });
  }

  /**
   * Another worker moved our partitions, or a person answered a block: forget what is open, read on from what the table says. `before` runs when that is
   * known. False where the lane was stopped meanwhile, or another resync began, which then does all that this one would.
   */
  async #resync(before: () => void): Promise<boolean> {
    const epoch = ++this.#epoch;
    this.#syncing = true;
    this.#dropOpen();
    this.#queue.drop(this.owned);
    const state = await this.#patiently(() => this.#context.lake.state(this.dataset), epoch);
    if (state === null || epoch !== this.#epoch) return false;
    this.#syncing = false;
    before();
    this.holdNext = state.holdNext;
    const positions = state.positions.filter((each) => this.#reading.has(partitionId(each)));
    this.assign(positions);
    this.#context.source.seek(positions);
    return true;
  }

  /** Waits out faults of the lake that pass; null if the lane was stopped meanwhile. */
  #patiently<T>(operation: () => Promise<T>, epoch: number): Promise<T | null> {
    return patiently(operation, {
      abandoned: () => epoch !== this.#epoch,
      trouble: (fault) => {
        this.#record.trouble = fault === null ? null : `${fault.error.code}: ${fault.error.message}`;
        this.#context.observe({ type: "source.trouble", error: fault?.error ?? null });
      },
    });
  }

  #dropOpen(): void {
    if (this.#open === null) return;
    this.#open.release();
    this.#open = null;
  }

  #forget(partitions: readonly PartitionKey[]): void {
    for (const partition of partitions) this.#reading.delete(partitionId(partition));
    this.#record.forget(partitions);
  }
}
