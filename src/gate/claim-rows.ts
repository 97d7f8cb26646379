import type { ClaimRows } from "../core/claims.ts";
import type { PartitionKey } from "../core/position.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { DeferredKeys } from "../rules/deferred/deferred-rule.ts";

/** A run of a window, and the row of the window that its first record is. */
export interface PlacedRun {
  readonly records: Records;
  readonly start: number;
  /** That its records name; absent: none. */
  readonly schemas?: ResolvedSchemas;
}

/** Where the records of the asked rows (ascending) came from, to claim keys for them. */
export function claimRowsOf(runs: readonly PlacedRun[], { rows, keys }: DeferredKeys): ClaimRows {
  const count = rows.length;
  const partitions: PartitionKey[] = [];
  const bases = runs.map(({ records }) => partitions.push(...records.partitions) - records.partitions.length);
  const partition = new Uint16Array(count);
  const offsets = new BigInt64Array(count);
  const timestampsMs = new BigInt64Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    while (row >= endOf(runs, at)) at++;
    const { records, start } = runs[at] as PlacedRun;
    partition[i] = (bases[at] as number) + (records.partition[row - start] as number);
    offsets[i] = records.offsets[row - start] as bigint;
    timestampsMs[i] = records.timestamps[row - start] as bigint;
  }
  return { count, keys, partitions, partition, offsets, timestampsMs };
}

/** The row of the window behind a run's last. Throws where there is no such run. */
export function endOf(runs: readonly PlacedRun[], run: number): number {
  const placed = runs[run];
  if (placed === undefined) throw new Error("bug: a row beyond the window's last");
  return placed.start + placed.records.count;
}
