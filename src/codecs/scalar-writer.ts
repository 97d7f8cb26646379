import { microsPerDay } from "../core/civil.ts";
import { Cell, InvalidCause } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import { compileTimeFormat, type TimeParser } from "../core/time-format.ts";
import type { ByteArea } from "./byte-area.ts";
import { Storage, type ColumnBuilder } from "./column-builder.ts";
import { exactDecimal, exactInteger, nearestFloat } from "./exact-number.ts";
import { parseIsoDate, parseIsoTime, parseIsoTimestamp, type TimeFields, type TimeParts } from "./iso-time.ts";
import type { JsonReader } from "./json-reader.ts";

const powersOfTen = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const safeMax = Number.MAX_SAFE_INTEGER;
const twoTo32 = 4_294_967_296;

const plainTime: TimeParts = { zone: false, nanos: false };

/** A decimal digit's string of bytes as text; numbers are ASCII. */
function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/** Strict UTF-8 text of a span that was already checked. */
function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

/** The parser of a field's own time format; null where the field has none. A format that can't be read is the contract compiler's to refuse. */
export function timeParser(field: Field): TimeParser | null {
  const { type, format } = field;
  if (format === null || (type.kind !== "date" && type.kind !== "time" && type.kind !== "timestamp")) return null;
  const epoch = type.kind === "timestamp" && type.unit === "nanos" ? "epochNanos" : "epochMicros";
  const unit = type.kind === "date" ? "days" : type.kind === "time" ? "dayMicros" : epoch;
  const compiled = compileTimeFormat({ unit, zoned: type.kind === "timestamp" && type.zoned, format });
  if ("problem" in compiled) throw new Error(`the format of ${field.path} can't be read: ${compiled.problem}`);
  return compiled.parse;
}

/** Turns the token that a reader has just scanned into one cell of a column; never a value unless it is exact. */
export class ScalarWriter {
  readonly #reader: JsonReader;
  readonly #area: ByteArea;
  readonly #slabLength: number;
  readonly #time: TimeFields = { days: 0, micros: 0, nanos: 0, offsetMinutes: 0, hasOffset: false };
  readonly #parsers: ReadonlyMap<Field, TimeParser>;

  constructor(reader: JsonReader, area: ByteArea, slabLength: number, parsers: ReadonlyMap<Field, TimeParser>) {
    this.#reader = reader;
    this.#area = area;
    this.#slabLength = slabLength;
    this.#parsers = parsers;
  }

  /** The number `bytes[p, end)`, scanned last. */
  number(column: ColumnBuilder, row: number, p: number, end: number): void {
    const storage = column.storage;
    if (storage === Storage.int || storage === Storage.long) this.#integer(column, row, p, end);
    else if (storage === Storage.decimal) this.#decimal(column, row, p, end);
    else this.#float(column, row, p, end);
  }

  /** A whole number below 10^9 for an int, long or double column. */
  shortInteger(column: ColumnBuilder, row: number, value: number): void {
    column.doubles[row] = value;
    column.state[row] = Cell.value;
    if (column.storage === Storage.double) return;
    const { words } = column;
    words[row * 2] = value;
    words[row * 2 + 1] = value >> 31;
  }

  #integer(column: ColumnBuilder, row: number, p: number, end: number): void {
    const r = this.#reader;
    if (r.short && r.scale === 0) {
      const value = r.negative ? 0 - r.mantissa : r.mantissa;
      if (column.storage === Storage.int && (value > 0x7fffffff || value < -0x80000000))
        return column.invalid(row, p, end, InvalidCause.range);
      return this.#putInteger(column, row, value);
    }
    const value = exactInteger(asciiText(r.bytes, p, end));
    if (typeof value === "number") return column.invalid(row, p, end, value);
    if (column.storage === Storage.int && BigInt.asIntN(32, value) !== value) return column.invalid(row, p, end, InvalidCause.range);
    this.#putBigInteger(column, row, value);
  }

  /** A whole number of at most 2^53. */
  #putInteger(column: ColumnBuilder, row: number, value: number): void {
    const high = Math.floor(value / twoTo32);
    column.words[row * 2] = value - high * twoTo32;
    column.words[row * 2 + 1] = high;
    column.doubles[row] = value;
    column.state[row] = Cell.value;
  }

  #putBigInteger(column: ColumnBuilder, row: number, value: bigint): void {
    column.words[row * 2] = Number(BigInt.asIntN(32, value));
    column.words[row * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
    column.doubles[row] = Number(value);
    column.state[row] = Cell.value;
  }

  #decimal(column: ColumnBuilder, row: number, p: number, end: number): void {
    const r = this.#reader;
    const { type } = column.field;
    if (type.kind !== "decimal") throw new Error("not a decimal column");
    const at = row * 4;
    const shift = type.scale - r.scale;
    if (r.short && shift >= 0 && shift <= 22) {
      const magnitude = r.mantissa * (powersOfTen[shift] as number);
      if (magnitude <= safeMax && (type.precision > 15 || magnitude < (powersOfTen[type.precision] as number))) {
        const value = r.negative ? 0 - magnitude : magnitude;
        const high = Math.floor(value / twoTo32);
        column.words[at] = value - high * twoTo32;
        column.words[at + 1] = high;
        column.words[at + 2] = column.words[at + 3] = value < 0 ? -1 : 0;
        column.doubles[row] =
          r.scale >= 0 && r.scale <= 22
            ? (r.negative ? 0 - r.mantissa : r.mantissa) / (powersOfTen[r.scale] as number)
            : Number(asciiText(r.bytes, p, end));
        column.state[row] = Cell.value;
        return;
      }
    }
    const text = asciiText(r.bytes, p, end);
    const value = exactDecimal(text, type.precision, type.scale);
    if (typeof value === "number") return column.invalid(row, p, end, value);
    for (let i = 0; i < 4; i++) column.words[at + i] = Number(BigInt.asIntN(32, value >> BigInt(32 * i)));
    column.doubles[row] = Number(text);
    column.state[row] = Cell.value;
  }

  #float(column: ColumnBuilder, row: number, p: number, end: number): void {
    const r = this.#reader;
    let value: number;
    // Both factors are exact, so that one operation rounds once (W. Clinger 1990, the fast path).
    if (r.short && r.scale >= -22 && r.scale <= 22) {
      value = r.mantissa;
      // An index of -0 would be slow.
      if (r.scale > 0) value /= powersOfTen[r.scale] as number;
      else if (r.scale < 0) value *= powersOfTen[-r.scale] as number;
      if (r.negative) value = -value;
    } else value = Number(asciiText(r.bytes, p, end));
    if (column.storage === Storage.float && Math.fround(value) !== value) value = nearestFloat(asciiText(r.bytes, p, end), value);
    if (!Number.isFinite(value)) return column.invalid(row, p, end, InvalidCause.range);
    column.doubles[row] = value;
    column.state[row] = Cell.value;
  }

  /** The string whose text, without quotes, is `bytes[start, end)`, scanned last. */
  string(column: ColumnBuilder, row: number, start: number, end: number): void {
    const r = this.#reader;
    const storage = column.storage;
    if (storage === Storage.string) {
      if (r.escaped) this.#unescaped(column, row, start, end);
      else this.view(column, row, start, end);
      return;
    }
    const area = this.#area;
    const mark = area.length;
    let bytes = r.bytes;
    let from = start;
    let to = end;
    if (r.escaped) {
      area.unescape(bytes, start, end);
      bytes = area.bytes;
      from = mark;
      to = area.length;
    }
    if (storage === Storage.binary) this.#binary(column, row, bytes, from, to, start, end);
    else if (storage === Storage.uuid) this.#uuid(column, row, bytes, from, to, start, end);
    else {
      const fault = this.#moment(column, row, bytes, from, to);
      area.length = mark;
      if (fault !== 0) column.invalid(row, start, end, fault);
    }
  }

  /** A cell that is a view of the slab. */
  view(column: ColumnBuilder, row: number, start: number, end: number): void {
    column.starts[row] = start;
    column.lengths[row] = end - start;
    column.state[row] = Cell.value;
    column.inSlab = true;
  }

  #unescaped(column: ColumnBuilder, row: number, start: number, end: number): void {
    const mark = this.#area.length;
    this.#area.unescape(this.#reader.bytes, start, end);
    this.#inArea(column, row, mark);
  }

  /** A cell of the extra area's bytes from `mark` on. */
  #inArea(column: ColumnBuilder, row: number, mark: number): void {
    column.starts[row] = this.#slabLength + mark;
    column.lengths[row] = this.#area.length - mark;
    column.state[row] = Cell.value;
    column.inArea = true;
  }

  #binary(column: ColumnBuilder, row: number, bytes: Uint8Array, from: number, to: number, start: number, end: number): void {
    const mark = this.#area.length;
    if (this.#area.base64(bytes, from, to)) this.#inArea(column, row, mark);
    else column.invalid(row, start, end, InvalidCause.form);
  }

  #uuid(column: ColumnBuilder, row: number, bytes: Uint8Array, from: number, to: number, start: number, end: number): void {
    const mark = this.#area.length;
    if (this.#area.uuid(bytes, from, to)) this.#inArea(column, row, mark);
    else column.invalid(row, start, end, InvalidCause.form);
  }

  /** A date, time or timestamp; answers 0 or an `InvalidCause`. */
  #moment(column: ColumnBuilder, row: number, bytes: Uint8Array, from: number, to: number): number {
    const parse = this.#parsers.get(column.field);
    if (parse !== undefined) {
      const value = parse(utf8Text(bytes, from, to));
      if (value === null) return InvalidCause.form;
      this.#putBigInteger(column, row, value);
      return 0;
    }
    const time = this.#time;
    if (column.storage === Storage.date) {
      const fault = parseIsoDate(bytes, from, to, time);
      if (fault === 0) this.#putInteger(column, row, time.days);
      return fault;
    }
    if (column.storage === Storage.time) {
      const fault = parseIsoTime(bytes, from, to, plainTime, time);
      if (fault === 0) this.#putInteger(column, row, time.micros);
      return fault;
    }
    const { type } = column.field;
    if (type.kind !== "timestamp") throw new Error("not a timestamp column");
    const fault = parseIsoTimestamp(bytes, from, to, type.unit === "nanos", time);
    if (fault !== 0) return fault;
    if (time.hasOffset && !type.zoned) return InvalidCause.offset;
    const ofDay = time.micros - time.offsetMinutes * 60e6;
    if (type.unit === "nanos") {
      const nanos = (BigInt(time.days) * BigInt(microsPerDay) + BigInt(ofDay)) * 1000n + BigInt(time.nanos);
      if (BigInt.asIntN(64, nanos) !== nanos) return InvalidCause.range;
      this.#putBigInteger(column, row, nanos);
      return 0;
    }
    const value = time.days * microsPerDay + ofDay;
    if (Math.abs(value) <= safeMax) this.#putInteger(column, row, value);
    else this.#putBigInteger(column, row, BigInt(time.days) * BigInt(microsPerDay) + BigInt(ofDay));
    return 0;
  }
}
