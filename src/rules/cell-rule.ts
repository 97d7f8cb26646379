import type { Batch } from "../core/batch.ts";
import type { Column } from "../core/column.ts";
import { cellText } from "./cell-text.ts";
import { cellsOf, locate, rowsOfCells, type ColumnPath } from "./column-path.ts";
import { RowList } from "./row-list.ts";
import type { CompiledRule, Explanation } from "./rule-family.ts";

/** A check of single cells of one column, without memory. */
export interface CellCheck {
  /** Pushes the offending cells of `[from, to)`. `parent` is the struct around the column, row for row, where there is one. */
  scan(column: Column, from: number, to: number, out: RowList, parent: Column | null): void;
  /** What is expected, in plain words. */
  readonly expected: string;
  readonly limit: string | null;
  /** What the reason says of an offending cell, if not its value: its observed text and its finding. */
  describe?(
    column: Column,
    cell: number,
    batch: Batch,
  ): { readonly observed: string | null; readonly finding: string | null; readonly expected?: string };
}

/** The rule that a row offends against if any of its cells of this column does; the first of them is shown. */
export function cellRule(path: ColumnPath, check: CellCheck): CompiledRule {
  return {
    expected: check.expected,
    open: () => ({
      offenders: (batch) => {
        const located = locate(batch, path);
        const cells = new RowList();
        check.scan(located.column, 0, located.column.length, cells, located.parent);
        return rowsOfCells(located, cells, batch.rows);
      },
    }),
    explain: (batch, row): Explanation => {
      const located = locate(batch, path);
      const { from, to } = cellsOf(located, row, row + 1);
      const cells = new RowList();
      check.scan(located.column, from, to, cells, located.parent);
      const cell = cells.length > 0 ? cells.at(0) : from;
      const said = check.describe?.(located.column, cell, batch) ?? { observed: cellText(located.column, cell, batch), finding: null };
      return { expected: check.expected, limit: check.limit, masked: path.masked, ...said };
    },
  };
}
