import type { Field } from "../../core/schema.ts";
import type { AvroPlan, AvroRead } from "../avro/avro-plan.ts";
import { takesText } from "../wire/takes-text.ts";

/** Union branches and enum symbols whose index takes one byte. */
const indexMax = 64;

/** Why a plan is not compiled: something in every record that only the interpreter does; null: it is. */
export function uncovered(plan: AvroPlan): string | null {
  if (plan.unknownFields !== "ignore" && plan.hasUnknown)
    return "the writer has fields that the contract doesn't name, and they are kept or rejected";
  if (plan.root.kind !== "struct") return "records are a union";
  return structGap(plan.root, plan.fields);
}

function structGap(read: AvroRead & { readonly kind: "struct" }, fields: readonly Field[]): string | null {
  for (const step of read.steps) {
    const gap = step.column < 0 ? null : readGap((step as { read: AvroRead }).read, fields[step.column] as Field);
    if (gap !== null) return gap;
  }
  return null;
}

function readGap(read: AvroRead, field: Field): string | null {
  const { type } = field;
  switch (read.kind) {
    case "null":
      return null;
    case "json":
      return `${field.path} takes Avro data as JSON`;
    case "invalid":
      return `${field.path} can't take what is written`;
    case "union": {
      if (read.branches.length > indexMax) return `${field.path} is a union of more than ${indexMax} types`;
      // A branch that is not compiled gives up the records that take it; some other must be.
      const gaps = read.branches.filter((branch) => branch.kind !== "null").map((branch) => readGap(branch, field));
      return gaps.length > 0 && gaps.every((gap) => gap !== null) ? (gaps[0] as string) : null;
    }
    case "struct":
      return type.kind === "struct" ? structGap(read, type.fields) : null;
    case "list":
      return type.kind === "list" ? readGap(read.items, type.element) : null;
    case "map":
      return type.kind === "map" ? readGap(read.values, type.value) : null;
    case "cell":
      return leafGap(read, field);
  }
}

/** Whether a branch of a union is emitted; else records that take it are given up. */
export function isCovered(read: AvroRead, field: Field): boolean {
  return readGap(read, field) === null;
}

function leafGap(read: AvroRead & { readonly kind: "cell" }, field: Field): string | null {
  const { type } = field;
  switch (read.as) {
    case "text":
      return takesText(field) ? null : `${field.path} is read from text by a format of its own`;
    case "single":
      return type.kind === "float" || type.kind === "double" ? null : `${field.path} is a float`;
    case "symbol":
      return (read.symbols?.length ?? 0) > indexMax ? `${field.path} has more than ${indexMax} symbols` : null;
    case "decimal":
      if (type.kind === "decimal") return type.scale < read.scale || type.scale > 22 ? `${field.path} has another scale` : null;
      return type.kind === "double" ? null : `${field.path} is a decimal`;
    default:
      return null;
  }
}
