import { compileAvroDecoder } from "../codecs/avro-compiled/compile-avro-decoder.ts";
import { chunked } from "../codecs/chunked.ts";
import { compileRecords } from "../codecs/compile-records.ts";
import type { DecodeWithSchemas, DecoderTools } from "../codecs/decoder.ts";
import { FieldCensus } from "../codecs/field-census.ts";
import { jsonCodec } from "../codecs/json.ts";
import { compileJsonDecoder } from "../codecs/json-compiled/compile-json-decoder.ts";
import { compileProtobufDecoder } from "../codecs/protobuf-compiled/compile-protobuf-decoder.ts";
import { isWritten, WrittenCensus } from "../codecs/written-census.ts";
import type { Batch } from "../core/batch.ts";
import type { ChunkDecoder } from "../core/codec.ts";
import type { Contract } from "../core/contract.ts";
import type { Records } from "../core/records.ts";
import type { ResolvedSchemas } from "../core/registered-schema.ts";
import type { Validator } from "../core/rule.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import { EncoderMemory } from "../parquet/encoder-memory.ts";
import { keyFieldIds } from "../parquet/key-fields.ts";
import { openParquetFile } from "../parquet/parquet-file.ts";
import type { ParquetFile } from "../parquet/written-file.ts";
import { compileValidator } from "../rules/compile-validator.ts";
import { compileSelection } from "../rules/row-selection.ts";
import { compileKernels } from "../rules/kernels/rule-kernels.ts";
import type { WatchTools, WindowProfiler } from "../sketches/index.ts";
import { compileRegisteredSchema } from "../rules/registered-json-schema.ts";
import { compileProfiler, referenceProfiler } from "../sketches/index.ts";
import { compileFramedDecoder, isOnlyFramed } from "./framed-decoder.ts";
import { Arena } from "../wasm/arena.ts";
import { layoutBatch, type BatchLayout } from "../wasm/layout.ts";

/** What judges the chunks of one window at a time, one after the other. */
export interface ChunkEngine {
  /** Decodes records from `from` on, as many as one chunk takes. What the batch views holds until the next call, or until rows are appended to a file. */
  decode(records: Records, from: number, schemas: ResolvedSchemas): Batch;
  readonly validator: Validator;
  readonly profiler: WindowProfiler;
  openFile(schema: IcebergSchema): ParquetFile;
  /** Bytes of its memory that the window which ends here had no use for: a window before it did, and memory never shrinks. */
  takeSpareBytes(): number;
  /** What of it is not compiled; null where all is. */
  readonly fallback: string | null;
}

const tools: DecoderTools = {
  json: (contract) => jsonCodec.compile(contract),
  jsonSchema: compileRegisteredSchema,
};

const watchTools: WatchTools = {
  countFields: (contract) => (isWritten(contract) ? new WrittenCensus(contract) : new FieldCensus(contract)),
  selectRows: compileSelection,
};

function decodeInChunks(decode: DecodeWithSchemas): ChunkEngine["decode"] {
  let resolved: ResolvedSchemas = new Map();
  const decoder = chunked((records) => decode(records, resolved));
  return (records, from, schemas) => {
    resolved = schemas;
    return decoder.decode(records, from);
  };
}

/** Decodes a contract's records in plain TypeScript, to columns that stay. */
export function openDecoder(contract: Contract): ChunkEngine["decode"] {
  return decodeInChunks(compileRecords(contract, tools));
}

/** Judges in plain TypeScript: what the compiled engine is held against, and what it falls back to. Files have one encoder. */
export function openReferenceEngine(contract: Contract): ChunkEngine {
  return {
    decode: openDecoder(contract),
    validator: compileValidator(contract),
    profiler: referenceProfiler(contract, watchTools),
    openFile: (schema) => openParquetFile({ schema, bloomFilterIds: keyFieldIds(contract, schema) }),
    takeSpareBytes: () => 0,
    fallback: null,
  };
}

/** Judges by WebAssembly made for the contract, over one memory. Throws where the contract does not fit it. */
export function openCompiledEngine(contract: Contract): ChunkEngine {
  const arena = new Arena();
  const layout = layoutBatch(contract.fields, arena, contract.rules.length);
  const { decoder, fallback } = compileDecoder(contract, layout, arena);
  const framed = isOnlyFramed(contract) ? decodeInChunks(compileFramedDecoder(contract, { layout, arena, tools })) : null;
  const kernels = compileKernels(contract, layout, arena);
  const plain = new Set(
    contract.rules.flatMap(({ index, check }) => (kernels.covered.has(index) || kernels.keyed.has(index) ? [] : [check.family])),
  );
  const reasons = [
    ...(fallback === null ? [] : [`decoder: ${fallback}`]),
    ...(plain.size === 0 ? [] : [`rules: ${[...plain].toSorted().join(", ")}`]),
  ];
  const encoder = EncoderMemory.over(arena);
  const usedAtFirst = arena.used;
  return {
    decode: framed ?? decodeOthers(decoder, contract),
    validator: compileValidator(contract, kernels),
    profiler: compileProfiler(contract, layout, arena, watchTools),
    openFile: (schema) => openParquetFile({ schema, arena, bloomFilterIds: keyFieldIds(contract, schema) }),
    // Blocks move to ones of twice the size as they grow, so those of a window leave as much again behind.
    takeSpareBytes: () => arena.used - usedAtFirst - 2 * encoder.takePeakBytes(),
    fallback: reasons.length === 0 ? null : reasons.join("; "),
  };
}

function decodeOthers(decoder: ChunkDecoder | null, contract: Contract): ChunkEngine["decode"] {
  return decoder === null ? openDecoder(contract) : (records, from) => decoder.decode(records, from);
}

/** The compiled decoder of records that are nothing but a value of the contract's format; null for others, and why it is not compiled. */
function compileDecoder(
  contract: Contract,
  layout: BatchLayout,
  arena: Arena,
): { readonly decoder: ChunkDecoder | null; readonly fallback: string | null } {
  const { record, format } = contract;
  if (isOnlyFramed(contract)) return { decoder: null, fallback: null };
  if (record !== undefined) return { decoder: null, fallback: "records are enveloped, keyed by a format, or of one that is not compiled" };
  if (format?.format === "avro") return compileAvroDecoder(contract, layout, arena);
  if (format?.format === "protobuf") return compileProtobufDecoder(contract, layout, arena);
  return { decoder: compileJsonDecoder(contract, layout, arena), fallback: null };
}
