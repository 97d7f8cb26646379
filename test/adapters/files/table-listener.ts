import type { SluiceError } from "../../../src/core/errors.ts";
import type { PartitionKey, Position } from "../../../src/core/position.ts";
import { partitionId } from "../../../src/core/position.ts";
import type { SourceBlocked, SourceListener, SourceRun } from "../../../src/core/ports.ts";
import { span } from "../../../src/core/records.ts";

/** What survives a crash: positions, and the records that were committed with them. */
export class Table {
  readonly positions = new Map<string, Position>();
  readonly committed: string[] = [];
}

/** A gate that keeps nothing but positions and texts: windows of `windowRuns` runs, committed whole, checked for the chain of positions. */
export class TableListener implements SourceListener {
  readonly blocks: SourceBlocked[] = [];
  readonly troubles: (string | null)[] = [];
  readonly revokedKeys: PartitionKey[] = [];
  readonly runs: SourceRun[] = [];
  endings = 0;
  /** Ignores what comes, as a dead process does. */
  isDead = false;
  /** Keeps runs unreleased until told. */
  isHolding = false;
  readonly #table: Table;
  readonly #windowRuns: number;
  readonly #reading = new Map<string, bigint>();
  #open: SourceRun[] = [];
  #changed: (() => void)[] = [];

  constructor(table: Table, windowRuns = 1) {
    this.#table = table;
    this.#windowRuns = windowRuns;
  }

  async assigned(partitions: readonly PartitionKey[]): Promise<readonly Position[]> {
    await Promise.resolve();
    const begin = partitions.map((key) => this.#table.positions.get(partitionId(key)) ?? { ...key, next: 0n });
    if (this.isDead) return begin;
    for (const position of begin) {
      this.#table.positions.set(partitionId(position), position);
      this.#reading.set(partitionId(position), position.next);
    }
    return begin;
  }

  records(run: SourceRun): void {
    if (this.isDead) return;
    for (const from of run.from) {
      const reading = this.#reading.get(partitionId(from));
      if (reading !== from.next)
        throw new Error(`a run of ${partitionId(from)} begins at ${from.next}, the one before ended at ${reading}`);
    }
    for (const next of run.next) this.#reading.set(partitionId(next), next.next);
    this.runs.push(run);
    this.#open.push(run);
    if (!this.isHolding && this.#open.length >= this.#windowRuns) this.commit();
    this.#notify();
  }

  /** Commits the open window: all of its records and positions, or nothing. */
  commit(): void {
    const window = this.#open;
    this.#open = [];
    for (const run of window) {
      for (let row = 0; row < run.records.count; row++) {
        this.#table.committed.push(Buffer.from(span(run.records, "value", row) as Uint8Array).toString());
      }
      for (const position of run.next) this.#table.positions.set(partitionId(position), position);
    }
    for (const run of window) {
      for (const key of run.supersedes) this.#table.positions.delete(partitionId(key));
      run.release();
    }
  }

  /** A lost window: drops what is open; answers where the table says to read on. */
  drop(): Position[] {
    for (const run of this.#open) run.release();
    this.#open = [];
    const known = [...this.#reading.keys()].flatMap((id) => this.#table.positions.get(id) ?? []);
    for (const position of known) this.#reading.set(partitionId(position), position.next);
    return known;
  }

  revoked(partitions: readonly PartitionKey[]): Promise<void> {
    if (!this.isDead) this.commit();
    this.revokedKeys.push(...partitions);
    return Promise.resolve();
  }

  lost(): void {
    throw new Error("files are never lost");
  }

  blocked(fault: SourceBlocked): void {
    this.blocks.push(fault);
    this.#notify();
  }

  trouble(error: SluiceError | null): void {
    this.troubles.push(error?.code ?? null);
  }

  ended(): void {
    this.endings++;
    if (!this.isDead) this.commit();
    this.#notify();
  }

  /** Resolves once `condition` holds; looked at after every call of the source. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #notify(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const resolve of changed) resolve();
  }
}
