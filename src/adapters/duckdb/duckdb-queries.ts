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

  /** Answers of as many as one process lived for. */
  const askOne = async (window: WindowQueries): Promise<readonly SqlAnswer[]> => {
    const rested = takeResting();
    const process = rested ?? new QueryProcess();
    try {
      const answers = await process.ask(window);
      if (process.isAlive) rest(process);
      return answers;
    } catch (fault) {
      process.kill();
      // It may have come to its end while it rested.
      if (rested !== null) return askOne(window);
      throw fault;
    }
  };

  return {
    async run(queries, table, parquet) {
      const folder = await mkdtemp(join(tmpdir(), "sluice-sql-"));
      try {
        const paths = await writeFiles(folder, parquet);
        const answers: SqlAnswer[] = [];
        while (answers.length < queries.length) {
          const left = queries.slice(answers.length).map(({ sql }: SqlQuery) => sql);
          answers.push(...(await askOne({ table, paths, queries: left, ...limits })));
        }
        return answers;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Answers the paths. */
async function writeFiles(folder: string, files: readonly (readonly Uint8Array[])[]): Promise<string[]> {
  const paths: string[] = [];
  for (const [i, pieces] of files.entries()) {
    const path = join(folder, `window-${i}.parquet`);
    const file = await open(path, "wx", 0o600);
    try {
      for (const piece of pieces) await file.write(piece);
    } finally {
      await file.close();
    }
    paths.push(path);
  }
  return paths;
}
