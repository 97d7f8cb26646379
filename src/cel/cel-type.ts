import type { Field } from "../core/schema.ts";

/** What an expression can be, as far as it is known before any record is seen. Columns may besides be null. */
export type CelType =
  | { readonly kind: "bool" | "int" | "uint" | "double" | "string" | "bytes" | "null" | "timestamp" | "duration" | "type" | "dyn" }
  | { readonly kind: "list"; readonly of: CelType }
  | { readonly kind: "map"; readonly of: CelType }
  /** A struct, or the whole record: a map with known keys. */
  | { readonly kind: "record"; readonly fields: readonly Field[] };

export const dyn: CelType = { kind: "dyn" };

/** What a column is in expressions: decimals are doubles, dates are timestamps of their midnight in UTC, times of day are durations since midnight, UUIDs their text in lower case. */
export function celTypeOf(field: Field): CelType {
  const { type } = field;
  switch (type.kind) {
    case "boolean":
      return { kind: "bool" };
    case "int":
    case "long":
      return { kind: "int" };
    case "float":
    case "double":
    case "decimal":
      return { kind: "double" };
    case "date":
    case "timestamp":
      return { kind: "timestamp" };
    case "time":
      return { kind: "duration" };
    case "string":
    case "uuid":
      return { kind: "string" };
    case "binary":
      return { kind: "bytes" };
    case "struct":
      return { kind: "record", fields: type.fields };
    case "list":
      return { kind: "list", of: celTypeOf(type.element) };
    case "map":
      return { kind: "map", of: celTypeOf(type.value) };
    default:
      return dyn;
  }
}

const numbers = new Set(["int", "uint", "double"]);

/** Whether `==` may be true of values of these types; null may stand for any column. */
export function mayEqual(a: CelType, b: CelType): boolean {
  if (a.kind === "dyn" || b.kind === "dyn" || a.kind === "null" || b.kind === "null") return true;
  if (numbers.has(a.kind)) return numbers.has(b.kind);
  if (a.kind === "list" && b.kind === "list") return mayEqual(a.of, b.of);
  const keyed = (type: CelType): boolean => type.kind === "map" || type.kind === "record";
  return a.kind === b.kind || (keyed(a) && keyed(b));
}

/** A type in words: `a list of int`. */
export function celTypeWords(type: CelType): string {
  if (type.kind === "list") return `list of ${celTypeWords(type.of)}`;
  if (type.kind === "map") return `map to ${celTypeWords(type.of)}`;
  return type.kind === "dyn" ? "any value" : type.kind;
}
