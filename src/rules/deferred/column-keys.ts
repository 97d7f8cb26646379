import { createHash } from "node:crypto";
import { claimKeyBytes } from "../../core/claims.ts";
import { Cell, type Column } from "../../core/column.ts";
import { partitionId } from "../../core/position.ts";
import type { Records } from "../../core/records.ts";
import { CellKeys } from "../cell-key.ts";

/** Keys of rows in which every column has a value: the rows, and `claimKeyBytes` for each. */
export interface ColumnKeys {
  readonly rows: Uint32Array;
  readonly keys: Uint8Array;
}

/** The keys of the first `count` rows of some columns, or of the `wanted` ones; `within`: each partition has keys of its own. */
export function columnKeys(
  columns: readonly Column[],
  count: number,
  only: { readonly wanted?: Uint32Array; readonly within?: Pick<Records, "partitions" | "partition"> | null } = {},
): ColumnKeys {
  const { wanted = null, within = null } = only;
  const cells = new CellKeys();
  const prefixes = within?.partitions.map((key) => new TextEncoder().encode(`${partitionId(key)}\n`)) ?? [];
  const total = wanted === null ? count : wanted.length;
  const rows = new Uint32Array(total);
  const keys = new Uint8Array(total * claimKeyBytes);
  let found = 0;
  for (let i = 0; i < total; i++) {
    const row = wanted === null ? i : (wanted[i] as number);
    if (columns.some((column) => column.state[row] !== Cell.value)) continue;
    cells.length = 0;
    for (const column of columns) cells.append(column, row);
    const hash = createHash("sha256");
    if (within !== null) hash.update(prefixes[within.partition[row] as number] as Uint8Array);
    const digest = hash.update(cells.bytes.subarray(0, cells.length)).digest();
    keys.set(digest.subarray(0, claimKeyBytes), found * claimKeyBytes);
    rows[found++] = row;
  }
  return { rows: rows.slice(0, found), keys: keys.slice(0, found * claimKeyBytes) };
}
