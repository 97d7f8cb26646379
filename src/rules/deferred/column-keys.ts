import { createHash } from "node:crypto";
import { claimKeyBytes } from "../../core/claims.ts";
import { Cell, type Column } from "../../core/column.ts";
import { CellKeys } from "../cell-key.ts";

/** Keys of rows in which every column has a value: the rows, and `claimKeyBytes` for each. */
export interface ColumnKeys {
  readonly rows: Uint32Array;
  readonly keys: Uint8Array;
}

/** The keys of the first `count` rows of some columns, or of the given rows. */
export function columnKeys(columns: readonly Column[], count: number, wanted: Uint32Array | null = null): ColumnKeys {
  const cells = new CellKeys();
  const total = wanted === null ? count : wanted.length;
  const rows = new Uint32Array(total);
  const keys = new Uint8Array(total * claimKeyBytes);
  let found = 0;
  for (let i = 0; i < total; i++) {
    const row = wanted === null ? i : (wanted[i] as number);
    if (columns.some((column) => column.state[row] !== Cell.value)) continue;
    cells.length = 0;
    for (const column of columns) cells.append(column, row);
    const digest = createHash("sha256").update(cells.bytes.subarray(0, cells.length)).digest();
    keys.set(digest.subarray(0, claimKeyBytes), found * claimKeyBytes);
    rows[found++] = row;
  }
  return { rows: rows.slice(0, found), keys: keys.slice(0, found * claimKeyBytes) };
}
