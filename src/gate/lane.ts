import { setImmediate as nextTurn } from "node:timers/promises";
import type { Contract } from "../core/contract.ts";
import type { Decision } from "../core/decision.ts";
import { SluiceError } from "../core/errors.ts";
import type { LaneStatus } from "../core/events.ts";
import type { PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { Block, DatasetState, SourceRun, WindowCommit } from "../core/ports.ts";
import type { GateContext } from "./context.ts";
import type { SettledRows } from "./judged-rows.ts";
import { LaneCommit } from "./lane-commit.ts";
import { LaneEngine } from "./lane-engine.ts";
import { LaneJudge } from "./lane-judge.ts";
import { LaneRecord } from "./lane-record.ts";
import { LaneWindow } from "./lane-window.ts";
import { OffsetHints } from "./offset-hints.ts";
import { SchemaResolver } from "./schema-resolver.ts";
import { RunQueue } from "./run-queue.ts";
import { Serial } from "./serial.ts";
import { OpenWindow } from "./window.ts";

/** What is handed to the engine at once: small enough that limits and timers get their turn, large enough for a crossing to pay. */
const batchRowsMax = 8192;
const batchBytesMax = 4 << 20;

/**
 * One dataset in one worker: runs come in, windows are judged and committed one after the other. A window that is being settled and committed and the
 * next one that is filling overlap.
 */
export class Lane {
  readonly #context: GateContext;
  readonly #queue = new RunQueue();
  readonly #steps = new Serial();
  readonly #judge: LaneJudge;
  /** Owned partitions and where the next run of each begins. */
  readonly #reading = new Map<string, Position>();
  readonly #record = new LaneRecord();
  readonly #hints: OffsetHints;
  readonly #engine: LaneEngine;
  readonly #effects: LaneCommit;
  readonly #schemas: SchemaResolver;
  #contract: Contract;
  #next: Contract | null = null;
  #open: LaneWindow | null = null;
  /** The settling and the commit of the last window that closed. */
  #commit: Promise<void> = Promise.resolve();
  #epoch = 0;
  #scheduled = false;
  /** Between giving up what was read and seeking back: whatever arrives meanwhile is repeated after the seek. */
  #syncing = false;
  #suspended: string | null = null;
  #windows = 0;
  holdNext = false;

  constructor(contract: Contract, context: GateContext) {
    this.#contract = contract;
    this.#context = context;
    this.#hints = new OffsetHints(context);
    this.#judge = new LaneJudge(contract, context);
    this.#engine = new LaneEngine(context);
    this.#effects = new LaneCommit(context, this.#record);
    this.#schemas = new SchemaResolver(context.registry ?? null, (error) => {
      this.#record.troubled(error);
      context.observe({ type: "source.trouble", error });
    });
  }

  get dataset(): string {
    return this.#contract.dataset;
  }

  get topic(): string {
    return this.#contract.topic;
  }

  get contractHash(): string {
    return this.#contract.hash;
  }

  /** Whether this lane judges, or is about to judge, by the contract with this hash. */
  follows(hash: string): boolean {
    return hash === this.#contract.hash || hash === this.#next?.hash;
  }

  get owned(): readonly Position[] {
    return [...this.#reading.values()];
  }

  /** The table that windows to come are encoded for. Told before the first partition is assigned. */
  encodeFor(table: Pick<DatasetState, "schema" | "layout">): void {
    this.#engine.encodeFor(table);
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

  /** Takes effect when the open window is over. False, and no change, where `activate` gave up (null). */
  async changeContract(contract: Contract, activate: () => Promise<DatasetState | null>): Promise<boolean> {
    const changed = await this.#steps.run(async () => {
      await this.#close("contract");
      await this.#commit;
      this.#next = contract;
      try {
        const state = await activate();
        if (state === null) return false;
        this.#contract = contract;
        this.#engine.encodeFor(state);
        this.#record.contractError = null;
        this.#judge.change(contract);
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
    this.#engine.stop();
    this.#dropOpen();
    this.#queue.drop(this.owned);
    await this.#steps.idle();
    await this.#commit;
    await this.#hints.idle();
  }

  status(): LaneStatus {
    return this.#record.status({
      contract: this.#contract,
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

  /** Hands some records to the engine as soon as it has room; closes the window if it is full. */
  async #step(): Promise<void> {
    if (this.#suspended !== null || this.#queue.length === 0) return;
    const open = this.#open ?? this.#openWindow();
    const { window } = open;
    if (!(await this.#engine.room(window)) || this.#open !== open) return;
    const limits = this.#contract.window;
    const runs = this.#queue.peek(Math.max(1, Math.min(batchRowsMax, limits.rows - window.rows)), batchBytesMax);
    const schemas = await this.#schemas.resolve(
      this.#contract,
      runs.map((run) => run.records),
    );
    if (schemas === null || this.#open !== open || !this.#queue.take(runs)) return;
    for (const run of runs) {
      open.take(run, this.#reading);
      for (const next of run.next) this.#reading.set(partitionId(next), next);
    }
    const filled = runs.filter((run) => run.records.count > 0).map((run) => run.records);
    if (filled.length > 0) this.#engine.judge(open, filled, schemas);
    if (window.rows >= limits.rows) await this.#close("rows");
    else if (window.bytes >= Math.min(limits.bytes, this.#context.windowBytesMax)) await this.#close("bytes");
  }

  #openWindow(): LaneWindow {
    const openedAtMs = this.#context.clock.now();
    const window = new OpenWindow(this.#contract, openedAtMs, this.#engine.open(this.#contract));
    const inTurn = (step: () => Promise<void>): void => {
      void this.#steps
        .run(async () => {
          if (this.#open?.window === window && this.#suspended === null) await step();
        })
        .catch((error: unknown) => this.#context.fatal(error));
    };
    const expire = (): void => inTurn(() => this.#close("seconds"));
    this.#open = new LaneWindow(++this.#windows, window, this.#contract.window.seconds * 1000, expire);
    void window.lost.then((error) =>
      inTurn(async () => {
        const epoch = this.#epoch;
        this.#dropOpen();
        await this.#commit;
        await this.#recover(error, epoch);
      }),
    );
    return this.#open;
  }

  /** Ends the open window: it is settled and committed beside what follows, once the one before is committed. */
  async #close(closedBy: Decision["closedBy"]): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    open.stopTimer();
    if (open.window.from.length === 0) {
      open.release();
      return;
    }
    const closing = { closedBy, closedAtMs: this.#context.clock.now(), epoch: this.#epoch };
    const settling = this.#judge.settle(open.window, closing.closedAtMs, (operation) =>
      this.#effects.patiently(operation, () => closing.epoch !== this.#epoch),
    );
    settling.catch(() => undefined);
    await this.#commit;
    this.#commit = this.#conclude(open, settling, closing).catch((error: unknown) => this.#context.fatal(error));
  }

  /** Judges a settled window and commits it. */
  async #conclude(
    open: LaneWindow,
    settling: Promise<SettledRows | null>,
    { closedBy, closedAtMs, epoch }: { readonly closedBy: Decision["closedBy"]; readonly closedAtMs: number; readonly epoch: number },
  ): Promise<void> {
    try {
      const abandoned = (): boolean => epoch !== this.#epoch;
      if (abandoned() || (await this.#effects.patiently(() => this.#judge.catchUp(), abandoned)) === null) return;
      const settled = await settling;
      if (settled === null || abandoned()) return;
      const commit = await this.#judge.judge(open.window, settled, { closedAtMs, closedBy, holdNext: this.holdNext });
      if (commit.decision.verdict === "stop") await this.#stopTopic(commit.decision, epoch);
      else await this.#commitWindow(open, commit, epoch);
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== "ENGINE_THREAD_LOST") throw error;
      await this.#recover(error, epoch);
    } finally {
      open.release();
    }
  }

  async #commitWindow(open: LaneWindow, commit: WindowCommit, epoch: number): Promise<void> {
    const outcome = await this.#effects.commit(open, commit, () => epoch !== this.#epoch);
    if (outcome === "lost") await this.#resync(() => undefined);
    if (outcome !== "committed") return;
    if (commit.decision.verdict === "hold") this.holdNext = false;
    this.#engine.progressed();
    this.#judge.remember(commit);
    this.#hints.tell(commit.to);
  }

  async #stopTopic(decision: Decision, epoch: number): Promise<void> {
    // What came after the window would be judged as if the window were committed.
    this.#giveUp();
    // Recorded first: a lane that is suspended without a record of it looks as if a person had answered.
    const block = await this.#effects.stop(decision, this.topic, () => epoch !== this.#epoch);
    if (block === null) return;
    this.suspend(block.code);
    this.block(block);
    this.#effects.tellStop(block, this.dataset);
  }

  /** The thread that judged a window of ours is gone: what is open is dropped and read again, after a pause that grows. */
  async #recover(error: SluiceError, epoch: number): Promise<void> {
    if (epoch !== this.#epoch) return;
    this.#giveUp();
    this.#record.troubled(error);
    await this.#engine.lost(error, this.dataset);
    if (epoch !== this.#epoch) return;
    if (await this.#resync(() => undefined)) this.#record.troubled(null);
  }

  /**
   * Another worker moved our partitions, a person answered a block, or a window was lost with its thread: forget what is open, read on from what the table
   * says. `before` runs when that is known. False where the lane was stopped meanwhile, or another resync began, which then does all that this one would.
   */
  async #resync(before: () => void): Promise<boolean> {
    const epoch = ++this.#epoch;
    this.#giveUp();
    const state = await this.#effects.patiently(
      () => this.#context.lake.state(this.dataset),
      () => epoch !== this.#epoch,
    );
    if (state === null || epoch !== this.#epoch) return false;
    this.#syncing = false;
    before();
    this.holdNext = state.holdNext;
    this.#engine.encodeFor(state);
    const positions = state.positions.filter((each) => this.#reading.has(partitionId(each)));
    this.assign(positions);
    this.#context.source.seek(positions);
    return true;
  }

  /** Forgets what was read and not judged to its end; whatever arrives before the seek that follows is repeated after it. */
  #giveUp(): void {
    this.#syncing = true;
    this.#judge.forget();
    this.#dropOpen();
    this.#queue.drop(this.owned);
  }

  #dropOpen(): void {
    this.#open?.release();
    this.#open = null;
  }

  #forget(partitions: readonly PartitionKey[]): void {
    for (const partition of partitions) this.#reading.delete(partitionId(partition));
    this.#record.forget(partitions);
  }
}
