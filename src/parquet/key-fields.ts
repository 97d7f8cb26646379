import type { Contract } from "../core/contract.ts";
import type { IcebergSchema } from "../core/table-schema.ts";
import { fieldAt } from "../core/table-schema.ts";

/**
 * Field ids of the columns that get bloom filters: those that a contract holds to be unique, alone or together (`primaryKey`, `unique`, duplicate rules).
 * They are what rows are looked up by, they have many values, and where those are in no order, no bounds help to skip row groups.
 */
export function keyFieldIds(contract: Contract, schema: IcebergSchema): ReadonlySet<number> {
  const paths = contract.rules.flatMap(({ check }) => (check.family === "duplicate" ? check.columns : []));
  const ids = paths.map((path) => fieldAt(schema.fields, path)?.id ?? null);
  return new Set(ids.filter((id) => id !== null));
}
