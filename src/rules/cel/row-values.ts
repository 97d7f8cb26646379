import type { CelInput } from "@bufbuild/cel";
import { celLimits } from "../../cel/cel-expression.ts";
import { Cell, type Column } from "../../core/column.ts";
import { library } from "../../core/library.ts";
import type { FieldType } from "../../core/schema.ts";
import { uuidText } from "../../core/uuid.ts";
import { spanText } from "../text-check.ts";

const nanosPerDay = 86_400_000_000_000n;

function timestampOf(nanos: bigint): CelInput {
  const seconds = nanos / 1_000_000_000n - (nanos % 1_000_000_000n < 0n ? 1n : 0n);
  return library.protobuf().create(library.protobufTypes().TimestampSchema, { seconds, nanos: Number(nanos - seconds * 1_000_000_000n) });
}

/** Whole numbers of JSON text are ints where 64 bits hold them, others doubles. */
function jsonValue(text: string): CelInput {
  const exact = function (_key: string, value: unknown, context?: { readonly source?: string }): unknown {
    if (typeof value !== "number") return value;
    const { source = "" } = context ?? {};
    if (!/^-?\d{1,19}$/.test(source)) return value;
    const whole = BigInt(source);
    return BigInt.asIntN(64, whole) === whole ? whole : value;
  };
  return jsonInput(JSON.parse(text, exact));
}

function jsonInput(value: unknown): CelInput {
  if (Array.isArray(value)) return listOf(value.length, (i) => jsonInput(value[i]));
  if (typeof value === "object" && value !== null)
    return library.cel().celMap(new Map(Object.entries(value).map(([key, each]) => [key, jsonInput(each)])));
  return value as CelInput;
}

function listOf(length: number, at: (i: number) => CelInput): CelInput {
  if (length > celLimits.listItems)
    throw new RangeError(`a list has ${length} items; expressions look at lists of at most ${celLimits.listItems}`);
  return library.cel().celList(Array.from({ length }, (_, i) => at(i)));
}

/** A cell as a value of CEL; null where it has none. Throws RangeError for lists that are too long to judge in bounded time. */
export function celValue(column: Column, cell: number): CelInput {
  if (column.state[cell] !== Cell.value) return null;
  switch (column.kind) {
    case "boolean":
      return column.values[cell] === 1;
    case "float":
    case "decimal":
      return column.values[cell] as number;
    case "integer":
      return integerValue(column.field.type, column.exact[cell] as bigint);
    case "bytes": {
      const start = column.starts[cell] as number;
      const end = start + (column.lengths[cell] as number);
      if (column.field.type.kind === "uuid") return uuidText(column.bytes, start);
      if (column.field.type.kind === "binary") return column.bytes.slice(start, end);
      const text = spanText(column.bytes, start, end);
      return column.field.type.kind === "json" ? jsonValue(text) : text;
    }
    case "struct":
      return library.cel().celMap(new Map(column.children.map((child) => [child.field.name, celValue(child, cell)])));
    default: {
      const from = column.offsets[cell] as number;
      const length = (column.offsets[cell + 1] as number) - from;
      const { keys, element } = column;
      if (keys === null) return listOf(length, (i) => celValue(element, from + i));
      if (length > celLimits.listItems)
        throw new RangeError(`a map has ${length} entries; expressions look at maps of at most ${celLimits.listItems}`);
      return library
        .cel()
        .celMap(new Map(Array.from({ length }, (_, i) => [celValue(keys, from + i) as string, celValue(element, from + i)])));
    }
  }
}

function integerValue(type: FieldType, value: bigint): CelInput {
  if (type.kind === "date") return timestampOf(value * nanosPerDay);
  if (type.kind === "timestamp") return timestampOf(type.unit === "nanos" ? value : value * 1000n);
  if (type.kind === "time")
    return library
      .protobuf()
      .create(library.protobufTypes().DurationSchema, { seconds: value / 1_000_000n, nanos: Number(value % 1_000_000n) * 1000 });
  return value;
}
