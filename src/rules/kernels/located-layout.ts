import { BrokenInvariant } from "../../core/broken-invariant.ts";
import type { BatchLayout, ColumnLayout } from "../../wasm/layout.ts";
import type { ColumnPath } from "../column-path.ts";

/** Where a rule's column stands in an arena; as `LocatedColumn`. */
export interface LocatedLayout {
  readonly column: ColumnLayout;
  /** The struct whose child it is, row for row; null at the top and for list elements. */
  readonly parent: ColumnLayout | null;
  /** Lists on the way, outermost first. */
  readonly lists: readonly ColumnLayout[];
}

/** Finds a path's column in a layout. */
export function locateLayout(layout: BatchLayout, path: ColumnPath): LocatedLayout {
  let column = layout.columns[path.steps[0] as number] as ColumnLayout;
  let parent: ColumnLayout | null = null;
  const lists: ColumnLayout[] = [];
  for (const step of path.steps.slice(1)) {
    if (column.element !== null) {
      lists.push(column);
      parent = null;
      column = column.element;
    } else if (column.kind === "struct") {
      parent = column;
      column = column.children[step] as ColumnLayout;
    } else throw new BrokenInvariant(`${column.field.path} has no children`);
  }
  return { column, parent, lists };
}
