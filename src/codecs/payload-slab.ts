import type { Column, InvalidCells, BytesColumn } from "../core/column.ts";
import type { Records } from "../core/records.ts";
import { ByteArea } from "./byte-area.ts";

/** The slab of a batch whose columns were decoded from several: source texts of invalid cells, and the rows' texts where a rule reads them. */
export class PayloadSlab {
  readonly #area = new ByteArea();
  readonly #starts: Uint32Array;
  readonly #lengths: Int32Array;

  /** `base`: what keeps its places, because most of the columns index it; or null. */
  constructor(rows: number, base: Records | null) {
    this.#starts = base?.valueStart.slice() ?? new Uint32Array(rows);
    this.#lengths = base?.valueLength.slice() ?? new Int32Array(rows).fill(-1);
    if (base !== null) this.#area.append(base.bytes, 0, base.bytes.length);
  }

  /** Takes a span of another slab in; answers where it stands. */
  take(slab: Uint8Array, start: number, length: number): number {
    const at = this.#area.length;
    this.#area.append(slab, start, start + length);
    return at;
  }

  /** Takes a row's payload text in. */
  takeRow(row: number, from: Records): void {
    const length = from.valueLength[row] as number;
    if (length >= 0) this.#starts[row] = this.take(from.bytes, from.valueStart[row] as number, length);
    this.#lengths[row] = length;
  }

  /** The records with this slab as their payload. */
  records(records: Records): Records {
    const { count } = records;
    return {
      ...records,
      bytes: this.#area.bytes.subarray(0, this.#area.length),
      valueStart: this.#starts,
      valueLength: this.#lengths,
      keyLength: new Int32Array(count).fill(-1),
      headersLength: new Int32Array(count),
    };
  }
}

/** Whether a column or one inside it has invalid cells. */
export function hasInvalid(column: Column): boolean {
  if (column.invalid !== undefined && column.invalid !== null && column.invalid.rows.length > 0) return true;
  if (column.kind === "struct") return column.children.some(hasInvalid);
  return column.kind === "list" && (hasInvalid(column.element) || (column.keys !== null && hasInvalid(column.keys)));
}

/** The column with its invalid cells' texts moved from `slab` to another. */
export function rehome(column: Column, slab: Uint8Array, into: PayloadSlab): Column {
  if (!hasInvalid(column)) return column;
  const invalid = column.invalid === undefined || column.invalid === null ? null : rehomeCells(column.invalid, slab, into);
  if (column.kind === "struct") return { ...column, invalid, children: column.children.map((child) => rehome(child, slab, into)) };
  if (column.kind !== "list") return { ...column, invalid };
  const keys = column.keys === null ? null : (rehome(column.keys, slab, into) as BytesColumn);
  return { ...column, invalid, keys, element: rehome(column.element, slab, into) };
}

function rehomeCells(cells: InvalidCells, slab: Uint8Array, into: PayloadSlab): InvalidCells {
  return { ...cells, starts: cells.starts.map((start, i) => into.take(slab, start, cells.lengths[i] as number)) };
}
