import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { DuckDBDecimalValue, DuckDBInstance, StatementType } from "@duckdb/node-api";
import type { SqlAnswer } from "../../core/sql-queries.ts";

/** Queries over one window. */
export interface WindowQueries {
  /** The name that queries know the window's rows by, and the Parquet files that hold them. */
  readonly table: string;
  readonly paths: readonly string[];
  readonly queries: readonly string[];
  /** How long one query may take. */
  readonly timeoutMs: number;
  /** DuckDB's own limit; a query that needs more fails. */
  readonly memoryMiB: number;
}

/** Settings that a query could misuse, off before the first one runs and locked: no files, no network, no extensions, no settings. */
const lockdown = [
  "SET allow_community_extensions = false",
  "SET autoinstall_known_extensions = false",
  "SET autoload_known_extensions = false",
  "SET enable_external_access = false",
  "SET lock_configuration = true",
];

/**
 * Runs queries in a DuckDB database in memory. The window's Parquet files are read into a table first; then external access is switched off and the
 * configuration locked, and only then user text runs: one SELECT a rule, in a transaction that is rolled back. Tells of each query that it began, and what
 * it answered.
 */
export async function runWindowQueries(
  { table, paths, queries, timeoutMs, memoryMiB }: WindowQueries,
  tell: { readonly began: () => void; readonly answered: (answer: SqlAnswer) => void },
): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: `${memoryMiB}MiB`, temp_directory: "" });
  try {
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run("SET enable_progress_bar = false");
    await load(connection, table, paths);
    for (const statement of lockdown) await connection.run(statement);
    for (const query of queries) {
      tell.began();
      tell.answered(await answer(connection, query, timeoutMs));
    }
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}

async function load(connection: DuckDBConnection, table: string, paths: readonly string[]): Promise<void> {
  const list = paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(", ");
  await connection.run(`CREATE TABLE ${quoteName(table)} AS SELECT * FROM read_parquet([${list}])`);
}

/** An SQL identifier. */
function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** What a query that ran for too long is told. */
export function tooLong(timeoutMs: number): SqlAnswer {
  return { fault: `the query took longer than ${timeoutMs / 1000} s` };
}

async function answer(connection: DuckDBConnection, sql: string, timeoutMs: number): Promise<SqlAnswer> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    connection.interrupt();
  }, timeoutMs);
  try {
    return await select(connection, sql);
  } catch (fault) {
    if (late) return tooLong(timeoutMs);
    return { fault: (fault as Error).message.split("\n")[0] as string };
  } finally {
    clearTimeout(timer);
  }
}

async function select(connection: DuckDBConnection, sql: string): Promise<SqlAnswer> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) return { fault: `a rule's SQL is one statement, this is ${statements.count}` };
  const prepared = await statements.prepare(0);
  if (prepared.statementType !== StatementType.SELECT) return { fault: "a rule's SQL is a SELECT" };
  await connection.run("BEGIN TRANSACTION");
  try {
    const reader = await prepared.runAndReadUntil(2);
    const rows = reader.getRows();
    if (reader.columnCount !== 1 || rows.length !== 1)
      return { fault: `a rule's SQL answers one number, this answered ${rows.length} rows of ${reader.columnCount} columns` };
    return toNumber(rows[0]?.[0]);
  } finally {
    await connection.run("ROLLBACK");
  }
}

function toNumber(value: DuckDBValue | undefined): SqlAnswer {
  if (value === null || value === undefined) return { fault: "the query answered NULL" };
  if (typeof value === "boolean") return { value: value ? 1 : 0 };
  if (typeof value === "number" || typeof value === "bigint") return { value: Number(value) };
  if (value instanceof DuckDBDecimalValue) return { value: Number(value.toString()) };
  return { fault: "the query answered a value that is no number" };
}
