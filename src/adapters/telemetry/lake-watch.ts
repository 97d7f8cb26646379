import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lake } from "../../core/ports.ts";

/** How a lake stands, as far as gauges tell it. Bytes; times in ms since the epoch. */
export interface LakeStanding {
  /** Windows that wait for a person, and since when the oldest does; a dataset that was never looked at is not in it. */
  readonly held: ReadonlyMap<string, { readonly windows: number; readonly oldestMs: number | null }>;
  /** The file system of the lake's folder; null: it has none, or it could not be asked. */
  readonly disk: { readonly freeBytes: number; readonly sizeBytes: number } | null;
}

export interface LakeWatchOptions {
  readonly lake: Pick<Lake, "held">;
  readonly datasets: readonly string[];
  /** Null: the lake is on no disk of this host. */
  readonly folder: string | null;
  readonly everyMs: number;
}

/** Looks at a lake now and then, in nobody's way: what can't be looked up stands as it was last seen. */
export class LakeWatch {
  readonly #options: LakeWatchOptions;
  readonly #held = new Map<string, { readonly windows: number; readonly oldestMs: number | null }>();
  readonly #stop = new AbortController();
  #disk: LakeStanding["disk"] = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: LakeWatchOptions) {
    this.#options = options;
  }

  /** As last seen; empty before the first look. */
  get standing(): LakeStanding {
    return { held: this.#held, disk: this.#disk };
  }

  start(): void {
    this.#looking = this.#lookOn();
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #lookOn(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#lookAtHeld();
      await this.#lookAtDisk();
      await sleep(this.#options.everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #lookAtHeld(): Promise<void> {
    for (const dataset of this.#options.datasets) {
      try {
        const windows = await this.#options.lake.held(dataset);
        this.#held.set(dataset, { windows: windows.length, oldestMs: windows[0]?.heldAtMs ?? null });
      } catch {
        // Commits tell of a lake that is out of reach, with a code; a gauge has no words for it.
      }
    }
  }

  async #lookAtDisk(): Promise<void> {
    if (this.#options.folder === null) return;
    this.#disk = await statfs(this.#options.folder).then(
      ({ bavail, blocks, bsize }) => ({ freeBytes: bavail * bsize, sizeBytes: blocks * bsize }),
      () => null,
    );
  }
}
