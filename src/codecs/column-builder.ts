import { Cell, type BytesColumn, type Column, type InvalidCells } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import type { ByteArea } from "./byte-area.ts";

const noBytes = new Uint8Array(0);
const noWords = new Int32Array(0);
const noDoubles = new Float64Array(0);
const noSpans = new Uint32Array(0);

/** Kinds of storage, as numbers that the decoder's switch runs on. */
export const Storage = {
  boolean: 0,
  int: 1,
  long: 2,
  float: 3,
  double: 4,
  decimal: 5,
  date: 6,
  time: 7,
  timestamp: 8,
  string: 9,
  binary: 10,
  uuid: 11,
  json: 12,
  struct: 13,
  list: 14,
  map: 15,
} as const satisfies Record<Field["type"]["kind"], number>;

/** Bytes that one row of each storage takes, for bounding what a record may make us allocate. */
const doublesPerRow = (storage: number): boolean => storage <= Storage.timestamp && storage !== Storage.boolean;

function grown<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(from: T, length: number): T {
  const make = from.constructor as new (length: number) => T;
  const to = new make(length);
  to.set(from);
  return to;
}

/** The growing arrays of one column while a batch is decoded: one class for every kind, so that the decoder's code sees one shape. */
export class ColumnBuilder {
  readonly field: Field;
  readonly storage: number;
  /** Columns of the subtree that grow with this one. */
  readonly width: number;
  readonly children: readonly ColumnBuilder[];
  readonly element: ColumnBuilder | null;
  /** Map keys: a builder of strings whose rows go with `element`'s. */
  readonly keys: ColumnBuilder | null;
  readonly wordsPerRow: number;
  capacity: number;
  /** The row whose key was read last: a key that comes again in the same row is a duplicate. */
  lastRow = -1;
  /** Rows begun, for list elements. */
  length = 0;
  state: Uint8Array;
  booleans: Uint8Array = noBytes;
  doubles: Float64Array = noDoubles;
  /** 64-bit or 128-bit little-endian integers as 32-bit words. */
  words: Int32Array = noWords;
  starts: Uint32Array = noSpans;
  lengths: Uint32Array = noSpans;
  offsets: Int32Array = noWords;
  /** Whether some text stands in the extra area, and whether some stands in the slab. */
  inArea = false;
  inSlab = false;
  invalidCount = 0;
  #invalidRows: Uint32Array = noSpans;
  #invalidStarts: Uint32Array = noSpans;
  #invalidLengths: Uint32Array = noSpans;
  #invalidCauses: Uint8Array = noBytes;

  constructor(field: Field, capacity: number) {
    const { type } = field;
    this.field = field;
    this.storage = Storage[type.kind];
    this.capacity = capacity;
    this.wordsPerRow = type.kind === "decimal" ? 4 : doublesPerRow(this.storage) && type.kind !== "float" && type.kind !== "double" ? 2 : 0;
    this.children = type.kind === "struct" ? type.fields.map((child) => new ColumnBuilder(child, capacity)) : [];
    this.element =
      type.kind === "list" ? new ColumnBuilder(type.element, 16) : type.kind === "map" ? new ColumnBuilder(type.value, 16) : null;
    this.keys = type.kind === "map" ? new ColumnBuilder(mapKeyField(field), 16) : null;
    this.width = 1 + this.children.reduce((sum, child) => sum + child.width, 0);
    this.state = new Uint8Array(capacity).fill(Cell.missing);
    if (this.storage === Storage.boolean) this.booleans = new Uint8Array(capacity);
    if (doublesPerRow(this.storage)) this.doubles = new Float64Array(capacity);
    if (this.wordsPerRow > 0) this.words = new Int32Array(capacity * this.wordsPerRow);
    if (this.storage >= Storage.string && this.storage <= Storage.json) {
      this.starts = new Uint32Array(capacity);
      this.lengths = new Uint32Array(capacity);
    }
    if (this.element !== null) this.offsets = new Int32Array(capacity + 1);
  }

  /** Makes room for row `row` here and in struct children. */
  reserve(row: number): void {
    if (row < this.capacity) return;
    const old = this.capacity;
    const capacity = Math.max(row + 1, old * 2);
    this.capacity = capacity;
    this.state = grown(this.state, capacity).fill(Cell.missing, old);
    if (this.booleans.length > 0) this.booleans = grown(this.booleans, capacity);
    if (this.doubles.length > 0) this.doubles = grown(this.doubles, capacity);
    if (this.words.length > 0) this.words = grown(this.words, capacity * this.wordsPerRow);
    if (this.starts.length > 0) {
      this.starts = grown(this.starts, capacity);
      this.lengths = grown(this.lengths, capacity);
    }
    if (this.element !== null) this.offsets = grown(this.offsets, capacity + 1);
    for (const child of this.children) child.reserve(row);
  }

  /** Marks a cell invalid and notes its source text. */
  invalid(row: number, start: number, end: number, cause: number): void {
    this.state[row] = Cell.invalid;
    const i = this.invalidCount++;
    if (i >= this.#invalidRows.length) {
      const size = Math.max(16, i * 2);
      this.#invalidRows = grown(this.#invalidRows, size);
      this.#invalidStarts = grown(this.#invalidStarts, size);
      this.#invalidLengths = grown(this.#invalidLengths, size);
      this.#invalidCauses = grown(this.#invalidCauses, size);
    }
    this.#invalidRows[i] = row;
    this.#invalidStarts[i] = start;
    this.#invalidLengths[i] = end - start;
    this.#invalidCauses[i] = cause;
  }

  /** Forgets rows from `row` to `end`: a record that turned out to be no row. */
  rewind(row: number, end: number): void {
    this.lastRow = -1;
    // Single rows are the rule, and a call for each array would cost more than the decoding did.
    if (end - row === 1) this.#rewindOne(row);
    else {
      this.state.fill(Cell.missing, row, end);
      this.booleans.fill(0, row, end);
      this.doubles.fill(0, row, end);
      this.words.fill(0, row * this.wordsPerRow, end * this.wordsPerRow);
      this.starts.fill(0, row, end);
      this.lengths.fill(0, row, end);
      if (this.element !== null) this.offsets.fill(0, row + 1, end + 1);
    }
    while (this.invalidCount > 0 && (this.#invalidRows[this.invalidCount - 1] as number) >= row) this.invalidCount--;
    for (const child of this.children) child.rewind(row, end);
  }

  #rewindOne(row: number): void {
    this.state[row] = Cell.missing;
    if (this.booleans.length > 0) this.booleans[row] = 0;
    if (this.doubles.length > 0) this.doubles[row] = 0;
    for (let i = row * this.wordsPerRow; i < (row + 1) * this.wordsPerRow; i++) this.words[i] = 0;
    if (this.starts.length > 0) this.starts[row] = this.lengths[row] = 0;
    if (this.element !== null) this.offsets[row + 1] = 0;
  }

  /** The finished column of `rows` rows over the records' slab and the batch's extra area. */
  finish(rows: number, slab: Uint8Array, area: ByteArea): Column {
    const { field } = this;
    const base = { field, length: rows, state: this.state.subarray(0, rows), invalid: this.invalidCells() };
    if (this.storage === Storage.boolean) return { ...base, kind: "boolean", values: this.booleans.subarray(0, rows) };
    if (this.storage === Storage.decimal) {
      const unscaled = new Uint32Array(this.words.buffer, 0, rows * 4);
      return { ...base, kind: "decimal", unscaled, values: this.doubles.subarray(0, rows) };
    }
    if (this.wordsPerRow === 2)
      return { ...base, kind: "integer", exact: new BigInt64Array(this.words.buffer, 0, rows), values: this.doubles.subarray(0, rows) };
    if (this.doubles.length > 0 || this.storage === Storage.float || this.storage === Storage.double)
      return { ...base, kind: "float", values: this.doubles.subarray(0, rows) };
    if (this.storage === Storage.struct)
      return { ...base, kind: "struct", children: this.children.map((child) => child.finish(rows, slab, area)) };
    if (this.element !== null) {
      const offsets = this.offsets.subarray(0, rows + 1);
      // Rows without a list left a zero: they end where the row before them ended.
      for (let i = 1; i <= rows; i++) if ((offsets[i] as number) < (offsets[i - 1] as number)) offsets[i] = offsets[i - 1] as number;
      const elements = this.element.length;
      return {
        ...base,
        kind: "list",
        offsets,
        keys: this.keys === null ? null : (this.keys.finish(elements, slab, area) as BytesColumn),
        element: this.element.finish(elements, slab, area),
      };
    }
    return { ...base, kind: "bytes", ...this.#text(rows, slab, area) };
  }

  /** The invalid cells so far; null where there are none. */
  invalidCells(): InvalidCells | null {
    const n = this.invalidCount;
    if (n === 0) return null;
    return {
      rows: this.#invalidRows.slice(0, n),
      starts: this.#invalidStarts.slice(0, n),
      lengths: this.#invalidLengths.slice(0, n),
      causes: this.#invalidCauses.slice(0, n),
    };
  }

  /**
   * Text lies in the slab, or, where it had escapes, in the extra area (starts from the slab's length on). A column that has both
   * kinds is gathered into bytes of its own; one that has a single kind is views.
   */
  #text(rows: number, slab: Uint8Array, area: ByteArea): { bytes: Uint8Array; starts: Uint32Array; lengths: Uint32Array } {
    const starts = this.starts.subarray(0, rows);
    const lengths = this.lengths.subarray(0, rows);
    if (!this.inArea) return { bytes: slab, starts, lengths };
    const offset = slab.length;
    if (!this.inSlab) {
      for (let i = 0; i < rows; i++) if ((starts[i] as number) >= offset) starts[i] = (starts[i] as number) - offset;
      return { bytes: area.bytes, starts, lengths };
    }
    let size = 0;
    for (let i = 0; i < rows; i++) size += lengths[i] as number;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (let i = 0; i < rows; i++) {
      const length = lengths[i] as number;
      const start = starts[i] as number;
      bytes.set(start >= offset ? area.bytes.subarray(start - offset, start - offset + length) : slab.subarray(start, start + length), at);
      starts[i] = at;
      at += length;
    }
    return { bytes, starts, lengths };
  }
}

function mapKeyField(field: Field): Field {
  return {
    name: "key",
    sourceName: "key",
    path: `${field.path}.key`,
    type: { kind: "string" },
    required: true,
    doc: null,
    classification: field.classification,
    format: null,
  };
}
