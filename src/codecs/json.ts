import type { Batch } from "../core/batch.ts";
import type { Codec } from "../core/codec.ts";
import { Cell, InvalidCause, type Column } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type { Records } from "../core/records.ts";
import type { Field } from "../core/schema.ts";
import type { TimeParser } from "../core/time-format.ts";
import type { ColumnBuilder } from "./column-builder.ts";
import { JsonDecoder, type JsonPlan } from "./json-decoder.ts";
import { KeyTable } from "./key-table.ts";
import { timeParser } from "./scalar-writer.ts";
import { isUtf8 } from "./utf8.ts";
import { isDecoded, type UndecodedRows } from "./value-policy.ts";

/** One JSON object (RFC 8259) a record, straight from the slab's bytes. What each kind of field takes is in docs/reference/decoding.md. */
export const jsonCodec: Codec = { name: "json", compile: compileJson };

function compileJson(contract: Contract): (records: Records) => Batch {
  const plan = jsonPlan(contract);
  const keyName = keyColumnName(contract);
  const keyColumn = contract.fields.findIndex((field) => field.name === keyName);
  return (records) => decode(plan, records, contract, keyColumn);
}

/** The column that the contract fills from the record's key; null where there is none. */
export function keyColumnName({ policies }: Contract): string | null {
  return policies.key.action === "column" ? policies.key.name : null;
}

/** What decoding needs of a contract. */
export function jsonPlan(contract: Contract): JsonPlan {
  const keyName = keyColumnName(contract);
  const structKeys = new Map<Field, KeyTable>();
  const parsers = new Map<Field, TimeParser>();
  for (const field of contract.fields) compileField(field, structKeys, parsers);
  return {
    fields: contract.fields,
    rootKeys: new KeyTable(contract.fields.map((field) => (field.name === keyName ? null : field.sourceName))),
    structKeys,
    parsers,
    unknownFields: contract.policies.unknownFields,
  };
}

function compileField(field: Field, structKeys: Map<Field, KeyTable>, parsers: Map<Field, TimeParser>): void {
  const { type } = field;
  const parser = timeParser(field);
  if (parser !== null) parsers.set(field, parser);
  if (type.kind === "struct") {
    structKeys.set(field, new KeyTable(type.fields.map((child) => child.sourceName)));
    for (const child of type.fields) compileField(child, structKeys, parsers);
  } else if (type.kind === "list") compileField(type.element, structKeys, parsers);
  else if (type.kind === "map") compileField(type.value, structKeys, parsers);
}

function decode(plan: JsonPlan, records: Records, contract: Contract, keyColumn: number): Batch {
  const { policies } = contract;
  const rows = records.count;
  const decoder = new JsonDecoder(plan, rows, records.bytes);
  const undecoded = new Uint8Array(rows);
  const noted: UndecodedRows = { faults: [], skipped: [] };
  for (let row = 0; row < rows; row++) {
    const length = records.valueLength[row] as number;
    undecoded[row] = 1;
    if (!isDecoded(policies, row, length, noted)) continue;
    const start = records.valueStart[row] as number;
    const fault = decoder.row(row, start, start + length);
    if (fault === null) undecoded[row] = 0;
    else noted.faults.push(fault);
  }
  if (keyColumn >= 0) writeKeys(decoder.columns[keyColumn] as ColumnBuilder, records, undecoded);
  const columns = decoder.columns.map((column): Column => column.finish(rows, records.bytes, decoder.area));
  return { records, rows, columns, ...noted, undecoded, unknown: decoder.unknown === null ? null : decoder.unknown.finish() };
}

/** Fills the column that the contract takes from the records' keys. */
function writeKeys(column: ColumnBuilder, records: Records, undecoded: Uint8Array): void {
  const { bytes } = records;
  for (let row = 0; row < records.count; row++) {
    if (undecoded[row] === 1) continue;
    const length = records.keyLength[row] as number;
    if (length < 0) {
      column.state[row] = Cell.null;
      continue;
    }
    const start = records.keyStart[row] as number;
    if (!isUtf8(bytes, start, start + length)) {
      column.invalid(row, start, start + length, InvalidCause.utf8);
      continue;
    }
    column.starts[row] = start;
    column.lengths[row] = length;
    column.state[row] = Cell.value;
    column.inSlab = true;
  }
}
