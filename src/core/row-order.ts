import type { PartitionValue } from "./partition-transform.ts";
import type { SortField } from "./table-layout.ts";

/** A value that `<` orders as Iceberg does (spec, "Sorting"): text by its UTF-8 bytes, bytes unsigned. */
export type SortKey = number | bigint | string | null;

/** The key of a value. */
export function sortKeyOf(value: PartitionValue): SortKey {
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "string") return Buffer.from(value).toString("latin1");
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value;
}

function compareKeys(a: SortKey, b: SortKey): number {
  if (a === b) return Object.is(a, b) ? 0 : Object.is(a, -0) ? -1 : 1;
  if (typeof a === "number" && typeof b === "number" && (Number.isNaN(a) || Number.isNaN(b)))
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return (a as number) < (b as number) ? -1 : 1;
}

/** Puts row numbers in a table's order, ties as they stood. `keys`: for each field, one key a row. */
export function sortRows(rows: Uint32Array, fields: readonly SortField[], keys: readonly (readonly SortKey[])[]): Uint32Array {
  const parts = fields.map((field, i) => ({
    keys: keys[i] as readonly SortKey[],
    sign: field.direction === "asc" ? 1 : -1,
    nulls: field["null-order"] === "nulls-first" ? -1 : 1,
  }));
  return rows.toSorted((a, b) => {
    for (const part of parts) {
      const left = part.keys[a] as SortKey;
      const right = part.keys[b] as SortKey;
      if (left === null || right === null) {
        if (left !== right) return left === null ? part.nulls : -part.nulls;
        continue;
      }
      const order = compareKeys(left, right);
      if (order !== 0) return order * part.sign;
    }
    return a - b;
  });
}
