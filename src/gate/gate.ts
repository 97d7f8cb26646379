import type { Contract } from "../core/contract.ts";
import { SluiceError } from "../core/errors.ts";
import type { LaneStatus } from "../core/events.ts";
import type { PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { Block, DatasetState, SourceBlocked, SourceListener, SourceRun, StartPoint } from "../core/ports.ts";
import { placePartitions } from "./assignment.ts";
import { checkContract } from "./compiled.ts";
import type { GateContext } from "./context.ts";
import { Lane } from "./lane.ts";
import { patiently } from "./patience.ts";
import { checkRegistry } from "./schema-resolver.ts";

/** How often a gate asks the table whether a person has answered a block or another worker has activated a contract. */
const pollMs = 2000;

export interface GateOptions extends Omit<GateContext, "fatal"> {
  readonly contracts: readonly Contract[];
  /** Where a partition begins that the table has no position for. */
  readonly start: StartPoint;
}

/**
 * The window loop of one process: one source, one lane a dataset. `run` resolves when a finite source has ended and everything is
 * committed, or after `stop`; it rejects on a bug or on a fault that no retry mends.
 */
export class Gate implements SourceListener {
  readonly #options: GateOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Partitions that are assigned and not read, because they are blocked. */
  readonly #waiting = new Map<string, PartitionKey>();
  readonly #over = Promise.withResolvers<void>();
  #poll: NodeJS.Timeout | null = null;
  #stopping = false;
  #trouble: SluiceError | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
    const context: GateContext = { ...options, fatal: (error) => this.#over.reject(error) };
    for (const contract of options.contracts) {
      if (this.#lanes.has(contract.topic))
        throw new SluiceError("CONFIG_INVALID", `two contracts read the topic ${contract.topic}; give each topic one`);
      checkContract(contract);
      checkRegistry(contract, options.registry ?? null);
      this.#lanes.set(contract.topic, new Lane(contract, context));
    }
  }

  /** Makes every contract the active one of its dataset: tables exist after it. */
  async activate(): Promise<void> {
    const { lake, observe } = this.#options;
    for (const contract of this.#options.contracts) {
      const state = await this.#patiently(() => lake.activate(contract));
      if (state !== null) this.#lanes.get(contract.topic)?.encodeFor(state);
      observe({ type: "contract.activated", dataset: contract.dataset, version: contract.version, hash: contract.hash });
    }
  }

  /** Call after `activate`. */
  async run(): Promise<void> {
    this.#over.promise.catch(() => undefined);
    await this.#options.source.start(this);
    this.#schedulePoll();
    try {
      await this.#over.promise;
    } finally {
      await this.#shutDown();
    }
  }

  /** Commits what is open, gives partitions back, and lets `run` resolve. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    try {
      await this.#options.source.close();
    } finally {
      this.#over.resolve();
    }
  }

  /** Judges a dataset by another contract from the next window on. A contract that can't be activated leaves the old one in force. */
  async changeContract(contract: Contract): Promise<void> {
    const { lake, observe } = this.#options;
    const lane = [...this.#lanes.values()].find((each) => each.dataset === contract.dataset);
    if (lane === undefined) return;
    if (lane.contractHash === contract.hash) {
      lane.refuseContract(null);
      return;
    }
    try {
      if (contract.topic !== lane.topic) {
        throw new SluiceError(
          "CONTRACT_INVALID",
          `a running gate can't move ${contract.dataset} from topic ${lane.topic} to ${contract.topic}; restart it`,
        );
      }
      checkContract(contract);
      checkRegistry(contract, this.#options.registry ?? null);
      if (!(await lane.changeContract(contract, () => this.#patiently(() => lake.activate(contract))))) return;
      observe({ type: "contract.activated", dataset: contract.dataset, version: contract.version, hash: contract.hash });
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.refuseContract(contract.dataset, error);
    }
  }

  /** A changed contract file could not even be loaded: say so, keep the old. */
  refuseContract(dataset: string, error: SluiceError): void {
    const lane = [...this.#lanes.values()].find((each) => each.dataset === dataset);
    if (lane === undefined) return;
    lane.refuseContract(error.message);
    this.#options.observe({ type: "contract.rejected", dataset, error, activeHash: lane.contractHash });
  }

  status(): { readonly lanes: readonly LaneStatus[]; readonly trouble: string | null } {
    return { lanes: [...this.#lanes.values()].map((lane) => lane.status()), trouble: this.#trouble?.message ?? null };
  }

  // ---- what the source says

  async assigned(partitions: readonly PartitionKey[]): Promise<readonly Position[]> {
    const begin: Position[] = [];
    for (const [topic, keys] of byTopic(partitions)) {
      const lane = this.#lanes.get(topic);
      if (lane === undefined) continue;
      const placed = (await this.#patiently(() => this.#place(lane, keys))) ?? [];
      lane.assign(placed);
      begin.push(...placed);
    }
    this.#options.observe({ type: "partitions.assigned", partitions });
    return begin;
  }

  async revoked(partitions: readonly PartitionKey[], deadlineMs: number): Promise<void> {
    for (const key of partitions) this.#waiting.delete(partitionId(key));
    await Promise.all([...byTopic(partitions)].map(async ([topic, keys]) => this.#lanes.get(topic)?.drain(keys, deadlineMs)));
    this.#options.observe({ type: "partitions.revoked", partitions });
  }

  lost(partitions: readonly PartitionKey[]): void {
    for (const key of partitions) this.#waiting.delete(partitionId(key));
    for (const [topic, keys] of byTopic(partitions)) this.#lanes.get(topic)?.lose(keys);
    this.#options.observe({ type: "partitions.lost", partitions });
  }

  records(run: SourceRun): void {
    const first = run.next[0] as Position;
    const lane = this.#lanes.get(first.topic);
    if (lane === undefined) {
      run.release();
      return;
    }
    const { observe } = this.#options;
    observe({
      type: "run.received",
      dataset: lane.dataset,
      partition: first,
      records: run.records.count,
      bytes: run.records.bytes.byteLength,
    });
    lane.offer(run);
  }

  blocked(fault: SourceBlocked): void {
    const lane = this.#lanes.get(fault.topic);
    if (lane === undefined) return;
    const { lake, clock, observe } = this.#options;
    const owned = lane.owned.filter((each) => fault.partition === null || each.partition === fault.partition);
    for (const key of owned) this.#waiting.set(partitionId(key), key);
    observe({ type: "source.blocked", dataset: lane.dataset, topic: fault.topic, partition: fault.partition, error: fault.error });
    const block: Block = {
      topic: fault.topic,
      topicId: owned[0]?.topicId ?? null,
      partition: fault.partition,
      code: fault.error.code,
      message: fault.error.message,
      sinceMs: clock.now(),
    };
    lane.block(block);
    this.#patiently(() => lake.block(lane.dataset, block)).catch((error: unknown) => this.#fail(error));
  }

  trouble(error: SluiceError | null): void {
    this.#trouble = error;
    this.#options.observe({ type: "source.trouble", error });
  }

  ended(): void {
    Promise.all([...this.#lanes.values()].map((lane) => lane.finish())).then(
      () => this.#over.resolve(),
      (error: unknown) => this.#over.reject(error),
    );
  }

  // ---- blocks, and what people answer

  /** Where partitions begin; those that are blocked wait. */
  async #place(lane: Lane, keys: readonly PartitionKey[]): Promise<readonly Position[]> {
    const { lake, source, start, clock, observe } = this.#options;
    const state = await lake.state(lane.dataset);
    lane.holdNext = state.holdNext;
    const placed = placePartitions(state, keys, clock.now());
    for (const block of placed.blocks) {
      await lake.block(lane.dataset, block);
      observe({
        type: "source.blocked",
        dataset: lane.dataset,
        topic: block.topic,
        partition: block.partition,
        error: new SluiceError("SOURCE_IDENTITY_CHANGED", block.message),
      });
    }
    lane.showBlocks([...state.blocks, ...placed.blocks]);
    for (const key of placed.waiting) this.#waiting.set(partitionId(key), key);
    let begin = placed.known;
    if (placed.unknown.length > 0) {
      const resolved = await source.resolve(placed.unknown, start);
      const recorded = await lake.recordStart(lane.dataset, resolved);
      begin = [...begin, ...recorded];
    }
    return begin;
  }

  #schedulePoll(): void {
    this.#poll = setTimeout(() => {
      this.#lookForAnswers()
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          if (!this.#stopping) this.#schedulePoll();
        });
    }, pollMs);
  }

  async #lookForAnswers(): Promise<void> {
    for (const lane of this.#lanes.values()) {
      const state = await this.#patiently(() => this.#options.lake.state(lane.dataset));
      if (state === null) return;
      // Another worker's window may have been the one that was to be held.
      if (!state.holdNext) lane.holdNext = false;
      lane.showBlocks(state.blocks);
      await this.#answerStop(lane, state);
      await this.#answerWaiting(lane, state);
    }
  }

  /** A stop by policy, or a contract that is no longer the active one, suspends the whole lane. */
  async #answerStop(lane: Lane, state: DatasetState): Promise<void> {
    const { observe } = this.#options;
    const stopped = state.blocks.find((each) => each.code === "WINDOW_STOPPED");
    const superseded = state.activeContract !== null && !lane.follows(state.activeContract);
    if (stopped !== undefined) lane.suspend("WINDOW_STOPPED");
    else if (superseded) lane.suspend("CONTRACT_SUPERSEDED");
    else if (lane.suspended !== null) {
      await lane.resume();
      observe({ type: "source.unblocked", dataset: lane.dataset, topic: lane.topic, partition: null });
    }
  }

  /** Partitions that were blocked and are no longer: read them from where the table now says. */
  async #answerWaiting(lane: Lane, state: DatasetState): Promise<void> {
    const waiting = [...this.#waiting.values()].filter((key) => key.topic === lane.topic);
    const free = waiting.filter((key) => !isBlocked(state.blocks, key));
    if (free.length === 0) return;
    const placed = await this.#patiently(() => this.#place(lane, free));
    // What was given away meanwhile waits no more.
    const begin = (placed ?? []).filter((key) => this.#waiting.delete(partitionId(key)));
    if (begin.length === 0) return;
    // What came before the block may still stand in the open window, and the table's positions before it: not twice into one window.
    lane.lose(begin);
    lane.assign(begin);
    this.#options.source.seek(begin);
    for (const key of begin) {
      this.#options.observe({ type: "source.unblocked", dataset: lane.dataset, topic: lane.topic, partition: key.partition });
    }
  }

  #patiently<T>(operation: () => Promise<T>): Promise<T | null> {
    return patiently(operation, { abandoned: () => this.#stopping, trouble: (fault) => this.trouble(fault?.error ?? null) });
  }

  #fail(error: unknown): void {
    if (error instanceof SluiceError && error.retryable) this.trouble(error);
    else this.#over.reject(error);
  }

  async #shutDown(): Promise<void> {
    this.#stopping = true;
    if (this.#poll !== null) clearTimeout(this.#poll);
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
    await this.#options.source.close();
  }
}

function isBlocked(blocks: readonly Block[], key: PartitionKey): boolean {
  return blocks.some((block) => block.topic === key.topic && (block.partition === null || block.partition === key.partition));
}

function byTopic(partitions: readonly PartitionKey[]): Map<string, PartitionKey[]> {
  const groups = new Map<string, PartitionKey[]>();
  for (const key of partitions) {
    const group = groups.get(key.topic);
    if (group === undefined) groups.set(key.topic, [key]);
    else group.push(key);
  }
  return groups;
}
