import type { ClaimRows } from "../core/claims.ts";
import type { Contract } from "../core/contract.ts";
import type { SluiceError } from "../core/errors.ts";
import type { OffsetRange, PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { RejectedRow, SourceRun } from "../core/ports.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { DeferredKeys, DeferredOffenders } from "../rules/deferred/deferred-rule.ts";
import { claimRowsOf, endOf, type PlacedRun } from "./claim-rows.ts";
import type { EngineWindow } from "./engine.ts";
import type { JudgedRows, SettledRows } from "./judged-rows.ts";
import type { PassedRun } from "./suspect-records.ts";

const noBytes = new Uint8Array(0);
const noStarts = new Uint32Array(0);
const noLengths = new Int32Array(0);

function withoutBytes(records: Records): Records {
  return {
    ...records,
    bytes: noBytes,
    keyStart: noStarts,
    keyLength: noLengths,
    valueStart: noStarts,
    valueLength: noLengths,
    headersStart: noStarts,
    headersLength: noLengths,
  };
}

/** A window that still takes records: where it began, how far it moved, and what was said of its rows so far. It has no identity until it is committed. */
export class OpenWindow {
  readonly contract: Contract;
  readonly openedAtMs: number;
  readonly supersedes: PartitionKey[] = [];
  rows = 0;
  bytes = 0;
  newestTimestampMs = -1;
  readonly #engine: EngineWindow;
  readonly #keepBytes: boolean;
  readonly #runs: PlacedRun[] = [];
  readonly #from = new Map<string, Position>();
  readonly #to = new Map<string, Position>();
  readonly #counts = new Map<string, number>();

  /** `keepBytes: false`: nobody will ask for the bytes of its records, only for where they came from. */
  constructor(contract: Contract, openedAtMs: number, engine: EngineWindow, keepBytes = true) {
    this.contract = contract;
    this.openedAtMs = openedAtMs;
    this.#engine = engine;
    this.#keepBytes = keepBytes;
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

  /** Moves every partition of a run, from where `stands` says. Throws where the run does not begin there: a gap that no commit could see is a bug. */
  take(run: SourceRun, stands: ReadonlyMap<string, Position>): void {
    for (const next of run.next) {
      const from = stands.get(partitionId(next)) as Position;
      const begin = run.from.find((each) => partitionId(each) === partitionId(next));
      if (begin?.next !== from.next) {
        throw new Error(`bug: a run of ${partitionId(next)} begins at ${begin?.next ?? "nowhere"}, the one before ended at ${from.next}`);
      }
      this.advance(from, next);
    }
    this.supersedes.push(...run.supersedes);
  }

  /** Resolves if the window is lost with the thread that judges it. */
  get lost(): Promise<SluiceError> {
    return this.#engine.lost;
  }

  /** Resolves when there is room for more records. Rejects with ENGINE_THREAD_LOST. */
  room(): Promise<void> {
    return this.#engine.room();
  }

  /** Has records judged; they stay with the window until it is over, for what becomes of them. Rejects with ENGINE_THREAD_LOST. */
  async add(runs: readonly Records[], schemas?: ResolvedSchemas): Promise<JudgedRows> {
    for (const records of runs) {
      const kept = this.#keepBytes ? records : withoutBytes(records);
      this.#runs.push({ records: kept, start: this.rows, ...(schemas !== undefined && { schemas }) });
      this.rows += records.count;
      this.bytes += records.bytes.byteLength;
      this.#count(records);
    }
    const judged = await this.#engine.add(runs, schemas);
    this.newestTimestampMs = Math.max(this.newestTimestampMs, judged.newestTimestampMs);
    return judged;
  }

  /** What its deferred rules ask, once no more is added. Rejects with ENGINE_THREAD_LOST. */
  questions(closedAtMs: number): Promise<readonly DeferredKeys[]> {
    return this.#engine.questions(closedAtMs);
  }

  /** Ends the window where it is judged, with the answers to its questions. Rejects with ENGINE_THREAD_LOST. */
  settle(closedAtMs: number, found: readonly DeferredOffenders[] = []): Promise<SettledRows> {
    return this.#engine.settle(closedAtMs, found);
  }

  /** Where the records of the asked rows came from. */
  claimRows(question: DeferredKeys): ClaimRows {
    return claimRowsOf(this.#runs, question);
  }

  /** Gives the window up where it is judged. */
  drop(): void {
    this.#engine.drop();
  }

  /** The records of rejected rows. */
  rejectedRecords({ rejected }: SettledRows): RejectedRow[] {
    let run = 0;
    return rejected.map(({ row, reasons }) => {
      while (row >= endOf(this.#runs, run)) run++;
      const { records, start } = this.#runs[run] as PlacedRun;
      return { records, row: row - start, reasons };
    });
  }

  /** The records of the rows that passed: those that were neither rejected nor skipped. */
  passedRecords({ rejected, skipped }: SettledRows): PassedRun[] {
    const out = [...rejected.map(({ row }) => row), ...skipped.map(({ row }) => row)];
    const stays = new Uint8Array(this.rows).fill(1);
    for (const row of out) stays[row] = 0;
    return this.#runs.flatMap(({ records, start, schemas }) => {
      const rows = Uint32Array.from({ length: records.count }, (_, row) => row).filter((row) => stays[start + row] === 1);
      return rows.length === 0 ? [] : [{ records, rows, schemas: schemas ?? new Map() }];
    });
  }

  #count(records: Records): void {
    const ids = records.partitions.map(partitionId);
    const add = (id: string, count: number): void => void this.#counts.set(id, (this.#counts.get(id) ?? 0) + count);
    if (ids.length === 1) {
      add(ids[0] as string, records.count);
      return;
    }
    for (let row = 0; row < records.count; row++) add(ids[records.partition[row] as number] as string, 1);
  }
}
