import { microsPerDay } from "../core/civil.ts";
import { Cell, InvalidCause } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import type { TimeParser } from "../core/time-format.ts";
import { uuidSize } from "../core/uuid.ts";
import { Storage, type ColumnBuilder } from "./column-builder.ts";
import { JsonReader } from "./json-reader.ts";
import type { RowSet } from "./row-set.ts";
import { isUtf8 } from "./utf8.ts";
import { ScalarWriter, timeParser } from "./scalar-writer.ts";

const twoTo32 = 4_294_967_296;
const safeMax = Number.MAX_SAFE_INTEGER;
/** Bytes of an invalid cell's text that are kept: reasons show fewer. */
const notedBytesMax = 1024;

const encoder = new TextEncoder();

/** Units of instants and local times since the epoch. */
export type EpochUnit = "millis" | "micros" | "nanos";

const nanosOf: Readonly<Record<EpochUnit, bigint>> = { millis: 1_000_000n, micros: 1000n, nanos: 1n };

/** The time formats of all fields, nested ones too, compiled once. */
export function compileParsers(fields: readonly Field[], into = new Map<Field, TimeParser>()): ReadonlyMap<Field, TimeParser> {
  for (const field of fields) {
    const parser = timeParser(field);
    if (parser !== null) into.set(field, parser);
    const { type } = field;
    if (type.kind === "struct") compileParsers(type.fields, into);
    else if (type.kind === "list") compileParsers([type.element], into);
    else if (type.kind === "map") compileParsers([type.value], into);
  }
  return into;
}

/**
 * Puts typed values of binary formats into cells, by the same rules as JSON's values: never a value unless it is exact (floats aside). A cell that
 * can't take its value is invalid, with the value's text as JSON would have it.
 */
export class CellWriter {
  readonly #rows: RowSet;
  readonly #reader = new JsonReader();
  readonly #scalars: ScalarWriter;

  constructor(rows: RowSet, parsers: ReadonlyMap<Field, TimeParser>) {
    this.#rows = rows;
    this.#scalars = new ScalarWriter(this.#reader, rows.area, rows.slab.length, parsers);
  }

  invalid(column: ColumnBuilder, row: number, text: string, cause: number): void {
    const { notes } = this.#rows;
    const bytes = encoder.encode(text.slice(0, notedBytesMax));
    const start = notes.length;
    notes.append(bytes, 0, bytes.length);
    column.invalid(row, start, notes.length, cause);
  }

  /** An invalid cell whose text is a span of bytes as they are. */
  invalidBytes(column: ColumnBuilder, row: number, bytes: Uint8Array, start: number, end: number, cause: number): void {
    const { notes } = this.#rows;
    const mark = notes.length;
    notes.append(bytes, start, Math.min(end, start + notedBytesMax));
    column.invalid(row, mark, notes.length, cause);
  }

  boolean(column: ColumnBuilder, row: number, value: boolean): void {
    if (column.storage !== Storage.boolean) return this.invalid(column, row, String(value), InvalidCause.type);
    column.booleans[row] = value ? 1 : 0;
    column.state[row] = Cell.value;
  }

  /** A whole number of 64 bits as two words; `unsigned`: of 0 to 2^64 - 1. Into any numeric column. */
  integer(column: ColumnBuilder, row: number, low: number, high: number, unsigned = false): void {
    const value = (unsigned ? high >>> 0 : high) * twoTo32 + (low >>> 0);
    switch (column.storage) {
      case Storage.long:
        if (unsigned && high < 0) return this.invalid(column, row, integerText(low, high, true), InvalidCause.range);
        break;
      case Storage.int:
        if (value > 0x7fffffff || value < -0x80000000)
          return this.invalid(column, row, integerText(low, high, unsigned), InvalidCause.range);
        break;
      case Storage.double:
        column.doubles[row] = value;
        column.state[row] = Cell.value;
        return;
      case Storage.float:
      case Storage.decimal:
        return this.numberText(column, row, integerText(low, high, unsigned));
      default:
        return this.invalid(column, row, integerText(low, high, unsigned), InvalidCause.type);
    }
    column.words[row * 2] = low;
    column.words[row * 2 + 1] = high;
    column.doubles[row] = value;
    column.state[row] = Cell.value;
  }

  /** A floating-point number into a float or double column. */
  real(column: ColumnBuilder, row: number, value: number): void {
    if (column.storage !== Storage.float && column.storage !== Storage.double)
      return this.invalid(column, row, realText(value), InvalidCause.type);
    const stored = column.storage === Storage.float ? Math.fround(value) : value;
    if (!Number.isFinite(stored)) return this.invalid(column, row, realText(value), InvalidCause.range);
    column.doubles[row] = stored;
    column.state[row] = Cell.value;
  }

  /** A decimal number's text (JSON's grammar) into any numeric column. */
  numberText(column: ColumnBuilder, row: number, text: string): void {
    if (column.storage < Storage.int || column.storage > Storage.decimal) return this.invalid(column, row, text, InvalidCause.type);
    const { start, end } = this.#note(encoder.encode(text));
    this.#reader.number(start);
    this.#scalars.number(column, row, start, end);
    this.#forgetNote(column, row, start);
  }

  /** Days since 1970-01-01. */
  days(column: ColumnBuilder, row: number, days: number): void {
    if (column.storage !== Storage.date) return this.integer(column, row, days, days >> 31);
    this.#whole(column, row, days);
  }

  /** Microseconds of the day, at most 2^53. */
  dayMicros(column: ColumnBuilder, row: number, micros: number): void {
    if (column.storage !== Storage.time) return this.invalid(column, row, String(micros), InvalidCause.type);
    if (micros < 0 || micros >= microsPerDay) return this.invalid(column, row, String(micros), InvalidCause.range);
    this.#whole(column, row, micros);
  }

  /** A count of units since the epoch, as two words; `zoned`: of an instant, which a column of local times can't take. */
  epoch(column: ColumnBuilder, row: number, low: number, high: number, unit: EpochUnit, zoned: boolean): void {
    const { type } = column.field;
    if (type.kind !== "timestamp") return this.invalid(column, row, integerText(low, high, false), InvalidCause.type);
    if (zoned && !type.zoned) return this.invalid(column, row, integerText(low, high, false), InvalidCause.offset);
    const count = high * twoTo32 + (low >>> 0);
    if (type.unit === "micros" && unit !== "nanos" && Math.abs(count) < safeMax / 1000)
      return this.#whole(column, row, unit === "millis" ? count * 1000 : count);
    const exact = (BigInt(high) << 32n) | BigInt(low >>> 0);
    const nanos = exact * nanosOf[unit];
    if (type.unit === "micros" && nanos % 1000n !== 0n) return this.invalid(column, row, String(exact), InvalidCause.scale);
    const value = type.unit === "nanos" ? nanos : nanos / 1000n;
    if (BigInt.asIntN(64, value) !== value) return this.invalid(column, row, String(exact), InvalidCause.range);
    column.words[row * 2] = Number(BigInt.asIntN(32, value));
    column.words[row * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
    column.doubles[row] = Number(value);
    column.state[row] = Cell.value;
  }

  #whole(column: ColumnBuilder, row: number, value: number): void {
    const high = Math.floor(value / twoTo32);
    column.words[row * 2] = value - high * twoTo32;
    column.words[row * 2 + 1] = high;
    column.doubles[row] = value;
    column.state[row] = Cell.value;
  }

  /** Text: a view where it stands in the slab. Into a string column, or as the text of a date, time, timestamp or UUID; into a binary column as its bytes. */
  text(column: ColumnBuilder, row: number, bytes: Uint8Array, start: number, end: number): void {
    const { storage } = column;
    if (storage === Storage.binary) return this.raw(column, row, bytes, start, end);
    if (!isUtf8(bytes, start, end)) return this.invalidBytes(column, row, bytes, start, end, InvalidCause.utf8);
    if (storage === Storage.string) return this.raw(column, row, bytes, start, end);
    if (storage === Storage.uuid) return this.#uuidText(column, row, bytes, start, end);
    if (storage < Storage.date || storage > Storage.timestamp || end - start > notedBytesMax)
      return this.invalidBytes(
        column,
        row,
        bytes,
        start,
        end,
        storage < Storage.date || storage > Storage.timestamp ? InvalidCause.type : InvalidCause.form,
      );
    const note = this.#note(bytes.subarray(start, end));
    this.#reader.escaped = false;
    this.#scalars.string(column, row, note.start, note.end);
    this.#forgetNote(column, row, note.start);
  }

  /** Bytes into a string, json, binary or uuid column, unchecked: a view where they stand in the slab, else a copy. */
  raw(column: ColumnBuilder, row: number, bytes: Uint8Array, start: number, end: number): void {
    const { area, slab } = this.#rows;
    if (bytes === slab) {
      column.starts[row] = start;
      column.inSlab = true;
    } else {
      column.starts[row] = slab.length + area.length;
      column.inArea = true;
      area.append(bytes, start, end);
    }
    column.lengths[row] = end - start;
    column.state[row] = Cell.value;
  }

  /** Bytes into a uuid column: those of a UUID if they are 16. */
  uuid(column: ColumnBuilder, row: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start === uuidSize) return this.raw(column, row, bytes, start, end);
    this.invalid(column, row, `${end - start} bytes`, InvalidCause.form);
  }

  #uuidText(column: ColumnBuilder, row: number, bytes: Uint8Array, start: number, end: number): void {
    const { area } = this.#rows;
    const mark = area.length;
    if (area.uuid(bytes, start, end)) this.inArea(column, row, mark);
    else this.invalidBytes(column, row, bytes, start, end, InvalidCause.form);
  }

  /** A cell of the area's bytes from `mark` on. */
  inArea(column: ColumnBuilder, row: number, mark: number): void {
    const { area, slab } = this.#rows;
    column.starts[row] = slab.length + mark;
    column.lengths[row] = area.length - mark;
    column.inArea = true;
    column.state[row] = Cell.value;
  }

  /** Puts a text where JSON's writers read it, and where an invalid cell keeps it. */
  #note(text: Uint8Array): { readonly start: number; readonly end: number } {
    const { notes } = this.#rows;
    const start = notes.length;
    notes.append(text, 0, text.length);
    this.#reader.bytes = notes.bytes;
    this.#reader.end = notes.length;
    return { start, end: notes.length };
  }

  #forgetNote(column: ColumnBuilder, row: number, start: number): void {
    if (column.state[row] !== Cell.invalid) this.#rows.notes.length = start;
  }
}

/** Decimal digits of a whole number of two words. */
export function integerText(low: number, high: number, unsigned: boolean): string {
  if (high === low >> 31 && !unsigned) return String(low);
  const value = (BigInt(high) << 32n) | BigInt(low >>> 0);
  return String(unsigned ? BigInt.asUintN(64, value) : value);
}

/** A double as JSON has it; NaN and the infinities by name. */
export function realText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
