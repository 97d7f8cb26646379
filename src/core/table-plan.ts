import type { SourceLocation } from "./errors.ts";
import type { SingleValue } from "./table-schema.ts";

/** One part of how a contract wants its table partitioned. */
export interface PartitionPlan {
  /** A column's path. */
  readonly column: string;
  /** As Iceberg writes it: `identity`, `day`, `bucket[16]`. */
  readonly transform: string;
  readonly location: SourceLocation;
}

/** One part of the order that a contract wants in each of its files. */
export interface SortPlan {
  readonly column: string;
  readonly direction: "asc" | "desc";
  readonly nulls: "first" | "last";
  readonly location: SourceLocation;
}

/** What a contract says of a column's past. */
export interface ColumnPast {
  readonly location: SourceLocation;
  /** Names that it had in earlier contracts, newest first. */
  readonly previousNames: readonly string[];
  /** Whether rows from before the column was required may be without it. */
  readonly earlierEmpty: boolean;
  /** What rows from before the column have; null: nothing. */
  readonly default: Exclude<SingleValue, null | object> | null;
}

/** What a contract says of its table besides the columns. */
export interface TablePlan {
  /** Null: the table's own partitioning stays; none of them: it is not partitioned. */
  readonly partitionBy: readonly PartitionPlan[] | null;
  /** Null: the table's own order stays. */
  readonly sortBy: readonly SortPlan[] | null;
  /** Null: the table's own version stays, 2 for a new one. */
  readonly formatVersion: 2 | 3 | null;
  /** Whether each window leaves its decision and profile as a statistics file of its snapshot. Null: as the table has it, at first not. */
  readonly statistics: "none" | "window" | null;
  /** By the path of a field, nested ones too. */
  readonly columns: ReadonlyMap<string, ColumnPast>;
}
