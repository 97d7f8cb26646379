import type { ColumnProfile } from "./profile.ts";
import type { Field } from "./schema.ts";

/** What a leaf field's profile is of. */
export function columnKind(field: Field): ColumnProfile["kind"] {
  switch (field.type.kind) {
    case "boolean":
    case "binary":
    case "uuid":
    case "json":
      return field.type.kind;
    case "string":
      return "text";
    case "date":
    case "time":
    case "timestamp":
      return "time";
    default:
      return "number";
  }
}
