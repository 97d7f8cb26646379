import type { SqlEngine } from "../core/sql-queries.ts";

/** SQL rules' engine, loaded with the first window that needs it: most contracts have no SQL, and DuckDB is large. */
export const sqlQueries: SqlEngine = {
  run: async (queries, table, parquet) => {
    const { createDuckDbQueries } = await import("../adapters/duckdb/duckdb-queries.ts");
    return createDuckDbQueries().run(queries, table, parquet);
  },
};
