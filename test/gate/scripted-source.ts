import type { PartitionKey, Position } from "../../src/core/position.ts";
import { partitionId } from "../../src/core/position.ts";
import type { Source, SourceListener, SourceRun, StartPoint } from "../../src/core/ports.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { makeRecords } from "../fixtures/contract.ts";

interface Track {
  next: number;
  paused: boolean;
  reading: boolean;
}

/** A source in memory whose every step a test decides: what is in its partitions, who owns them, and when. */
export class ScriptedSource implements Source {
  readonly committed: Position[] = [];
  readonly #topic: string;
  readonly #logs = new Map<number, string[]>();
  readonly #tracks = new Map<number, Track>();
  topicId = "topic-a";
  /** Runs handed out and not given back. */
  outstanding = 0;
  #listener: SourceListener | null = null;

  constructor(topic: string) {
    this.#topic = topic;
  }

  append(partition: number, values: readonly string[]): void {
    this.#logs.set(partition, [...(this.#logs.get(partition) ?? []), ...values]);
    this.#pump();
  }

  key(partition: number): PartitionKey {
    return { topic: this.#topic, topicId: this.topicId, partition };
  }

  async assign(...partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) this.#tracks.set(partition, { next: 0, paused: false, reading: false });
    this.#begin(await this.#told.assigned(partitions.map((each) => this.key(each))));
  }

  async revoke(...partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) this.#tracks.delete(partition);
    await this.#told.revoked(
      partitions.map((each) => this.key(each)),
      60_000,
    );
  }

  lose(...partitions: readonly number[]): void {
    for (const partition of partitions) this.#tracks.delete(partition);
    this.#told.lost(partitions.map((each) => this.key(each)));
  }

  block(partition: number): void {
    const track = this.#tracks.get(partition);
    if (track !== undefined) track.reading = false;
    this.#told.blocked({ topic: this.#topic, partition, error: new SluiceError("SOURCE_OFFSET_OUT_OF_RANGE", "gone") });
  }

  get #told(): SourceListener {
    if (this.#listener === null) throw new Error("the source was not started");
    return this.#listener;
  }

  #begin(positions: readonly Position[]): void {
    for (const { partition, next, topicId } of positions) {
      const track = this.#tracks.get(partition);
      if (track === undefined || topicId !== this.topicId) continue;
      track.next = Number(next);
      track.reading = true;
    }
    this.#pump();
  }

  #pump(): void {
    for (const [partition, track] of this.#tracks) {
      const log = this.#logs.get(partition) ?? [];
      if (track.paused || !track.reading || track.next >= log.length) continue;
      const key = this.key(partition);
      const from = track.next;
      track.next = log.length;
      this.outstanding++;
      const run: SourceRun = {
        records: { ...makeRecords(log.slice(from), [], from), partitions: [key] },
        from: [{ ...key, next: BigInt(from) }],
        next: [{ ...key, next: BigInt(log.length) }],
        supersedes: [],
        release: () => {
          this.outstanding--;
        },
      };
      this.#told.records(run);
    }
  }

  // ---- Source

  start(listener: SourceListener): Promise<void> {
    this.#listener = listener;
    return Promise.resolve();
  }

  resolve(partitions: readonly PartitionKey[], _start: StartPoint): Promise<readonly Position[]> {
    return Promise.resolve(partitions.map((key) => ({ ...key, next: 0n })));
  }

  commit(positions: readonly Position[]): Promise<void> {
    this.committed.push(...positions);
    return Promise.resolve();
  }

  pause(partitions: readonly PartitionKey[]): void {
    this.#setPaused(partitions, true);
  }

  resume(partitions: readonly PartitionKey[]): void {
    this.#setPaused(partitions, false);
    this.#pump();
  }

  #setPaused(partitions: readonly PartitionKey[], paused: boolean): void {
    const ids = new Set(partitions.map(partitionId));
    for (const [partition, track] of this.#tracks) if (ids.has(partitionId(this.key(partition)))) track.paused = paused;
  }

  seek(positions: readonly Position[]): void {
    this.#begin(positions);
  }

  ends(): readonly Position[] {
    return [...this.#tracks.keys()].map((partition) => ({ ...this.key(partition), next: BigInt(this.#logs.get(partition)?.length ?? 0) }));
  }

  bytesInFlight(): number {
    return 0;
  }

  async close(): Promise<void> {
    const owned = [...this.#tracks.keys()];
    if (this.#listener !== null && owned.length > 0) await this.revoke(...owned);
  }
}
