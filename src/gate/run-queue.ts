import type { PartitionKey } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import type { SourceRun } from "../core/ports.ts";
import { recordsBytes } from "../core/records.ts";

/** Runs that wait for a window, first in first out. Bounded by the source, which counts their bytes as in flight. */
export class RunQueue {
  #runs: SourceRun[] = [];
  #bytes = 0;

  get length(): number {
    return this.#runs.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(run: SourceRun): void {
    this.#runs.push(run);
    this.#bytes += recordsBytes(run.records);
  }

  /** Runs at the front up to `rowsMax` rows or `bytesMax` bytes; always at least one if there is any. */
  peek(rowsMax: number, bytesMax: number): readonly SourceRun[] {
    let rows = 0;
    let bytes = 0;
    let count = 0;
    for (const run of this.#runs) {
      const size = recordsBytes(run.records);
      if (count > 0 && (rows + run.records.count > rowsMax || bytes + size > bytesMax)) break;
      rows += run.records.count;
      bytes += size;
      count++;
    }
    return this.#runs.slice(0, count);
  }

  /** Takes runs that were peeked at; false, and takes none, where they no longer stand at the front. */
  take(runs: readonly SourceRun[]): boolean {
    if (runs.some((run, i) => this.#runs[i] !== run)) return false;
    for (const run of runs) this.#bytes -= recordsBytes(run.records);
    this.#runs.splice(0, runs.length);
    return true;
  }

  /** Releases and forgets every run that touches one of these partitions. */
  drop(partitions: readonly PartitionKey[]): void {
    const ids = new Set(partitions.map(partitionId));
    const kept: SourceRun[] = [];
    for (const run of this.#runs) {
      if (run.next.some((each) => ids.has(partitionId(each)))) {
        this.#bytes -= recordsBytes(run.records);
        run.release();
      } else kept.push(run);
    }
    this.#runs = kept;
  }
}
