import { BrokenInvariant } from "../core/broken-invariant.ts";
import type { Batch } from "../core/batch.ts";
import type { Column, ListColumn } from "../core/column.ts";
import { isMasked, type Field } from "../core/schema.ts";
import { RowList } from "./row-list.ts";
import type { RuleSite } from "./rule-family.ts";
import { invalidRule } from "./rule-family.ts";

/** Where a rule's column is in a contract: resolved once, found in each batch by indexes. */
export interface ColumnPath {
  readonly field: Field;
  /** Index of the top-level column, then child indexes of structs; -1 goes into a list's or map's elements. */
  readonly steps: readonly number[];
  /** Whether the column or one around it is classified. */
  readonly masked: boolean;
}

/** A column of one batch as a rule sees it. Cells of list elements are more, or fewer, than rows. */
export interface LocatedColumn {
  readonly column: Column;
  /** The struct whose child it is, row for row; null at the top and for list elements. */
  readonly parent: Column | null;
  /** Lists on the way, outermost first. */
  readonly lists: readonly ListColumn[];
}

function childrenOf(field: Field): readonly (readonly [number, Field])[] {
  const { type } = field;
  if (type.kind === "struct") return type.fields.map((child, i) => [i, child] as const);
  if (type.kind === "list") return [[-1, type.element]];
  return type.kind === "map" ? [[-1, type.value]] : [];
}

function find(field: Field, step: number, path: string, masked: boolean): ColumnPath | null {
  const hidden = masked || isMasked(field);
  if (field.path === path) return { field, steps: [step], masked: hidden };
  for (const [index, child] of childrenOf(field)) {
    const found = find(child, index, path, hidden);
    if (found !== null) return { ...found, steps: [step, ...found.steps] };
  }
  return null;
}

/** The place of `path` among a contract's fields; CONTRACT_INVALID where there is none. */
export function resolvePath(fields: readonly Field[], path: string | null, plan: RuleSite): ColumnPath {
  if (path === null) throw invalidRule(plan, "it needs a column");
  for (const [i, field] of fields.entries()) {
    const found = find(field, i, path, false);
    if (found !== null) return found;
  }
  throw invalidRule(plan, `there is no column ${path}`);
}

/** As `resolvePath`, for a column that has one cell a row. */
export function resolveRowPath(fields: readonly Field[], path: string | null, plan: RuleSite): ColumnPath {
  const found = resolvePath(fields, path, plan);
  if (found.steps.includes(-1)) throw invalidRule(plan, `${path} stands in a list, so a row has no single value of it`);
  return found;
}

/** Finds a path's column in a batch. */
export function locate(batch: Batch, path: ColumnPath): LocatedColumn {
  let column = batch.columns[path.steps[0] as number] as Column;
  let parent: Column | null = null;
  const lists: ListColumn[] = [];
  for (const step of path.steps.slice(1)) {
    if (column.kind === "list") {
      lists.push(column);
      parent = null;
      column = column.element;
    } else if (column.kind === "struct") {
      parent = column;
      column = column.children[step] as Column;
    } else throw new BrokenInvariant(`${column.field.path} has no children`);
  }
  return { column, parent, lists };
}

/** The cells `[from, to)` that rows `[from, to)` hold. */
export function cellsOf(located: LocatedColumn, from: number, to: number): { readonly from: number; readonly to: number } {
  for (const list of located.lists) {
    from = list.offsets[from] as number;
    to = list.offsets[to] as number;
  }
  return { from, to };
}

/** The rows, ascending and each once, that hold the given cells (ascending). */
export function rowsOfCells(located: LocatedColumn, cells: RowList, rows: number): Uint32Array {
  if (located.lists.length === 0) return cells.rows();
  const out = new RowList();
  let i = 0;
  for (let row = 0; row < rows && i < cells.length; row++) {
    let end = row + 1;
    for (const list of located.lists) end = list.offsets[end] as number;
    if (cells.at(i) >= end) continue;
    out.push(row);
    while (i < cells.length && cells.at(i) < end) i++;
  }
  return out.rows();
}
