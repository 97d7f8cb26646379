import type { SourceRun } from "../core/ports.ts";
import type { Position } from "../core/position.ts";
import { partitionId } from "../core/position.ts";
import { sampleTraceparent } from "./traceparents.ts";
import type { OpenWindow } from "./window.ts";

/** An open window of a lane, with what has to be given back when it is over. */
export class LaneWindow {
  /** Counts up in one lane: tells windows apart that have no id yet. */
  readonly number: number;
  readonly window: OpenWindow;
  readonly traceparents = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  readonly #runs: SourceRun[] = [];

  constructor(number: number, window: OpenWindow, timeoutMs: number, onTimeout: () => void) {
    this.number = number;
    this.window = window;
    this.#timer = setTimeout(onTimeout, timeoutMs);
  }

  /** Takes a run whose partitions stand where `from` says. Throws where it does not begin there: a gap that no commit could see is a bug. */
  take(run: SourceRun, from: ReadonlyMap<string, Position>): void {
    this.#runs.push(run);
    for (const next of run.next) {
      const stands = from.get(partitionId(next)) as Position;
      const begin = run.from.find((each) => partitionId(each) === partitionId(next));
      if (begin?.next !== stands.next) {
        throw new Error(`bug: a run of ${partitionId(next)} begins at ${begin?.next ?? "nowhere"}, the one before ended at ${stands.next}`);
      }
      this.window.advance(stands, next);
    }
    this.window.supersedes.push(...run.supersedes);
    sampleTraceparent(run, this.traceparents);
  }

  /** No more batches: the window is closing. */
  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /** Gives every run back to the source. */
  release(): void {
    clearTimeout(this.#timer);
    for (const run of this.#runs.splice(0)) run.release();
  }
}
