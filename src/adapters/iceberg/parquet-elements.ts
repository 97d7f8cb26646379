import type { SchemaElement } from "hyparquet";
import type { IcebergField, IcebergSchema, IcebergType } from "../../core/table-schema.ts";

/** Iceberg primitives as Parquet stores them (spec, appendix A), as far as Sluice's own tables use them. */
const primitives: Readonly<Record<string, Partial<SchemaElement>>> = {
  int: { type: "INT32" },
  long: { type: "INT64" },
  string: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  binary: { type: "BYTE_ARRAY" },
  timestamptz: {
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
  },
};

/** A table's schema as Parquet's flat list of elements, with field ids; throws on types that only data files have. */
export function parquetElements(schema: IcebergSchema): SchemaElement[] {
  return [{ name: "table", num_children: schema.fields.length }, ...schema.fields.flatMap(elementsOf)];
}

function elementsOf(field: IcebergField): SchemaElement[] {
  const { type } = field;
  const base = { name: field.name, field_id: field.id, repetition_type: field.required ? ("REQUIRED" as const) : ("OPTIONAL" as const) };
  if (typeof type === "string") {
    const primitive = primitives[type];
    if (primitive === undefined) throw new Error(`a ${type} is not written here`);
    return [{ ...base, ...primitive }];
  }
  if (type.type === "struct") return [{ ...base, num_children: type.fields.length }, ...type.fields.flatMap(elementsOf)];
  if (type.type === "list") {
    const element = { id: type["element-id"], name: "element", required: type["element-required"], type: type.element };
    const group: SchemaElement = { name: "list", repetition_type: "REPEATED", num_children: 1 };
    return [{ ...base, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } }, group, ...elementsOf(element)];
  }
  throw new Error("a map is not written here");
}

/** Field ids of the leaves by their dotted path in the Parquet file. */
export function leafIds(schema: IcebergSchema): Map<string, number> {
  const ids = new Map<string, number>();
  const walk = (type: IcebergType, id: number, path: string): void => {
    if (typeof type === "string") ids.set(path, id);
    else if (type.type === "struct")
      for (const field of type.fields) walk(field.type, field.id, path === "" ? field.name : `${path}.${field.name}`);
    else if (type.type === "list") walk(type.element, type["element-id"], `${path}.list.element`);
    else throw new Error("a map is not written here");
  };
  walk(schema, -1, "");
  return ids;
}
