import type { Contract } from "../core/contract.ts";
import type { EncodeRows } from "../core/ipc-message.ts";
import { arrowBatch } from "./arrow-batch.ts";
import { planArrow } from "./arrow-schema.ts";
import { encodeBatch } from "./ipc-message.ts";

const byContract = new WeakMap<Contract, EncodeRows>();

/** Encodes rows that pass a contract, as what `encodeStart` of its plan begins: planned once a contract, for all of its windows. */
export function createArrowRows(contract: Contract): EncodeRows {
  let encode = byContract.get(contract);
  if (encode === undefined) {
    const plan = planArrow(contract);
    encode = (batch, rows) => encodeBatch(arrowBatch(plan, batch, rows));
    byContract.set(contract, encode);
  }
  return encode;
}
