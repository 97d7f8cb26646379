import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SqlAnswer } from "../../core/sql-queries.ts";
import type { WindowQueries } from "./window-queries.ts";
import { tooLong } from "./window-queries.ts";

/** What the process says. */
export type Told =
  | { readonly kind: "ready" }
  | { readonly kind: "began" }
  | { readonly kind: "answered"; readonly answer: SqlAnswer }
  | { readonly kind: "done" }
  /** The window's rows couldn't be read: nothing was asked of them. */
  | { readonly kind: "failed"; readonly message: string };

/** What one process had to say of a window. */
export interface QueryAnswers {
  readonly answers: readonly SqlAnswer[];
  /** Why it ended in the query after those; null where it did not. */
  readonly end: SqlAnswer | null;
}

const program = fileURLToPath(new URL("./query-process-entry.ts", import.meta.url));

/** A text that a function makes fills a gigabyte in a second. */
const watchMs = 20;
/** DuckDB's limit counts tables, sorts and groups: what else a query makes has as much room again, and as much for the allocator. */
const growthMax = 3;
/** How much longer than its time a query that hears of no interrupt may live. */
const graceMs = 1000;

/** Resident memory of a process in MiB; null where the system does not say. */
function residentMiB(pid: number): number | null {
  try {
    const kB = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kB === undefined ? null : Number(kB) / 1024;
  } catch {
    return null;
  }
}

/**
 * DuckDB in a process of its own, which is killed where a query takes more memory than it may or hears of no interrupt: a function that makes one large text
 * is bound by no limit of DuckDB's.
 */
export class QueryProcess {
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;

  constructor() {
    const none = {
      stdio: ["ignore", "ignore", "ignore", "ipc"] as ("ignore" | "ipc")[],
      execArgv: ["--disable-warning=ExperimentalWarning"],
    };
    // Structured clones: JSON has no infinite numbers.
    this.#child = fork(program, [], { ...none, serialization: "advanced" });
    this.#ready = new Promise((resolve, reject) => {
      this.#child.once("message", () => resolve());
      this.#child.once("error", reject);
      this.#child.once("exit", (code, signal) => reject(new Error(`the process that runs SQL rules ended (${signal ?? code})`)));
    });
    this.#ready.catch(() => undefined);
    // Its end tells what there is to tell.
    this.#child.on("error", () => undefined);
  }

  /** Whether it can be asked, as far as that is known. */
  get isAlive(): boolean {
    return this.#child.connected && !this.#child.killed;
  }

  /** Ends it; nothing is asked of it any more. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Lets this process end while that one waits for a window. */
  rest(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  /** Answers queries in their order, up to one that ended the process. Rejects where none could be asked. */
  async ask(window: WindowQueries): Promise<QueryAnswers> {
    this.#child.ref();
    this.#child.channel?.ref();
    await this.#ready;
    const { timeoutMs, memoryMiB } = window;
    const child = this.#child;
    const pid = child.pid as number;
    const restMiB = residentMiB(pid) ?? 0;
    const limitMiB = memoryMiB * growthMax;
    const answers: SqlAnswer[] = [];
    let end: SqlAnswer | null = null;
    const settled = Promise.withResolvers<void>();
    let isAsked = false;
    let why: SqlAnswer | null = null;
    let late: NodeJS.Timeout | undefined;
    const kill = (answer: SqlAnswer): void => {
      why ??= answer;
      this.kill();
    };
    const watch = setInterval(() => {
      if (isAsked && (residentMiB(pid) ?? 0) - restMiB > limitMiB) kill({ fault: `the query took more than ${limitMiB} MiB of memory` });
    }, watchMs);
    const hear = (told: Told): void => {
      clearTimeout(late);
      isAsked = told.kind === "began";
      if (told.kind === "began") late = setTimeout(() => kill(tooLong(timeoutMs)), timeoutMs + graceMs);
      else if (told.kind === "answered") answers.push(told.answer);
      else if (told.kind === "failed") settled.reject(new Error(told.message));
      else if (told.kind === "done") settled.resolve();
    };
    const gone = (code: number | null, signal: string | null): void => {
      const cause = `the process that runs SQL rules ended (${signal ?? code})`;
      if (isAsked) end = why ?? { fault: cause };
      if (isAsked || why !== null) settled.resolve();
      else settled.reject(new Error(cause));
    };
    child.on("message", hear);
    child.on("exit", gone);
    try {
      child.send(window, (fault) => {
        if (fault !== null) settled.reject(fault);
      });
      await settled.promise;
    } finally {
      clearInterval(watch);
      clearTimeout(late);
      child.off("message", hear);
      child.off("exit", gone);
    }
    return { answers, end };
  }
}
