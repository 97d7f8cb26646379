import type { Field } from "../core/schema.ts";
import type { StateShape } from "./column-state.ts";
import { ColumnState, floatShape, textShape, wholeShape, wideShape } from "./column-state.ts";
import { isWideDecimal } from "./counted-numbers.ts";
import { isSpans } from "./finish-column.ts";
import type { LeafColumn } from "./leaf-columns.ts";
import { addNumbers } from "./number-column.ts";
import { addSpans } from "./text-column.ts";

/** One leaf column's statistics of the window. */
export interface LeafState {
  readonly field: Field;
  readonly state: ColumnState;
}

/** The state that a field's values need. */
export function shapeFor(field: Field): StateShape {
  if (isWideDecimal(field)) return wideShape;
  if (isSpans(field)) return textShape;
  const { kind } = field.type;
  return kind === "float" || kind === "double" || kind === "boolean" ? floatShape : wholeShape;
}

/** States in memory of their own. */
export function ownStates(fields: readonly Field[]): ReadonlyMap<string, LeafState> {
  return new Map(fields.map((field) => [field.path, { field, state: new ColumnState(shapeFor(field)) }]));
}

/** Adds the given rows of a leaf column, which is of the state's field. */
export function addLeaf({ field, state }: LeafState, column: LeafColumn, rows: Uint32Array): void {
  if (column.kind === "bytes" || (column.kind === "decimal" && isWideDecimal(field))) addSpans(state, column, rows);
  else addNumbers(state, column, rows);
}
