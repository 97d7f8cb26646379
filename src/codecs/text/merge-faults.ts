import type { Batch } from "../../core/batch.ts";
import type { DecodeFault } from "../../core/column.ts";

/** A batch with faults that were found before its values were looked at: they go before whatever a row without a value came to be. */
export function mergeFaults(batch: Batch, found: readonly DecodeFault[]): Batch {
  if (found.length === 0) return batch;
  const rows = new Set(found.map((fault) => fault.row));
  const undecoded = batch.undecoded.slice();
  for (const row of rows) undecoded[row] = 1;
  const faults = [...batch.faults.filter((fault) => !rows.has(fault.row)), ...found].toSorted((a, b) => a.row - b.row);
  return { ...batch, faults, undecoded, skipped: batch.skipped.filter((each) => !rows.has(each.row)) };
}
