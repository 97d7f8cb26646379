import type { Contract } from "../core/contract.ts";
import type { EncodeRows } from "../core/ipc-message.ts";
import { arrowBatch } from "./arrow-batch.ts";
import { planArrow } from "./arrow-schema.ts";
import { encodeBatch } from "./ipc-message.ts";

/** Encodes rows that pass a contract, as what `encodeStart` of its plan begins. */
export function createArrowRows(contract: Contract): EncodeRows {
  const plan = planArrow(contract);
  return (batch, rows) => encodeBatch(arrowBatch(plan, batch, rows));
}
