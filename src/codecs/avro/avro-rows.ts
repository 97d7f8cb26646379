import type { AvroSchema } from "../../core/avro/avro-schema.ts";
import { Cell, InvalidCause, type DecodeFault } from "../../core/column.ts";
import type { Field } from "../../core/schema.ts";
import type { TimeParser } from "../../core/time-format.ts";
import { uuidText } from "../../core/uuid.ts";
import { ByteArea } from "../byte-area.ts";
import { CellWriter, type EpochUnit } from "../cell-writer.ts";
import { Storage, type ColumnBuilder } from "../column-builder.ts";
import { decodeFaults, type DecodeFaultCode } from "../faults.ts";
import { KeySet } from "../key-table.ts";
import type { RowSet } from "../row-set.ts";
import { isUtf8 } from "../utf8.ts";
import { AvroCursor, maxDepth } from "./avro-cursor.ts";
import { AvroJson, bigEndianInteger, isShortDecimal, scaledText } from "./avro-json.ts";
import type { AvroPlan, AvroRead, AvroStep } from "./avro-plan.ts";

/** Unknown fields that a fault names. */
const namedFieldsMax = 8;
const encoder = new TextEncoder();

/** Decodes Avro data into the rows of one batch, each by the plan of its writer's schema: an interpreter of the plan, without an object a record. */
export class AvroRows {
  readonly #rows: RowSet;
  readonly #cursor = new AvroCursor();
  readonly #writer: CellWriter;
  readonly #json: AvroJson;
  readonly #scratch = new ByteArea();
  #plan: AvroPlan | null = null;
  #detail: string | null = null;
  #rejected: string[] = [];
  #rejectedAt = 0;

  constructor(rows: RowSet, parsers: ReadonlyMap<Field, TimeParser>) {
    this.#rows = rows;
    this.#writer = new CellWriter(rows, parsers);
    this.#json = new AvroJson(this.#cursor, rows);
  }

  /** Decodes the datum `slab[start, end)` into row `row`; a fault leaves the row without values. `schema`: the writer's, for rules that read the record's text. */
  decode(plan: AvroPlan, schema: AvroSchema, row: number, start: number, end: number): DecodeFault | null {
    const rows = this.#rows;
    const cursor = this.#cursor;
    rows.begin(end - start);
    cursor.open(rows.slab, end);
    this.#plan = plan;
    this.#detail = null;
    let p = this.#root(plan.root, row, start);
    if (p >= 0 && p < end) p = cursor.fail("avro.trailing", p);
    if (p >= 0 && this.#rejected.length > 0) {
      this.#detail = this.#rejected.join(", ");
      p = cursor.fail("avro.unknown-field", this.#rejectedAt);
    }
    if (this.#rejected.length > 0) this.#rejected = [];
    if (p >= 0 && rows.texts !== null) p = this.#text(schema, row, start);
    if (p >= 0) {
      rows.end(row);
      return null;
    }
    rows.rewind(row);
    const code = cursor.fault as DecodeFaultCode;
    const at = cursor.faultAt - start;
    const detail = this.#detail === null ? "" : `: ${this.#detail}`;
    return { row, code, message: `${decodeFaults[code]}${detail} (byte ${at})`, at };
  }

  #text(schema: AvroSchema, row: number, start: number): number {
    const { notes, texts } = this.#rows;
    const mark = notes.length;
    const p = this.#json.write(schema, start, 0, notes);
    if (p >= 0 && texts !== null) {
      texts.starts[row] = mark;
      texts.lengths[row] = notes.length - mark;
    }
    return p;
  }

  #root(read: AvroRead, row: number, p: number): number {
    if (read.kind === "struct") return this.#struct(read, this.#rows.columns, row, p, 0);
    if (read.kind !== "union") return this.#cursor.fail("avro.not-record", p);
    const after = this.#cursor.index(p, read.branches.length, "avro.union");
    return after < 0 ? after : this.#root(read.branches[this.#cursor.low] as AvroRead, row, after);
  }

  #struct(read: AvroRead & { kind: "struct" }, columns: readonly ColumnBuilder[], row: number, p: number, depth: number): number {
    const { steps } = read;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i] as AvroStep;
      p =
        step.column < 0
          ? this.#unknown(step, p, depth)
          : this.#read((step as { read: AvroRead }).read, columns[step.column] as ColumnBuilder, row, p, depth);
      if (p < 0) return p;
    }
    for (const { column, read: value, bytes } of read.defaults) this.#default(value, columns[column] as ColumnBuilder, row, bytes, depth);
    return p;
  }

  /** A constant of the reader's schema, which is well formed. */
  #default(read: AvroRead, column: ColumnBuilder, row: number, bytes: Uint8Array, depth: number): void {
    const cursor = this.#cursor;
    const { bytes: outer, end } = cursor;
    cursor.open(bytes, bytes.length);
    this.#read(read, column, row, 0, depth);
    cursor.open(outer, end);
  }

  /** A field that the contract does not name. */
  #unknown(step: AvroStep, p: number, depth: number): number {
    const { name, skip } = step as { name: string; skip: AvroSchema };
    const { unknown } = this.#rows;
    const policy = (this.#plan as AvroPlan).unknownFields;
    if (policy === "reject") {
      if (this.#rejected.length === 0) this.#rejectedAt = p;
      if (this.#rejected.length < namedFieldsMax) this.#rejected.push(JSON.stringify(name.slice(0, 64)));
    }
    if (unknown === null) return this.#cursor.skip(skip, p, depth + 1);
    const scratch = this.#scratch;
    scratch.length = 0;
    const key = encoder.encode(JSON.stringify(name));
    scratch.append(key, 0, key.length);
    p = this.#json.write(skip, p, depth + 1, scratch);
    if (p >= 0) unknown.add(scratch.bytes, 0, key.length, key.length, scratch.length);
    return p;
  }

  /** The value at `p`, inside `depth` open levels, into one cell. */
  #read(read: AvroRead, column: ColumnBuilder, row: number, p: number, depth: number): number {
    const cursor = this.#cursor;
    switch (read.kind) {
      case "null":
        column.state[row] = Cell.null;
        return p;
      case "cell":
        return this.#cell(read, column, row, p);
      case "union": {
        const after = cursor.index(p, read.branches.length, "avro.union");
        return after < 0 ? after : this.#read(read.branches[cursor.low] as AvroRead, column, row, after, depth);
      }
      case "struct":
        column.state[row] = Cell.value;
        this.#enter(column.field.sourceName);
        p = this.#struct(read, column.children, row, p, depth + 1);
        if (p >= 0) this.#leave();
        return p;
      case "list":
      case "map":
        column.state[row] = Cell.value;
        this.#enter(column.field.sourceName);
        p = this.#items(read, column, row, p, depth + 1);
        if (p >= 0) this.#leave();
        return p;
      case "json":
        return this.#jsonCell(read.schema, column, row, p, depth);
      case "invalid":
        return this.#invalid(read.schema, read.cause, column, row, p, depth);
    }
  }

  #enter(key: string): void {
    const { unknown } = this.#rows;
    if (unknown !== null) unknown.enter(encoder.encode(JSON.stringify(key)));
  }

  #leave(): void {
    const { unknown } = this.#rows;
    if (unknown !== null) unknown.leave();
  }

  #cell(read: AvroRead & { kind: "cell" }, column: ColumnBuilder, row: number, p: number): number {
    const cursor = this.#cursor;
    const writer = this.#writer;
    const { schema } = read;
    let after: number;
    switch (schema.type) {
      case "null":
        column.state[row] = Cell.null;
        return p;
      case "boolean":
        after = cursor.boolean(p);
        if (after >= 0) writer.boolean(column, row, cursor.low === 1);
        return after;
      case "int":
      case "long":
        after = schema.type === "int" ? cursor.int(p) : cursor.long(p);
        if (after >= 0) this.#whole(read, column, row, cursor.low, cursor.high);
        return after;
      case "float":
      case "double":
        after = schema.type === "float" ? cursor.float(p) : cursor.double(p);
        if (after >= 0) writer.real(column, row, cursor.real);
        return after;
      case "string":
      case "bytes": {
        const start = cursor.length(p);
        if (start < 0) return start;
        after = start + cursor.low;
        this.#bytes(read, column, row, start, after);
        return after;
      }
      case "fixed":
        after = cursor.fixed(p, schema.size);
        if (after >= 0) this.#bytes(read, column, row, p, after);
        return after;
      case "enum": {
        after = cursor.index(p, schema.symbols.length, "avro.enum");
        if (after < 0) return after;
        const symbol = read.symbols?.[cursor.low];
        if (symbol === null || symbol === undefined) writer.invalid(column, row, schema.symbols[cursor.low] as string, InvalidCause.range);
        else writer.raw(column, row, symbol, 0, symbol.length);
        return after;
      }
    }
  }

  #whole(read: AvroRead & { kind: "cell" }, column: ColumnBuilder, row: number, low: number, high: number): void {
    const writer = this.#writer;
    switch (read.as) {
      case "single": {
        // What the reader's schema calls a float is one, whatever the column holds.
        const value = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
        return writer.real(column, row, nearestSingle(value));
      }
      case "days":
        return writer.days(column, row, low);
      case "day-millis":
        return writer.dayMicros(column, row, low * 1000);
      case "day-micros":
        return writer.dayMicros(column, row, high * 4_294_967_296 + (low >>> 0));
      case "epoch-millis":
      case "epoch-micros":
      case "epoch-nanos":
        return writer.epoch(column, row, low, high, read.as.slice(6) as EpochUnit, false);
      default:
        return writer.integer(column, row, low, high);
    }
  }

  /** A string, bytes or fixed value of `bytes[start, end)`. */
  #bytes(read: AvroRead & { kind: "cell" }, column: ColumnBuilder, row: number, start: number, end: number): void {
    const writer = this.#writer;
    const { bytes } = this.#cursor;
    switch (read.as) {
      case "text":
        return writer.text(column, row, bytes, start, end);
      case "decimal":
        if (!isShortDecimal(start, end)) return writer.invalid(column, row, `a number of ${end - start} bytes`, InvalidCause.range);
        return writer.numberText(column, row, scaledText(bigEndianInteger(bytes, start, end), read.scale));
      case "uuid": {
        const text = encoder.encode(uuidText(bytes, start));
        return writer.raw(column, row, text, 0, text.length);
      }
      case "uuid-bytes":
        return writer.uuid(column, row, bytes, start, end);
      default:
        return writer.raw(column, row, bytes, start, end);
    }
  }

  #jsonCell(schema: AvroSchema, column: ColumnBuilder, row: number, p: number, depth: number): number {
    const { area } = this.#rows;
    const json = this.#json;
    const mark = area.length;
    json.badText = false;
    const after = json.write(schema, p, depth, area);
    if (after < 0) return after;
    if (json.badText) {
      this.#writer.invalidBytes(column, row, area.bytes, mark, area.length, InvalidCause.utf8);
      area.length = mark;
    } else this.#writer.inArea(column, row, mark);
    return after;
  }

  #invalid(schema: AvroSchema, cause: number, column: ColumnBuilder, row: number, p: number, depth: number): number {
    const scratch = this.#scratch;
    scratch.length = 0;
    const after = this.#json.write(schema, p, depth, scratch);
    if (after >= 0) this.#writer.invalidBytes(column, row, scratch.bytes, 0, scratch.length, cause);
    return after;
  }

  /** The blocks of an array or map. */
  #items(read: AvroRead & { kind: "list" | "map" }, column: ColumnBuilder, row: number, p: number, depth: number): number {
    const cursor = this.#cursor;
    const element = column.element as ColumnBuilder;
    const keyed = read.kind === "map";
    const items = keyed ? read.schema.values : read.schema.items;
    const value = keyed ? read.values : read.items;
    const seen = keyed ? new KeySet() : null;
    if (depth > maxDepth) return cursor.fail("avro.depth", p);
    for (let index = 0; ;) {
      p = cursor.block(p, items, keyed ? 1 : 0);
      if (p < 0) return p;
      const { count, blockEnd } = cursor;
      if (count === 0) break;
      for (let i = 0; i < count; i++, index++) {
        const at = this.#rows.nextElement(element);
        if (at < 0) return cursor.fail("avro.too-many-elements", p);
        let name = "";
        if (seen !== null) {
          p = this.#key(column, at, p, seen);
          if (p < 0) return p;
          name = this.#keyName;
        }
        p = this.#element(value, element, at, p, depth, keyed ? name : index);
        if (p < 0) return p;
      }
      if (blockEnd >= 0 && p !== blockEnd) return cursor.fail("avro.block", p);
    }
    column.offsets[row + 1] = element.length;
    return p;
  }

  #keyName = "";

  #key(column: ColumnBuilder, at: number, p: number, seen: KeySet): number {
    const cursor = this.#cursor;
    const keys = column.keys as ColumnBuilder;
    const start = cursor.length(p);
    if (start < 0) return start;
    const end = start + cursor.low;
    const { bytes } = cursor;
    if (!isUtf8(bytes, start, end)) return cursor.fail("avro.utf8", start);
    this.#keyName = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
    if (!seen.add(this.#keyName)) {
      this.#detail = column.field.path;
      return cursor.fail("avro.duplicate-key", p);
    }
    keys.length = at + 1;
    keys.reserve(at);
    this.#writer.raw(keys, at, bytes, start, end);
    return end;
  }

  /** One element; unknown fields inside it are kept under its index or key. */
  #element(read: AvroRead, element: ColumnBuilder, at: number, p: number, depth: number, key: number | string): number {
    if (element.storage !== Storage.struct || this.#rows.unknown === null) return this.#read(read, element, at, p, depth);
    if (read.kind === "union") {
      const after = this.#cursor.index(p, read.branches.length, "avro.union");
      return after < 0 ? after : this.#element(read.branches[this.#cursor.low] as AvroRead, element, at, after, depth, key);
    }
    if (read.kind !== "struct") return this.#read(read, element, at, p, depth);
    element.state[at] = Cell.value;
    this.#enter(String(key));
    p = this.#struct(read, element.children, at, p, depth + 1);
    if (p >= 0) this.#leave();
    return p;
  }
}

/** The float nearest to a whole number: rounding to a double first could land halfway between two floats. */
function nearestSingle(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const excess = magnitude.toString(2).length - 24;
  if (excess <= 0) return Number(value);
  const unit = 1n << BigInt(excess);
  const below = magnitude / unit;
  const rest = magnitude - below * unit;
  const up = rest * 2n > unit || (rest * 2n === unit && below % 2n === 1n);
  const rounded = Number((up ? below + 1n : below) * unit);
  return value < 0n ? -rounded : rounded;
}
