import { watchesFields } from "../../core/all-fields.ts";
import type { DecodeFault } from "../../core/column.ts";
import type { Contract } from "../../core/contract.ts";
import type { Records } from "../../core/records.ts";
import { span } from "../../core/records.ts";
import type { ResolvedSchemas, SchemaAnswer } from "../../core/registered-schema.ts";
import { decodeParts } from "../compose.ts";
import type { Decode, DecoderTools, DecodeWithSchemas } from "../decoder.ts";
import { decodeFaults, type DecodeFaultCode } from "../faults.ts";
import { jsonCodec } from "../json.ts";
import { mergeFaults } from "../text/merge-faults.ts";
import { compileWriter } from "./compile-writer.ts";
import type { RegisteredPlan, WriterDecoder } from "./writer-decoder.ts";
import { WriterFieldsCache } from "./writer-fields.ts";
import { frameName, readFrames, type FrameGroup, type Frames } from "./schema-frames.ts";

/** Writers' schemas compiled against one contract that are kept. */
const decodersMax = 200;

/** Records framed by a schema registry's serializers: each is decoded by the schema that it names. */
export function compileRegistered(contract: Contract, plan: RegisteredPlan, part: "value" | "key", tools: DecoderTools): DecodeWithSchemas {
  const needsText = contract.rules.some((rule) => rule.check.family === "jsonSchema");
  const known = new Map<string, WriterDecoder>();
  const nothing = jsonCodec.compile(contract);
  const fieldsOf = part === "value" && plan.type !== "json" && watchesFields(contract) ? new WriterFieldsCache(contract.fields) : null;
  // JSON is decoded alike whatever its schema, which only judges it.
  let json: Decode | null = null;
  const shared: DecoderTools = { ...tools, json: (inner) => (json ??= tools.json(inner)) };
  const writerOf = (group: FrameGroup, schemas: ResolvedSchemas): WriterDecoder => {
    const answer = schemas.get(group.id);
    if (answer === undefined) throw new Error(`bug: the schema ${group.id} was not asked for before its records were decoded`);
    if (!answer.found) return { code: faultOf(answer), message: answer.message };
    const name = frameName(group);
    let writer = known.get(name);
    if (writer === undefined) {
      writer = compileWriter(contract, { plan, schema: answer.schema, group, tools: shared });
      if (known.size >= decodersMax) known.delete(known.keys().next().value as string);
      known.set(name, writer);
    }
    return writer;
  };
  return (records, schemas) => {
    const frames = readFrames(records, part, plan.type === "protobuf");
    const writers = frames.groups.map((group) => writerOf(group, schemas));
    const { payload, faults } = setAside(records, frames, writers);
    const decoders = [...new Set(writers.flatMap((writer) => ("decode" in writer ? [writer.decode] : [])))];
    const decoderOf = writers.map((writer) => ("decode" in writer ? decoders.indexOf(writer.decode) : -1));
    const parts = decoders.map((decode, index) => ({ decode, owns: (row: number) => decoderOf[frames.group[row] as number] === index }));
    const batch = parts.length > 1 ? decodeParts(payload, parts, needsText) : (decoders[0] ?? nothing)(payload);
    const written =
      fieldsOf === null ? null : { payload, of: frames.group, writers: frames.groups.map((group) => fieldsOf.of(group, schemas)) };
    return { ...mergeFaults(batch, faults), records, payload: batch.payload ?? payload, ...(written !== null && { written }) };
  };
}

function faultOf(answer: SchemaAnswer & { readonly found: false }): DecodeFaultCode {
  return answer.fault === "unknown" ? "registry.unknown-id" : answer.fault === "reference" ? "registry.reference" : "registry.type";
}

/** The payloads, without those that can't be decoded or are not valid by their schema. */
function setAside(
  records: Records,
  frames: Frames,
  writers: readonly WriterDecoder[],
): { readonly payload: Records; readonly faults: readonly DecodeFault[] } {
  const faults = [...frames.faults];
  const { lengths } = frames;
  const payload = { ...records, valueStart: frames.starts, valueLength: lengths };
  for (let row = 0; row < records.count; row++) {
    const writer = writers[frames.group[row] as number];
    if (writer === undefined) continue;
    let fault: Pick<DecodeFault, "code" | "message"> | null = null;
    if (!("decode" in writer)) fault = writer;
    else if (writer.judge !== null) {
      const problem = writer.judge(span(payload, "value", row) as Uint8Array);
      if (problem !== null) fault = { code: "registry.invalid", message: `${decodeFaults["registry.invalid"]}: ${problem}` };
    }
    if (fault === null) continue;
    faults.push({ row, code: fault.code, message: fault.message, at: null });
    lengths[row] = -1;
  }
  return { payload, faults };
}
