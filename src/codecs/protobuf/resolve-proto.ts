import { InvalidCause } from "../../core/column.ts";
import type { ProtoField, ProtoMessage, ProtoScalar, ProtoType } from "../../core/protobuf/proto-schema.ts";
import type { Field } from "../../core/schema.ts";
import type { ProtoIssue, ProtoPlan, ProtoRead, ProtoSlot, ProtoTable } from "./proto-plan.ts";

export interface ProtoRequest {
  readonly message: ProtoMessage;
  readonly fields: readonly Field[];
  readonly unknownFields: ProtoPlan["unknownFields"];
  /** The field that is filled from the record's key, not from its value. */
  readonly keyField: string | null;
}

type Kind = Field["type"]["kind"];

const numbers: ReadonlySet<Kind> = new Set<Kind>(["int", "long", "float", "double", "decimal"]);
/** What text becomes. */
const texts: ReadonlySet<Kind> = new Set<Kind>(["string", "binary", "date", "time", "timestamp", "uuid"]);
const encoder = new TextEncoder();

/** The well-known wrappers (google/protobuf/wrappers.proto). */
export const wrappers: ReadonlySet<string> = new Set(
  ["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"].map((name) => `google.protobuf.${name}Value`),
);

/** Resolves a message to a contract's columns: by a field's name, else by its JSON name. Pure. Columns that can't be filled are named in `issues`. */
export function resolveProto(request: ProtoRequest): ProtoPlan {
  const issues: ProtoIssue[] = [];
  const columns = request.fields.map((field) => (field.name === request.keyField ? null : field));
  const table = tableOf(request.message, columns, issues);
  return { fields: request.fields, table, issues, unknownFields: request.unknownFields };
}

function tableOf(message: ProtoMessage, columns: readonly (Field | null)[], issues: ProtoIssue[]): ProtoTable {
  const columnOf = new Map<ProtoField, number>();
  for (const [column, field] of columns.entries()) {
    if (field === null) continue;
    const free = message.fields.filter((each) => !columnOf.has(each));
    const source = sourceOf(free, field);
    if (source !== undefined) columnOf.set(source, column);
    else
      issues.push({
        path: field.path,
        code: "missing",
        message: `${message.name} has no field ${field.sourceName}, so ${field.path} is missing`,
      });
  }
  const slots = message.fields.map((each): ProtoSlot => {
    const column = columnOf.get(each);
    if (column === undefined) return { column: -1, read: { kind: "json", type: each.type }, into: "json" };
    const field = columns[column] as Field;
    const slot = slotOf(each, field, issues);
    if (slot.into === "mismatch" || slot.read.kind === "invalid") {
      const cause = slot.read.kind === "invalid" && slot.read.cause === InvalidCause.offset ? ": an instant is no local time" : "";
      const message = `${field.path} is ${field.type.kind} in the contract and ${typeWords(each)} in Protobuf${cause}`;
      issues.push({ path: field.path, code: "type", message });
    }
    return { column, ...slot };
  });
  return { message, slots };
}

/** The field that fills a column: of its name, else of its JSON name. */
export function sourceOf(fields: readonly ProtoField[], { sourceName }: Field): ProtoField | undefined {
  return fields.find(({ name }) => name === sourceName) ?? fields.find(({ jsonName }) => jsonName === sourceName);
}

function typeWords({ shape, type }: ProtoField): string {
  const name = type.kind === "scalar" ? type.scalar : type.kind === "enum" ? `enum ${type.enum.name}` : `message ${type.message.name}`;
  return shape === "single" ? name : `a ${shape} of ${name}`;
}

function slotOf(source: ProtoField, field: Field, issues: ProtoIssue[]): Omit<ProtoSlot, "column"> {
  const { type } = field;
  if (type.kind === "json") return { read: { kind: "json", type: source.type }, into: "json" };
  if (type.kind === "list")
    return source.shape === "list" ? { read: readOf(source.type, type.element, issues), into: "list" } : mismatch(source);
  if (type.kind === "map")
    return source.shape === "map" ? { read: readOf(source.type, type.value, issues), into: "map" } : mismatch(source);
  return source.shape === "single" ? { read: readOf(source.type, field, issues), into: "single" } : mismatch(source);
}

function mismatch(source: ProtoField): Omit<ProtoSlot, "column"> {
  return { read: { kind: "invalid", type: source.type, cause: InvalidCause.type }, into: "mismatch" };
}

function readOf(type: ProtoType, field: Field, issues: ProtoIssue[]): ProtoRead {
  const invalid = (cause: number = InvalidCause.type): ProtoRead => ({ kind: "invalid", type, cause });
  const { kind } = field.type;
  if (kind === "json") return { kind: "json", type };
  if (type.kind === "scalar") return scalarFits(type.scalar, kind) ? { kind: "scalar", scalar: type.scalar } : invalid();
  if (type.kind === "enum") {
    // Of aliases the first name counts.
    const names = new Map<number, Uint8Array>();
    for (const { name, number } of type.enum.values) if (!names.has(number)) names.set(number, encoder.encode(name));
    return kind === "string" || kind === "int" || kind === "long" ? { kind: "enum", names } : invalid();
  }
  const { message } = type;
  if (message.name === "google.protobuf.Timestamp" && field.type.kind === "timestamp")
    return field.type.zoned ? { kind: "timestamp" } : invalid(InvalidCause.offset);
  if (message.name === "google.protobuf.Duration" && (kind === "string" || kind === "decimal" || kind === "double"))
    return { kind: "duration" };
  if (wrappers.has(message.name) && kind !== "struct") {
    const inner = message.fields[0]?.type;
    return inner?.kind === "scalar" && scalarFits(inner.scalar, kind) ? { kind: "wrapper", message, scalar: inner.scalar } : invalid();
  }
  return field.type.kind === "struct" ? { kind: "struct", table: tableOf(message, field.type.fields, issues) } : invalid();
}

/** Whether a scalar can become a cell of a kind at all. */
function scalarFits(scalar: ProtoScalar, kind: Kind): boolean {
  switch (scalar) {
    case "bool":
      return kind === "boolean";
    case "double":
    case "float":
      return kind === "double" || kind === "float";
    case "string":
      return texts.has(kind);
    case "bytes":
      return kind === "binary" || kind === "string" || kind === "uuid";
    default:
      return numbers.has(kind);
  }
}
