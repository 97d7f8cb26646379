import { parseAvroSchema } from "../../core/avro/parse-avro-schema.ts";
import type { Contract } from "../../core/contract.ts";
import type { FormatPlan } from "../../core/format-plan.ts";
import { parseProto } from "../../core/protobuf/parse-proto.ts";
import { messageAt } from "../../core/protobuf/proto-file.ts";
import type { Field } from "../../core/schema.ts";
import type { RegisteredSchema } from "../../core/registered-schema.ts";
import type { DecoderTools } from "../decoder.ts";
import { decodeFaults, type DecodeFaultCode } from "../faults.ts";
import { compileFormat } from "../compile-format.ts";
import { isWholeKey, wholeKeySchema } from "../whole-key.ts";
import type { RegisteredPlan, WriterDecoder } from "./writer-decoder.ts";
import type { FrameGroup } from "./schema-frames.ts";

/** A writer's schema as a decoder into the contract's columns. */
export function compileWriter(
  contract: Contract,
  {
    plan,
    schema,
    group,
    tools,
  }: {
    readonly plan: RegisteredPlan;
    readonly schema: RegisteredSchema;
    readonly group: FrameGroup;
    readonly tools: DecoderTools;
  },
): WriterDecoder {
  const fault = (code: DecodeFaultCode, detail: string): WriterDecoder => ({
    code,
    message: `${decodeFaults[code]}: schema ${group.id}${detail}`,
  });
  if (schema.type !== plan.type) return fault("registry.type", ` is of the type ${schema.type}, not ${plan.type}`);
  if (schema.type === "json") {
    const judge = plan.validate ? tools.jsonSchema(schema) : null;
    if (judge !== null && "problem" in judge) return fault("registry.schema", `: ${judge.problem}`);
    return { decode: tools.json(contract), judge };
  }
  const format = writerFormat(contract.fields, plan, { schema, group });
  if ("problem" in format) return fault(format.code, `: ${format.problem}`);
  return { decode: compileFormat({ ...contract, format }, format, tools), judge: null };
}

/** The format of records by a registered schema; a code and what is wrong where it can't be read. */
function writerFormat(
  fields: readonly Field[],
  plan: RegisteredPlan,
  { schema, group }: { readonly schema: RegisteredSchema; readonly group: FrameGroup },
): FormatPlan | { readonly code: DecodeFaultCode; readonly problem: string } {
  if (schema.type === "avro") {
    const parsed = parseAvroSchema(schema.text, schema.references);
    if ("problem" in parsed) return { code: "registry.schema", problem: parsed.problem };
    const written = isWholeKey(fields) ? wholeKeySchema(parsed.schema) : parsed.schema;
    return { format: "avro", schema: written, text: schema.text, ...(plan.reader === undefined ? {} : { reader: plan.reader }) };
  }
  const file = parseProto(schema.text, schema.references);
  if ("problem" in file) return { code: "registry.schema", problem: file.problem };
  const message = messageAt(file.messages, group.message ?? [0]);
  if (message === null) return { code: "registry.message", problem: `it has no message at ${(group.message ?? [0]).join(".")}` };
  return { format: "protobuf", message };
}
