import type { RowGroupLimits } from "../../parquet/written-file.ts";
import type { Column } from "../../core/column.ts";
import type { FieldType } from "../../core/schema.ts";

/** Rows of one slice that stand in one row group: `slice.rows[from .. to)`. */
export interface RowSpan<S extends CuttableSlice> {
  readonly slice: S;
  readonly from: number;
  readonly to: number;
}

/** A slice as the cutter sees it: columns that share a row numbering, and the rows taken. */
export interface CuttableSlice {
  readonly columns: readonly Column[];
  readonly rows: Uint32Array;
}

/** Cuts slices, in the order they come, into row groups bounded in rows and in bytes of Arrow columns. */
export class RowGroupCutter<S extends CuttableSlice> {
  readonly #limits: RowGroupLimits;
  #group: RowSpan<S>[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(limits: RowGroupLimits) {
    this.#limits = limits;
  }

  /** Of the row group that is not full. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a slice, and yields every row group that is full. */
  *add(slice: S): Iterable<readonly RowSpan<S>[]> {
    const { rowsMax, bytesMax } = this.#limits;
    const { rows } = slice;
    const sizes = rowBytes(slice.columns);
    let from = 0;
    for (let k = 0; k < rows.length; k++) {
      const size = sizes[rows[k] as number] as number;
      if (this.#rows > 0 && (this.#rows === rowsMax || this.#bytes + size > bytesMax)) {
        if (k > from) this.#group.push({ slice, from, to: k });
        yield this.#take();
        from = k;
      }
      this.#rows++;
      this.#bytes += size;
    }
    if (rows.length > from) this.#group.push({ slice, from, to: rows.length });
  }

  /** The row group that was not full; null where nothing is left. */
  end(): readonly RowSpan<S>[] | null {
    return this.#rows > 0 ? this.#take() : null;
  }

  #take(): readonly RowSpan<S>[] {
    const group = this.#group;
    this.#group = [];
    this.#rows = 0;
    this.#bytes = 0;
    return group;
  }
}

/** Bytes that each row takes in Arrow columns, about. */
function rowBytes(columns: readonly Column[]): Float64Array {
  const sizes = new Float64Array(columns[0]?.length ?? 0);
  for (const column of columns) addCellBytes(column, sizes);
  return sizes;
}

function addCellBytes(column: Column, sizes: Float64Array): void {
  if (column.kind === "struct") {
    for (const child of column.children) addCellBytes(child, sizes);
  } else if (column.kind === "bytes") {
    for (let row = 0; row < column.length; row++) sizes[row] = (sizes[row] as number) + (column.lengths[row] as number) + 4;
  } else if (column.kind === "list") {
    const elements = new Float64Array(column.element.length);
    addCellBytes(column.element, elements);
    if (column.keys !== null) addCellBytes(column.keys, elements);
    for (let row = 0; row < column.length; row++) {
      let size = 4;
      const end = column.offsets[row + 1] as number;
      for (let i = column.offsets[row] as number; i < end; i++) size += elements[i] as number;
      sizes[row] = (sizes[row] as number) + size;
    }
  } else {
    const width = fixedBytes(column.field.type);
    for (let row = 0; row < column.length; row++) sizes[row] = (sizes[row] as number) + width;
  }
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
