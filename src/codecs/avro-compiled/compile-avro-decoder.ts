import type { AvroSchema } from "../../core/avro/avro-schema.ts";
import type { ChunkDecoder } from "../../core/codec.ts";
import type { Contract } from "../../core/contract.ts";
import type { Arena } from "../../wasm/arena.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import { AvroRows } from "../avro/avro-rows.ts";
import { avroCodec, contractPlan } from "../avro/avro.ts";
import { compileParsers } from "../cell-writer.ts";
import { chunked } from "../chunked.ts";
import { placeColumns } from "../wire/column-places.ts";
import { CompiledRows } from "../wire/compiled-rows.ts";
import { avroModule } from "./avro-module.ts";
import { uncovered } from "./coverage.ts";

/** A chunk decoder, and why it is the interpreter in chunks, where it is; null: compiled. */
export interface ChosenDecoder {
  readonly decoder: ChunkDecoder;
  readonly fallback: string | null;
}

/**
 * A decoder of Avro records by WebAssembly made for the writer's schema and the contract, into the columns of `layout`: cell by cell what the
 * interpreter (`avroCodec`) gives.
 */
export function compileAvroDecoder(contract: Contract, layout: BatchLayout, arena: Arena): ChosenDecoder {
  const plan = contractPlan(contract);
  const texts = contract.rules.some((rule) => rule.check.family === "jsonSchema");
  const fallback = "problem" in plan ? plan.problem : texts ? "a rule reads records as JSON" : uncovered(plan);
  if ("problem" in plan || fallback !== null) return { decoder: chunked(avroCodec.compile(contract)), fallback };
  const places = placeColumns(layout, arena);
  const module = avroModule(plan, layout, { arena, places });
  const { decode } = arena.instantiate(module) as { readonly decode: (row: number, rows: number) => number };
  const parsers = compileParsers(contract.fields);
  const schema = (contract.format as { readonly schema: AvroSchema }).schema;
  const decoder = new CompiledRows(contract, layout, {
    arena,
    places,
    format: {
      decode,
      reference: (rows) => {
        const avro = new AvroRows(rows, parsers);
        return (row, start, end) => avro.decode(plan, schema, row, start, end);
      },
      alone: avroCodec.compile(contract),
    },
  });
  return { decoder, fallback: null };
}
