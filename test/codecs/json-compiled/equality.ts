import { compileJsonDecoder, type JsonChunkDecoder } from "../../../src/codecs/json-compiled/compile-json-decoder.ts";
import { jsonCodec } from "../../../src/codecs/json.ts";
import type { Batch } from "../../../src/core/batch.ts";
import type { Contract } from "../../../src/core/contract.ts";
import type { Records } from "../../../src/core/records.ts";
import { Arena } from "../../../src/wasm/arena.ts";
import { defaultLimits, layoutBatch, type LayoutLimits } from "../../../src/wasm/layout.ts";
import { compareBatches } from "./compare-batches.ts";

/** Room for small chunks: one contract's columns take little memory. */
export const smallLimits: LayoutLimits = { ...defaultLimits, rowsMax: 512, slabBytesMax: 1 << 19, areaBytesMax: 1 << 19 };

/** A compiled decoder beside the interpreter. */
export class Pair {
  readonly compiled: JsonChunkDecoder;
  readonly #reference: (records: Records) => Batch;

  constructor(contract: Contract, limits: LayoutLimits = smallLimits, arena: Arena = new Arena()) {
    this.compiled = compileJsonDecoder(contract, layoutBatch(contract.fields, arena, 0, limits), arena);
    this.#reference = jsonCodec.compile(contract);
  }

  /** What differs between the two on these records, with the record where that can be told; null where nothing does. */
  differs(records: Records): string | null {
    for (let from = 0; from < records.count;) {
      const batch = this.compiled.decode(records, from);
      if (batch.rows < 1 || batch.records.count !== batch.rows) return `a chunk of ${batch.rows} rows`;
      const found = compareBatches(batch, this.#reference(batch.records));
      if (found !== null) return `${found} (chunk from ${from}; ${this.#culprit(records, from, batch.rows)})`;
      from += batch.rows;
    }
    return null;
  }

  /** The first record of a chunk that differs by itself. */
  #culprit(records: Records, from: number, rows: number): string {
    for (let row = from; row < from + rows; row++) {
      const one = oneOf(records, row);
      if (compareBatches(this.compiled.decode(one, 0), this.#reference(one)) === null) continue;
      const start = records.valueStart[row] as number;
      return `record ${row}: ${Buffer.from(records.bytes.subarray(start, start + Math.max(0, records.valueLength[row] as number))).toString()}`;
    }
    return "no record alone";
  }
}

function oneOf(records: Records, row: number): Records {
  const cut = <T extends { subarray(from: number, to: number): T }>(array: T): T => array.subarray(row, row + 1);
  return {
    ...records,
    count: 1,
    partition: cut(records.partition),
    offsets: cut(records.offsets),
    timestamps: cut(records.timestamps),
    timestampTypes: cut(records.timestampTypes),
    keyStart: cut(records.keyStart),
    keyLength: cut(records.keyLength),
    valueStart: cut(records.valueStart),
    valueLength: cut(records.valueLength),
    headersStart: cut(records.headersStart),
    headersLength: cut(records.headersLength),
  };
}
