import type { BooleanColumn, DecimalColumn, FloatColumn, IntegerColumn } from "../core/column.ts";
import { Cell } from "../core/column.ts";
import type { FieldType } from "../core/schema.ts";
import type { ColumnState } from "./column-state.ts";
import { Head } from "./column-state.ts";
import { drawBits, drawEntry, insertEntry, purge, seekEntry, slotOf, sought } from "./count-table.ts";
import { denseAt, placeDense } from "./dense-counts.ts";
import { addHash } from "./distinct.ts";
import { addStreamed, startStreaming, wordsOf } from "./streaming.ts";
import { hashValue, isLess } from "./value-words.ts";

/** A column whose values fit 8 bytes: decimals of at most 18 digits. */
export type NumberColumn = BooleanColumn | FloatColumn | IntegerColumn | DecimalColumn;

const one = new Uint32Array(2);
const oneDouble = new Float64Array(one.buffer);

/** Adds the cells of the given rows to a column's statistics. */
export function addNumbers(state: ColumnState, column: NumberColumn, rows: Uint32Array): void {
  const { head, slots, counts, dense } = state;
  const { type } = column.field;
  const source = wordsOf(column);
  const words = source?.words ?? one;
  const stride = source?.stride ?? 0;
  let streamedFrom = head[Head.streaming] === 1 ? 0 : rows.length;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const cell = column.state[row];
    if (cell !== Cell.value) {
      countCell(head, cell);
      continue;
    }
    if (column.kind === "boolean") one.set([column.values[row] as number, 0]);
    else if (column.kind === "float") {
      const value = column.values[row] as number;
      if (Number.isNaN(value)) {
        head[Head.nan] = (head[Head.nan] as number) + 1;
        continue;
      }
      // Adding 0 makes -0 the same value as 0.
      oneDouble[0] = value + 0;
    }
    const low = words[stride * row] as number;
    const high = words[stride * row + 1] as number;
    head[Head.values] = (head[Head.values] as number) + 1;
    if (dense.length > 0) {
      if (head[Head.based] === 0) placeDense(head, low, high);
      const at = denseAt(head, low, high);
      if (at >= 0) {
        dense[at] = (dense[at] as number) + 1;
        continue;
      }
    }
    const firstSlot = slotOf(low, high, slots.length);
    const entry = seekEntry(state, low, high, firstSlot);
    if (entry >= 0) {
      counts[entry] = (counts[entry] as number) + 1;
      continue;
    }
    addNew(state, type, low, high);
    const full = head[Head.size] === state.shape.entriesMax;
    if (head[Head.streaming] === 0) {
      if (full || sought.slot < 0) {
        startStreaming(state, column.field);
        streamedFrom = i;
        seekEntry(state, low, high, firstSlot);
      }
    } else if (!drawEntry(head)) continue;
    else if (full) {
      purge(state);
      seekEntry(state, low, high, firstSlot);
    }
    if (sought.slot >= 0) insertEntry(state, low, high, sought.slot);
    else loseEntry(head);
  }
  if (streamedFrom < rows.length && column.kind !== "boolean") addStreamed(state, column, rows, streamedFrom);
}

/** Counts a cell that holds no value. */
export function countCell(head: Uint32Array, cell: number | undefined): void {
  const place = cell === Cell.null ? Head.nulls : cell === Cell.missing ? Head.missing : -1;
  if (place >= 0) head[place] = (head[place] as number) + 1;
}

const hash = new Uint32Array(4);

/** A drawn value that finds no slot stands for all that were not drawn. */
export function loseEntry(head: Uint32Array): void {
  head[Head.error] = (head[Head.error] as number) + 2 ** drawBits;
}

/** A value that the table does not hold: its hash counts, and it may be an extreme. */
function addNew(state: ColumnState, type: FieldType, low: number, high: number): void {
  const { head } = state;
  hashValue(type, low, high, hash);
  addHash(state.registers, hash);
  const first = head[Head.ordered] === 0;
  head[Head.ordered] = 1;
  if (first || isLess(type, low, high, head[Head.least] as number, head[Head.least + 1] as number)) {
    head[Head.least] = low;
    head[Head.least + 1] = high;
  }
  if (first || isLess(type, head[Head.most] as number, head[Head.most + 1] as number, low, high)) {
    head[Head.most] = low;
    head[Head.most + 1] = high;
  }
}
