import type { Column, DecodeFault } from "./column.ts";
import type { Records } from "./records.ts";
import type { WrittenRows } from "./written-fields.ts";

/** Columns decoded from a run of records: the unit of work. Row i is record i; a row in `faults` has no values in any column. */
export interface Batch {
  readonly records: Records;
  /**
   * What the columns were decoded from, where that is not the records' values as they came (an envelope's data, a binary format's text): the same rows,
   * value spans and slab of the payload. `InvalidCells` index its slab. Absent: `records`.
   */
  readonly payload?: Records;
  readonly rows: number;
  /** The contract's top-level columns, in its order. */
  readonly columns: readonly Column[];
  /** Rows whose bytes gave no row, ascending. */
  readonly faults: readonly DecodeFault[];
  /** 1 for rows in `faults` or set aside by a policy (tombstones), else 0. */
  readonly undecoded: Uint8Array;
  /** Records that a named policy skips (tombstones with policy `skip`): counted, neither promoted nor quarantined. */
  readonly skipped: readonly SkippedRow[];
  /** Unknown fields of a row as one JSON object's text, where the contract keeps them; null where it doesn't. */
  readonly unknown: Column | null;
  /** Which fields the records have by their writers' schemas, where drift watches that and formats have such; absent: texts say it. */
  readonly written?: WrittenRows;
  /** The layout whose memory the columns are views of, valid until its next chunk is decoded; absent or null: they are the batch's own. */
  readonly resident?: object | null;
}

export interface SkippedRow {
  readonly row: number;
  readonly policy: "tombstone" | "late";
}

/** The rows of one batch that go the same way, ascending. */
export interface BatchSlice {
  readonly batch: Batch;
  readonly rows: Uint32Array;
}
