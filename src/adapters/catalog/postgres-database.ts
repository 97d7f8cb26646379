import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { SluiceError } from "../../core/errors.ts";
import type { TlsOptions } from "../../core/tls.ts";
import { endsConnection, passes, postgresFault, wasRefused } from "./postgres-fault.ts";

export interface PostgresOptions {
  /** `postgres://user@host:port/database`. */
  readonly url: string;
  /** Null: PGPASSWORD or ~/.pgpass, as PostgreSQL's own clients. */
  readonly password: string | null;
  /** Null: as the URL's `sslmode` says. */
  readonly tls: TlsOptions | null;
  /** A number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** How long others may keep rows locked, or the server be away, before the fault is given back. */
  readonly patienceMs: number;
}

export type PostgresRow = Readonly<Record<string, unknown>>;

/** One connection inside of a transaction. */
export interface PostgresTransaction {
  readonly query: (
    sql: string,
    values?: readonly unknown[],
  ) => Promise<{ readonly rows: readonly PostgresRow[]; readonly rowCount: number }>;
}

/** Gives a lock back. Never rejects. */
export type Release = () => Promise<void>;

const connectionsMax = 4;
const connectMsMax = 5000;
const statementMsMax = 30_000;
const pauseMsMax = 1000;
/** How much later than it should a server may answer before it counts as gone. */
const silentMsMax = 5000;

/**
 * A commit that was answered is on disk, whatever the server's default (but no less than that, where it also waits for replicas). Locks are waited
 * for as long as a statement may take. A host that vanishes inside of a transaction does not keep its locks for hours.
 */
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
  SET LOCAL lock_timeout = ${statementMsMax / 3};
  SET LOCAL statement_timeout = ${statementMsMax / 2};
  SET LOCAL idle_in_transaction_session_timeout = ${statementMsMax / 2};
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`;

/** The client takes the address's word over any other: a password that is not in it does not count. */
function withPassword(url: string, password: string | null): string {
  if (password === null) return url;
  const address = new URL(url);
  address.password = encodeURIComponent(password);
  return address.href;
}

function poolOf({ url, password, tls }: PostgresOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withPassword(url, password),
    ...(tls !== null && { ssl: { ...tls, ...(tls.serverName !== undefined && { servername: tls.serverName }) } }),
    application_name: "sluice",
    max: connectionsMax,
    connectionTimeoutMillis: connectMsMax,
    query_timeout: statementMsMax,
    keepAlive: true,
  });
  // A connection that breaks while nobody uses it is replaced by the next one.
  pool.on("error", () => {});
  return pool;
}

/** A PostgreSQL database: a few connections, retries of what passes, typed faults. */
export class PostgresDatabase {
  readonly #options: PostgresOptions;
  readonly #pool: pg.Pool;
  /** Connections that hold locks while others work: apart, so that who holds one never waits for a connection that a waiter has. */
  #locks: pg.Pool | null = null;
  /** The address without any secret, for messages. */
  readonly where: string;

  private constructor(options: PostgresOptions) {
    this.#options = options;
    const { host, pathname } = new URL(options.url);
    this.where = `${host}${pathname}`;
    this.#pool = poolOf(options);
  }

  /** Connects, and runs `schema` (CREATE TABLE IF NOT EXISTS statements) where a table of it is missing. Rejects with CATALOG_*. */
  static async open(options: PostgresOptions, schema: string): Promise<PostgresDatabase> {
    const database = new PostgresDatabase(options);
    try {
      const names = [...schema.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map((match) => match[1]);
      const sql = "SELECT 1 FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL";
      const missing = await database.query(sql, [names]);
      if (missing.length > 0) {
        await database.transaction(async (transaction) => {
          // Two that create the same table at once would fail on each other.
          await transaction.query("SELECT pg_advisory_xact_lock(7310579615031)");
          await transaction.query(schema);
        });
      }
    } catch (fault) {
      await database.close();
      throw fault;
    }
    return database;
  }

  /** Runs one statement that may be repeated without harm, and answers its rows. Rejects with CATALOG_*. */
  query(sql: string, values: readonly unknown[] = []): Promise<readonly PostgresRow[]> {
    return this.#patiently(() => this.#connected(async (client) => (await client.query<PostgresRow>(sql, [...values])).rows));
  }

  /**
   * Runs a transaction. Work that answers is committed; work that throws is rolled back, and runs again where the fault passes. Rejects with
   * COMMIT_UNKNOWN where the reply to the commit itself was lost: then the work may have taken effect.
   */
  transaction<T>(work: (transaction: PostgresTransaction) => Promise<T>): Promise<T> {
    return this.#patiently(() =>
      this.#connected(async (client) => {
        await client.query(begin);
        let result: T;
        try {
          result = await work({
            query: async (sql, values = []) => {
              const { rows, rowCount } = await client.query<PostgresRow>(sql, [...values]);
              return { rows, rowCount: rowCount ?? 0 };
            },
          });
        } catch (fault) {
          // Where the connection is gone or silent, the server rolls back by itself: a ROLLBACK would wait behind the statement under way.
          if (fault instanceof SluiceError || !endsConnection(fault)) await client.query("ROLLBACK").catch(() => undefined);
          throw fault;
        }
        try {
          await client.query("COMMIT");
        } catch (fault) {
          if (wasRefused(fault)) throw fault;
          const cause = postgresFault(fault, this.where);
          throw new SluiceError("COMMIT_UNKNOWN", `catalog ${this.where}: ${(fault as Error).message}`, { cause });
        }
        return result;
      }),
    );
  }

  /**
   * Takes the locks of some numbers, which say what those who take them agree on (PostgreSQL, "Advisory Locks"), one after another, each in the order of
   * asking; answers what gives them back, or null where they could not be had in time. The server takes them away after `heldMsMax`, and at once where the
   * connection ends: they share one, for whoever waited for a second would keep others from theirs. They stand in a transaction, for poolers that hand out
   * connections by the transaction lose any other. A server that falls silent is left a moment after it should have answered, and so is the connection: it is
   * not used again. Rejects with CATALOG_*.
   */
  async lock(
    keys: readonly bigint[],
    { waitMsMax, heldMsMax }: { readonly waitMsMax: number; readonly heldMsMax: number },
  ): Promise<Release | null> {
    this.#locks ??= poolOf(this.#options);
    let client: pg.PoolClient;
    try {
      client = await this.#locks.connect();
    } catch (fault) {
      throw postgresFault(fault, this.where);
    }
    const ignore = (): void => {};
    client.on("error", ignore);
    let isOut = true;
    const giveBack = (fault: Error | null): void => {
      client.off("error", ignore);
      client.release(fault ?? undefined);
    };
    // The server's limit comes first: where the client's does, it is gone or silent, and a connection with a statement under way is of no more use.
    const ask = (text: string, msMax: number): Promise<unknown> =>
      client.query({ text, query_timeout: msMax + silentMsMax } as pg.QueryConfig);
    const end = async (sql: "COMMIT" | "ROLLBACK"): Promise<void> => {
      if (!isOut) return;
      isOut = false;
      giveBack(
        await ask(sql, 0).then(
          () => null,
          (reason: unknown) => reason as Error,
        ),
      );
    };
    try {
      await ask(
        `BEGIN; SET LOCAL statement_timeout = ${waitMsMax}; SET LOCAL idle_in_transaction_session_timeout = ${heldMsMax};
         SELECT pg_advisory_xact_lock(key) FROM unnest('{${keys.join(",")}}'::bigint[]) AS key`,
        waitMsMax,
      );
    } catch (fault) {
      if (wasRefused(fault)) await end("ROLLBACK");
      else giveBack(fault as Error);
      if (wasRefused(fault) && passes(fault)) return null;
      throw postgresFault(fault, this.where);
    }
    return () => end("COMMIT");
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.end(), this.#locks?.end()]);
  }

  async #connected<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    // Its end is met by the statement under way; without a listener it would end the process.
    const ignore = (): void => {};
    client.on("error", ignore);
    let broken = false;
    try {
      return await work(client);
    } catch (fault) {
      broken = endsConnection(fault);
      throw fault;
    } finally {
      client.off("error", ignore);
      client.release(broken);
    }
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const until = performance.now() + this.#options.patienceMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (fault) {
        if (!passes(fault) || performance.now() >= until) throw postgresFault(fault, this.where);
        await sleep(this.#options.random() * Math.min(20 * 2 ** attempt, pauseMsMax));
      }
    }
  }
}
