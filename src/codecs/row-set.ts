import type { Batch } from "../core/batch.ts";
import { Cell, InvalidCause, type Column, type DecodeFault } from "../core/column.ts";
import type { Contract } from "../core/contract.ts";
import type { Records } from "../core/records.ts";
import type { Field } from "../core/schema.ts";
import { ByteArea } from "./byte-area.ts";
import { ColumnBuilder } from "./column-builder.ts";
import { UnknownFields } from "./unknown-fields.ts";
import { isUtf8 } from "./utf8.ts";
import { isDecoded, type UndecodedRows } from "./value-policy.ts";

/** Cells that list elements may take whatever the record's size, and cells for each of its bytes beyond that. */
const freeCells = 1 << 20;
const cellsPerByte = 4;

/** Decodes the value `bytes[start, end)` of a batch's slab into row `row`; a fault leaves the row without values. */
export type DecodeRow = (row: number, start: number, end: number) => DecodeFault | null;

/**
 * The columns of a batch that is being decoded from a binary format, row by row. Cells whose text stands nowhere in the slab have it in `area`;
 * `notes` holds the text of invalid cells and the records' JSON texts, and becomes the slab of the batch's payload.
 */
export class RowSet {
  readonly columns: readonly ColumnBuilder[];
  readonly area = new ByteArea();
  readonly notes = new ByteArea();
  readonly unknown: UnknownFields | null;
  /** Where each row's JSON text stands in `notes`; null where no rule reads it. */
  readonly texts: { readonly starts: Uint32Array; readonly lengths: Int32Array } | null;
  readonly slab: Uint8Array;
  readonly #elements: ColumnBuilder[] = [];
  readonly #marks: number[] = [];
  #areaMark = 0;
  #notesMark = 0;
  #unknownMark = 0;
  #cellsLeft = 0;

  constructor(contract: Pick<Contract, "fields" | "policies" | "rules">, rows: number, slab: Uint8Array) {
    this.slab = slab;
    this.columns = contract.fields.map((field: Field) => new ColumnBuilder(field, rows));
    this.unknown = contract.policies.unknownFields === "keep" ? new UnknownFields(rows) : null;
    this.texts = contract.rules.some((rule) => rule.check.family === "jsonSchema")
      ? { starts: new Uint32Array(rows), lengths: new Int32Array(rows).fill(-1) }
      : null;
    for (const column of this.columns) this.#collectElements(column);
  }

  #collectElements(column: ColumnBuilder): void {
    if (column.element !== null) {
      this.#elements.push(column.element);
      this.#collectElements(column.element);
    }
    for (const child of column.children) this.#collectElements(child);
    if (column.keys !== null) this.#elements.push(column.keys);
  }

  /** Begins a row of a record of `bytes` bytes. */
  begin(bytes: number): void {
    this.#cellsLeft = Math.max(freeCells, bytes * cellsPerByte);
    for (let i = 0; i < this.#elements.length; i++) this.#marks[i] = (this.#elements[i] as ColumnBuilder).length;
    this.#areaMark = this.area.length;
    this.#notesMark = this.notes.length;
    if (this.unknown !== null) this.#unknownMark = this.unknown.begin();
  }

  end(row: number): void {
    if (this.unknown !== null) this.unknown.end(row, this.#unknownMark);
  }

  /** Forgets the row that was begun. */
  rewind(row: number): void {
    for (const column of this.columns) column.rewind(row, row + 1);
    for (let i = 0; i < this.#elements.length; i++) {
      const element = this.#elements[i] as ColumnBuilder;
      const mark = this.#marks[i] as number;
      // A fault may stand between a column's row and its place's reservation.
      element.rewind(mark, Math.max(mark, element.length));
      element.length = mark;
    }
    this.area.length = this.#areaMark;
    this.notes.length = this.#notesMark;
    if (this.unknown !== null) this.unknown.rewind(this.#unknownMark);
    if (this.texts !== null) this.texts.lengths[row] = -1;
  }

  /** Takes `cells` of what the record may make us allocate; false where it has no more. */
  spend(cells: number): boolean {
    this.#cellsLeft -= cells;
    return this.#cellsLeft >= 0;
  }

  /** The next row of a list's elements, or -1 where the record would take too much memory. */
  nextElement(element: ColumnBuilder): number {
    if (!this.spend(element.width)) return -1;
    const at = element.length++;
    element.reserve(at);
    return at;
  }

  /** The decoded batch. */
  finish(records: Records, rest: Pick<Batch, "faults" | "undecoded" | "skipped">): Batch {
    const rows = records.count;
    const columns = this.columns.map((column): Column => column.finish(rows, this.slab, this.area));
    const batch = { records, rows, columns, ...rest, unknown: this.unknown === null ? null : this.unknown.finish() };
    const bytes = this.notes.bytes.subarray(0, this.notes.length);
    const valueStart = this.texts?.starts ?? new Uint32Array(rows);
    const valueLength = this.texts?.lengths ?? new Int32Array(rows).fill(-1);
    return { ...batch, payload: { ...records, bytes, valueStart, valueLength, ...noKeys(rows) } };
  }
}

/** The payload has no keys and headers: they are the records'. */
function noKeys(rows: number): Pick<Records, "keyStart" | "keyLength" | "headersStart" | "headersLength"> {
  const starts = new Uint32Array(rows);
  return { keyStart: starts, keyLength: new Int32Array(rows).fill(-1), headersStart: starts, headersLength: new Int32Array(rows) };
}

/** Decodes every record of a batch whose value is there and not too large, and fills the column that takes the records' keys. */
export function decodeRows(contract: Contract, records: Records, rows: RowSet, decode: DecodeRow): Batch {
  const { policies } = contract;
  const undecoded = new Uint8Array(records.count);
  const noted: UndecodedRows = { faults: [], skipped: [] };
  for (let row = 0; row < records.count; row++) {
    const length = records.valueLength[row] as number;
    undecoded[row] = 1;
    if (!isDecoded(policies, row, length, noted)) continue;
    const start = records.valueStart[row] as number;
    const fault = decode(row, start, start + length);
    if (fault === null) undecoded[row] = 0;
    else noted.faults.push(fault);
  }
  const name = policies.key.action === "column" ? policies.key.name : null;
  const keyColumn = contract.fields.findIndex((field) => field.name === name);
  if (keyColumn >= 0) writeKeys(rows, rows.columns[keyColumn] as ColumnBuilder, records, undecoded);
  return rows.finish(records, { ...noted, undecoded });
}

function writeKeys(rows: RowSet, column: ColumnBuilder, records: Records, undecoded: Uint8Array): void {
  const { bytes } = records;
  for (let row = 0; row < records.count; row++) {
    if (undecoded[row] === 1) continue;
    const length = records.keyLength[row] as number;
    if (length < 0) {
      column.state[row] = Cell.null;
      continue;
    }
    const start = records.keyStart[row] as number;
    if (!isUtf8(bytes, start, start + length)) {
      const mark = rows.notes.length;
      rows.notes.append(bytes, start, start + length);
      column.invalid(row, mark, rows.notes.length, InvalidCause.utf8);
      continue;
    }
    column.starts[row] = start;
    column.lengths[row] = length;
    column.state[row] = Cell.value;
    column.inSlab = true;
  }
}
