import type { Decision } from "../core/decision.ts";
import type { LaneStatus } from "../core/events.ts";
import type { PartitionKey, Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { Block } from "../core/ports.ts";
import type { Contract } from "../core/contract.ts";
import type { SluiceError } from "../core/errors.ts";
import type { OpenWindow } from "./window.ts";

/** What a lane tells of itself: where its partitions are committed, what ended where since the worker started, and what is wrong. */
export class LaneRecord {
  readonly #committed = new Map<string, Position>();
  readonly #totals = { records: 0, promoted: 0, quarantined: 0, held: 0, skipped: 0, windows: 0 };
  #newestMs: number | null = null;
  /** Judging or committing goes on, with a fault that is waited out. */
  #trouble: string | null = null;
  contractError: string | null = null;
  blocks: readonly Block[] = [];

  /** Partitions begin (again) here. */
  place(positions: readonly Position[]): void {
    for (const position of positions) this.#committed.set(partitionId(position), position);
  }

  forget(partitions: readonly PartitionKey[]): void {
    for (const partition of partitions) this.#committed.delete(partitionId(partition));
  }

  /** Judging or committing is held up by a fault that is waited out; null: no more. */
  troubled(error: SluiceError | null): void {
    this.#trouble = error === null ? null : `${error.code}: ${error.message}`;
  }

  /** A window was committed. Positions of partitions that were given away meanwhile are not ours to tell. */
  committed(decision: Decision, to: readonly Position[], newestTimestampMs: number): void {
    const { counts } = decision;
    for (const position of to) if (this.#committed.has(partitionId(position))) this.#committed.set(partitionId(position), position);
    this.#totals.windows++;
    this.#totals.records += counts.records;
    this.#totals.promoted += counts.promoted;
    this.#totals.quarantined += counts.quarantined;
    this.#totals.held += counts.held;
    this.#totals.skipped += counts.skipped.tombstone + counts.skipped.late;
    if (newestTimestampMs >= 0) this.#newestMs = Math.max(this.#newestMs ?? 0, newestTimestampMs);
  }

  status(lane: {
    readonly contract: Contract;
    readonly suspended: string | null;
    readonly ends: readonly Position[];
    readonly open: OpenWindow | null;
    readonly queuedBytes: number;
  }): LaneStatus {
    const ends = new Map(lane.ends.map((each) => [partitionId(each), each.next]));
    const { contract, open } = lane;
    return {
      dataset: contract.dataset,
      topic: contract.topic,
      contract: { version: contract.version, hash: contract.hash },
      contractError: this.contractError,
      partitions: [...this.#committed.values()].map((each) => ({
        partition: each.partition,
        topicId: each.topicId,
        position: each.next,
        end: ends.get(partitionId(each)) ?? null,
        blocked: this.blocks.find((block) => block.partition === null || block.partition === each.partition)?.code ?? lane.suspended,
      })),
      blocks: this.blocks.map(({ partition, code, message }) => ({ partition, code, message })),
      openWindow: open === null ? null : { rows: open.rows, bytes: open.bytes, openedAtMs: open.openedAtMs },
      queuedBytes: lane.queuedBytes,
      totals: { ...this.#totals },
      newestCommittedTimestampMs: this.#newestMs,
      trouble: this.#trouble,
    };
  }
}
