import type { Arena } from "../../wasm/arena.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";

/** What decoders of binary formats keep in the arena beside a batch's layout: the counts of list elements so far, and where they stood when a row began. */
export interface ColumnPlaces {
  /** Address of the u32 count of a list's or map's elements, by its layout. */
  readonly counters: ReadonlyMap<ColumnLayout, number>;
  /** The counts, side by side. */
  readonly counts: number;
  readonly countBytes: number;
  /** A copy of them, from when the row began. */
  readonly marks: number;
}

/** Takes room in the arena for the counts of all lists. */
export function placeColumns(columns: readonly ColumnLayout[], arena: Arena): ColumnPlaces {
  const lists: ColumnLayout[] = [];
  const visit = (column: ColumnLayout): void => {
    if (column.element !== null) {
      lists.push(column);
      visit(column.element);
    }
    column.children.forEach(visit);
  };
  columns.forEach(visit);
  const countBytes = lists.length * 4;
  const counts = arena.allocate(countBytes + 16);
  const marks = arena.allocate(countBytes + 16);
  return { counters: new Map(lists.map((list, i) => [list, counts + i * 4])), counts, countBytes, marks };
}
