import { icebergPrimitive } from "../../core/iceberg-type.ts";
import type { Field, FieldType } from "../../core/schema.ts";
import type { IcebergField, IcebergType } from "../../core/table-schema.ts";
import { promotes } from "./schema-evolution.ts";

/** A column that a table has in another type than a contract. */
export interface Misfit {
  /** The contract's path of it. */
  readonly path: string;
  readonly stored: string;
  readonly wanted: string;
}

/** Columns whose values a table's readers would take for others if they were written in the types of these fields; ones that the table lacks are left out. */
export function misfits(fields: readonly Field[], stored: readonly IcebergField[]): readonly Misfit[] {
  return fields.flatMap((field) => {
    const past = stored.find(({ name }) => name === field.name);
    return past === undefined ? [] : misfitsOf(field.type, past.type, field.path);
  });
}

function misfitsOf(type: FieldType, stored: IcebergType, path: string): readonly Misfit[] {
  const nested = typeof stored === "object" ? stored : null;
  if (type.kind === "struct" && nested?.type === "struct") return misfits(type.fields, nested.fields);
  if (type.kind === "list" && nested?.type === "list") return misfitsOf(type.element.type, nested.element, type.element.path);
  if (type.kind === "map" && nested?.type === "map") return misfitsOf(type.value.type, nested.value, type.value.path);
  const wanted = type.kind === "struct" || type.kind === "list" || type.kind === "map" ? type.kind : icebergPrimitive(type);
  // What a reader promotes anyway is no other value.
  if (typeof stored === "string" && (stored === wanted || promotes(wanted, stored))) return [];
  return [{ path, stored: nested?.type ?? (stored as string), wanted }];
}
