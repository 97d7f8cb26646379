import type { DatabaseSync } from "node:sqlite";
import type { CatalogDirectory } from "./catalog-directory.ts";
import { isOfKind } from "./catalog-rows.ts";
import { existsProperty, withParents } from "./catalog-directory.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

/** Namespaces and names of the catalog `name` in an SQLite file. */
export function sqliteDirectory(database: SqliteDatabase, name: string): CatalogDirectory {
  const everyNamespace = (connection: DatabaseSync): string[] =>
    connection
      .prepare(
        `SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?
         UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = ?`,
      )
      .all(name, name)
      .map((row) => row["namespace"] as string);
  const setIn = (connection: DatabaseSync, namespace: string, updates: Readonly<Record<string, string>>): void => {
    const set = connection.prepare(
      `INSERT INTO iceberg_namespace_properties VALUES (?, ?, ?, ?)
       ON CONFLICT (catalog_name, namespace, property_key) DO UPDATE SET property_value = excluded.property_value`,
    );
    for (const [key, value] of Object.entries({ ...updates, [existsProperty]: "true" })) set.run(name, namespace, key, value);
  };
  const isNamed = "catalog_name = ? AND table_namespace = ? AND table_name = ?";
  return {
    namespaces: () => database.read((connection) => withParents(everyNamespace(connection))),
    properties: (namespace) =>
      database.read((connection) => {
        const rows = connection
          .prepare("SELECT property_key, property_value FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?")
          .all(name, namespace);
        const entries = rows.map((row) => [row["property_key"] as string, row["property_value"] as string] as const);
        return Object.fromEntries(entries.filter(([key]) => key !== existsProperty));
      }),
    create: (namespace, properties) =>
      database.write((connection) => {
        const known = connection
          .prepare("SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?")
          .get(name, namespace);
        if (known !== undefined) return false;
        setIn(connection, namespace, properties);
        return true;
      }),
    update: (namespace, removals, updates) =>
      database.write((connection) => {
        const remove = connection.prepare(
          "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ? AND property_key = ?",
        );
        for (const key of removals) remove.run(name, namespace, key);
        setIn(connection, namespace, updates);
      }),
    drop: (namespace) =>
      database.write((connection) => {
        if (everyNamespace(connection).some((each) => each.startsWith(`${namespace}.`))) return false;
        const table = connection
          .prepare("SELECT 1 FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ?")
          .get(name, namespace);
        if (table !== undefined) return false;
        connection.prepare("DELETE FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?").run(name, namespace);
        return true;
      }),
    dropNamed: (table, location) =>
      database.write((connection) => {
        const { changes } = connection
          .prepare(`DELETE FROM iceberg_tables WHERE ${isNamed} AND metadata_location = ?`)
          .run(name, table.namespace, table.name, location);
        return changes === 1;
      }),
    rename: (kind, from, to) =>
      database.write((connection) => {
        const taken = connection.prepare(`SELECT 1 FROM iceberg_tables WHERE ${isNamed}`).get(name, to.namespace, to.name);
        if (taken !== undefined) return "taken";
        const { changes } = connection
          .prepare(`UPDATE iceberg_tables SET table_namespace = ?, table_name = ? WHERE ${isNamed} AND ${isOfKind(kind)}`)
          .run(to.namespace, to.name, name, from.namespace, from.name);
        return changes === 1 ? "renamed" : "missing";
      }),
  };
}
