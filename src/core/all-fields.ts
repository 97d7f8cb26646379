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
