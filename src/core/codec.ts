import type { Batch } from "./batch.ts";
import type { Contract } from "./contract.ts";
import type { Records } from "./records.ts";

/** Bytes to columns for one format. `compile` is done once a contract; the function it gives is pure. */
export interface Codec {
  readonly name: string;
  compile(contract: Contract): (records: Records) => Batch;
}

/** Bytes to columns chunk by chunk, as an engine with a memory of its own takes them. */
export interface ChunkDecoder {
  /**
   * Decodes the records from `from` on, as many as one chunk takes and at least one; `from` is below `records.count`. The batch's records are
   * a slice of `records` (no copies). What the batch views holds until the next call.
   */
  decode(records: Records, from: number): Batch;
}
