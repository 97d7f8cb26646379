import type { PartitionField, SortField } from "../../core/table-layout.ts";

/** One version of a table's content. Never changed once it is committed. */
export interface Snapshot {
  readonly "snapshot-id": bigint;
  readonly "parent-snapshot-id"?: bigint;
  readonly "sequence-number": bigint;
  readonly "timestamp-ms": number;
  readonly "manifest-list": string;
  readonly summary: Readonly<Record<string, string>>;
  readonly "schema-id"?: number;
  /** Of v3 tables: where the ids of its new rows begin, and how many it takes. */
  readonly "first-row-id"?: bigint;
  readonly "added-rows"?: bigint;
}

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

/** What table metadata says of a blob of a statistics file. */
export interface BlobMetadata {
  readonly type: string;
  readonly "snapshot-id": bigint;
  readonly "sequence-number": bigint;
  readonly fields: readonly number[];
  readonly properties?: Readonly<Record<string, string>>;
}

/** A Puffin file of statistics about one snapshot; what else it says of its blobs is carried as it is. */
export interface StatisticsFile {
  readonly "snapshot-id": bigint;
  readonly "statistics-path": string;
  readonly "file-size-in-bytes"?: number;
  readonly "file-footer-size-in-bytes"?: number;
  readonly "blob-metadata"?: readonly BlobMetadata[];
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
