import type { IcebergField, IcebergSchema, IcebergType } from "./table-schema.ts";

/** One difference of two schemas, of the field with this id. Paths have `.` between names, `[]` for a list's elements, `{}` for a map's values. */
export interface SchemaChange {
  readonly fieldId: number;
  readonly path: string;
  readonly change: "added" | "dropped" | "renamed" | "retyped" | "required" | "optional" | "moved";
  /** What it was and is: of a renaming the path, of a retyping the type, of a move the field before it. Null: nothing. */
  readonly from: string | null;
  readonly to: string | null;
}

interface Placed {
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly parent: number;
}

function nameOf(type: IcebergType): string {
  return typeof type === "string" ? type : type.type;
}

function place(into: Map<number, Placed>, parent: number, path: string, id: number, type: IcebergType, required: boolean): void {
  into.set(id, { path, type: nameOf(type), required, parent });
  if (typeof type === "string") return;
  if (type.type === "struct") placeAll(into, id, `${path}.`, type.fields);
  else if (type.type === "list") place(into, id, `${path}[]`, type["element-id"], type.element, type["element-required"]);
  else {
    place(into, id, `${path}{key}`, type["key-id"], type.key, true);
    place(into, id, `${path}{}`, type["value-id"], type.value, type["value-required"]);
  }
}

function placeAll(into: Map<number, Placed>, parent: number, prefix: string, fields: readonly IcebergField[]): void {
  for (const { id, name, type, required } of fields) place(into, parent, `${prefix}${name}`, id, type, required);
}

function fieldsOf(schema: IcebergSchema): Map<number, Placed> {
  const fields = new Map<number, Placed>();
  placeAll(fields, -1, "", schema.fields);
  return fields;
}

/** The sibling that stands before each field, among those that both schemas have. */
function neighbours(fields: ReadonlyMap<number, Placed>, both: ReadonlySet<number>): Map<number, number | null> {
  const before = new Map<number, number | null>();
  const last = new Map<number, number>();
  for (const [id, { parent }] of fields) {
    if (!both.has(id)) continue;
    before.set(id, last.get(parent) ?? null);
    last.set(parent, id);
  }
  return before;
}

/** What became of each field between two schemas, by field id: that is how readers match columns, so a renamed column is not one dropped and one added. */
export function diffSchemas(a: IcebergSchema, b: IcebergSchema): readonly SchemaChange[] {
  const [before, after] = [fieldsOf(a), fieldsOf(b)];
  const both = new Set([...after.keys()].filter((id) => before.has(id)));
  const [orderA, orderB] = [neighbours(before, both), neighbours(after, both)];
  const changes: SchemaChange[] = [];
  for (const [fieldId, { path, type }] of before) {
    if (!after.has(fieldId)) changes.push({ fieldId, path, change: "dropped", from: type, to: null });
  }
  for (const [fieldId, now] of after) {
    const was = before.get(fieldId);
    const { path } = now;
    if (was === undefined) {
      changes.push({ fieldId, path, change: "added", from: null, to: now.type });
      continue;
    }
    if (was.path !== path) changes.push({ fieldId, path, change: "renamed", from: was.path, to: path });
    if (was.type !== now.type) changes.push({ fieldId, path, change: "retyped", from: was.type, to: now.type });
    if (was.required !== now.required)
      changes.push({ fieldId, path, change: now.required ? "required" : "optional", from: null, to: null });
    const [left, right] = [orderA.get(fieldId) ?? null, orderB.get(fieldId) ?? null];
    if (left === right) continue;
    const name = (id: number | null, fields: ReadonlyMap<number, Placed>): string | null =>
      id === null ? null : (fields.get(id)?.path ?? null);
    changes.push({ fieldId, path, change: "moved", from: name(left, before), to: name(right, after) });
  }
  return changes;
}
