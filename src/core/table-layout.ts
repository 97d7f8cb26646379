/** One part of a partition spec, in the JSON form of Iceberg's metadata. */
export interface PartitionField {
  readonly "source-id": number;
  readonly "field-id": number;
  readonly name: string;
  readonly transform: string;
}

/** How files of a table are partitioned; without fields: not at all. */
export interface PartitionSpec {
  readonly "spec-id": number;
  readonly fields: readonly PartitionField[];
}

/** One part of a sort order, in the JSON form of Iceberg's metadata. */
export interface SortField {
  readonly transform: string;
  readonly "source-id": number;
  readonly direction: "asc" | "desc";
  readonly "null-order": "nulls-first" | "nulls-last";
}

/** The order of rows in files; 0 without fields: none. */
export interface SortOrder {
  readonly "order-id": number;
  readonly fields: readonly SortField[];
}

/** How a table's next files are laid out. */
export interface FileLayout {
  readonly spec: PartitionSpec;
  readonly sortOrder: SortOrder;
  /** The spec without fields, for rows whose partitions would be too many files; null where the table has none. */
  readonly unpartitionedSpecId: number | null;
}

/** A table that is neither partitioned nor sorted. */
export const plainLayout: FileLayout = {
  spec: { "spec-id": 0, fields: [] },
  sortOrder: { "order-id": 0, fields: [] },
  unpartitionedSpecId: 0,
};
