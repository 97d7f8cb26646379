import type { Column } from "../core/column.ts";
import type { FieldType } from "../core/schema.ts";
import type { Kernels } from "./kernels.ts";
import type { PlacedColumn } from "./placement.ts";

/** How many bytes rows of placed columns take, about: fixed widths, and the texts' lengths. Elements of lists count with their column's average. */
export class RowBytes {
  #fixed = 0;
  readonly #texts: PlacedColumn[] = [];
  readonly #lists: { readonly column: PlacedColumn; readonly elementBytes: number }[] = [];

  constructor(columns: readonly PlacedColumn[]) {
    for (const column of columns) this.#add(column);
  }

  /** Bytes of `count` rows, whose numbers stand at an address. */
  of(kernels: Kernels, rows: number, count: number): number {
    let sum = this.#fixed * count;
    for (const { lengths } of this.#texts) sum += kernels.sumLengths(rows, count, lengths.address);
    for (const { column, elementBytes } of this.#lists) sum += kernels.sumElements(rows, count, column.offsets.address) * elementBytes;
    return sum;
  }

  #add(placed: PlacedColumn): void {
    const { column } = placed;
    if (column.kind === "struct") for (const child of placed.children) this.#add(child);
    else if (column.kind === "bytes") {
      this.#texts.push(placed);
      this.#fixed += 4;
    } else if (column.kind === "list") {
      this.#fixed += 4;
      const elementBytes = averageBytes(column.element) + (column.keys === null ? 0 : averageBytes(column.keys));
      this.#lists.push({ column: placed, elementBytes });
    } else this.#fixed += fixedBytes(column.field.type);
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
