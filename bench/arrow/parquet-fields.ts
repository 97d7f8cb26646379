import type { Column, ListColumn, StructColumn } from "../../src/core/column.ts";
import type { IcebergField } from "../../src/core/table-schema.ts";

/** A child column, the Iceberg field that it is stored as, and its index in the struct's children (list and map: 0). */
export interface ChildField {
  readonly field: IcebergField;
  readonly column: Column;
  readonly index: number;
}

/**
 * The children of a nested column with their Iceberg fields: by name in a struct (table fields that the contract no longer names are not in the
 * file), the element of a list, key and value of a map. Throws if the table's schema does not fit the column: `activate` has to see to that.
 */
export function fieldsOf(field: IcebergField, column: StructColumn | ListColumn): ChildField[] {
  const { type } = field;
  if (column.kind === "struct" && typeof type === "object" && type.type === "struct") {
    const indexes = new Map(column.children.map((child, index) => [child.field.name, index]));
    const children = type.fields.flatMap((child) => {
      const index = indexes.get(child.name);
      return index === undefined ? [] : [{ field: child, column: column.children[index] as Column, index }];
    });
    if (children.length === column.children.length) return children;
  }
  if (column.kind === "list" && typeof type === "object" && type.type === "list" && column.keys === null) {
    const element = { id: type["element-id"], name: "element", required: type["element-required"], type: type.element };
    return [{ field: element, column: column.element, index: 0 }];
  }
  if (column.kind === "list" && typeof type === "object" && type.type === "map" && column.keys !== null) {
    const key = { id: type["key-id"], name: "key", required: true, type: type.key };
    const value = { id: type["value-id"], name: "value", required: type["value-required"], type: type.value };
    return [
      { field: key, column: column.keys, index: 0 },
      { field: value, column: column.element, index: 0 },
    ];
  }
  throw new Error(`column ${column.field.path} does not fit the table's field ${field.name} (${JSON.stringify(type)})`);
}
