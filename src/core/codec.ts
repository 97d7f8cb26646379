import type { Batch } from "./batch.ts";
import type { Contract } from "./contract.ts";
import type { Records } from "./records.ts";

/** Bytes to columns for one format. `compile` is done once a contract; the function it gives is pure. */
export interface Codec {
  readonly name: string;
  compile(contract: Contract): (records: Records) => Batch;
}
