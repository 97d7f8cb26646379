import { AvroRows } from "../../../src/codecs/avro/avro-rows.ts";
import type { AvroPlan } from "../../../src/codecs/avro/avro-plan.ts";
import { resolveAvro } from "../../../src/codecs/avro/resolve-avro.ts";
import { compileParsers } from "../../../src/codecs/cell-writer.ts";
import { decodeRows, RowSet } from "../../../src/codecs/row-set.ts";
import type { AvroSchema } from "../../../src/core/avro/avro-schema.ts";
import { parseAvroSchema } from "../../../src/core/avro/parse-avro-schema.ts";
import type { Batch } from "../../../src/core/batch.ts";
import type { Contract } from "../../../src/core/contract.ts";
import { makeContract, makeRecords, type FieldSketch } from "../../fixtures/contract.ts";
import { cellValue } from "../../fixtures/column-value.ts";

/** A schema that must parse. */
export function schemaOf(json: unknown): AvroSchema {
  const parsed = parseAvroSchema(JSON.stringify(json));
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.schema;
}

/** A plan that must resolve. */
function planOf(contract: Contract, writer: AvroSchema, reader: AvroSchema | null): AvroPlan {
  const plan = resolveAvro({ writer, reader, fields: contract.fields, unknownFields: contract.policies.unknownFields, keyField: null });
  if ("problem" in plan) throw new Error(plan.problem);
  return plan;
}

export interface Decoding {
  readonly writer: unknown;
  readonly reader?: unknown;
  readonly fields: Readonly<Record<string, FieldSketch>>;
  readonly unknownFields?: "ignore" | "keep" | "reject";
}

/** Decodes values by the reference. */
export function decodeAvro(values: readonly Uint8Array[], { writer, reader, fields, unknownFields = "ignore" }: Decoding): Batch {
  const contract = makeContract(fields, { policies: { unknownFields } });
  const schema = schemaOf(writer);
  const plan = planOf(contract, schema, reader === undefined ? null : schemaOf(reader));
  const records = makeRecords(values);
  const rows = new RowSet(contract, records.count, records.bytes);
  const avro = new AvroRows(rows, compileParsers(contract.fields));
  return decodeRows(contract, records, rows, (row, start, end) => avro.decode(plan, schema, row, start, end));
}

/** A row as plain JavaScript. */
export function rowOf(batch: Batch, row: number): Record<string, unknown> {
  return Object.fromEntries(batch.columns.map((column) => [column.field.name, cellValue(column, row)]));
}
