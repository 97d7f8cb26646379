import { Cell, InvalidCause, type DecodeFault } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import type { TimeParser } from "../core/time-format.ts";
import { ByteArea } from "./byte-area.ts";
import { ColumnBuilder, Storage } from "./column-builder.ts";
import { decodeFaults, type DecodeFaultCode } from "./faults.ts";
import { JsonReader, maxDepth } from "./json-reader.ts";
import { KeySet, type KeyTable } from "./key-table.ts";
import { ScalarWriter } from "./scalar-writer.ts";
import { UnknownFields } from "./unknown-fields.ts";

/** What decoding needs of a contract, made once. */
export interface JsonPlan {
  readonly fields: readonly Field[];
  readonly rootKeys: KeyTable;
  readonly structKeys: ReadonlyMap<Field, KeyTable>;
  readonly parsers: ReadonlyMap<Field, TimeParser>;
  readonly unknownFields: "ignore" | "keep" | "reject";
}

/** Cells that list elements may take whatever the record's size, and cells for each of its bytes beyond that. */
const freeCells = 1 << 20;
const cellsPerByte = 4;
/** Unknown fields that a fault names. */
const namedFieldsMax = 8;

/** Decodes the records of one batch, row by row, into builders. */
export class JsonDecoder {
  readonly columns: readonly ColumnBuilder[];
  readonly area = new ByteArea();
  readonly unknown: UnknownFields | null;
  readonly #plan: JsonPlan;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #reader = new JsonReader();
  readonly #writer: ScalarWriter;
  readonly #elements: ColumnBuilder[] = [];
  readonly #marks: number[] = [];
  readonly #keySets: KeySet[] = [];
  #cellsLeft = 0;
  #detail: string | null = null;
  #rejected: string[] = [];
  #rejectedAt = 0;

  constructor(plan: JsonPlan, rows: number, bytes: Uint8Array) {
    this.#plan = plan;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reader.bytes = bytes;
    this.columns = plan.fields.map((field) => new ColumnBuilder(field, rows));
    this.#writer = new ScalarWriter(this.#reader, this.area, bytes.length, plan.parsers);
    this.unknown = plan.unknownFields === "keep" ? new UnknownFields(rows) : null;
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

  /** Decodes the value `bytes[start, end)` into row `row`; a fault leaves the row without values. */
  row(row: number, start: number, end: number): DecodeFault | null {
    const reader = this.#reader;
    reader.end = end;
    this.#cellsLeft = Math.max(freeCells, (end - start) * cellsPerByte);
    this.#detail = null;
    const elements = this.#elements;
    for (let i = 0; i < elements.length; i++) this.#marks[i] = (elements[i] as ColumnBuilder).length;
    const areaMark = this.area.length;
    const unknownMark = this.unknown === null ? 0 : this.unknown.begin();
    let p = this.#root(row, start, end);
    if (p >= 0) {
      p = reader.space(p);
      if (p < end) p = reader.fail("json.trailing", p);
    }
    if (p >= 0 && this.#rejected.length > 0) {
      this.#detail = this.#rejected.join(", ");
      p = reader.fail("json.unknown-field", this.#rejectedAt);
    }
    if (this.#rejected.length > 0) this.#rejected = [];
    if (p >= 0) {
      if (this.unknown !== null) this.unknown.end(row, unknownMark);
      return null;
    }
    for (const column of this.columns) column.rewind(row, row + 1);
    for (let i = 0; i < elements.length; i++) {
      const element = elements[i] as ColumnBuilder;
      const mark = this.#marks[i] as number;
      element.rewind(mark, element.length);
      element.length = mark;
    }
    this.area.length = areaMark;
    if (this.unknown !== null) this.unknown.rewind(unknownMark);
    return this.#fault(row, start);
  }

  /** Forgets rows 0 to `rows` and all they brought, so that they can be decoded anew. */
  clear(rows: number): void {
    for (const column of this.columns) column.rewind(0, rows);
    for (const element of this.#elements) {
      element.rewind(0, element.length);
      element.length = 0;
    }
    this.area.length = 0;
    if (this.unknown !== null) this.unknown.clear(rows);
  }

  #fault(row: number, start: number): DecodeFault {
    const code = this.#reader.fault as DecodeFaultCode;
    const at = this.#reader.faultAt - start;
    const detail = this.#detail === null ? "" : `: ${this.#detail}`;
    return { row, code, message: `${decodeFaults[code]}${detail} (byte ${at})`, at };
  }

  #root(row: number, start: number, end: number): number {
    const reader = this.#reader;
    const bytes = this.#bytes;
    if (start === end) return reader.fail("json.empty", start);
    if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf && start + 3 <= end)
      return reader.fail("json.bom", start);
    const p = reader.space(start);
    if (p < end && bytes[p] === 0x7b) return this.#object(this.columns, this.#plan.rootKeys, row, p, 0);
    const after = reader.skip(p, 0);
    return after < 0 ? after : reader.fail("json.not-object", p);
  }

  /** The object at `p`, inside `depth` open levels, into row `row` of `columns`. */
  #object(columns: readonly ColumnBuilder[], keys: KeyTable, row: number, p: number, depth: number): number {
    const reader = this.#reader;
    const bytes = this.#bytes;
    const end = reader.end;
    const { count } = keys;
    let next = 0;
    let unknownSeen = false;
    p = reader.space(p + 1);
    if (p < end && bytes[p] === 0x7d) return p + 1;
    for (;;) {
      let field = -1;
      // Most records bring the contract's fields in its order, printed without spaces.
      if (next < count && keys.matches(next, this.#view, p)) {
        field = next;
        p += keys.sizes[next] as number;
      }
      const keyStart = p;
      let keyEnd = p;
      if (field < 0) {
        if (p >= end || bytes[p] !== 0x22) return reader.unexpected(p);
        p = reader.string(p + 1);
        if (p < 0) return p;
        keyEnd = p;
        field = this.#find(keys, keyStart + 1, keyEnd - 1);
        p = reader.colon(p);
        if (p < 0) return p;
      } else if (p < end && (bytes[p] as number) <= 0x20) p = reader.space(p);
      if (field >= 0) {
        const column = columns[field] as ColumnBuilder;
        if (column.lastRow === row) return this.#duplicate(column, keyEnd === keyStart ? p : keyStart);
        column.lastRow = row;
        p = this.#value(column, row, p, depth + 1);
        next = field + 1;
      } else {
        p = this.#unknownField(keyStart, keyEnd, p, depth + 1, unknownSeen);
        unknownSeen = true;
      }
      if (p < 0) return p;
      let c = p < end ? (bytes[p] as number) : 0;
      if (c <= 0x20) {
        p = reader.space(p);
        c = p < end ? (bytes[p] as number) : 0;
      }
      if (c === 0x7d) return p + 1;
      if (c !== 0x2c) return reader.unexpected(p);
      p++;
      if (p < end && (bytes[p] as number) <= 0x20) p = reader.space(p);
    }
  }

  /** Field of the key just scanned, whose text is `bytes[start, end)`. */
  #find(keys: KeyTable, start: number, end: number): number {
    if (!this.#reader.escaped) return keys.find(this.#bytes, start, end);
    const mark = this.area.length;
    this.area.unescape(this.#bytes, start, end);
    const field = keys.find(this.area.bytes, mark, this.area.length);
    this.area.length = mark;
    return field;
  }

  #duplicate(column: ColumnBuilder, at: number): -1 {
    this.#detail = column.field.path;
    return this.#reader.fail("json.duplicate-key", at);
  }

  /** The text of the key `bytes[start, end)`, without its quotes, as it compares with others. */
  #keyText(start: number, end: number): string {
    const text = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString("utf8");
    return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
  }

  #keySet(depth: number, fresh: boolean): KeySet {
    while (this.#keySets.length <= depth) this.#keySets.push(new KeySet());
    const set = this.#keySets[depth] as KeySet;
    if (fresh) set.clear();
    return set;
  }

  #unknownField(keyStart: number, keyEnd: number, p: number, depth: number, seen: boolean): number {
    const reader = this.#reader;
    const name = this.#keyText(keyStart + 1, keyEnd - 1);
    if (!this.#keySet(depth, !seen).add(name)) {
      this.#detail = "a field that the contract doesn't name";
      return reader.fail("json.duplicate-key", keyStart);
    }
    const after = reader.skip(p, depth);
    if (after < 0) return after;
    if (this.unknown !== null) this.unknown.add(this.#bytes, keyStart, keyEnd, p, after);
    if (this.#plan.unknownFields === "reject") {
      if (this.#rejected.length === 0) this.#rejectedAt = keyStart;
      if (this.#rejected.length < namedFieldsMax) this.#rejected.push(JSON.stringify(name.slice(0, 64)));
    }
    return after;
  }

  /** The value at `p`, which lies inside `depth` open levels, into one cell. */
  #value(column: ColumnBuilder, row: number, p: number, depth: number): number {
    const reader = this.#reader;
    const bytes = this.#bytes;
    if (p >= reader.end) return reader.fail("json.truncated", reader.end);
    const c = bytes[p] as number;
    const storage = column.storage;
    if (c === 0x22) {
      const after = reader.string(p + 1);
      if (after < 0) return after;
      if (storage >= Storage.date && storage <= Storage.uuid) this.#writer.string(column, row, p + 1, after - 1);
      else if (storage === Storage.json) this.#writer.view(column, row, p, after);
      else column.invalid(row, p, after, InvalidCause.type);
      return after;
    }
    if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      if (storage === Storage.int || storage === Storage.long || storage === Storage.double) {
        const short = this.#shortInteger(column, row, p);
        if (short > 0) return short;
      }
      const after = reader.number(p);
      if (after < 0) return after;
      if (storage >= Storage.int && storage <= Storage.decimal) this.#writer.number(column, row, p, after);
      else if (storage === Storage.json) this.#writer.view(column, row, p, after);
      else column.invalid(row, p, after, InvalidCause.type);
      return after;
    }
    if (c === 0x7b && (storage === Storage.struct || storage === Storage.map)) return this.#container(column, row, p, depth);
    if (c === 0x5b && storage === Storage.list) return this.#container(column, row, p, depth);
    if (c === 0x7b || c === 0x5b) {
      const after = reader.skip(p, depth);
      if (after < 0) return after;
      if (storage === Storage.json) this.#writer.view(column, row, p, after);
      else column.invalid(row, p, after, InvalidCause.type);
      return after;
    }
    const after = reader.literal(p);
    if (after < 0) return after;
    if (c === 0x6e) column.state[row] = Cell.null;
    else if (storage === Storage.boolean) {
      column.booleans[row] = c === 0x74 ? 1 : 0;
      column.state[row] = Cell.value;
    } else if (storage === Storage.json) this.#writer.view(column, row, p, after);
    else column.invalid(row, p, after, InvalidCause.type);
    return after;
  }

  /** A whole number of at most nine digits, which most are; 0 where something else stands at `p`. */
  #shortInteger(column: ColumnBuilder, row: number, p: number): number {
    const bytes = this.#bytes;
    const end = this.#reader.end;
    let c = bytes[p] as number;
    const negative = c === 0x2d;
    if (negative) c = ++p < end ? (bytes[p] as number) : 0;
    const first = c;
    const stop = Math.min(end, p + 10);
    const start = p;
    let value = 0;
    while (c >= 0x30 && c <= 0x39) {
      value = value * 10 + (c - 0x30);
      if (++p >= stop) return 0;
      c = bytes[p] as number;
    }
    // -0 is no zero in a double column; a leading zero is an error.
    if ((c !== 0x2c && c !== 0x7d) || p === start || (first === 0x30 && (p > start + 1 || negative))) return 0;
    this.#writer.shortInteger(column, row, negative ? -value : value);
    return p;
  }

  /** A struct, list or map of the contract at `p`, where its bracket stands. */
  #container(column: ColumnBuilder, row: number, p: number, depth: number): number {
    if (depth >= maxDepth) return this.#reader.fail("json.depth", p);
    column.state[row] = Cell.value;
    if (this.unknown !== null) this.unknown.enter(Buffer.from(JSON.stringify(column.field.sourceName)));
    if (column.storage === Storage.struct)
      p = this.#object(column.children, this.#plan.structKeys.get(column.field) as KeyTable, row, p, depth);
    else if (column.storage === Storage.list) p = this.#list(column, row, p, depth);
    else p = this.#map(column, row, p, depth);
    if (this.unknown !== null && p >= 0) this.unknown.leave();
    return p;
  }

  /** Takes the next row of a list's elements, or -1 where the record would take too much memory. */
  #nextElement(element: ColumnBuilder): number {
    this.#cellsLeft -= element.width;
    if (this.#cellsLeft < 0) return -1;
    const at = element.length++;
    element.reserve(at);
    return at;
  }

  #list(column: ColumnBuilder, row: number, p: number, depth: number): number {
    const reader = this.#reader;
    const bytes = this.#bytes;
    const element = column.element as ColumnBuilder;
    p = reader.space(p + 1);
    if (p < reader.end && bytes[p] === 0x5d) p++;
    else {
      for (let index = 0; ; index++) {
        const at = this.#nextElement(element);
        if (at < 0) return reader.fail("json.too-many-elements", p);
        p = this.#element(element, at, p, depth, index);
        if (p < 0) return p;
        p = reader.space(p);
        const c = p < reader.end ? bytes[p] : 0;
        if (c !== 0x2c && c !== 0x5d) return reader.unexpected(p);
        p++;
        if (c === 0x5d) break;
        p = reader.space(p);
      }
    }
    column.offsets[row + 1] = element.length;
    return p;
  }

  /** One element: unknown fields inside it are kept under its index or key. */
  #element(element: ColumnBuilder, at: number, p: number, depth: number, key: number | string): number {
    if (this.unknown === null || element.storage !== Storage.struct) return this.#value(element, at, p, depth + 1);
    if (p >= this.#reader.end || this.#bytes[p] !== 0x7b) return this.#value(element, at, p, depth + 1);
    if (depth + 1 >= maxDepth) return this.#reader.fail("json.depth", p);
    element.state[at] = Cell.value;
    this.unknown.enter(Buffer.from(JSON.stringify(String(key))));
    p = this.#object(element.children, this.#plan.structKeys.get(element.field) as KeyTable, at, p, depth + 1);
    if (p >= 0) this.unknown.leave();
    return p;
  }

  #map(column: ColumnBuilder, row: number, p: number, depth: number): number {
    const reader = this.#reader;
    const bytes = this.#bytes;
    const element = column.element as ColumnBuilder;
    const keys = column.keys as ColumnBuilder;
    const seen = this.#keySet(depth + 1, true);
    p = reader.space(p + 1);
    if (p < reader.end && bytes[p] === 0x7d) p++;
    else {
      for (;;) {
        if (p >= reader.end || bytes[p] !== 0x22) return reader.unexpected(p);
        const start = p + 1;
        p = reader.string(start);
        if (p < 0) return p;
        const name = this.#keyText(start, p - 1);
        if (!seen.add(name)) return this.#duplicate(column, start - 1);
        const at = this.#nextElement(element);
        if (at < 0) return reader.fail("json.too-many-elements", start - 1);
        keys.length = element.length;
        keys.reserve(at);
        this.#writer.string(keys, at, start, p - 1);
        p = reader.colon(p);
        if (p < 0) return p;
        p = this.#element(element, at, p, depth, name);
        if (p < 0) return p;
        p = reader.space(p);
        const c = p < reader.end ? bytes[p] : 0;
        if (c !== 0x2c && c !== 0x7d) return reader.unexpected(p);
        p++;
        if (c === 0x7d) break;
        p = reader.space(p);
      }
    }
    column.offsets[row + 1] = element.length;
    return p;
  }
}
