import type { FieldType } from "./schema.ts";

/** The Iceberg primitive that a scalar type is stored as. Throws for structs, lists and maps. */
export function icebergPrimitive(type: FieldType): string {
  switch (type.kind) {
    case "decimal":
      return `decimal(${type.precision}, ${type.scale})`;
    case "timestamp":
      return `${type.zoned ? "timestamptz" : "timestamp"}${type.unit === "nanos" ? "_ns" : ""}`;
    case "time":
    case "json":
      return "string";
    case "struct":
    case "list":
    case "map":
      throw new Error(`${type.kind} is not a primitive type`);
    default:
      return type.kind;
  }
}

/** Precision and scale of `decimal(p, s)`; null for other types. */
export function decimalOf(type: string): { readonly precision: number; readonly scale: number } | null {
  const match = /^decimal\((\d+),\s*(\d+)\)$/.exec(type);
  return match === null ? null : { precision: Number(match[1]), scale: Number(match[2]) };
}
