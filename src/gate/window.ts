import type { Batch } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { OffsetRange, PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { Profile } from "../core/profile.ts";
import type { Records } from "../core/records.ts";
import type { Validation, WindowValidator } from "../core/rule.ts";
import { emptyProfile, mergeProfiles, profileBatch } from "../sketches/index.ts";
import type { CompiledContract } from "./compiled.ts";

/** One batch of a window, judged row by row. */
export interface JudgedBatch {
  readonly batch: Batch;
  readonly validation: Validation;
  /** Rows that passed every row rule so far, ascending. */
  readonly passed: Uint32Array;
  readonly timings: { readonly decodeMs: number; readonly validateMs: number; readonly profileMs: number };
}

/** A window that still takes batches: judged so far, positions moved so far. It has no identity until it is committed. */
export class OpenWindow {
  readonly compiled: CompiledContract;
  readonly openedAtMs: number;
  readonly batches: JudgedBatch[] = [];
  readonly rules: WindowValidator;
  readonly supersedes: PartitionKey[] = [];
  /** Of the rows that passed so far; null where rows of earlier batches can still fall, so that it must wait for the close. */
  profile: Profile | null;
  rows = 0;
  bytes = 0;
  newestTimestampMs = -1;
  readonly #from = new Map<string, Position>();
  readonly #to = new Map<string, Position>();
  readonly #counts = new Map<string, number>();

  constructor(compiled: CompiledContract, openedAtMs: number) {
    this.compiled = compiled;
    this.openedAtMs = openedAtMs;
    this.rules = compiled.validator.open();
    this.profile = canStillFall(compiled.contract) ? null : emptyProfile(compiled.contract);
  }

  get from(): readonly Position[] {
    return [...this.#from.values()];
  }

  get to(): readonly Position[] {
    return [...this.#to.values()];
  }

  /** The source ranges, with the number of records of each. */
  get ranges(): OffsetRange[] {
    return this.to.map((to) => {
      const id = partitionId(to);
      const from = this.#from.get(id) as Position;
      return {
        topic: to.topic,
        topicId: to.topicId,
        partition: to.partition,
        from: from.next,
        to: to.next,
        count: this.#counts.get(id) ?? 0,
      };
    });
  }

  /** Moves a partition from where it stood (kept from the first call) to `next`. */
  advance(from: Position, next: Position): void {
    const id = partitionId(next);
    if (!this.#from.has(id)) this.#from.set(id, from);
    this.#to.set(id, next);
  }

  /** Decodes, validates and profiles a run of records: one batch. `tick` is a monotonic clock in milliseconds for the timings. */
  add(records: Records, tick: () => number): JudgedBatch {
    const { contract, decode } = this.compiled;
    const start = tick();
    const batch = decode(records);
    const decoded = tick();
    const validation = this.rules.add(batch);
    const validated = tick();
    const passed = passingRows(batch, validation.rejected);
    if (this.profile !== null) this.profile = mergeProfiles(this.profile, profileBatch(contract, batch, passed));
    const timings = { decodeMs: decoded - start, validateMs: validated - decoded, profileMs: tick() - validated };
    const judged = { batch, validation, passed, timings };
    this.batches.push(judged);
    this.#count(records);
    return judged;
  }

  #count(records: Records): void {
    this.rows += records.count;
    this.bytes += records.bytes.byteLength;
    const ids = records.partitions.map(partitionId);
    for (let row = 0; row < records.count; row++) {
      const id = ids[records.partition[row] as number] as string;
      this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    }
    for (const timestamp of records.timestamps) {
      const ms = Number(timestamp);
      if (ms > this.newestTimestampMs) this.newestTimestampMs = ms;
    }
  }
}

/** Whether a row that passed can be rejected or skipped when its window closes. */
function canStillFall(contract: Contract): boolean {
  const { late } = contract.policies;
  return (
    (late !== null && late.action !== "promote") ||
    contract.rules.some(({ check }) => check.family === "duplicate" && check.keep === "none")
  );
}

/** Rows that are neither rejected nor skipped by a policy, ascending. */
export function passingRows(batch: Batch, rejected: Uint8Array): Uint32Array {
  const skipped = new Set(batch.skipped.map((each) => each.row));
  const rows = new Uint32Array(batch.rows);
  let count = 0;
  for (let row = 0; row < batch.rows; row++) {
    if (rejected[row] === 0 && batch.undecoded[row] === 0 && !skipped.has(row)) rows[count++] = row;
  }
  return rows.subarray(0, count);
}
