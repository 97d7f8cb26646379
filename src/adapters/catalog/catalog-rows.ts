import type { TableName } from "./catalog.ts";

/** The tables of a catalog as PyIceberg's SqlCatalog and Java's JdbcCatalog lay them out: the same statements for SQLite and PostgreSQL. */
export const catalogSchema = `
CREATE TABLE IF NOT EXISTS iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000),
  previous_metadata_location VARCHAR(1000),
  iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL,
  namespace VARCHAR(255) NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value VARCHAR(1000),
  PRIMARY KEY (catalog_name, namespace, property_key)
);`;

/** What a name in a catalog stands for; both share the names of a namespace. */
export type NamedKind = "TABLE" | "VIEW";

/** The condition that a row is of a kind: rows of PyIceberg and of older catalogs do not say, and are tables. */
export function isOfKind(kind: NamedKind): string {
  return kind === "TABLE" ? "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)" : "iceberg_type = 'VIEW'";
}

/** A table's metadata file gives way to the next one; it had none where the table is new. */
export interface RowMove {
  readonly table: TableName;
  readonly from: string | null;
  readonly to: string;
}

/** The rows of one kind of one catalog in a database that may hold several: of tables, or of views. */
export interface CatalogRows {
  /** Names the namespace, so that other readers of the catalog see it; once is enough. */
  createNamespace(namespace: string): Promise<void>;
  /** Names of a namespace's tables, in order. */
  tables(namespace: string): Promise<readonly string[]>;
  /** The metadata file of a table as it is now; null where there is no such table. */
  location(table: TableName): Promise<string | null>;
  /**
   * Moves all tables or none: then it answers which one was no longer where its move begins, or whose
   * name is taken, by the other kind too. Rejects with COMMIT_UNKNOWN where it can't be told
   * which of the two happened; any other fault means none.
   */
  swap(moves: readonly RowMove[]): Promise<TableName | null>;
}
