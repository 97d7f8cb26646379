import type { Arena } from "../../wasm/arena.ts";
import { placeMoment } from "../json-compiled/column-records.ts";
import type { BatchLayout, ColumnLayout } from "../../wasm/layout.ts";

/** What decoders of binary formats keep in the arena beside a batch's layout: the counts of list elements so far, and where they stood when a row began. */
export interface ColumnPlaces {
  /** Address of the u32 count of a list's or map's elements, by its layout. */
  readonly counters: ReadonlyMap<ColumnLayout, number>;
  /** The counts, side by side. */
  readonly counts: number;
  readonly countBytes: number;
  /** A copy of them, from when the row began. */
  readonly marks: number;
  /** Text that is no span of the records' bytes: address of the u32 address where it ends so far, and where it may end. */
  readonly areaEnd: number;
  readonly areaLimit: number;
  /** Addresses of the records of columns of dates and times, for their texts. */
  readonly moments: ReadonlyMap<ColumnLayout, number>;
}

/** Takes room in the arena for the counts of all lists, and for how far the area is filled. */
export function placeColumns({ columns, area, areaBytesMax }: BatchLayout, arena: Arena): ColumnPlaces {
  const lists: ColumnLayout[] = [];
  const moments = new Map<ColumnLayout, number>();
  const visit = (column: ColumnLayout): void => {
    if (column.element !== null) {
      lists.push(column);
      visit(column.element);
    }
    const { kind } = column.field.type;
    if (kind === "date" || kind === "time" || kind === "timestamp") moments.set(column, placeMoment(column, arena));
    column.children.forEach(visit);
  };
  columns.forEach(visit);
  const countBytes = lists.length * 4;
  const counts = arena.allocate(countBytes + 16);
  const marks = arena.allocate(countBytes + 16);
  const areaEnd = arena.allocate(16);
  const counters = new Map(lists.map((list, i) => [list, counts + i * 4]));
  return { counters, counts, countBytes, marks, areaEnd, areaLimit: area + areaBytesMax, moments };
}
