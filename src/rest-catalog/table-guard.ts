import type { AccessScope } from "../core/access-scope.ts";
import type { LoadedTable, TableName } from "../adapters/catalog/catalog.ts";
import type { Update } from "../adapters/iceberg/metadata-update.ts";
import type { TableMetadata } from "../adapters/iceberg/table-metadata.ts";

/** A change that another program wants of an existing table. */
export interface ForeignChange {
  readonly base: LoadedTable;
  readonly updates: readonly Update[];
  /** The table as it would be. */
  readonly next: TableMetadata;
  readonly scope: AccessScope;
}

/** Says what other programs may not do to tables that belong to someone. Answers are reasons in words; null: it may. */
export interface TableGuard {
  /** The name that readings of a table are recorded under; null: they are not. */
  recordedAs(table: TableName): string | null;
  /** Whether programs may make, register, or rename tables into or out of a namespace. */
  refuseName(namespace: string, scope: AccessScope): string | null;
  refuseDrop(table: TableName, scope: AccessScope): string | null;
  refuseNamespaceChange(namespace: string, scope: AccessScope): string | null;
  /** Rejects with TABLE_UNSUPPORTED and TABLE_CORRUPT where the change's files can't be judged. */
  refuseChange(change: ForeignChange): Promise<string | null>;
}
