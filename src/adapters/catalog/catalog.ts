import type { Requirement } from "../iceberg/metadata-requirement.ts";
import type { Update } from "../iceberg/metadata-update.ts";
import type { TableMetadata } from "../iceberg/table-metadata.ts";

export interface TableName {
  readonly namespace: string;
  readonly name: string;
}

/** A table's name as the key of a map. */
export function tableKey({ namespace, name }: TableName): string {
  return JSON.stringify([namespace, name]);
}

/** One version of a table, as a catalog pointed to it. */
export interface LoadedTable {
  readonly table: TableName;
  /** URI of the metadata file. */
  readonly metadataLocation: string;
  readonly metadata: TableMetadata;
}

/** A change of one table. It holds only if the table is still the version that the change was made from, or does not exist yet. */
export type TableChange =
  | { readonly table: TableName; readonly create: TableMetadata }
  | {
      readonly base: LoadedTable;
      readonly requirements: readonly Requirement[];
      readonly updates: readonly Update[];
      /** Resolves once the files that the updates name are there, where they are still being written: nobody sees the change before. */
      readonly written?: () => Promise<void>;
    };

export type CommitOutcome =
  | { readonly status: "committed"; readonly tables: readonly LoadedTable[] }
  /** Nothing changed: a table has moved on, or exists already. */
  | { readonly status: "conflict"; readonly message: string };

/** Where a table's current metadata file is, and who may say so. */
export interface Catalog {
  /** Whether `commit` can change several tables at once. */
  readonly isJoint: boolean;
  /** Names of a namespace's tables, in order. */
  list(namespace: string): Promise<readonly string[]>;
  /** The table as it is now, or null. Rejects with TABLE_CORRUPT where its metadata file can't be read. */
  load(table: TableName): Promise<LoadedTable | null>;
  /**
   * Changes several tables at once: all or none. Rejects with COMMIT_UNKNOWN where it can't be told which of the two happened; any other fault means
   * none. New tables are a commit of their own, also where `isJoint` is false.
   */
  commit(changes: readonly TableChange[]): Promise<CommitOutcome>;
}
