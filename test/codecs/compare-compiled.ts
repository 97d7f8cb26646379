import { expect } from "vitest";
import type { ChunkDecoder, Codec } from "../../src/core/codec.ts";
import type { Contract } from "../../src/core/contract.ts";
import { sliceRecords } from "../../src/core/record-chunks.ts";
import { Arena } from "../../src/wasm/arena.ts";
import { defaultLimits, layoutBatch, type BatchLayout } from "../../src/wasm/layout.ts";
import { makeRecords } from "../fixtures/contract.ts";
import { batchContent } from "./batch-content.ts";

/** Small enough that a few records fill a chunk. */
const limits = { ...defaultLimits, rowsMax: 64, slabBytesMax: 1 << 16, areaBytesMax: 1 << 16, elementsMax: 256 };

/** A format's compiled decoder, and the codec that it must not differ from. */
export interface CompiledFormat {
  readonly compile: (
    contract: Contract,
    layout: BatchLayout,
    arena: Arena,
  ) => { readonly decoder: ChunkDecoder; readonly fallback: string | null };
  readonly codec: Codec;
}

/** Decodes both ways, chunk by chunk, and compares all they say; answers whether the decoder was compiled. */
export function compareCompiled({ compile, codec }: CompiledFormat, contract: Contract, values: readonly (Uint8Array | null)[]): boolean {
  const records = makeRecords(values);
  const arena = new Arena();
  const { decoder, fallback } = compile(contract, layoutBatch(contract.fields, arena, 0, limits), arena);
  const reference = codec.compile(contract);
  for (let from = 0; from < records.count;) {
    const batch = decoder.decode(records, from);
    expect(batch.rows).toBeGreaterThan(0);
    expect(batchContent(batch)).toEqual(batchContent(reference(sliceRecords(records, from, from + batch.rows))));
    from += batch.rows;
  }
  return fallback === null;
}
