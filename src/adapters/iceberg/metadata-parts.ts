import type { PartitionField, SortField } from "../../core/table-layout.ts";

/** A partition spec to add: it gets an id of its own, whatever it came with; ids that its maker left out are given. */
export interface NewPartitionSpec {
  readonly "spec-id"?: number;
  readonly fields: readonly (Omit<PartitionField, "field-id"> & { readonly "field-id"?: number })[];
}

/** A sort order to add: it gets an id of its own, whatever it came with. */
export interface NewSortOrder {
  readonly "order-id"?: number;
  readonly fields: readonly SortField[];
}

/** A Puffin file of statistics about one snapshot; what it says of its blobs is carried as it is. */
export interface StatisticsFile {
  readonly "snapshot-id": bigint;
  readonly "statistics-path": string;
}

/** A file of statistics of one snapshot's partitions. */
export interface PartitionStatisticsFile {
  readonly "snapshot-id": bigint;
  readonly "statistics-path": string;
}

/** An encrypted key of a v3 table; the rest of it is carried as it is. */
export interface EncryptedKey {
  readonly "key-id": string;
}

/** Where the field ids of partitions begin (spec, "Partition Evolution"): the last one of a table that has none. */
export const lastPartitionIdMin = 999;
