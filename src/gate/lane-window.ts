import type { Position } from "../core/position.ts";
import type { SourceRun } from "../core/ports.ts";
import type { OpenWindow } from "./window.ts";
import { sampleTraceparent } from "./traceparents.ts";

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

  /** Takes a run whose partitions stand where `from` says. Throws where it does not begin there. */
  take(run: SourceRun, from: ReadonlyMap<string, Position>): void {
    this.#runs.push(run);
    this.window.take(run, from);
    sampleTraceparent(run, this.traceparents);
  }

  /** No more batches: the window is closing. */
  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  /** Gives every run back to the source, and the window up where it is judged. */
  release(): void {
    clearTimeout(this.#timer);
    this.window.drop();
    for (const run of this.#runs.splice(0)) run.release();
  }
}
