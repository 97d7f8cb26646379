import { compileAvroDecoder } from "../codecs/avro-compiled/compile-avro-decoder.ts";
import { compileRecords } from "../codecs/compile-records.ts";
import type { Decode, DecoderTools, DecodeWithSchemas } from "../codecs/decoder.ts";
import { compileJsonDecoder } from "../codecs/json-compiled/compile-json-decoder.ts";
import { jsonCodec } from "../codecs/json.ts";
import { compileProtobufDecoder } from "../codecs/protobuf-compiled/compile-protobuf-decoder.ts";
import type { ChunkDecoder } from "../core/codec.ts";
import type { Contract } from "../core/contract.ts";
import type { Arena } from "../wasm/arena.ts";
import type { BatchLayout } from "../wasm/layout.ts";

/** Writers' schemas that get a decoder of their own in one engine's memory, which gives nothing back; those that come later are interpreted. */
const compiledWritersMax = 16;

/** Whether records are framed and nothing more, so that a chunk of one writer's is decoded as if it stood alone. */
export function isOnlyFramed({ record }: Contract): boolean {
  return record?.value.format === "registered" && record.envelope === null && record.key === null;
}

/** Decodes framed records by WebAssembly made for each writer's schema; chunks of several writers are put together row by row. */
export function compileFramedDecoder(
  contract: Contract,
  { layout, arena, tools }: { readonly layout: BatchLayout; readonly arena: Arena; readonly tools: DecoderTools },
): DecodeWithSchemas {
  const json = { made: null as Decode | null };
  let writers = 0;
  return compileRecords(contract, {
    ...tools,
    json: (inner) =>
      inner.fields === contract.fields
        ? (json.made ??= wholeChunks(compileJsonDecoder(inner, layout, arena), jsonCodec.compile(inner)))
        : tools.json(inner),
    compiled: (inner, plain) => {
      if (inner.fields !== contract.fields || writers >= compiledWritersMax) return null;
      writers++;
      const compile = inner.format?.format === "avro" ? compileAvroDecoder : compileProtobufDecoder;
      const { decoder, fallback } = compile(inner, layout, arena);
      return fallback === null && decoder !== null ? wholeChunks(decoder, plain) : null;
    },
  });
}

/** A chunk decoder for those who decode a chunk as a whole. */
function wholeChunks(decoder: ChunkDecoder, plain: Decode): Decode {
  return (records) => {
    if (records.count === 0) return plain(records);
    const batch = decoder.decode(records, 0);
    return batch.rows === records.count ? batch : plain(records);
  };
}
