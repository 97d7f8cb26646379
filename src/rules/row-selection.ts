import type { Batch } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { Condition } from "../core/rule.ts";
import { compileCondition } from "./condition-mask.ts";

/** Those of some rows (ascending) of a batch that a condition is true of; CONTRACT_INVALID where it does not fit the contract's columns. */
export function compileSelection(contract: Contract, where: Condition): (batch: Batch, rows: Uint32Array) => Uint32Array {
  const site = { id: "drift", location: { file: contract.file, line: 1, column: 1 } };
  const mask = compileCondition(where, contract.fields, site);
  let holds = new Uint8Array(0);
  let selected = new Uint32Array(0);
  return (batch, rows) => {
    if (holds.length < batch.rows) [holds, selected] = [new Uint8Array(batch.rows), new Uint32Array(batch.rows)];
    const out = holds.subarray(0, batch.rows);
    mask(batch, out);
    let count = 0;
    for (const row of rows) if (out[row] === 1) selected[count++] = row;
    return selected.subarray(0, count);
  };
}
