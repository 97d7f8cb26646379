import type { Batch, SkippedRow } from "../core/batch.ts";
import type { Codec } from "../core/codec.ts";
import { Cell, InvalidCause, type Column, type DecodeFault } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type { Records } from "../core/records.ts";
import type { Field } from "../core/schema.ts";
import type { TimeParser } from "../core/time-format.ts";
import type { ColumnBuilder } from "./column-builder.ts";
import { decodeFaults, type DecodeFaultCode } from "./faults.ts";
import { JsonDecoder, type JsonPlan } from "./json-decoder.ts";
import { utf8Sequence } from "./json-reader.ts";
import { KeyTable } from "./key-table.ts";
import { timeParser } from "./scalar-writer.ts";

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
  const faults: DecodeFault[] = [];
  const skipped: SkippedRow[] = [];
  const bytesMax = policies.oversized.bytes;
  for (let row = 0; row < rows; row++) {
    const length = records.valueLength[row] as number;
    let fault: DecodeFault | null;
    if (length < 0 && policies.tombstone === "skip") {
      skipped.push({ row, policy: "tombstone" });
      undecoded[row] = 1;
      continue;
    }
    if (length < 0 || length > bytesMax) fault = valueFault(row, length, bytesMax);
    else {
      const start = records.valueStart[row] as number;
      fault = decoder.row(row, start, start + length);
    }
    if (fault !== null) {
      faults.push(fault);
      undecoded[row] = 1;
    }
  }
  if (keyColumn >= 0) writeKeys(decoder.columns[keyColumn] as ColumnBuilder, records, undecoded);
  const columns = decoder.columns.map((column): Column => column.finish(rows, records.bytes, decoder.area));
  return { records, rows, columns, faults, undecoded, skipped, unknown: decoder.unknown === null ? null : decoder.unknown.finish() };
}

/** The fault of a value that is not looked at: a tombstone (length -1) or one larger than `bytesMax`. */
export function valueFault(row: number, length: number, bytesMax: number): DecodeFault {
  const code: DecodeFaultCode = length < 0 ? "record.tombstone" : "record.oversized";
  const detail = length < 0 ? "" : `: ${length} bytes, ${bytesMax} allowed`;
  return { row, code, message: decodeFaults[code] + detail, at: null };
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

function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let p = start; p < end;) {
    const size = (bytes[p] as number) < 0x80 ? 1 : utf8Sequence(bytes, p, end);
    if (size === 0) return false;
    p += size;
  }
  return true;
}
