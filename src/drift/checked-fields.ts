import { allFields } from "../core/all-fields.ts";
import type { Contract } from "../core/contract.ts";
import type { Field } from "../core/schema.ts";
import { leafFields } from "../sketches/leaf-columns.ts";

/** What each check of a contract can be of, by what the check calls its column. */
export function checkedFields(contract: Contract): ReadonlyMap<string, Field> {
  return new Map([...leafFields(contract.fields), allFields].map((field) => [field.path, field]));
}
