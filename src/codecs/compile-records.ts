import type { Contract } from "../core/contract.ts";
import type { EnvelopePlan, RecordPlan, ValuePlan } from "../core/record-plan.ts";
import type { Records } from "../core/records.ts";
import type { SchemaId } from "../core/registered-schema.ts";
import { compileFormat } from "./compile-format.ts";
import { compileValues } from "./compile-values.ts";
import { joinColumns } from "./compose.ts";
import type { DecoderTools, DecodeWithSchemas } from "./decoder.ts";
import { compileCloudEvents } from "./envelope/cloudevents.ts";
import { compileDebeziumColumns } from "./envelope/debezium-columns.ts";
import { compileDebeziumJson } from "./envelope/debezium-json.ts";
import { compileKey } from "./key.ts";
import { frameIds } from "./registered/schema-frames.ts";
import { mergeFaults } from "./text/merge-faults.ts";

/** Compiles how a contract's records become columns, whatever its format, envelope and key. */
export function compileRecords(contract: Contract, tools: DecoderTools): DecodeWithSchemas {
  const { record } = contract;
  if (record === undefined) return compileFormat(contract, contract.format ?? { format: "json" }, tools);
  const { key } = record;
  if (key === null) return compileBody(contract, record, tools);
  const taken = new Set(key.columns.map(({ column }) => column));
  const policies = { ...contract.policies, key: { action: "ignore" } as const };
  const body = compileBody({ ...contract, policies, fields: contract.fields.filter(({ name }) => !taken.has(name)) }, record, tools);
  const keys = compileKey(contract, key, tools);
  return (records, schemas) => {
    const found = keys(records, schemas);
    const batch = body(records, schemas);
    // A record that is a tombstone, or was undecodable before its key, is that first.
    const faults = found.faults.filter(({ row }) => batch.undecoded[row] === 0);
    return joinColumns(contract, mergeFaults(batch, faults), [found]);
  };
}

function compileBody(contract: Contract, { value, envelope }: RecordPlan, tools: DecoderTools): DecodeWithSchemas {
  const compile = (inner: Contract): DecodeWithSchemas => compileValues(inner, value, "value", tools);
  if (envelope === null) return compile(contract);
  if (envelope.kind === "cloudevents") return compileCloudEvents(contract, envelope, { plan: value, compile });
  return compileDebezium(contract, { value, envelope, tools });
}

function compileDebezium(
  contract: Contract,
  {
    value,
    envelope,
    tools,
  }: { readonly value: ValuePlan; readonly envelope: Extract<EnvelopePlan, { readonly kind: "debezium" }>; readonly tools: DecoderTools },
): DecodeWithSchemas {
  const isJson = value.format === "json" || (value.format === "registered" && value.type === "json");
  if (!isJson) return compileDebeziumColumns(contract, envelope, (event) => compileValues(event, value, "value", tools));
  const json = (inner: Contract): ReturnType<DecoderTools["json"]> => compileDebeziumJson(inner, envelope, tools.json);
  return compileValues(contract, value, "value", { ...tools, json });
}

/** The registered schemas that a run of records names: what must be known before it is decoded. Cheap: prefixes and headers are looked at, nothing is decoded. */
export function neededSchemas(contract: Contract, records: Records): ReadonlySet<SchemaId> {
  const { record } = contract;
  const needed = new Set<SchemaId>();
  if (record?.value.format === "registered") for (const id of frameIds(records, "value")) needed.add(id);
  if (record?.key?.value.format === "registered") for (const id of frameIds(records, "key")) needed.add(id);
  return needed;
}

/** Whether decoding a contract's records needs a schema registry. */
export function needsRegistry({ record }: Contract): boolean {
  return record?.value.format === "registered" || record?.key?.value.format === "registered";
}
