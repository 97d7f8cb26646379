import type { Contract } from "./contract.ts";
import { fieldTestNames } from "./drift.ts";
import type { Field } from "./schema.ts";

/** What stands for all fields of a record where a drift check names a column, and in profiles for the column that counts them. */
export const allFields: Field = {
  name: "*",
  sourceName: "*",
  path: "*",
  type: { kind: "json" },
  required: false,
  doc: null,
  classification: null,
  format: null,
};

const fieldTests: ReadonlySet<string> = new Set(fieldTestNames);

/** Whether a contract's drift watches which fields records have. */
export function watchesFields({ drift }: Pick<Contract, "drift">): boolean {
  return drift?.checks.some(({ tests }) => tests.some((test) => fieldTests.has(test))) ?? false;
}
