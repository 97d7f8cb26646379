import type { Column } from "../../core/column.ts";
import type { FieldType } from "../../core/schema.ts";

/** Rows of one slice that stand in one row group: `rows[from .. to)` of slice `slice`. */
export interface RowSpan {
  readonly slice: number;
  readonly from: number;
  readonly to: number;
}

/** What a row group may hold; one row larger than `bytesMax` gets a row group of its own. */
export interface RowGroupLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** A slice as the cutter sees it: columns that share a row numbering, and the rows taken. */
export interface CuttableSlice {
  readonly columns: readonly Column[];
  readonly rows: Uint32Array;
}

/** Cuts slices, in order, into row groups bounded in rows and in bytes of Arrow columns. */
export function cutRowGroups(slices: readonly CuttableSlice[], limits: RowGroupLimits): RowSpan[][] {
  const groups: RowSpan[][] = [];
  let group: RowSpan[] = [];
  let groupRows = 0;
  let groupBytes = 0;
  for (const [slice, { columns, rows }] of slices.entries()) {
    const sizes = rowBytes(columns);
    let from = 0;
    for (let k = 0; k < rows.length; k++) {
      const size = sizes[rows[k] as number] as number;
      if (groupRows > 0 && (groupRows === limits.rowsMax || groupBytes + size > limits.bytesMax)) {
        if (k > from) group.push({ slice, from, to: k });
        groups.push(group);
        group = [];
        groupRows = 0;
        groupBytes = 0;
        from = k;
      }
      groupRows++;
      groupBytes += size;
    }
    if (rows.length > from) group.push({ slice, from, to: rows.length });
  }
  if (groupRows > 0) groups.push(group);
  return groups;
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
