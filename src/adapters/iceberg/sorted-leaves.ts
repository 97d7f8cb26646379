import { gatherColumn } from "../../core/gather-batch.ts";
import type { Column } from "../../core/column.ts";
import type { SortKey } from "../../core/row-order.ts";
import { sortRows } from "../../core/row-order.ts";
import type { SortField } from "../../core/table-layout.ts";
import { signedOf } from "../../core/unscaled-bytes.ts";
import type { LeafSlots } from "../../parquet/leaf-file.ts";
import type { SourceGroup, Target } from "./rewritten-leaf.ts";
import { rewrittenLeaf } from "./rewritten-leaf.ts";

/** Rows of some row groups in any order: the group of each, and which it is of the group's rows that stay. */
interface Picks {
  readonly source: Uint32Array;
  readonly row: Uint32Array;
}

function keyAt(column: Column, i: number): SortKey {
  switch (column.kind) {
    case "boolean":
    case "float":
      return column.values[i] as number;
    case "integer":
      return column.exact[i] as bigint;
    case "decimal": {
      const { buffer, byteOffset } = column.unscaled;
      // Words are little endian, the least first.
      return signedOf(new Uint8Array(buffer, byteOffset + i * 16, 16).toReversed());
    }
    case "bytes": {
      const start = column.starts[i] as number;
      return Buffer.from(column.bytes.buffer, column.bytes.byteOffset + start, column.lengths[i]).toString("latin1");
    }
    default:
      throw new Error("bug: rows are sorted by a column of one value a row");
  }
}

/** Keys of every row that stays, group after group; null where there is no value. */
async function keysOf(groups: readonly SourceGroup[], target: Target | null, targets: readonly Target[]): Promise<SortKey[]> {
  const keys: SortKey[] = [];
  for (const group of groups) {
    if (target === null) {
      for (let i = 0; i < group.kept; i++) keys.push(null);
      continue;
    }
    const { column, rows, definitions, slots } = await rewrittenLeaf(group, target, targets);
    let value = 0;
    for (let slot = 0; slot < slots; slot++) {
      const isThere = definitions === null || definitions[slot] === target.leaf.definitionMax;
      keys.push(isThere ? keyAt(column, rows[value++] as number) : null);
    }
  }
  return keys;
}

/** The rows of some row groups in a sort order, ties as they stood; a column that the table has no more is null in all. */
export async function sortedPicks(
  groups: readonly SourceGroup[],
  fields: readonly SortField[],
  targets: readonly Target[],
): Promise<Picks> {
  const keys: SortKey[][] = [];
  for (const field of fields) keys.push(await keysOf(groups, targets.find(({ leaf }) => leaf.id === field["source-id"]) ?? null, targets));
  const total = groups.reduce((sum, { kept }) => sum + kept, 0);
  const source = new Uint32Array(total);
  const row = new Uint32Array(total);
  let next = 0;
  for (const [i, { kept }] of groups.entries()) {
    for (let j = 0; j < kept; j++) {
      source[next] = i;
      row[next++] = j;
    }
  }
  const order = sortRows(
    Uint32Array.from({ length: total }, (_, i) => i),
    fields,
    keys,
  );
  return { source: order.map((each) => source[each] as number), row: order.map((each) => row[each] as number) };
}

/** Where each row of a leaf's slots begins, and which of its values comes first there; one more at the end. */
function startsOf({ definitions, repetitions, slots }: LeafSlots, definitionMax: number): { slot: Uint32Array; value: Uint32Array } {
  const slot: number[] = [];
  const value: number[] = [];
  let values = 0;
  for (let i = 0; i < slots; i++) {
    if (repetitions === null || repetitions[i] === 0) {
      slot.push(i);
      value.push(values);
    }
    if (definitions === null || definitions[i] === definitionMax) values++;
  }
  return { slot: Uint32Array.from([...slot, slots]), value: Uint32Array.from([...value, values]) };
}

/** Rows of one leaf of several row groups, in the order of picks. */
export function gatherSlots({ leaf }: Target, parts: readonly LeafSlots[], picks: Picks): LeafSlots {
  const starts = parts.map((part) => startsOf(part, leaf.definitionMax));
  const definitions: number[] | null = leaf.definitionMax === 0 ? null : [];
  const repetitions: number[] | null = leaf.repetitionMax === 0 ? null : [];
  const source: number[] = [];
  const row: number[] = [];
  let slots = 0;
  for (let i = 0; i < picks.row.length; i++) {
    const from = picks.source[i] as number;
    const at = picks.row[i] as number;
    const part = parts[from] as LeafSlots;
    const { slot, value } = starts[from] as ReturnType<typeof startsOf>;
    for (let s = slot[at] as number; s < (slot[at + 1] as number); s++) {
      definitions?.push(part.definitions === null ? leaf.definitionMax : (part.definitions[s] as number));
      repetitions?.push(part.repetitions === null ? 0 : (part.repetitions[s] as number));
      slots++;
    }
    for (let v = value[at] as number; v < (value[at + 1] as number); v++) {
      source.push(from);
      row.push(part.rows[v] as number);
    }
  }
  const valuePicks = { source: Uint32Array.from(source), row: Uint32Array.from(row) };
  return {
    column: gatherColumn(
      parts.map((part) => part.column),
      valuePicks,
    ),
    rows: Uint32Array.from({ length: row.length }, (_, i) => i),
    definitions: definitions === null ? null : Uint8Array.from(definitions),
    repetitions: repetitions === null ? null : Uint8Array.from(repetitions),
    slots,
  };
}
