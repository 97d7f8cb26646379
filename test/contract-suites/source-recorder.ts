import { setTimeout as sleep } from "node:timers/promises";
import { headersOf } from "../../src/core/headers.ts";
import { type PartitionKey, type Position, partitionId } from "../../src/core/position.ts";
import type { Source, SourceBlocked, SourceListener, SourceRun, StartPoint } from "../../src/core/ports.ts";
import type { SluiceError } from "../../src/core/errors.ts";
import { span } from "../../src/core/records.ts";

/** A delivered record, as text where tests compare texts; null apart from empty. */
export interface SeenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly timestampType: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

/** Positions that several members share, as the table would hold them. */
export class PositionTable {
  readonly #next = new Map<string, Position>();

  get(key: PartitionKey): Position | undefined {
    return this.#next.get(partitionId(key));
  }

  all(): Position[] {
    return [...this.#next.values()];
  }

  set(position: Position): void {
    this.#next.set(partitionId(position), position);
  }

  /** Moves on only from where the table stands: what a window's commit does. */
  move(from: Position, to: Position): boolean {
    if (this.get(from)?.next !== from.next) return false;
    this.set(to);
    return true;
  }
}

export interface RecorderOptions {
  readonly start?: StartPoint;
  readonly table?: PositionTable;
  /** Keep runs unreleased until `releaseAll`. */
  readonly hold?: boolean;
  /** Leave these out of the answers to `assigned`. */
  readonly leaveOut?: (key: PartitionKey) => boolean;
  readonly decode?: "text" | "count";
}

/** A listener that takes everything, commits each run at once to its table, and keeps what it was told, in order. */
export class Recorder implements SourceListener {
  readonly table: PositionTable;
  readonly seen: SeenRecord[] = [];
  readonly blocks: SourceBlocked[] = [];
  readonly troubles: (SluiceError | null)[] = [];
  /** `assigned topic/0` and the like. */
  readonly calls: string[] = [];
  readonly owned = new Set<string>();
  /** Partitions offered under an id that is not the one the table knows. */
  readonly strangers: PartitionKey[] = [];
  /** What should never happen. */
  readonly violations: string[] = [];
  count = 0;
  runs = 0;
  lostWindows = 0;
  bytesMax = 0;
  readonly #options: RecorderOptions;
  readonly #held: SourceRun[] = [];
  readonly #next = new Map<string, bigint>();
  source: Source | null = null;

  constructor(options: RecorderOptions = {}) {
    this.#options = options;
    this.table = options.table ?? new PositionTable();
  }

  async assigned(partitions: readonly PartitionKey[]): Promise<readonly Position[]> {
    this.#note("assigned", partitions);
    for (const key of partitions) {
      if (this.owned.has(partitionId(key))) this.violations.push(`assigned twice: ${key.topic}/${key.partition}`);
      this.owned.add(partitionId(key));
    }
    // As the gate does: a topic whose name the table knows under another id is another topic, and waits for a person.
    const strangers = partitions.filter((key) =>
      this.table.all().some(({ topic, topicId }) => topic === key.topic && topicId !== key.topicId),
    );
    this.strangers.push(...strangers);
    const fresh = partitions.filter((key) => this.table.get(key) === undefined && !strangers.includes(key));
    if (fresh.length > 0) {
      const first = await (this.source as Source).resolve(fresh, this.#options.start ?? { at: "earliest" });
      for (const position of first) if (this.table.get(position) === undefined) this.table.set(position);
    }
    const answer = partitions.filter((key) => !(this.#options.leaveOut?.(key) ?? false)).flatMap((key) => this.table.get(key) ?? []);
    for (const position of answer) this.#next.set(partitionId(position), position.next);
    return answer;
  }

  async revoked(partitions: readonly PartitionKey[]): Promise<void> {
    this.#note("revoked", partitions);
    await this.source?.commit(partitions.flatMap((key) => this.table.get(key) ?? []));
    this.#drop(partitions);
  }

  lost(partitions: readonly PartitionKey[]): void {
    this.#note("lost", partitions);
    this.#drop(partitions);
  }

  #drop(partitions: readonly PartitionKey[]): void {
    for (const key of partitions) {
      if (!this.owned.delete(partitionId(key))) this.violations.push(`gave up what it did not own: ${key.topic}/${key.partition}`);
    }
  }

  #note(what: string, partitions: readonly PartitionKey[]): void {
    for (const { topic, partition } of partitions) this.calls.push(`${what} ${topic}/${partition}`);
  }

  /** To be called before a test seeks, since the chain of runs begins anew there. */
  seeking(positions: readonly Position[]): void {
    for (const position of positions) {
      this.#next.set(partitionId(position), position.next);
      this.table.set(position);
    }
  }

  records(run: SourceRun): void {
    this.runs++;
    this.bytesMax = Math.max(this.bytesMax, this.source?.bytesInFlight() ?? 0);
    run.from.forEach((from, i) => {
      const to = run.next[i] as Position;
      if (!this.owned.has(partitionId(from))) this.violations.push(`a run of ${from.topic}/${from.partition}, which is not owned`);
      if (this.#next.get(partitionId(from)) !== from.next)
        this.violations.push(`a run begins at ${from.next}, not where the last one ended`);
      this.#next.set(partitionId(to), to.next);
      if (!this.table.move(from, to)) this.lostWindows++;
    });
    this.#take(run);
    if (this.#options.hold === true) this.#held.push(run);
    else run.release();
  }

  #take({ records, from, next }: SourceRun): void {
    this.count += records.count;
    for (let row = 0; row < records.count; row++) {
      const offset = records.offsets[row] as bigint;
      if (offset < (from[0] as Position).next || offset >= (next[0] as Position).next)
        this.violations.push(`offset ${offset} is outside its run`);
      if (this.#options.decode === "count") continue;
      const { topic, partition } = records.partitions[records.partition[row] as number] as PartitionKey;
      this.seen.push({
        topic,
        partition,
        offset,
        timestamp: records.timestamps[row] as bigint,
        timestampType: records.timestampTypes[row] as number,
        key: text(span(records, "key", row)),
        value: text(span(records, "value", row)),
        headers: headersOf(records, row).map(({ key, value }) => [key, text(value)]),
      });
    }
  }

  /** Where the runs have come to. */
  position(topic: string, partition: number): bigint | undefined {
    return this.table.all().find((position) => position.topic === topic && position.partition === partition)?.next;
  }

  get held(): number {
    return this.#held.length;
  }

  /** All that was seen, for the message of a failed test. */
  story(): string {
    const { count, calls, violations } = this;
    const blocks = this.blocks.map(({ topic, partition, error }) => `${topic}/${partition}: ${error.code} ${error.message}`);
    return JSON.stringify({ count, calls, violations, blocks, troubles: this.troubles.map((error) => error?.message ?? null) });
  }

  releaseAll(): void {
    for (const run of this.#held.splice(0)) run.release();
  }

  blocked(fault: SourceBlocked): void {
    this.blocks.push(fault);
  }

  trouble(error: SluiceError | null): void {
    this.troubles.push(error);
  }

  ended(): void {
    this.violations.push("an endless source ended");
  }
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString("latin1");
}

/** Waits until `done`, or rejects with what `story` tells. The time is for the slowest machines: what goes well takes a fraction. */
export async function until(done: () => boolean, story: () => string, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!done()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${story()}`);
    await sleep(10);
  }
}
