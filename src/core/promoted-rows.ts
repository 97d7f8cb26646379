import type { Column } from "./column.ts";
import type { PartitionKey } from "./position.ts";

/** Some columns of promoted rows as they were read back, and where each row came from. */
export interface PromotedRows {
  /** Sequence number of the snapshot that added them. */
  readonly sequence: bigint;
  readonly count: number;
  /** The columns that were asked for, in that order. */
  readonly columns: readonly Column[];
  readonly partitions: readonly PartitionKey[];
  readonly partition: Uint16Array;
  readonly offsets: BigInt64Array;
  /** The record's timestamp in milliseconds since the epoch; -1 where it has none. */
  readonly timestampsMs: BigInt64Array;
}

/** Which rows `Lake.promotedColumns` reads. */
export interface PromotedRange {
  /** Those of snapshots after this sequence number. */
  readonly after: bigint;
  /** Rows of held windows too, which may yet be published. */
  readonly held: boolean;
  /** Rows of withdrawn windows too, which may come back and so keep their keys. */
  readonly withdrawn?: boolean;
}
