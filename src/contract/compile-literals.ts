import type { Scalar } from "../core/rule.ts";
import type { Field, FieldType } from "../core/schema.ts";
import { compileTimeFormat } from "../core/time-format.ts";
import { uuidBytes, uuidText } from "../core/uuid.ts";
import { timeUnit } from "./compile-fields.ts";
import { plainDecimal } from "./decimal-text.ts";
import type { Node, ScalarNode } from "./node.ts";

/** A constant for a column of this field: exact, times in the column's unit; null where the value can never equal one of the column's. */
export function literalFor(field: Field, node: Node): Scalar | null {
  if (node.kind !== "scalar" || ["struct", "list", "map", "binary"].includes(field.type.kind)) return null;
  if (node.value === null) return { type: "null" };
  switch (field.type.kind) {
    case "boolean":
      return typeof node.value === "boolean" ? { type: "boolean", value: node.value } : null;
    case "int":
    case "long":
    case "float":
    case "double":
    case "decimal":
      return typeof node.value === "number" ? numberLiteral(node.text) : null;
    case "date":
    case "time":
    case "timestamp":
      return typeof node.value === "string" ? numberLiteral(timeBound(field, node.value)) : null;
    case "string":
      return typeof node.value === "string" ? { type: "string", value: node.value } : null;
    case "uuid":
      return typeof node.value === "string" ? uuidLiteral(node.value) : null;
    case "json":
      return jsonLiteral(node);
    default:
      return null;
  }
}

/** A UUID as its canonical text in lower case, however the contract writes it; null for other texts. */
export function uuidLiteral(text: string): Scalar | null {
  const bytes = uuidBytes(text);
  return bytes === null ? null : { type: "string", value: uuidText(bytes) };
}

/** Columns without a type hold JSON as its source text, so constants are compared as JSON text: `"a"`, `1`, `true`. */
function jsonLiteral(node: ScalarNode): Scalar {
  return { type: "string", value: typeof node.value === "string" ? JSON.stringify(node.value) : node.text };
}

function numberLiteral(text: string | null): Scalar | null {
  const plain = text === null ? null : plainDecimal(text);
  return plain === null ? null : { type: "number", text: plain, value: Number(plain) };
}

/** A date, time or timestamp in the column's unit as decimal text: in the column's own format, else ISO 8601; a date alone is its midnight. */
export function timeBound(field: Field, text: string): string | null {
  const unit = timeUnit(field.type);
  for (const format of field.format === null ? [null] : [field.format, null]) {
    const compiled = compileTimeFormat({ format, ...unit });
    const value = "parse" in compiled ? compiled.parse(text) : null;
    if (value !== null) return value.toString();
  }
  if (field.type.kind !== "timestamp") return null;
  const midnight = compileTimeFormat({ format: null, unit: "days", zoned: false });
  const days = "parse" in midnight ? midnight.parse(text) : null;
  if (days === null) return null;
  const value = days * (field.type.unit === "nanos" ? 86_400_000_000_000n : 86_400_000_000n);
  return BigInt.asIntN(64, value) === value ? value.toString() : null;
}

/** What constants of a column look like, for messages. */
export function literalWords(type: FieldType): string {
  switch (type.kind) {
    case "boolean":
      return "true or false";
    case "int":
    case "long":
    case "float":
    case "double":
    case "decimal":
      return "a number";
    case "date":
      return `a date such as "2026-01-31"`;
    case "time":
      return `a time such as "23:59:59"`;
    case "timestamp":
      return `a timestamp${type.unit === "nanos" ? " from 1677 to 2262" : ""} such as "2026-01-31T23:59:59${type.zoned ? "Z" : ""}"`;
    case "uuid":
      return `a UUID such as "f81d4fae-7dec-41d0-a765-00a0c91e6bf6"`;
    case "struct":
    case "list":
    case "map":
      return "no constants: it is a column of columns";
    case "binary":
      return "no constants: it is binary";
    default:
      return "text";
  }
}

/** Whether bounds make sense for a column: numbers and times. */
export function hasRange(type: FieldType): boolean {
  return ["int", "long", "float", "double", "decimal", "date", "time", "timestamp"].includes(type.kind);
}

/** Whether one value can be less than another: numbers, times, text by its code points, and UUIDs by their bytes. */
export function hasOrder(type: FieldType): boolean {
  return type.kind === "string" || type.kind === "uuid" || hasRange(type);
}
