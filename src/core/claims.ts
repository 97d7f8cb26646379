import type { OffsetRange, PartitionKey } from "./position.ts";
import type { SkippedRange } from "./skipped-range.ts";

/** Bytes of a claimed key: the first half of a SHA-256 of the cells' canonical bytes, so that no two keys that differ are ever taken for one. */
export const claimKeyBytes = 16;

/** Rows that want their keys, in source order: structure of arrays. */
export interface ClaimRows {
  readonly count: number;
  /** `claimKeyBytes` a row. */
  readonly keys: Uint8Array;
  readonly partitions: readonly PartitionKey[];
  readonly partition: Uint16Array;
  readonly offsets: BigInt64Array;
  /** The record's timestamp in milliseconds since the epoch; -1 where it has none. */
  readonly timestampsMs: BigInt64Array;
}

/** Whether two timestamps are apart by less than a rule's horizon, in milliseconds; records without one are never far apart. */
export function isWithinHorizon(held: bigint, time: bigint, horizonMs: number | null): boolean {
  if (horizonMs === null || held < 0n || time < 0n) return true;
  const apart = held > time ? held - time : time - held;
  return apart < BigInt(horizonMs);
}

/** Whose keys they are: of one uniqueness rule of one dataset. A rule over other columns is another one. */
export interface ClaimScope {
  readonly dataset: string;
  readonly rule: string;
  /** Two records of one key are duplicates if their timestamps are less than this apart; null: however far they are. */
  readonly horizonMs: number | null;
}

/**
 * Who holds a key: the source position of the first record that wanted it. Claims are durable before the files of their rows are written, and claiming
 * again from the same position is no change; so a window that is read again after a crash claims what it claimed before. The index is a fold over the
 * promoted table, and is rebuilt from it where it was lost.
 */
export interface Claims {
  /**
   * Claims one key a row; answers 1 for each row whose key another record holds within the horizon. Rows of one key in one call: the first wins. What records of
   * `skipped` ranges hold is void: they are never read.
   */
  claim(scope: ClaimScope, rows: ClaimRows, skipped?: readonly SkippedRange[]): Promise<Uint8Array>;
  /** Gives back whatever keys of a dataset the records of these ranges hold, under any rule: of a held window that was dropped. */
  release(dataset: string, ranges: readonly OffsetRange[]): Promise<void>;
  /** Gives back the keys that these very records hold: of rows that something else rejected after they had claimed. */
  forfeit(scope: ClaimScope, rows: ClaimRows): Promise<void>;
  /** The sequence number of the last snapshot whose rows are all claimed; null: none ever was. */
  covered(scope: ClaimScope): Promise<bigint | null>;
  cover(scope: ClaimScope, sequence: bigint): Promise<void>;
  /** What was kept of a rule last; null: nothing. */
  memo(dataset: string, rule: string): Promise<Memo | null>;
  /** Keeps this of a rule, instead of what was kept before. */
  keepMemo(dataset: string, rule: string, memo: Memo): Promise<void>;
}

/** What a rule knew of its dataset at a snapshot, in a form of its own: it may be lost, since all of it can be read from the table. */
export interface Memo {
  readonly sequence: bigint;
  readonly snapshotId: string;
  readonly bytes: Uint8Array;
}
