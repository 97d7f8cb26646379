import type { CatalogDirectory } from "./catalog-directory.ts";
import { isOfKind } from "./catalog-rows.ts";
import { existsProperty, withParents } from "./catalog-directory.ts";
import type { PostgresDatabase, PostgresTransaction } from "./postgres-database.ts";

/** Namespaces and names of the catalog `name` in a PostgreSQL database. */
export function postgresDirectory(database: PostgresDatabase, name: string): CatalogDirectory {
  const everyNamespace = `SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = $1
    UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $1`;
  const isNamed = "catalog_name = $1 AND table_namespace = $2 AND table_name = $3";
  const setIn = async (transaction: PostgresTransaction, namespace: string, updates: Readonly<Record<string, string>>): Promise<void> => {
    const sql = `INSERT INTO iceberg_namespace_properties VALUES ($1, $2, $3, $4)
      ON CONFLICT (catalog_name, namespace, property_key) DO UPDATE SET property_value = excluded.property_value`;
    for (const [key, value] of Object.entries({ ...updates, [existsProperty]: "true" })) {
      await transaction.query(sql, [name, namespace, key, value]);
    }
  };
  /** Namespaces and the tables in them are of one kind: whoever removes one waits for whoever is making the other. */
  const lock = (transaction: PostgresTransaction): Promise<unknown> =>
    transaction.query("LOCK TABLE iceberg_namespace_properties, iceberg_tables IN SHARE ROW EXCLUSIVE MODE");
  return {
    namespaces: async () => withParents((await database.query(everyNamespace, [name])).map((row) => row["namespace"] as string)),
    properties: async (namespace) => {
      const sql = "SELECT property_key, property_value FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2";
      const rows = await database.query(sql, [name, namespace]);
      const entries = rows.map((row) => [row["property_key"] as string, row["property_value"] as string] as const);
      return Object.fromEntries(entries.filter(([key]) => key !== existsProperty));
    },
    create: (namespace, properties) =>
      database.transaction(async (transaction) => {
        await lock(transaction);
        const sql = "SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2 LIMIT 1";
        if ((await transaction.query(sql, [name, namespace])).rows.length > 0) return false;
        await setIn(transaction, namespace, properties);
        return true;
      }),
    update: (namespace, removals, updates) =>
      database.transaction(async (transaction) => {
        const sql = "DELETE FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2 AND property_key = ANY($3)";
        await transaction.query(sql, [name, namespace, removals]);
        await setIn(transaction, namespace, updates);
      }),
    drop: (namespace) =>
      database.transaction(async (transaction) => {
        await lock(transaction);
        const { rows } = await transaction.query(everyNamespace, [name]);
        if (rows.some((row) => (row["namespace"] as string).startsWith(`${namespace}.`))) return false;
        const table = "SELECT 1 FROM iceberg_tables WHERE catalog_name = $1 AND table_namespace = $2 LIMIT 1";
        if ((await transaction.query(table, [name, namespace])).rows.length > 0) return false;
        await transaction.query("DELETE FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2", [name, namespace]);
        return true;
      }),
    dropNamed: (table, location) =>
      database.transaction(async (transaction) => {
        const sql = `DELETE FROM iceberg_tables WHERE ${isNamed} AND metadata_location = $4`;
        return (await transaction.query(sql, [name, table.namespace, table.name, location])).rowCount === 1;
      }),
    rename: (kind, from, to) =>
      database.transaction(async (transaction) => {
        await lock(transaction);
        const taken = await transaction.query(`SELECT 1 FROM iceberg_tables WHERE ${isNamed}`, [name, to.namespace, to.name]);
        if (taken.rows.length > 0) return "taken";
        const sql = `UPDATE iceberg_tables SET table_namespace = $4, table_name = $5 WHERE ${isNamed} AND ${isOfKind(kind)}`;
        const { rowCount } = await transaction.query(sql, [name, from.namespace, from.name, to.namespace, to.name]);
        return rowCount === 1 ? "renamed" : "missing";
      }),
  };
}
