import { Cell, InvalidCause, type DecodeFault } from "../../core/column.ts";
import type { ProtoField, ProtoMessage, ProtoScalar } from "../../core/protobuf/proto-schema.ts";
import type { Field } from "../../core/schema.ts";
import type { TimeParser } from "../../core/time-format.ts";
import { ByteArea } from "../byte-area.ts";
import { CellWriter, integerText } from "../cell-writer.ts";
import { Storage, type ColumnBuilder } from "../column-builder.ts";
import { decodeFaults, type DecodeFaultCode } from "../faults.ts";
import type { RowSet } from "../row-set.ts";
import { WireType, type MessageIndexes } from "./message-index.ts";
import { ProtoJson } from "./proto-json.ts";
import type { ProtoPlan, ProtoRead, ProtoSlot, ProtoTable } from "./proto-plan.ts";
import { isUnsigned, ProtoScan, type Frame } from "./proto-scan.ts";
import { ProtoUnknown } from "./proto-unknown.ts";
import { writeDuration, writeTimestamp } from "./well-known-cells.ts";

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);

/** Decodes Protobuf messages into the rows of one batch: an interpreter of the plan, without an object a record. */
export class ProtoRows {
  readonly #rows: RowSet;
  readonly #plan: ProtoPlan;
  readonly #indexes: MessageIndexes;
  readonly #scan: ProtoScan;
  readonly #writer: CellWriter;
  readonly #json: ProtoJson;
  readonly #unknown: ProtoUnknown;
  readonly #scratch = new ByteArea();

  constructor(rows: RowSet, plan: ProtoPlan, parsers: ReadonlyMap<Field, TimeParser>, indexes: MessageIndexes) {
    this.#rows = rows;
    this.#plan = plan;
    this.#indexes = indexes;
    this.#scan = new ProtoScan(plan.unknownFields !== "ignore");
    this.#writer = new CellWriter(rows, parsers);
    this.#json = new ProtoJson(this.#scan, rows, indexes);
    this.#unknown = new ProtoUnknown(this.#scan, rows, this.#json, plan.unknownFields);
  }

  /** Decodes the message `slab[start, end)` into row `row`; a fault leaves the row without values. */
  decode(row: number, start: number, end: number): DecodeFault | null {
    const rows = this.#rows;
    const scan = this.#scan;
    rows.begin(end - start);
    scan.open(rows.slab);
    this.#unknown.begin();
    let done = this.#root(row, start, end);
    const detail = this.#unknown.rejected();
    if (done && detail !== null) done = scan.fail("protobuf.unknown-field", this.#unknown.rejectedAt) > 0;
    if (done) {
      rows.end(row);
      return null;
    }
    rows.rewind(row);
    const code = scan.fault as DecodeFaultCode;
    const at = scan.faultAt - start;
    const named = code === "protobuf.unknown-field" && detail !== null ? `: ${detail}` : "";
    return { row, code, message: `${decodeFaults[code]}${named} (byte ${at})`, at };
  }

  #root(row: number, start: number, end: number): boolean {
    const { table } = this.#plan;
    const index = this.#indexes.of(table.message);
    const frame = this.#scan.enter(index, start);
    if (frame === null || this.#scan.scan(index, frame, start, end) < 0) return false;
    this.#scan.settle(index, frame);
    if (!this.#struct(table, frame, this.#rows.columns, row)) return false;
    const { notes, texts } = this.#rows;
    if (texts !== null) {
      const mark = notes.length;
      if (!this.#json.object(table.message, frame, notes)) return false;
      texts.starts[row] = mark;
      texts.lengths[row] = notes.length - mark;
    }
    this.#scan.leave(frame);
    return true;
  }

  /** What a frame found of a message, into the columns of a struct. */
  #struct(table: ProtoTable, frame: Frame, columns: readonly ColumnBuilder[], row: number): boolean {
    const { slots, message } = table;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as ProtoSlot;
      const head = frame.heads[i] as number;
      const field = message.fields[i] as ProtoField;
      if (slot.column < 0) {
        if (head >= 0 && !this.#unknown.known(message, field, head)) return false;
        continue;
      }
      if (!this.#slot(slot, message, field, head, frame.tails[i] as number, columns[slot.column] as ColumnBuilder, row)) return false;
    }
    return this.#unknown.numbers(frame);
  }

  #slot(slot: ProtoSlot, owner: ProtoMessage, field: ProtoField, head: number, tail: number, column: ColumnBuilder, row: number): boolean {
    switch (slot.into) {
      case "single":
        return head < 0 ? this.#absent(slot.read, field, column, row) : this.#single(slot.read, head, tail, column, row);
      case "list":
        return this.#list(slot.read, field, head, column, row);
      case "map":
        return this.#map(slot.read, owner, field, head, column, row);
      case "json":
        if (head < 0 && field.presence) return field.byDefault === null || this.#default(field, field.byDefault, column, row);
        return this.#jsonCell(column, row, (into) => this.#json.field(owner, field, head, into));
      case "mismatch":
        return head < 0 || this.#invalid(column, row, InvalidCause.type, (into) => this.#json.field(owner, field, head, into));
    }
  }

  #jsonCell(column: ColumnBuilder, row: number, write: (into: ByteArea) => boolean): boolean {
    const { area } = this.#rows;
    const mark = area.length;
    this.#json.badText = false;
    if (!write(area)) return false;
    if (this.#json.badText) {
      this.#writer.invalidBytes(column, row, area.bytes, mark, area.length, InvalidCause.utf8);
      area.length = mark;
    } else this.#writer.inArea(column, row, mark);
    return true;
  }

  #invalid(column: ColumnBuilder, row: number, cause: number, write: (into: ByteArea) => boolean): boolean {
    const scratch = this.#scratch;
    scratch.length = 0;
    if (!write(scratch)) return false;
    this.#writer.invalidBytes(column, row, scratch.bytes, 0, scratch.length, cause);
    return true;
  }

  /** A single field that is not on the wire: its declared default; missing, where that can be told; else its type's zero. */
  #absent(read: ProtoRead, field: ProtoField, column: ColumnBuilder, row: number): boolean {
    if (field.byDefault !== null) return this.#default(field, field.byDefault, column, row);
    if (field.presence) return true;
    return this.#zero(read, field, column, row);
  }

  #zero(read: ProtoRead, field: ProtoField, column: ColumnBuilder, row: number): boolean {
    if (field.type.kind === "scalar") this.#constant(field.type.scalar, zeroOf(field.type.scalar), column, row);
    else if (field.type.kind === "enum") this.#enum(read, field.type.enum.values[0]?.number ?? 0, column, row);
    return true;
  }

  #default(field: ProtoField, text: string, column: ColumnBuilder, row: number): boolean {
    const { type } = field;
    if (column.storage === Storage.json) {
      const quoted = type.kind === "enum" || (type.kind === "scalar" && (type.scalar === "string" || type.scalar === "bytes"));
      const bytes = encoder.encode(quoted ? JSON.stringify(text) : text);
      this.#writer.raw(column, row, bytes, 0, bytes.length);
    } else if (type.kind === "scalar") this.#constant(type.scalar, text, column, row);
    else if (type.kind === "enum") {
      const bytes = encoder.encode(text);
      const number = type.enum.values.find((each) => each.name === text)?.number ?? 0;
      if (column.storage === Storage.string) this.#writer.raw(column, row, bytes, 0, bytes.length);
      else this.#writer.integer(column, row, number, number >> 31);
    }
    return true;
  }

  /** A constant of a scalar type from its text (of bytes: base64). */
  #constant(scalar: ProtoScalar, text: string, column: ColumnBuilder, row: number): void {
    const writer = this.#writer;
    switch (scalar) {
      case "bool":
        return writer.boolean(column, row, text === "true");
      case "double":
      case "float":
        return writer.real(column, row, Number(text.replace(/inf$/i, "Infinity")));
      case "string": {
        const bytes = encoder.encode(text);
        return writer.text(column, row, bytes, 0, bytes.length);
      }
      case "bytes": {
        const bytes = text === "" ? nothing : Buffer.from(text, "base64");
        return this.#bytes(column, row, bytes, 0, bytes.length);
      }
      default: {
        const value = BigInt(text);
        return writer.integer(column, row, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)), isUnsigned(scalar));
      }
    }
  }

  /** Bytes: the 16 of a UUID for a uuid column, else as text has them. */
  #bytes(column: ColumnBuilder, row: number, bytes: Uint8Array, start: number, end: number): void {
    if (column.storage === Storage.uuid) this.#writer.uuid(column, row, bytes, start, end);
    else this.#writer.text(column, row, bytes, start, end);
  }

  /** A single value from its occurrences. */
  #single(read: ProtoRead, head: number, tail: number, column: ColumnBuilder, row: number): boolean {
    const scan = this.#scan;
    switch (read.kind) {
      case "scalar":
      case "enum":
        return this.#value(read, scan.start(tail), scan.end(tail), column, row) >= 0;
      case "json":
        return this.#jsonCell(column, row, (into) => this.#json.single(read.type, head, into));
      case "invalid":
        return this.#invalid(column, row, read.cause, (into) => this.#json.single(read.type, head, into));
      default: {
        const message = read.kind === "struct" ? read.table.message : read.kind === "wrapper" ? read.message : null;
        return this.#message(read, message, head, true, column, row);
      }
    }
  }

  /** A message from one occurrence, or, merged, from all that follow. */
  #message(read: ProtoRead, message: ProtoMessage | null, head: number, merged: boolean, column: ColumnBuilder, row: number): boolean {
    const scan = this.#scan;
    const index = message === null ? this.#indexes.seconds : this.#indexes.of(message);
    const frame = scan.enter(index, head < 0 ? 0 : scan.start(head));
    if (frame === null) return false;
    for (let found = head; found >= 0; found = merged ? scan.next(found) : -1) {
      if (scan.scan(index, frame, scan.start(found), scan.end(found)) < 0) return false;
    }
    scan.settle(index, frame);
    const done = this.#put(read, frame, column, row);
    scan.leave(frame);
    return done;
  }

  #put(read: ProtoRead, frame: Frame, column: ColumnBuilder, row: number): boolean {
    const scan = this.#scan;
    switch (read.kind) {
      case "struct": {
        column.state[row] = Cell.value;
        this.#unknown.enter(column.field.sourceName);
        if (!this.#struct(read.table, frame, column.children, row)) return false;
        this.#unknown.leave();
        return true;
      }
      case "wrapper": {
        const tail = frame.tails[0] as number;
        if (tail < 0) {
          this.#constant(read.scalar, zeroOf(read.scalar), column, row);
          return true;
        }
        return this.#value({ kind: "scalar", scalar: read.scalar }, scan.start(tail), scan.end(tail), column, row) >= 0;
      }
      default: {
        const time = this.#json.seconds(frame);
        if (time === null) return false;
        if (read.kind === "timestamp") writeTimestamp(this.#writer, column, row, time);
        else writeDuration(this.#writer, column, row, time);
        return true;
      }
    }
  }

  /** A scalar or enum value at `p`; of text, `[p, end)`. Answers the position after it, or -1. */
  #value(read: ProtoRead & { readonly kind: "scalar" | "enum" }, p: number, end: number, column: ColumnBuilder, row: number): number {
    const scan = this.#scan;
    const writer = this.#writer;
    if (read.kind === "enum") {
      const after = scan.scalar("int32", p, end);
      if (after >= 0) this.#enum(read, scan.low, column, row);
      return after;
    }
    const { scalar } = read;
    if (scalar === "string" || scalar === "bytes") {
      if (scalar === "string") writer.text(column, row, scan.bytes, p, end);
      else this.#bytes(column, row, scan.bytes, p, end);
      return end;
    }
    const after = scan.scalar(scalar, p, end);
    if (after < 0) return after;
    if (scalar === "bool") writer.boolean(column, row, scan.low === 1);
    else if (scalar === "double" || scalar === "float") writer.real(column, row, scan.real);
    else writer.integer(column, row, scan.low, scan.high, isUnsigned(scalar));
    return after;
  }

  #enum(read: ProtoRead, number: number, column: ColumnBuilder, row: number): void {
    const writer = this.#writer;
    if (column.storage !== Storage.string) return writer.integer(column, row, number, number >> 31);
    const name = read.kind === "enum" ? read.names.get(number) : undefined;
    if (name === undefined) writer.invalid(column, row, integerText(number, number >> 31, false), InvalidCause.range);
    else writer.raw(column, row, name, 0, name.length);
  }

  #list(read: ProtoRead, field: ProtoField, head: number, column: ColumnBuilder, row: number): boolean {
    const scan = this.#scan;
    const element = column.element as ColumnBuilder;
    const { type } = field;
    const scalar = read.kind === "scalar" || read.kind === "enum" ? read : null;
    const text = type.kind === "scalar" && (type.scalar === "string" || type.scalar === "bytes");
    column.state[row] = Cell.value;
    this.#unknown.enter(column.field.sourceName);
    let position = 0;
    for (let found = head; found >= 0; found = scan.next(found)) {
      let p = scan.start(found);
      const end = scan.end(found);
      const packed = type.kind !== "message" && !text && scan.wire(found) === WireType.length;
      for (let more = !packed || p < end; more; more = packed && p < end) {
        const at = this.#rows.nextElement(element);
        if (at < 0) return scan.fail("protobuf.too-many-elements", p) > 0;
        if (scalar !== null) {
          p = this.#value(scalar, p, end, element, at);
          if (p < 0) return false;
        } else if (packed) {
          p = this.#packedOther(read, p, end, element, at);
          if (p < 0) return false;
        } else if (!this.#element(read, found, element, at, String(position++))) return false;
      }
    }
    this.#unknown.leave();
    column.offsets[row + 1] = element.length;
    return true;
  }

  /** A packed number whose column takes JSON, or no such type at all. */
  #packedOther(read: ProtoRead, p: number, end: number, element: ColumnBuilder, at: number): number {
    let after = p;
    const write = (into: ByteArea): boolean => {
      after = this.#json.packed(read.kind === "json" || read.kind === "invalid" ? read.type : null, p, end, into);
      return after >= 0;
    };
    const done = read.kind === "invalid" ? this.#invalid(element, at, read.cause, write) : this.#jsonCell(element, at, write);
    return done ? after : -1;
  }

  /** One element of a list of messages or texts, or the value of a map's entry; unknown fields inside it are kept under its index or key. */
  #element(read: ProtoRead, found: number, element: ColumnBuilder, at: number, key: string): boolean {
    const scan = this.#scan;
    switch (read.kind) {
      case "scalar":
      case "enum":
        return this.#value(read, scan.start(found), scan.end(found), element, at) >= 0;
      case "json":
        return this.#jsonCell(element, at, (into) => this.#json.one(read.type, found, into));
      case "invalid":
        return this.#invalid(element, at, read.cause, (into) => this.#json.one(read.type, found, into));
      case "struct":
        this.#unknown.rename(key);
        return this.#message(read, read.table.message, found, false, element, at);
      default:
        return this.#message(read, read.kind === "wrapper" ? read.message : null, found, false, element, at);
    }
  }

  #map(read: ProtoRead, owner: ProtoMessage, field: ProtoField, head: number, column: ColumnBuilder, row: number): boolean {
    const scan = this.#scan;
    const element = column.element as ColumnBuilder;
    const keys = column.keys as ColumnBuilder;
    const entry = this.#indexes.of(this.#indexes.of(owner).entries[owner.fields.indexOf(field)] as ProtoMessage);
    column.state[row] = Cell.value;
    // The last entry of a key counts.
    const entries = new Map<string, number>();
    for (let found = head; found >= 0; found = scan.next(found)) {
      const key = this.#json.entryKey(entry.message, found);
      if (key === null) return false;
      entries.set(key, found);
    }
    this.#unknown.enter(column.field.sourceName);
    for (const [key, found] of entries) {
      const at = this.#rows.nextElement(element);
      if (at < 0) return scan.fail("protobuf.too-many-elements", scan.start(found)) > 0;
      keys.length = at + 1;
      keys.reserve(at);
      const bytes = encoder.encode(key);
      this.#writer.raw(keys, at, bytes, 0, bytes.length);
      const frame = scan.enter(entry, scan.start(found));
      if (frame === null || scan.scan(entry, frame, scan.start(found), scan.end(found)) < 0) return false;
      if (!this.#entryValue(read, field, frame, element, at, key)) return false;
      scan.leave(frame);
    }
    this.#unknown.leave();
    column.offsets[row + 1] = element.length;
    return true;
  }

  #entryValue(read: ProtoRead, field: ProtoField, frame: Frame, element: ColumnBuilder, at: number, key: string): boolean {
    const head = frame.heads[1] as number;
    if (read.kind === "struct") this.#unknown.rename(key);
    if (head >= 0) return this.#single(read, head, frame.tails[1] as number, element, at);
    if (read.kind === "json") return this.#jsonCell(element, at, (into) => this.#json.single(field.type, -1, into));
    if (read.kind === "invalid") return this.#invalid(element, at, read.cause, (into) => this.#json.single(field.type, -1, into));
    if (read.kind === "scalar" || read.kind === "enum") return this.#zero(read, field, element, at);
    return this.#message(
      read,
      read.kind === "struct" ? read.table.message : read.kind === "wrapper" ? read.message : null,
      -1,
      false,
      element,
      at,
    );
  }
}

/** The text of a scalar's zero. */
function zeroOf(scalar: ProtoScalar): string {
  if (scalar === "bool") return "false";
  return scalar === "string" || scalar === "bytes" ? "" : "0";
}
