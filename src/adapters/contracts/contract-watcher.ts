import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

export interface ContractWatcherOptions {
  /** The files to watch, asked at every look: a contract and what it refers to. */
  readonly files: () => readonly string[];
  /** Called after contents may have changed and then stood still for `settleMs`; never twice at a time. What it throws goes to `onError`. */
  readonly onChange: () => Promise<void> | void;
  readonly onError: (error: unknown) => void;
  readonly intervalMs?: number;
  /** Editors and copies write in steps: a change is reported once the files stand still for so long. */
  readonly settleMs?: number;
}

/**
 * Watches files by looking at their size and time, and at their content where those changed. Looking works on every file system
 * (network mounts and Kubernetes' swapped links too), where notifications get lost.
 */
export class ContractWatcher {
  readonly #options: Required<ContractWatcherOptions>;
  readonly #known = new Map<string, { readonly stamp: string; readonly hash: string }>();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #changedAtMs: number | null = null;
  #stopped = false;

  constructor(options: ContractWatcherOptions) {
    this.#options = { intervalMs: 1000, settleMs: 300, ...options };
  }

  /** Begins to look. The first report comes soon after, so that a change between loading and watching is not missed. */
  start(): void {
    this.#changedAtMs = performance.now();
    this.#schedule();
  }

  /** Stops looking; resolves when a running look and its report have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#looking;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const waitMs = this.#changedAtMs === null ? this.#options.intervalMs : Math.min(this.#options.intervalMs, this.#options.settleMs);
    this.#timer = setTimeout(() => {
      this.#looking = this.#tick().finally(() => this.#schedule());
    }, waitMs);
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    try {
      await this.#look();
      const { settleMs, onChange } = this.#options;
      if (this.#changedAtMs === null || performance.now() - this.#changedAtMs < settleMs) return;
      this.#changedAtMs = null;
      await onChange();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #look(): Promise<void> {
    const files = this.#options.files();
    for (const file of this.#known.keys()) if (!files.includes(file)) this.#known.delete(file);
    for (const file of files) {
      const stamp = await stampOf(file);
      const known = this.#known.get(file);
      if (known?.stamp === stamp) continue;
      const hash = stamp === "absent" ? stamp : await hashOf(file);
      this.#known.set(file, { stamp, hash });
      // A file that joins the list may have changed since the contract that names it was loaded.
      if (known?.hash !== hash) this.#changedAtMs = performance.now();
    }
  }
}

async function stampOf(file: string): Promise<string> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await stat(file, { bigint: true });
    return `${mtimeNs}:${ctimeNs}:${size}:${ino}`;
  } catch {
    return "absent";
  }
}

async function hashOf(file: string): Promise<string> {
  try {
    return createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
  } catch {
    return "absent";
  }
}
