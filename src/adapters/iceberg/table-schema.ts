import type { Contract } from "../../core/contract.ts";
import type { Field, FieldType } from "../../core/schema.ts";
import type { IcebergField, IcebergSchema, IcebergType } from "../../core/table-schema.ts";
import { sourceColumns } from "../../core/table-schema.ts";
import { SluiceError } from "../../core/errors.ts";

/** The column that keeps what the contract does not name, where its policy is `keep`: one JSON object's text, or null. */
export const unknownColumn = "_sluice_unknown";

/** A schema and the highest field id ever given in its table. */
export interface AssignedSchema {
  readonly schema: IcebergSchema;
  readonly lastColumnId: number;
}

interface Ids {
  last: number;
}

interface Column {
  readonly name: string;
  readonly type: FieldType;
  readonly required: boolean;
  readonly doc: string | null;
}

function primitive(type: FieldType): string {
  switch (type.kind) {
    case "decimal":
      return `decimal(${type.precision}, ${type.scale})`;
    case "timestamp":
      return type.zoned ? "timestamptz" : "timestamp";
    case "time":
    case "json":
      return "string";
    case "struct":
    case "list":
    case "map":
      throw new Error(`${type.kind} is not a primitive type`);
    default:
      return type.kind;
  }
}

/** Type promotions of Iceberg's specification ("Schema Evolution"): values that are already written stay readable. */
function promotes(from: string, to: string): boolean {
  if (from === to) return true;
  if (from === "int") return to === "long";
  if (from === "float") return to === "double";
  const decimal = /^decimal\((\d+),\s*(\d+)\)$/;
  const old = decimal.exec(from);
  const next = decimal.exec(to);
  return old !== null && next !== null && old[2] === next[2] && Number(old[1]) <= Number(next[1]);
}

function refuse(path: string, from: string, to: string): SluiceError {
  return new SluiceError("CONTRACT_INVALID", `column ${path} is ${from} in the table, and can't become ${to}`, {
    details: { column: path },
  });
}

function nameOf(type: IcebergType): string {
  return typeof type === "string" ? type : type.type;
}

function mergeType(type: FieldType, old: IcebergType | null, path: string, ids: Ids): IcebergType {
  if (type.kind === "struct") {
    if (old !== null && (typeof old === "string" || old.type !== "struct")) throw refuse(path, nameOf(old), "struct");
    return { type: "struct", fields: mergeFields(type.fields, old?.fields ?? null, path, ids) };
  }
  if (type.kind === "list") {
    if (old !== null && (typeof old === "string" || old.type !== "list")) throw refuse(path, nameOf(old), "list");
    const id = old?.["element-id"] ?? ++ids.last;
    const element = mergeType(type.element.type, old?.element ?? null, `${path}[]`, ids);
    return { type: "list", "element-id": id, element, "element-required": type.element.required && (old?.["element-required"] ?? true) };
  }
  if (type.kind === "map") {
    if (old !== null && (typeof old === "string" || old.type !== "map")) throw refuse(path, nameOf(old), "map");
    const keyId = old?.["key-id"] ?? ++ids.last;
    const valueId = old?.["value-id"] ?? ++ids.last;
    const value = mergeType(type.value.type, old?.value ?? null, `${path}{}`, ids);
    const required = type.value.required && (old?.["value-required"] ?? true);
    return { type: "map", "key-id": keyId, key: "string", "value-id": valueId, value, "value-required": required };
  }
  const next = primitive(type);
  if (old === null) return next;
  if (typeof old !== "string" || !promotes(old, next)) throw refuse(path, nameOf(old), next);
  return next;
}

/**
 * Fields by name: known ones keep their id, new ones get one and are optional where rows may exist already, and those that the contract no longer
 * names stay, optional, because files still hold them.
 */
function mergeFields(columns: readonly Column[], old: readonly IcebergField[] | null, prefix: string, ids: Ids): IcebergField[] {
  const known = new Map((old ?? []).map((field) => [field.name, field]));
  const named = new Set<string>();
  const merged = columns.map((column): IcebergField => {
    const path = prefix === "" ? column.name : `${prefix}.${column.name}`;
    if (named.has(column.name)) throw new SluiceError("CONTRACT_INVALID", `column ${path} is named twice`, { details: { column: path } });
    named.add(column.name);
    const before = known.get(column.name) ?? null;
    const id = before?.id ?? ++ids.last;
    const required = column.required && (before === null ? old === null : before.required);
    const type = mergeType(column.type, before?.type ?? null, path, ids);
    return { id, name: column.name, required, type, ...(column.doc === null ? {} : { doc: column.doc }) };
  });
  const gone = (old ?? []).filter((field) => !named.has(field.name)).map((field) => ({ ...field, required: false }));
  return [...merged, ...gone];
}

function laterColumns(contract: Contract): Column[] {
  const { unknownFields } = contract.policies;
  const column = (name: string, type: FieldType, required: boolean, doc: string): Column => ({ name, type, required, doc });
  return [
    ...(unknownFields === "keep"
      ? [column(unknownColumn, { kind: "json" }, false, "Fields that the contract does not name, as one JSON object.")]
      : []),
    column(sourceColumns.source, { kind: "string" }, true, "Id of the topic (or content hash of the file) that the record came from."),
    column(sourceColumns.partition, { kind: "int" }, true, "Partition of that topic."),
    column(sourceColumns.offset, { kind: "long" }, true, "Offset in that partition."),
    column(sourceColumns.timestamp, { kind: "timestamp", zoned: true }, false, "The record's own timestamp."),
  ];
}

/**
 * The promoted table's schema under a contract: its columns in order, then the column of unknown fields where the policy keeps them, then the source
 * columns. With `current`, the evolution of that schema: ids are kept by name, columns are added as optional, promoted by Iceberg's rules, or
 * loosened, and never dropped. Rejects with CONTRACT_INVALID, naming the column, what no reader of older files could follow.
 */
export function schemaOfContract(contract: Contract, current: AssignedSchema | null): AssignedSchema {
  const ids: Ids = { last: current?.lastColumnId ?? 0 };
  const fields: readonly Field[] = contract.fields;
  const merged = mergeFields([...fields, ...laterColumns(contract)], current?.schema.fields ?? null, "", ids);
  return { schema: { type: "struct", "schema-id": current?.schema["schema-id"] ?? 0, fields: merged }, lastColumnId: ids.last };
}
