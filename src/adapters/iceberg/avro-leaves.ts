import type { AvroField, AvroMap, AvroRecord, AvroRow, AvroSchema, AvroValue } from "./avro-schema.ts";
import type { PhysicalValue } from "./initial-default.ts";

/** Sees a value by the id of its field; `isRepeated`: it stands in a list or a map. */
export type LeafVisit = (id: number, value: PhysicalValue | null, isRepeated: boolean) => void;

/** What Iceberg says of a list or a map in Avro besides the types (spec, appendix A). */
interface Identified {
  readonly "element-id"?: number;
  readonly "value-id"?: number;
}

/** Visits the values of a row of an Avro file that Iceberg wrote, as Parquet has them: texts are their UTF-8. Absent structs are visited leaf by leaf. */
export function visitAvroLeaves(schema: AvroRecord, row: AvroRow, visit: LeafVisit): void {
  visitFields(schema, row, visit, false);
}

function visitFields({ fields }: AvroRecord, row: AvroRow | null, visit: LeafVisit, isRepeated: boolean): void {
  for (const field of fields) visitValue(field.type, idOf(field), row?.[field.name] ?? null, visit, isRepeated);
}

function idOf(field: AvroField): number {
  return field["field-id"] ?? -1;
}

function visitValue(schema: AvroSchema, id: number, value: AvroValue, visit: LeafVisit, isRepeated: boolean): void {
  if (Array.isArray(schema)) {
    const branches = (schema as readonly AvroSchema[]).filter((each) => each !== "null");
    // Iceberg has no other union than that of a type with null.
    if (branches.length === 1) visitValue(branches[0] as AvroSchema, id, value, visit, isRepeated);
    return;
  }
  const type = typeof schema === "string" ? schema : (schema as Exclude<AvroSchema, string | readonly AvroSchema[]>).type;
  if (type === "record") visitFields(schema as AvroRecord, value as AvroRow | null, visit, isRepeated);
  else if (type === "array") {
    const { items, "element-id": element = -1 } = schema as Identified & { readonly items: AvroSchema };
    const entries =
      value instanceof Map ? [...value].map(([key, each]) => ({ key, value: each })) : ((value ?? []) as readonly AvroValue[]);
    for (const each of entries) visitValue(items, element, each, visit, true);
  } else if (type === "map") {
    const { values, "value-id": inside = -1 } = schema as AvroMap & Identified;
    for (const each of Object.values((value ?? {}) as AvroRow)) visitValue(values, inside, each, visit, true);
  } else visit(id, typeof value === "string" ? Buffer.from(value) : (value as PhysicalValue | null), isRepeated);
}
