import type { SqlEngine } from "../core/sql-queries.ts";

let engine: Promise<SqlEngine> | null = null;

async function load(): Promise<SqlEngine> {
  const { createDuckDbQueries } = await import("../adapters/duckdb/duckdb-queries.ts");
  return createDuckDbQueries();
}

/** SQL rules' engine, loaded with the first window that needs it: most contracts have no SQL, and DuckDB is large. */
export const sqlQueries: SqlEngine = {
  run: async (queries, table, parquet) => (await (engine ??= load())).run(queries, table, parquet),
};
