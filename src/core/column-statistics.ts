/** What was counted of the columns of a dataset's main. */
export interface ColumnStatisticsReport {
  readonly dataset: string;
  /** The version that is described; null where main has no rows yet, or its snapshot expired meanwhile. */
  readonly snapshotId: string | null;
  /** Whether it was described already, with every column: nothing was read then. */
  readonly isCurrent: boolean;
  /** Data files that were read, of those that the version has: others were counted at an earlier one. */
  readonly filesRead: number;
  readonly files: number;
  readonly rowsRead: bigint;
  /** Estimated distinct values a column, rounded, exact up to some thousand; nulls are none. Empty where the version was described already. */
  readonly columns: readonly { readonly name: string; readonly fieldId: number; readonly distinct: number }[];
}
