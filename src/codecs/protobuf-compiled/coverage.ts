import type { Field } from "../../core/schema.ts";
import type { ProtoPlan, ProtoRead, ProtoTable } from "../protobuf/proto-plan.ts";
import { takesText } from "../wire/takes-text.ts";

/** Enum numbers from 0 that stand in a table. */
export const enumTableMax = 1024;
/** Fields of one message that are told apart by bits. */
const fieldsMax = 2000;

/** Why a plan is not compiled: something in most records that only the interpreter does; null: it is. */
export function uncovered(plan: ProtoPlan): string | null {
  return tableGap(plan.table, plan.fields);
}

function tableGap(table: ProtoTable, fields: readonly Field[]): string | null {
  if (table.slots.length > fieldsMax) return `${table.message.name} has more than ${fieldsMax} fields`;
  for (const slot of table.slots) {
    if (slot.column < 0) continue;
    const field = fields[slot.column] as Field;
    if (slot.into === "json") return `${field.path} takes Protobuf data as JSON`;
    const gap = slot.into === "mismatch" ? null : readGap(slot.read, innerField(field));
    if (gap !== null) return gap;
  }
  return null;
}

/** The field of a list's or map's elements; else the field itself. */
export function innerField(field: Field): Field {
  const { type } = field;
  return type.kind === "list" ? type.element : type.kind === "map" ? type.value : field;
}

function readGap(read: ProtoRead, field: Field): string | null {
  const { type } = field;
  switch (read.kind) {
    case "json":
      return `${field.path} takes Protobuf data as JSON`;
    case "duration":
      return `${field.path} is a Duration`;
    case "scalar":
    case "wrapper":
      return read.scalar === "string" && !takesText(field) ? `${field.path} is read from text by a format of its own` : null;
    case "struct":
      return type.kind === "struct" ? tableGap(read.table, type.fields) : null;
    default:
      return null;
  }
}
