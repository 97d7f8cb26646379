import type { BooleanColumn, BytesColumn, Column, DecimalColumn, FloatColumn, IntegerColumn } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { Field } from "../core/schema.ts";

/** A column that holds values itself, not through children. */
export type LeafColumn = BooleanColumn | FloatColumn | IntegerColumn | DecimalColumn | BytesColumn;

/** A contract's leaf fields in order: those that hold values themselves. Of maps, the values. */
export function leafFields(fields: readonly Field[]): readonly Field[] {
  return fields.flatMap((field) => {
    switch (field.type.kind) {
      case "struct":
        return leafFields(field.type.fields);
      case "list":
        return leafFields([field.type.element]);
      case "map":
        return leafFields([field.type.value]);
      default:
        return [field];
    }
  });
}

/** Visits a column's leaves with the rows, or list elements, of the given rows. */
export function visitLeaves(column: Column, rows: Uint32Array, visit: (leaf: LeafColumn, rows: Uint32Array) => void): void {
  if (column.kind === "struct") {
    for (const child of column.children) visitLeaves(child, rows, visit);
  } else if (column.kind === "list") visitLeaves(column.element, elementRows(column.state, column.offsets, rows), visit);
  else visit(column, rows);
}

function elementRows(state: Uint8Array, offsets: Int32Array, rows: Uint32Array): Uint32Array {
  let count = 0;
  for (const row of rows) if (state[row] === Cell.value) count += (offsets[row + 1] as number) - (offsets[row] as number);
  const elements = new Uint32Array(count);
  let at = 0;
  for (const row of rows) {
    if (state[row] !== Cell.value) continue;
    for (let element = offsets[row] as number; element < (offsets[row + 1] as number); element++) elements[at++] = element;
  }
  return elements;
}
