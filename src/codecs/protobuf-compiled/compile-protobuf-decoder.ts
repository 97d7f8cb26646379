import type { Contract } from "../../core/contract.ts";
import type { Arena } from "../../wasm/arena.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import type { ChosenDecoder } from "../avro-compiled/compile-avro-decoder.ts";
import { compileParsers } from "../cell-writer.ts";
import { chunked } from "../chunked.ts";
import { MessageIndexes } from "../protobuf/message-index.ts";
import { ProtoRows } from "../protobuf/proto-rows.ts";
import { contractPlan, protobufCodec } from "../protobuf/protobuf.ts";
import { placeColumns } from "../wire/column-places.ts";
import { CompiledRows } from "../wire/compiled-rows.ts";
import { uncovered } from "./coverage.ts";
import { protobufModule } from "./protobuf-module.ts";

/**
 * A decoder of Protobuf records by WebAssembly made for the message type and the contract, into the columns of `layout`: cell by cell what the
 * interpreter (`protobufCodec`) gives.
 */
export function compileProtobufDecoder(contract: Contract, layout: BatchLayout, arena: Arena): ChosenDecoder {
  const plan = contractPlan(contract);
  const texts = contract.rules.some((rule) => rule.check.family === "jsonSchema");
  const fallback = texts ? "a rule reads records as JSON" : uncovered(plan);
  if (fallback !== null) return { decoder: chunked(protobufCodec.compile(contract)), fallback };
  const places = placeColumns(layout, arena);
  const module = protobufModule(plan, layout, { arena, places });
  const { decode } = arena.instantiate(module) as { readonly decode: (row: number, rows: number) => number };
  const parsers = compileParsers(contract.fields);
  const indexes = new MessageIndexes();
  const decoder = new CompiledRows(contract, layout, {
    arena,
    places,
    format: {
      decode,
      reference: (rows) => {
        const proto = new ProtoRows(rows, plan, parsers, indexes);
        return (row, start, end) => proto.decode(row, start, end);
      },
      alone: protobufCodec.compile(contract),
    },
  });
  return { decoder, fallback: null };
}
