import type { DatabaseSync } from "node:sqlite";
import type { TableName } from "./catalog.ts";
import type { CatalogRows, NamedKind, RowMove } from "./catalog-rows.ts";
import { isOfKind } from "./catalog-rows.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

/** The rows of the catalog `name` in an SQLite file. */
export function sqliteRows(database: SqliteDatabase, name: string, kind: NamedKind = "TABLE"): CatalogRows {
  const isNamed = "catalog_name = ? AND table_namespace = ? AND table_name = ?";
  const locationIn = (connection: DatabaseSync, table: TableName): string | null => {
    const row = connection
      .prepare(`SELECT metadata_location FROM iceberg_tables WHERE ${isNamed} AND ${isOfKind(kind)}`)
      .get(name, table.namespace, table.name);
    return row === undefined ? null : (row["metadata_location"] as string);
  };
  const isWhere = (connection: DatabaseSync, { table, from }: RowMove): boolean => {
    if (from !== null) return locationIn(connection, table) === from;
    return connection.prepare(`SELECT 1 FROM iceberg_tables WHERE ${isNamed}`).get(name, table.namespace, table.name) === undefined;
  };
  return {
    async createNamespace(namespace) {
      const known = await database.read((connection) =>
        connection.prepare("SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?").get(name, namespace),
      );
      if (known !== undefined) return;
      await database.write((connection) =>
        connection.prepare("INSERT OR IGNORE INTO iceberg_namespace_properties VALUES (?, ?, 'exists', 'true')").run(name, namespace),
      );
    },
    tables: (namespace) =>
      database.read((connection) =>
        connection
          .prepare(
            `SELECT table_name FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND ${isOfKind(kind)} ORDER BY table_name`,
          )
          .all(name, namespace)
          .map((row) => row["table_name"] as string),
      ),
    location: (table) => database.read((connection) => locationIn(connection, table)),
    swap: (moves) =>
      database.write((connection) => {
        const stale = moves.find((each) => !isWhere(connection, each));
        if (stale !== undefined) return stale.table;
        for (const { table, from, to } of moves) {
          if (from === null) {
            connection.prepare("INSERT INTO iceberg_tables VALUES (?, ?, ?, ?, NULL, ?)").run(name, table.namespace, table.name, to, kind);
            continue;
          }
          const { changes } = connection
            .prepare(
              `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
               WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?`,
            )
            .run(to, from, name, table.namespace, table.name, from);
          if (changes !== 1) throw new Error(`${table.namespace}.${table.name} moved inside of a transaction`);
        }
        return null;
      }),
  };
}
