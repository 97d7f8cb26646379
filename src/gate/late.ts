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
  const { type } = column.field;
  const micros = type.kind === "date" ? microsPerDay : 1;
  const oldest = closedAtMs * 1000 - policy.seconds * 1_000_000;
  const rows: number[] = [];
  if (type.kind === "timestamp" && type.unit === "nanos") {
    const nanos = BigInt(Math.ceil(oldest)) * 1000n;
    for (let row = 0; row < batch.rows; row++)
      if (column.state[row] === Cell.value && (column.exact[row] as bigint) < nanos) rows.push(row);
    return Uint32Array.from(rows);
  }
  for (let row = 0; row < batch.rows; row++) {
    if (column.state[row] === Cell.value && (column.values[row] as number) * micros < oldest) rows.push(row);
  }
  return Uint32Array.from(rows);
}
