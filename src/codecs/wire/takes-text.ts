import type { Field } from "../../core/schema.ts";

/** Whether compiled code reads text into a column: all but the texts of dates and times in a format of the contract's own. */
export function takesText({ type, format }: Field): boolean {
  switch (type.kind) {
    case "string":
    case "binary":
    case "uuid":
      return true;
    case "date":
    case "time":
    case "timestamp":
      return format === null;
    default:
      return false;
  }
}
