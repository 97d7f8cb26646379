import type { Column } from "../core/column.ts";
import { decimalOf } from "../core/iceberg-type.ts";
import type { Field, FieldType } from "../core/schema.ts";
import type { IcebergField, IcebergSchema, IcebergType } from "../core/table-schema.ts";

const scalars: Readonly<Record<string, FieldType>> = {
  boolean: { kind: "boolean" },
  int: { kind: "int" },
  long: { kind: "long" },
  float: { kind: "float" },
  double: { kind: "double" },
  date: { kind: "date" },
  timestamp: { kind: "timestamp", zoned: false, unit: "micros" },
  timestamptz: { kind: "timestamp", zoned: true, unit: "micros" },
  timestamp_ns: { kind: "timestamp", zoned: false, unit: "nanos" },
  timestamptz_ns: { kind: "timestamp", zoned: true, unit: "nanos" },
  string: { kind: "string" },
  binary: { kind: "binary" },
  uuid: { kind: "uuid" },
};

/** The type of a column that holds an Iceberg primitive as the table stores it. Throws Error for primitives that Sluice does not write. */
export function scalarType(type: string): FieldType {
  const decimal = decimalOf(type);
  const found = decimal === null ? scalars[type] : ({ kind: "decimal", ...decimal } as const);
  if (found === undefined) throw new Error(`Sluice does not write the type ${type}`);
  return found;
}

function fieldOf(name: string, path: string, required: boolean, type: FieldType): Field {
  return { name, sourceName: name, path, type, required, doc: null, classification: null, format: null };
}

const none = { length: 0, state: new Uint8Array(0) } as const;

/** A column without rows that holds values of a type; flat where the type is. */
function columnOf(name: string, above: string, required: boolean, type: IcebergType): Column {
  const path = above === "" ? name : `${above}.${name}`;
  if (typeof type === "string") return emptyScalar(fieldOf(name, path, required, scalarType(type)));
  if (type.type === "struct") {
    const children = type.fields.map((field) => columnOf(field.name, path, field.required, field.type));
    const fields = children.map((child) => child.field);
    return { ...none, kind: "struct", field: fieldOf(name, path, required, { kind: "struct", fields }), children };
  }
  const offsets = new Int32Array(1);
  if (type.type === "list") {
    const element = columnOf("element", path, type["element-required"], type.element);
    return {
      ...none,
      kind: "list",
      field: fieldOf(name, path, required, { kind: "list", element: element.field }),
      offsets,
      keys: null,
      element,
    };
  }
  const keys = columnOf("key", path, true, type.key);
  if (keys.kind !== "bytes") throw new Error(`Sluice does not write maps by ${JSON.stringify(type.key)}`);
  const element = columnOf("value", path, type["value-required"], type.value);
  return { ...none, kind: "list", field: fieldOf(name, path, required, { kind: "map", value: element.field }), offsets, keys, element };
}

/** A flat column of a scalar field, without rows. */
export function emptyScalar(field: Field): Column {
  switch (field.type.kind) {
    case "boolean":
      return { ...none, kind: "boolean", field, values: new Uint8Array(0) };
    case "float":
    case "double":
      return { ...none, kind: "float", field, values: new Float64Array(0) };
    case "decimal":
      return { ...none, kind: "decimal", field, unscaled: new Uint32Array(0), values: new Float64Array(0) };
    case "string":
    case "binary":
    case "uuid":
      return { ...none, kind: "bytes", field, bytes: new Uint8Array(0), starts: new Uint32Array(0), lengths: new Uint32Array(0) };
    default:
      return { ...none, kind: "integer", field, exact: new BigInt64Array(0), values: new Float64Array(0) };
  }
}

/** Columns without rows for every field of a table: what a file of all its columns is laid out by. Throws Error for types that Sluice does not write. */
export function schemaColumns(schema: IcebergSchema): Column[] {
  return schema.fields.map((field: IcebergField) => columnOf(field.name, "", field.required, field.type));
}
