import type { Diagnostic, SourceLocation } from "../../core/errors.ts";
import { decimalOf, icebergPrimitive } from "../../core/iceberg-type.ts";
import type { FieldType } from "../../core/schema.ts";
import type { ColumnPast } from "../../core/table-plan.ts";
import type { IcebergField, IcebergType } from "../../core/table-schema.ts";

/** A column as a table is to have it. */
export interface WantedColumn {
  readonly name: string;
  /** A contract's path of it; its name for Sluice's own. */
  readonly path: string;
  readonly type: FieldType;
  readonly required: boolean;
  readonly doc: string | null;
}

/** What is known of the table that a schema evolves in. */
export interface TableBefore {
  /** Ids of the fields that the contract before named, which it may drop; others are another program's, and stay. */
  readonly contractIds: ReadonlySet<number>;
  /** Ids of fields that files are partitioned or sorted by: they can't be dropped as long as the table has those layouts. */
  readonly layoutIds: ReadonlySet<number>;
  readonly hasRows: boolean;
}

/** One difference between a table and what a contract makes of it. */
export interface SchemaChange {
  readonly kind: "add" | "drop" | "keep" | "rename" | "widen" | "optional" | "move";
  readonly path: string;
  /** In words. */
  readonly message: string;
  readonly location: SourceLocation;
}

/** Evolves the fields of one table: gives ids, and collects what changes and what can't. */
export class SchemaEvolution {
  readonly changes: SchemaChange[] = [];
  readonly faults: Diagnostic[] = [];
  /** Ids of the fields that the contract names now. */
  readonly namedIds: number[] = [];
  lastColumnId: number;
  readonly #file: string;
  readonly #pasts: ReadonlyMap<string, ColumnPast>;
  readonly #before: TableBefore;

  constructor(
    lastColumnId: number,
    before: TableBefore,
    past: { readonly file: string; readonly columns: ReadonlyMap<string, ColumnPast> },
  ) {
    this.lastColumnId = lastColumnId;
    this.#before = before;
    this.#file = past.file;
    this.#pasts = past.columns;
  }

  /** The fields of a struct; `old`: as they are in the table, null for a struct that is new. */
  fields(columns: readonly WantedColumn[], old: readonly IcebergField[] | null): IcebergField[] {
    const known = new Map((old ?? []).map((field) => [field.name, field]));
    const wanted = new Set(columns.map((column) => column.name));
    const taken = new Set<IcebergField>();
    const merged: IcebergField[] = [];
    for (const column of columns) {
      const past = old === null ? null : this.#pastOf(column, known, wanted);
      if (past !== null) taken.add(past);
      if (merged.some((field) => field.name === column.name))
        this.#refuse(column.path, "name-repeated", `column ${column.path} is named twice`);
      merged.push(this.#field(column, past, old !== null));
    }
    if (old === null) return merged;
    const left = old.filter((field) => !taken.has(field));
    this.#noteOrder(columns, merged, old);
    return [...merged, ...left.flatMap((field) => this.#leave(field, columns))];
  }

  /** The table's field that holds a column's values so far; null where the column is new. */
  #pastOf(column: WantedColumn, known: ReadonlyMap<string, IcebergField>, wanted: ReadonlySet<string>): IcebergField | null {
    const own = known.get(column.name) ?? null;
    const names = this.#pasts.get(column.path)?.previousNames ?? [];
    const previous = names.find((name) => known.has(name)) ?? null;
    if (previous === null) {
      if (own === null && names.length > 0) this.#checkLostName(column, names, known, wanted);
      return own;
    }
    if (own === null && wanted.has(previous)) {
      const message = `column ${column.path} is to be what ${previous} was, and the contract has a column ${previous} too`;
      this.#refuse(column.path, "rename-ambiguous", message, "rename in one version, and add a column of the old name in a later one");
      return null;
    }
    if (own !== null && !wanted.has(previous)) {
      const message = `the table has both ${column.path} and ${previous}, its previous name: it can't be told whose values to keep`;
      if (this.#before.contractIds.has((known.get(previous) as IcebergField).id)) {
        this.#refuse(column.path, "rename-ambiguous", message, "leave previousName out to drop the old column");
      }
      return own;
    }
    if (own !== null) return own;
    this.#change("rename", column.path, `${previous} becomes ${column.path}, with its values`);
    return known.get(previous) as IcebergField;
  }

  /** A previous name that the table does not have is no fault by itself: the column may have come and been renamed between two versions. */
  #checkLostName(
    column: WantedColumn,
    names: readonly string[],
    known: ReadonlyMap<string, IcebergField>,
    wanted: ReadonlySet<string>,
  ): void {
    const moved = names.find((name) => name.includes("."));
    if (moved !== undefined) {
      const message = `column ${column.path} can't take over the values of ${moved}: a column does not move from one object to another`;
      this.#refuse(column.path, "column-moved", message, "without previousName it is a new column, and the old one is dropped");
      return;
    }
    const dropped = [...known.values()].find((field) => this.#before.contractIds.has(field.id) && !wanted.has(field.name));
    if (dropped === undefined) return;
    const message = `the table has no column ${names.join(" or ")} that ${column.path} could have been, and ${dropped.name} would be dropped`;
    this.#refuse(column.path, "previous-name-unknown", message, `did it mean ${dropped.name}?`);
  }

  #field(column: WantedColumn, past: IcebergField | null, isGrown: boolean): IcebergField {
    const id = past?.id ?? ++this.lastColumnId;
    this.namedIds.push(id);
    const value = this.#pasts.get(column.path)?.default ?? null;
    const required = column.required && (past === null ? !isGrown || value !== null : past.required);
    if (past === null && isGrown) this.#noteAdded(column);
    if (past?.required === true && !column.required) this.#change("optional", column.path, `${column.path} is no longer required`);
    const type = this.#type(column.type, past?.type ?? null, column.path);
    // What earlier rows have does not change, whoever said it.
    const kept: Partial<IcebergField> & { readonly id: number } = past ?? {
      id,
      ...(value !== null && isGrown && { "initial-default": value }),
    };
    const { doc: _doc, ...rest } = kept;
    const defaults = value === null ? {} : { "write-default": value };
    return { ...rest, name: column.name, required, type, ...(column.doc === null ? {} : { doc: column.doc }), ...defaults };
  }

  #noteAdded(column: WantedColumn): void {
    const value = this.#pasts.get(column.path)?.default ?? null;
    if (
      column.required &&
      this.#before.hasRows &&
      !column.path.startsWith("_sluice_") &&
      value === null &&
      this.#pasts.get(column.path)?.earlierEmpty !== true
    ) {
      const message = `column ${column.path} is new and required, and the table has rows without it`;
      const hint =
        "`earlierRows: empty` in its custom property sluice lets those rows be without it; the table keeps it optional, and the contract requires it of new rows. In format version 3 `default` gives them a value";
      this.#refuse(column.path, "column-required", message, hint);
    }
    this.#change(
      "add",
      column.path,
      `${column.path} is added; earlier rows ${value === null ? "are null" : `have ${JSON.stringify(String(value))}`}`,
    );
  }

  #type(type: FieldType, old: IcebergType | null, path: string): IcebergType {
    if (type.kind === "struct") {
      const before = this.#structured(old, "struct", path);
      return { type: "struct", fields: this.fields(type.fields, before?.type === "struct" ? before.fields : null) };
    }
    if (type.kind === "list") {
      const before = this.#structured(old, "list", path);
      const past = before?.type === "list" ? before : null;
      const id = past?.["element-id"] ?? ++this.lastColumnId;
      const element = this.#type(type.element.type, past?.element ?? null, type.element.path);
      return { type: "list", "element-id": id, element, "element-required": type.element.required && (past?.["element-required"] ?? true) };
    }
    if (type.kind === "map") {
      const before = this.#structured(old, "map", path);
      const past = before?.type === "map" ? before : null;
      const keyId = past?.["key-id"] ?? ++this.lastColumnId;
      const valueId = past?.["value-id"] ?? ++this.lastColumnId;
      const value = this.#type(type.value.type, past?.value ?? null, type.value.path);
      const required = type.value.required && (past?.["value-required"] ?? true);
      return { type: "map", "key-id": keyId, key: "string", "value-id": valueId, value, "value-required": required };
    }
    const next = icebergPrimitive(type);
    if (old === null || old === next) return next;
    if (typeof old === "string" && promotes(old, next)) {
      this.#change("widen", path, `${path} becomes ${next}, from ${old}`);
      return next;
    }
    this.#refuseType(path, old, next);
    return next;
  }

  #structured(old: IcebergType | null, kind: "struct" | "list" | "map", path: string): Exclude<IcebergType, string> | null {
    if (old === null) return null;
    if (typeof old !== "string" && old.type === kind) return old;
    this.#refuseType(path, old, kind);
    return null;
  }

  /** A field of the table that no column is any more. */
  #leave(field: IcebergField, columns: readonly WantedColumn[]): IcebergField[] {
    const { contractIds, layoutIds } = this.#before;
    const first = columns[0]?.path ?? "";
    const path = `${first.slice(0, Math.max(0, first.lastIndexOf(".") + 1))}${field.name}`;
    const optional = { ...field, required: false };
    if (!contractIds.has(field.id)) return [optional];
    if (idsIn(field).some((id) => layoutIds.has(id))) {
      this.#change("keep", path, `${path} stays, without values in new rows: files of the table are partitioned or sorted by it`);
      return [optional];
    }
    this.#change("drop", path, `${path} is dropped: earlier snapshots still show it`);
    return [];
  }

  #noteOrder(columns: readonly WantedColumn[], merged: readonly IcebergField[], old: readonly IcebergField[]): void {
    const places = new Map(old.map((field, place) => [field.id, place]));
    let last = -1;
    merged.forEach((field, i) => {
      const place = places.get(field.id);
      if (place === undefined) return;
      const column = columns[i] as WantedColumn;
      if (place < last && !column.path.startsWith("_sluice_")) this.#change("move", column.path, `${column.path} moves to another place`);
      last = Math.max(last, place);
    });
  }

  #change(kind: SchemaChange["kind"], path: string, message: string): void {
    this.changes.push({ kind, path, message, location: this.#placeOf(path) });
  }

  #refuseType(path: string, from: IcebergType, to: string): void {
    const was = typeof from === "string" ? from : from.type;
    const hint = "add a column of another name; int may become long, float double, and decimals more precise";
    this.#refuse(path, "type-changed", `column ${path} is ${was} in the table, and can't become ${to}`, hint);
  }

  #refuse(path: string, code: string, message: string, hint: string | null = null): void {
    this.faults.push({ severity: "error", code, message, location: this.#placeOf(path), hint });
  }

  #placeOf(path: string): SourceLocation {
    return this.#pasts.get(path)?.location ?? { file: this.#file, line: 1, column: 1 };
  }
}

/** Type promotions of Iceberg's specification ("Schema Evolution"): values that are already written stay readable. */
export function promotes(from: string, to: string): boolean {
  if (from === "int") return to === "long";
  if (from === "float") return to === "double";
  const old = decimalOf(from);
  const next = decimalOf(to);
  return old !== null && next !== null && old.scale === next.scale && old.precision <= next.precision;
}

function idsIn({ id, type }: IcebergField): number[] {
  return typeof type === "object" && type.type === "struct" ? [id, ...type.fields.flatMap(idsIn)] : [id];
}
