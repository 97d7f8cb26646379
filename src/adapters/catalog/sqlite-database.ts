import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const Result = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notDatabase: 26 } as const;

export interface SqliteOptions {
  readonly file: string;
  /** A number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** How long others may keep the database busy before CATALOG_BUSY. */
  readonly busyMsMax: number;
  /** Whether each commit survives power loss (the default), or only each but the last ones, in order: enough for what is rebuilt from elsewhere. */
  readonly synchronous?: "FULL" | "NORMAL";
  /** Memory for pages; SQLite's own default is 2,000 KiB. */
  readonly cacheKib?: number;
}

function resultOf(fault: unknown): number | null {
  const code = (fault as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : null;
}

function isBusy(fault: unknown): boolean {
  const result = resultOf(fault);
  return result === Result.busy || result === Result.locked;
}

/** The typed error of what SQLite refused; anything else is a bug and comes back as it is. */
function typed(fault: unknown, file: string): unknown {
  const result = resultOf(fault);
  if (result === null) return fault;
  const message = `catalog ${file}: ${(fault as Error).message}`;
  const options = { cause: fault, details: { result } };
  switch (result) {
    case Result.full:
      return new SluiceError("STORAGE_FULL", message, options);
    case Result.busy:
    case Result.locked:
      return new SluiceError("CATALOG_BUSY", message, options);
    case Result.corrupt:
    case Result.notDatabase:
      return new SluiceError("CATALOG_CORRUPT", message, options);
    case Result.readOnly:
    case Result.ioError:
    case Result.cantOpen:
      return new SluiceError("CATALOG_FAILED", message, options);
    default:
      return fault;
  }
}

/** Creates a folder durably: SQLite fsyncs the folder that its files are in, and none above. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let parent = dirname(folder); ; parent = dirname(parent)) {
    const handle = await open(parent, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (parent.length < first.length) return;
  }
}

function hasTables(database: DatabaseSync, schema: string): boolean {
  const names = [...schema.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map((match) => match[1] as string);
  const select = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  return names.every((name) => select.get(name) !== undefined);
}

/**
 * One SQLite file that several processes of one host write to. SQLite itself never waits (that would stop the event loop, and with it heartbeats):
 * what finds the database busy is tried again later, with jitter.
 */
export class SqliteDatabase {
  readonly #options: SqliteOptions;
  readonly #database: DatabaseSync;

  private constructor(options: SqliteOptions, database: DatabaseSync) {
    this.#options = options;
    this.#database = database;
  }

  /** Opens or creates the file, and runs `schema` (CREATE TABLE IF NOT EXISTS statements) where a table of it is missing. */
  static async open(options: SqliteOptions, schema: string): Promise<SqliteDatabase> {
    await makeFolder(dirname(resolve(options.file)));
    let database: DatabaseSync;
    try {
      database = new DatabaseSync(options.file, { timeout: 0 });
    } catch (fault) {
      throw typed(fault, options.file);
    }
    const opened = new SqliteDatabase(options, database);
    try {
      const { synchronous = "FULL", cacheKib = 2000 } = options;
      await opened.read(() =>
        database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = ${-Math.floor(cacheKib)};`),
      );
      // Opening takes no lock where there is nothing to create: reading works beside a busy writer, and on a full disk.
      if (!(await opened.read(() => hasTables(database, schema)))) await opened.write(() => database.exec(schema));
    } catch (fault) {
      database.close();
      throw fault;
    }
    return opened;
  }

  /** Runs a read. Rejects with CATALOG_BUSY, CATALOG_FAILED, CATALOG_CORRUPT, STORAGE_FULL. */
  read<T>(work: (database: DatabaseSync) => T): Promise<T> {
    return this.#patiently(() => work(this.#database));
  }

  /**
   * Runs a transaction that takes the write lock at once. A fault before the commit has changed nothing; a fault of the commit itself may have, and
   * is COMMIT_UNKNOWN with the fault as its cause.
   */
  write<T>(work: (database: DatabaseSync) => T): Promise<T> {
    return this.#patiently(() => {
      this.#database.exec("BEGIN IMMEDIATE");
      let result: T;
      try {
        result = work(this.#database);
      } catch (fault) {
        this.#rollback();
        throw fault;
      }
      try {
        this.#database.exec("COMMIT");
      } catch (fault) {
        this.#rollback();
        // A busy commit leaves its transaction open, so that the rollback is certain and the whole may run again.
        if (isBusy(fault)) throw fault;
        const cause = typed(fault, this.#options.file);
        throw new SluiceError("COMMIT_UNKNOWN", `catalog ${this.#options.file}: ${(fault as Error).message}`, { cause });
      }
      return result;
    });
  }

  close(): void {
    this.#database.close();
  }

  #rollback(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself: full disks and I/O errors end the transaction.
    }
  }

  async #patiently<T>(work: () => T): Promise<T> {
    const until = performance.now() + this.#options.busyMsMax;
    for (let attempt = 0; ; attempt++) {
      try {
        return work();
      } catch (fault) {
        if (!isBusy(fault) || performance.now() >= until) throw typed(fault, this.#options.file);
        await sleep(1 + this.#options.random() * Math.min(4 * 2 ** attempt, 64));
      }
    }
  }
}
