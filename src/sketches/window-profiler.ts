import type { Batch } from "../core/batch.ts";
import type { Profile } from "../core/profile.ts";

/** Profiles one window after the other, of at most 2^32 - 1 values a column. */
export interface WindowProfiler {
  /** Forgets the window so far. */
  reset(): void;
  /** Adds the given rows (ascending) of a batch. Columns that the contract does not have are left out. */
  add(batch: Batch, rows: Uint32Array): void;
  /** The profile of all rows since `reset`, which must be called before rows are added again. */
  finish(): Profile;
}
