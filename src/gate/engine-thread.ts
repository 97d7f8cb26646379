import { Worker } from "node:worker_threads";
import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import { packedBytes, packRecords, runsBytes, withoutLargeValues } from "../core/packed-records.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import type { EngineWindow, WindowPlan } from "./engine.ts";
import type { EngineAnswer, EngineRequest, EngineThreadData } from "./engine-protocol.ts";
import type { JudgedRows, RejectedWindowRow, SettledRows } from "./judged-rows.ts";
import { SlabPool } from "./slab-pool.ts";

/** How an engine thread is run. */
export interface EngineThreadOptions {
  /** The module that calls `serveEngine` in the thread. */
  readonly entry: URL;
  /** Bytes of records that are on their way to the thread or being judged; a run larger than that goes alone. */
  readonly bytesInFlightMax: number;
  /** Heap of the thread's JavaScript; above it the thread ends, and the process does not. */
  readonly heapMib: number;
  /** A thread that has work and shows no sign of life for so long is stuck, and is ended. */
  readonly silenceMsMax: number;
  /** Whether rows that pass are encoded for Arrow too. Default: no. */
  readonly arrow?: boolean;
}

const beatMs = 250;
/** A thread that has not begun loads its modules, on a machine that may be busy. */
const startMsMax = 60_000;

/** What the host awaits from the thread for one window: the oldest request first. */
interface Pending {
  readonly resolve: (answer: EngineAnswer) => void;
  readonly reject: (error: SluiceError) => void;
}

/** An open window, seen from the host. */
class HostedWindow implements EngineWindow {
  readonly #thread: EngineThread;
  readonly #number: number;
  /** Larger values are not decoded: they stay behind. */
  readonly #valueBytesMax: number;
  readonly #pending: Pending[] = [];
  readonly #rejected: RejectedWindowRow[] = [];
  readonly #lost = Promise.withResolvers<SluiceError>();
  #fault: SluiceError | null = null;
  #over = false;

  constructor(thread: EngineThread, number: number, contract: Contract) {
    this.#thread = thread;
    this.#number = number;
    // Frames and envelopes are looked at before it is known how large what they hold is.
    this.#valueBytesMax = contract.record === undefined ? contract.policies.oversized.bytes : Number.POSITIVE_INFINITY;
  }

  get lost(): Promise<SluiceError> {
    return this.#lost.promise;
  }

  async room(): Promise<void> {
    if (this.#fault !== null) throw this.#fault;
    await this.#thread.room();
  }

  async add(runs: readonly Records[], schemas: ResolvedSchemas = new Map()): Promise<JudgedRows> {
    const sent = runs.map((run) => withoutLargeValues(run, this.#valueBytesMax));
    const bytes = runsBytes(sent);
    const buffer = this.#thread.slabs.take(packedBytes(sent));
    const records = packRecords(sent, buffer);
    const answered = this.#ask({ type: "add", window: this.#number, records, schemas });
    this.#thread.depart(bytes);
    try {
      const answer = await answered;
      if (answer.type !== "judged") throw new Error("bug: the engine thread answers another request");
      this.#thread.slabs.give(buffer);
      return answer.judged;
    } finally {
      this.#thread.arrive(bytes);
    }
  }

  async questions(closedAtMs: number): Promise<readonly DeferredKeys[]> {
    const answer = await this.#ask({ type: "question", window: this.#number, closedAtMs });
    if (answer.type !== "questions") throw new Error("bug: the engine thread answers another request");
    return answer.questions;
  }

  async settle(closedAtMs: number, found: readonly DeferredOffenders[] = []): Promise<SettledRows> {
    const answer = await this.#ask({ type: "settle", window: this.#number, closedAtMs, found });
    this.#over = true;
    this.#thread.forget(this.#number);
    if (answer.type !== "settled") throw new Error("bug: the engine thread answers another request");
    const { settled } = answer;
    return { ...settled, rejected: [...this.#rejected, ...settled.rejected] };
  }

  drop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#thread.forget(this.#number);
    if (this.#fault === null) this.#thread.tell({ type: "drop", window: this.#number });
    // Answers to what is still under way are taken by nobody; their bytes are no longer on their way.
    const error = new SluiceError("WINDOW_LOST", "the window was dropped");
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }

  /** The thread's next answer for this window. */
  take(answer: EngineAnswer): void {
    if (answer.type === "judged") for (const row of answer.rejected) this.#rejected.push(row);
    this.#pending.shift()?.resolve(answer);
  }

  lose(error: SluiceError): void {
    this.#fault = error;
    this.#over = true;
    for (const { reject } of this.#pending.splice(0)) reject(error);
    this.#lost.resolve(error);
  }

  async #ask(request: EngineRequest): Promise<EngineAnswer> {
    if (this.#fault !== null) throw this.#fault;
    const { promise, resolve, reject } = Promise.withResolvers<EngineAnswer>();
    this.#pending.push({ resolve, reject });
    this.#thread.tell(request);
    return await promise;
  }
}

/** One thread that judges windows, from its start to its end. What it was working on when it ends before `close` is lost with ENGINE_THREAD_LOST. */
export class EngineThread {
  readonly slabs = new SlabPool((bytes) => new SharedArrayBuffer(bytes));
  readonly #options: EngineThreadOptions;
  readonly #worker: Worker;
  readonly #beats: Int32Array;
  readonly #windows = new Map<number, HostedWindow>();
  readonly #contracts = new Map<Contract, number>();
  readonly #waiters: { readonly resolve: () => void; readonly reject: (error: SluiceError) => void }[] = [];
  readonly #watch: NodeJS.Timeout;
  #windowCount = 0;
  #contractCount = 0;
  #bytesInFlight = 0;
  /** Requests without an answer. */
  #working = 0;
  #silentMs = 0;
  #lastBeat = 0;
  #fault: SluiceError | null = null;

  constructor(options: EngineThreadOptions) {
    this.#options = options;
    const beats = new SharedArrayBuffer(4);
    this.#beats = new Int32Array(beats);
    const workerData: EngineThreadData = { beats, arrow: options.arrow === true };
    this.#worker = new Worker(options.entry, {
      workerData,
      name: "sluice-engine",
      resourceLimits: { maxOldGenerationSizeMb: options.heapMib, maxYoungGenerationSizeMb: 64 },
    });
    // A thread that nobody waits for keeps no process.
    this.#worker.unref();
    this.#worker.on("message", (answer: EngineAnswer) => this.#take(answer));
    this.#worker.on("error", (cause: unknown) => this.#lose(`the engine thread failed: ${messageOf(cause)}`, cause));
    this.#worker.on("exit", (code) => this.#lose(`the engine thread ended with code ${code}`));
    this.#watch = setInterval(() => this.#look(), beatMs);
    this.#watch.unref();
  }

  /** Whether windows can be opened in it. */
  get alive(): boolean {
    return this.#fault === null;
  }

  /** Windows that are open in it. */
  get load(): number {
    return this.#windows.size;
  }

  open({ contract, ...plan }: WindowPlan): EngineWindow {
    const number = ++this.#windowCount;
    this.tell({ type: "open", window: number, contract: this.#tellContract(contract), ...plan });
    const window = new HostedWindow(this, number, contract);
    this.#windows.set(number, window);
    return window;
  }

  async close(): Promise<void> {
    this.#lose("the engine was closed");
    await this.#worker.terminate();
  }

  // ---- for its windows

  async room(): Promise<void> {
    if (this.#fault !== null) throw this.#fault;
    if (this.#bytesInFlight < this.#options.bytesInFlightMax && this.#waiters.length === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ resolve, reject });
    await promise;
  }

  depart(bytes: number): void {
    this.#bytesInFlight += bytes;
  }

  arrive(bytes: number): void {
    this.#bytesInFlight -= bytes;
    if (this.#bytesInFlight >= this.#options.bytesInFlightMax) return;
    // One that was woken may have nothing to add any more: where nothing is under way that could wake the next, all are.
    for (const { resolve } of this.#waiters.splice(0, this.#bytesInFlight === 0 ? this.#waiters.length : 1)) resolve();
  }

  tell(request: EngineRequest): void {
    const asks = request.type === "add" || request.type === "question" || request.type === "settle";
    if (asks && ++this.#working === 1) this.#worker.ref();
    this.#worker.postMessage(request);
  }

  forget(number: number): void {
    this.#windows.delete(number);
  }

  // ---- the thread

  /** A contract crosses once. A dataset's former one is forgotten then: its open windows have what they need. */
  #tellContract(contract: Contract): number {
    const known = this.#contracts.get(contract);
    if (known !== undefined) return known;
    for (const [former, formerNumber] of this.#contracts) {
      if (former.dataset !== contract.dataset) continue;
      this.#contracts.delete(former);
      this.tell({ type: "forget", contract: formerNumber });
    }
    const number = ++this.#contractCount;
    this.#contracts.set(contract, number);
    this.tell({ type: "contract", contract: number, plan: contract });
    return number;
  }

  #take(answer: EngineAnswer): void {
    if (--this.#working === 0) this.#worker.unref();
    this.#silentMs = 0;
    this.#windows.get(answer.window)?.take(answer);
  }

  /** Counts looks, not time: a process that was frozen for an hour has had one. */
  #look(): void {
    const beat = Atomics.load(this.#beats, 0);
    if (this.#working === 0 || beat !== this.#lastBeat) {
      this.#lastBeat = beat;
      this.#silentMs = 0;
      return;
    }
    this.#silentMs += beatMs;
    const { silenceMsMax } = this.#options;
    if (this.#silentMs < (beat === 0 ? Math.max(startMsMax, silenceMsMax) : silenceMsMax)) return;
    this.#lose(`the engine thread has not answered for ${Math.round(this.#silentMs / 1000)} s`);
    void this.#worker.terminate();
  }

  #lose(message: string, cause?: unknown): void {
    if (this.#fault !== null) return;
    const error = new SluiceError("ENGINE_THREAD_LOST", message, { cause });
    this.#fault = error;
    clearInterval(this.#watch);
    for (const { reject } of this.#waiters.splice(0)) reject(error);
    for (const window of this.#windows.values()) window.lose(error);
    this.#windows.clear();
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
