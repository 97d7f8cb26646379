import type { Contract } from "../core/contract.ts";
import type { IcebergField, IcebergSchema } from "../core/table-schema.ts";

/**
 * Field ids of the columns that get bloom filters: those that a contract holds to be unique, alone or together (`primaryKey`, `unique`, duplicate rules).
 * They are what rows are looked up by, they have many values, and where those are in no order, no bounds help to skip row groups.
 */
export function keyFieldIds(contract: Contract, schema: IcebergSchema): ReadonlySet<number> {
  const paths = contract.rules.flatMap(({ check }) => (check.family === "duplicate" ? check.columns : []));
  const ids = paths.map((path) => fieldId(schema.fields, path));
  return new Set(ids.filter((id) => id !== null));
}

/** The field at a path through structs; null where there is none. */
function fieldId(fields: readonly IcebergField[], path: string): number | null {
  for (const { id, name, type } of fields) {
    if (name === path) return id;
    if (typeof type === "object" && type.type === "struct" && path.startsWith(`${name}.`))
      return fieldId(type.fields, path.slice(name.length + 1));
  }
  return null;
}
