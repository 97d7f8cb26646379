import type { InvalidCells } from "../../core/column.ts";
import type { ColumnLayout } from "../../wasm/layout.ts";

interface Note {
  readonly row: number;
  readonly start: number;
  readonly length: number;
  readonly cause: number;
}

/** The invalid cells of a chunk, column by column. */
export class InvalidNotes {
  readonly #columns = new Map<ColumnLayout, Note[]>();

  clear(): void {
    this.#columns.clear();
  }

  add(column: ColumnLayout, row: number, start: number, length: number, cause: number): void {
    let notes = this.#columns.get(column);
    if (notes === undefined) {
      notes = [];
      this.#columns.set(column, notes);
    }
    notes.push({ row, start, length, cause });
  }

  finish(): Map<ColumnLayout, InvalidCells> {
    const cells = new Map<ColumnLayout, InvalidCells>();
    for (const [column, notes] of this.#columns) {
      // Cells with a format of their own are judged after the others.
      notes.sort((a, b) => a.row - b.row);
      cells.set(column, {
        rows: Uint32Array.from(notes, (note) => note.row),
        starts: Uint32Array.from(notes, (note) => note.start),
        lengths: Uint32Array.from(notes, (note) => note.length),
        causes: Uint8Array.from(notes, (note) => note.cause),
      });
    }
    return cells;
  }
}
