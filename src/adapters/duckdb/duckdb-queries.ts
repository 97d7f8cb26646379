import type { FileHandle } from "node:fs/promises";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqlAnswer, SqlEngine, SqlQuery } from "../../core/sql-queries.ts";
import { QueryProcess } from "./query-process.ts";
import type { WindowQueries } from "./window-queries.ts";

export type DuckDbOptions = Pick<WindowQueries, "timeoutMs" | "memoryMiB">;

const defaults: DuckDbOptions = { timeoutMs: 10_000, memoryMiB: 256 };
/** A process that nothing was asked of for so long gives its memory back. */
const idleMsMax = 30_000;

/** DuckDB in processes of its own: one as a rule, more where windows of several datasets close at once; each window is a database in memory. */
export function createDuckDbQueries(options: Partial<DuckDbOptions> = {}): SqlEngine {
  const limits = { ...defaults, ...options };
  const resting = new Map<QueryProcess, NodeJS.Timeout>();

  const takeResting = (): QueryProcess | null => {
    for (const [process, idle] of resting) {
      clearTimeout(idle);
      resting.delete(process);
      if (process.isAlive) return process;
    }
    return null;
  };

  const rest = (process: QueryProcess): void => {
    process.rest();
    const end = (): void => {
      resting.delete(process);
      process.kill();
    };
    resting.set(process, setTimeout(end, idleMsMax).unref());
  };

  /** Answers of as many as one process lived for: of one at least. */
  const askOne = async (window: WindowQueries): Promise<readonly SqlAnswer[]> => {
    const rested = takeResting();
    const process = rested ?? new QueryProcess();
    try {
      const { answers, end } = await process.ask(window);
      if (process.isAlive) rest(process);
      // What earlier queries left in the process counts against a later one: only by itself does it say what it takes.
      return end === null || answers.length > 0 ? answers : [end];
    } catch (fault) {
      process.kill();
      // It may have come to its end while it rested.
      if (rested !== null) return askOne(window);
      throw fault;
    }
  };

  return {
    async run(queries, table, parquet) {
      const files = await openFiles(parquet);
      try {
        const answers: SqlAnswer[] = [];
        while (answers.length < queries.length) {
          const left = queries.slice(answers.length).map(({ sql }: SqlQuery) => sql);
          answers.push(...(await askOne({ table, paths: files.paths, queries: left, ...limits })));
        }
        return answers;
      } finally {
        await files.close();
      }
    },
  };
}

/** A window's rows where another process of this host can read them, until they are closed. */
interface WindowFiles {
  readonly paths: readonly string[];
  readonly close: () => Promise<void>;
}

/**
 * Files that lose their names before a byte is in them, where the system still lets others read them (Linux's `/proc`): however this process ends, no row
 * stays behind where no erasure would look for it.
 */
async function openFiles(files: readonly (readonly Uint8Array[])[]): Promise<WindowFiles> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-sql-"));
  const opened: FileHandle[] = [];
  const close = async (): Promise<void> => {
    for (const file of opened) await file.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const named = files.map((_pieces, i) => join(folder, `window-${i}.parquet`));
    for (const path of named) opened.push(await open(path, "wx", 0o600));
    const isNameless = process.platform === "linux";
    if (isNameless) await rm(folder, { recursive: true });
    for (const [i, file] of opened.entries()) for (const piece of files[i] ?? []) await file.write(piece);
    return { paths: isNameless ? opened.map(({ fd }) => `/proc/${process.pid}/fd/${fd}`) : named, close };
  } catch (fault) {
    await close();
    throw fault;
  }
}
