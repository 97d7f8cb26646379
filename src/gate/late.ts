import type { Batch } from "../core/batch.ts";
import { Cell } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";

const microsPerDay = 86_400_000_000;

/**
 * Rows whose event time lies more than the policy's seconds before the window's close, ascending. Rows without an event time are not late.
 * Empty where the contract has no policy for late records.
 */
export function lateRows(contract: Contract, batch: Batch, closedAtMs: number): Uint32Array {
  const policy = contract.policies.late;
  if (policy === null) return new Uint32Array(0);
  const column = batch.columns.find((each) => each.field.path === policy.column);
  if (column === undefined || column.kind !== "integer") return new Uint32Array(0);
  const micros = column.field.type.kind === "date" ? microsPerDay : 1;
  const oldest = closedAtMs * 1000 - policy.seconds * 1_000_000;
  const rows: number[] = [];
  for (let row = 0; row < batch.rows; row++) {
    if (column.state[row] === Cell.value && (column.values[row] as number) * micros < oldest) rows.push(row);
  }
  return Uint32Array.from(rows);
}
