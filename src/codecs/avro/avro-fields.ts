import type { AvroSchema } from "../../core/avro/avro-schema.ts";
import { jsonTypes } from "../../core/profile.ts";
import type { Field } from "../../core/schema.ts";
import type { WrittenField } from "../../core/written-fields.ts";
import { cutName, memberPath } from "../member-path.ts";

type JsonType = (typeof jsonTypes)[number];

/** The fields that a schema's records have, below those that the contract describes; of records that a union chooses among, those of all. */
export function avroFields(schema: AvroSchema, fields: readonly Field[]): readonly WrittenField[] {
  const found = new Map<string, number>();
  walkRecords(schema, fields, "", found);
  return Array.from(found, ([path, type]) => ({ path, type }));
}

function walkRecords(schema: AvroSchema, fields: readonly Field[], prefix: string, found: Map<string, number>): void {
  if (schema.type === "union") for (const branch of schema.branches) walkRecords(branch, fields, prefix, found);
  if (schema.type !== "record") return;
  for (const { name, schema: value } of schema.fields) {
    const path = memberPath(prefix, cutName(name));
    found.set(path, Math.max(found.get(path) ?? 0, typeOf(value)));
    // The contract's structs end somewhere, though a schema can contain itself.
    const column = fields.find(({ sourceName }) => sourceName === name);
    if (column !== undefined) walkBelow(value, column, path, found);
  }
}

function walkBelow(schema: AvroSchema, { type }: Field, path: string, found: Map<string, number>): void {
  if (type.kind === "struct") walkRecords(schema, type.fields, path, found);
  if (type.kind !== "list") return;
  for (const branch of schema.type === "union" ? schema.branches : [schema])
    if (branch.type === "array") walkBelow(branch.items, type.element, `${path}[]`, found);
}

function typeOf(schema: AvroSchema): number {
  return schema.type === "union" ? Math.max(0, ...schema.branches.map(typeOf)) : jsonTypes.indexOf(nameOf(schema));
}

function nameOf(schema: Exclude<AvroSchema, { readonly type: "union" }>): JsonType {
  switch (schema.type) {
    case "null":
    case "boolean":
    case "array":
      return schema.type;
    case "int":
    case "long":
    case "float":
    case "double":
      return "number";
    case "record":
    case "map":
      return "object";
    case "bytes":
    case "fixed":
      return schema.logical?.kind === "decimal" ? "number" : "string";
    default:
      return "string";
  }
}
