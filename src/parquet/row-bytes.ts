import type { BytesColumn, Column, ListColumn } from "../core/column.ts";
import type { FieldType } from "../core/schema.ts";

/** How many bytes chosen rows of columns take, about: fixed widths, and the texts' lengths. Elements of lists count with their column's average. */
export class RowBytes {
  readonly #sums: Float64Array;
  #fixed = 0;
  readonly #texts: BytesColumn[] = [];
  readonly #lists: { readonly column: ListColumn; readonly elementBytes: number }[] = [];

  /** Reads all it needs of `columns` at once, as their memory may move before `between` is asked. */
  constructor(columns: readonly Column[], rows: Uint32Array) {
    for (const column of columns) this.#add(column);
    this.#sums = this.#sum(rows);
  }

  /** Bytes of rows `from` to `to` of those chosen. */
  between(from: number, to: number): number {
    return (this.#sums[to] as number) - (this.#sums[from] as number);
  }

  #add(column: Column): void {
    if (column.kind === "struct") for (const child of column.children) this.#add(child);
    else if (column.kind === "bytes") {
      this.#texts.push(column);
      this.#fixed += 4;
    } else if (column.kind === "list") {
      this.#fixed += 4;
      this.#lists.push({ column, elementBytes: averageBytes(column.element) + (column.keys === null ? 0 : averageBytes(column.keys)) });
    } else this.#fixed += fixedBytes(column.field.type);
  }

  /** Bytes of all chosen rows before each. */
  #sum(rows: Uint32Array): Float64Array {
    const sizes = new Float64Array(rows.length + 1);
    const at = sizes.subarray(1);
    at.fill(this.#fixed);
    for (const { lengths } of this.#texts)
      for (let k = 0; k < rows.length; k++) at[k] = (at[k] as number) + (lengths[rows[k] as number] as number);
    for (const { column, elementBytes } of this.#lists) {
      const { offsets } = column;
      for (let k = 0; k < rows.length; k++) {
        const row = rows[k] as number;
        at[k] = (at[k] as number) + ((offsets[row + 1] as number) - (offsets[row] as number)) * elementBytes;
      }
    }
    for (let k = 1; k < sizes.length; k++) sizes[k] = (sizes[k] as number) + (sizes[k - 1] as number);
    return sizes;
  }
}

/** Bytes of an element, over all that the column has. */
function averageBytes(column: Column): number {
  if (column.length === 0) return 0;
  if (column.kind === "struct") return column.children.reduce((sum, child) => sum + averageBytes(child), 0);
  if (column.kind === "bytes") {
    let sum = 0;
    for (let i = 0; i < column.length; i++) sum += column.lengths[i] as number;
    return sum / column.length + 4;
  }
  if (column.kind !== "list") return fixedBytes(column.field.type);
  const each = averageBytes(column.element) + (column.keys === null ? 0 : averageBytes(column.keys));
  return (each * column.element.length) / column.length + 4;
}

function fixedBytes(type: FieldType): number {
  switch (type.kind) {
    case "boolean":
      return 1;
    case "int":
    case "float":
    case "date":
      return 4;
    case "decimal":
    case "time":
      return 16;
    default:
      return 8;
  }
}
