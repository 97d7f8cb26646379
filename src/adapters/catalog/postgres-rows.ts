import { SluiceError } from "../../core/errors.ts";
import type { TableName } from "./catalog.ts";
import { tableKey } from "./catalog.ts";
import type { CatalogRows, NamedKind, RowMove } from "./catalog-rows.ts";
import { isOfKind } from "./catalog-rows.ts";
import type { PostgresDatabase, PostgresTransaction } from "./postgres-database.ts";

/** The rows of the catalog `name` in a PostgreSQL database, which processes of many hosts may share. */
export function postgresRows(database: PostgresDatabase, name: string, kind: NamedKind = "TABLE"): CatalogRows {
  const isNamed = "catalog_name = $1 AND table_namespace = $2 AND table_name = $3";

  const move = async (transaction: PostgresTransaction, { table, from, to }: RowMove): Promise<boolean> => {
    const row = [name, table.namespace, table.name];
    const moved =
      from === null
        ? await transaction.query("INSERT INTO iceberg_tables VALUES ($1, $2, $3, $4, NULL, $5) ON CONFLICT DO NOTHING", [...row, to, kind])
        : await transaction.query(
            `UPDATE iceberg_tables SET metadata_location = $4, previous_metadata_location = $5 WHERE ${isNamed} AND ${isOfKind(kind)} AND metadata_location = $5`,
            [...row, to, from],
          );
    return moved.rowCount === 1;
  };

  /**
   * What became of a swap whose reply was lost: true, false, or null where it can't be told. The server may still be at it: so each row is locked,
   * or a new one claimed, which waits for that transaction's end.
   */
  const settle = async (moves: readonly RowMove[]): Promise<boolean | null> => {
    let found: (boolean | null)[] = [];
    const undo = new Error("only looking");
    try {
      await database.transaction(async (transaction) => {
        found = [];
        for (const { table, from, to } of moves) {
          const row = [name, table.namespace, table.name];
          if (from === null) await transaction.query("INSERT INTO iceberg_tables VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", row);
          const { rows } = await transaction.query(`SELECT metadata_location FROM iceberg_tables WHERE ${isNamed} FOR UPDATE`, row);
          const now = rows[0]?.["metadata_location"] ?? null;
          found.push(now === to ? true : now === from ? false : null);
        }
        throw undo;
      });
    } catch (fault) {
      if (fault !== undo) return null;
    }
    return found.every((each) => each === found[0]) ? (found[0] ?? null) : null;
  };

  return {
    async createNamespace(namespace) {
      await database.query("INSERT INTO iceberg_namespace_properties VALUES ($1, $2, 'exists', 'true') ON CONFLICT DO NOTHING", [
        name,
        namespace,
      ]);
    },
    tables: async (namespace) => {
      const sql = `SELECT table_name FROM iceberg_tables WHERE catalog_name = $1 AND table_namespace = $2 AND ${isOfKind(kind)} ORDER BY table_name COLLATE "C"`;
      return (await database.query(sql, [name, namespace])).map((row) => row["table_name"] as string);
    },
    location: async (table) => {
      const sql = `SELECT metadata_location FROM iceberg_tables WHERE ${isNamed} AND ${isOfKind(kind)}`;
      const [row] = await database.query(sql, [name, table.namespace, table.name]);
      return row === undefined ? null : (row["metadata_location"] as string);
    },
    async swap(moves) {
      // All writers take rows in one order, so that none waits for another in a circle.
      const ordered = moves.toSorted((a, b) => (tableKey(a.table) < tableKey(b.table) ? -1 : 1));
      const stale = new StaleRow();
      try {
        await database.transaction(async (transaction) => {
          stale.table = null;
          for (const each of ordered) {
            if (await move(transaction, each)) continue;
            stale.table = each.table;
            throw stale;
          }
        });
        return null;
      } catch (fault) {
        if (fault === stale) return stale.table;
        if (!(fault instanceof SluiceError) || fault.code !== "COMMIT_UNKNOWN") throw fault;
        const done = await settle(ordered);
        if (done === true) return null;
        throw done === false && fault.cause instanceof SluiceError ? fault.cause : fault;
      }
    },
  };
}

/** Ends a transaction that found a table moved on. */
class StaleRow extends Error {
  table: TableName | null = null;
}
