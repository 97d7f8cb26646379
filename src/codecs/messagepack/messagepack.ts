import type { Batch } from "../../core/batch.ts";
import type { Contract } from "../../core/contract.ts";
import type { Records } from "../../core/records.ts";
import type { Field } from "../../core/schema.ts";
import type { DecodeFaultCode } from "../faults.ts";
import { compileTexts, type RowTexts } from "../text/compile-texts.ts";
import type { JsonTexts } from "../text/json-texts.ts";
import { maxDepth, ValueTexts } from "../text/value-texts.ts";

/** One MessagePack map a value, its keys text; the timestamp extension (type -1) is an instant. */
export function compileMessagePack(contract: Contract): (records: Records) => Batch {
  return compileTexts(contract, (texts) => new MessagePackRows(contract.fields, texts));
}

const timestampExtension = -1;

class MessagePackRows implements RowTexts {
  readonly #texts: JsonTexts;
  readonly #values: ValueTexts;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #end = 0;
  #fault: DecodeFaultCode = "messagepack.syntax";
  #faultAt = 0;
  #keyHead = 0;

  constructor(fields: readonly Field[], texts: JsonTexts) {
    this.#texts = texts;
    this.#values = new ValueTexts(texts, fields);
  }

  write(row: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#end = end;
    const type = start < end ? (bytes[start] as number) : 0x80;
    const isMap = (type & 0xf0) === 0x80 || type === 0xde || type === 0xdf;
    let p = start === end ? this.#fail("messagepack.truncated", start) : this.#value(null, start, isMap ? 0 : 1);
    if (p >= 0 && !isMap) p = this.#fail("messagepack.not-map", start);
    if (p >= 0 && p < end) p = this.#fail("messagepack.trailing", p);
    if (p < 0) this.#texts.fail(row, this.#fault, this.#faultAt - start);
    else this.#texts.end(row);
  }

  #fail(code: DecodeFaultCode, at: number): -1 {
    this.#fault = code;
    this.#faultAt = at;
    return -1;
  }

  /** Writes the value at `p`; answers the position after it, or -1. */
  #value(field: Field | null | undefined, p: number, depth: number): number {
    if (p >= this.#end) return this.#fail("messagepack.truncated", this.#end);
    const type = this.#bytes[p] as number;
    if (type < 0x80) return this.#written(String(type), p + 1);
    if (type < 0x90) return this.#map(field, p + 1, type & 15, depth);
    if (type < 0xa0) return this.#list(field, p + 1, type & 15, depth);
    if (type < 0xc0) return this.#span(field, p + 1, type & 31, "text");
    if (type >= 0xe0) return this.#written(String(type - 256), p + 1);
    const size = sizes[type - 0xc0] as number;
    if (p + 1 + size > this.#end) return this.#fail("messagepack.truncated", this.#end);
    const view = this.#view;
    const at = p + 1;
    const after = at + size;
    switch (type) {
      case 0xc0:
        return this.#written("null", after);
      case 0xc1:
        return this.#fail("messagepack.syntax", p);
      case 0xc2:
        return this.#written("false", after);
      case 0xc3:
        return this.#written("true", after);
      case 0xca:
        this.#values.float(view.getFloat32(at));
        return after;
      case 0xcb:
        this.#values.float(view.getFloat64(at));
        return after;
      case 0xcf:
        return this.#written(String(view.getBigUint64(at)), after);
      case 0xd3:
        return this.#written(String(view.getBigInt64(at)), after);
      default:
        return this.#sized(field, type, { at, size, after, depth });
    }
  }

  /** Numbers of up to 32 bits, and what has a length before it. */
  #sized(
    field: Field | null | undefined,
    type: number,
    { at, size, after, depth }: { readonly at: number; readonly size: number; readonly after: number; readonly depth: number },
  ): number {
    if (type >= 0xd0 && type <= 0xd2) return this.#written(String(this.#signed(at, size)), after);
    const count = type >= 0xd4 && type <= 0xd8 ? 1 << (type - 0xd4) : this.#unsigned(at, size);
    if (type >= 0xcc && type <= 0xce) return this.#written(String(count), after);
    if (type >= 0xc4 && type <= 0xc6) return this.#span(field, after, count, "binary");
    if (type >= 0xd9 && type <= 0xdb) return this.#span(field, after, count, "text");
    if (type >= 0xdc && type <= 0xdd) return this.#list(field, after, count, depth);
    if (type >= 0xde) return this.#map(field, after, count, depth);
    return this.#extension(field, after, count);
  }

  #written(text: string, after: number): number {
    this.#texts.raw(text);
    return after;
  }

  #signed(at: number, size: number): number {
    return size === 1 ? this.#view.getInt8(at) : size === 2 ? this.#view.getInt16(at) : this.#view.getInt32(at);
  }

  #unsigned(at: number, size: number): number {
    return size === 1 ? this.#view.getUint8(at) : size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #span(field: Field | null | undefined, start: number, length: number, kind: "text" | "binary"): number {
    const end = start + length;
    if (end > this.#end) return this.#fail("messagepack.truncated", this.#end);
    this.#values[kind](field, this.#bytes, start, end);
    return end;
  }

  #list(field: Field | null | undefined, p: number, count: number, depth: number): number {
    if (depth >= maxDepth) return this.#fail("messagepack.depth", p);
    const element = this.#values.element(field);
    this.#texts.area.push(0x5b);
    for (let i = 0; i < count && p >= 0; i++) {
      if (i > 0) this.#texts.area.push(0x2c);
      p = this.#value(element, p, depth + 1);
    }
    this.#texts.area.push(0x5d);
    return p;
  }

  #map(field: Field | null | undefined, p: number, count: number, depth: number): number {
    if (depth >= maxDepth) return this.#fail("messagepack.depth", p);
    this.#texts.area.push(0x7b);
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#texts.area.push(0x2c);
      const length = this.#keyLength(p);
      if (length < 0) return length;
      const start = p + this.#keyHead;
      if (start + length > this.#end) return this.#fail("messagepack.truncated", this.#end);
      this.#texts.string(this.#bytes, start, start + length);
      this.#texts.area.push(0x3a);
      p = this.#value(this.#values.child(field, this.#bytes, start, start + length), start + length, depth + 1);
      if (p < 0) return p;
    }
    this.#texts.area.push(0x7d);
    return p;
  }

  /** The length of the text key at `p`, whose head takes `#keyHead` bytes; -1 where there is none. */
  #keyLength(p: number): number {
    if (p >= this.#end) return this.#fail("messagepack.truncated", this.#end);
    const type = this.#bytes[p] as number;
    this.#keyHead = 1;
    if (type >= 0xa0 && type < 0xc0) return type & 31;
    if (type < 0xd9 || type > 0xdb) return this.#fail("messagepack.key", p);
    const size = sizes[type - 0xc0] as number;
    if (p + 1 + size > this.#end) return this.#fail("messagepack.truncated", this.#end);
    this.#keyHead = 1 + size;
    return this.#unsigned(p + 1, size);
  }

  /** An extension of `length` bytes; its type stands at `p`. */
  #extension(field: Field | null | undefined, p: number, length: number): number {
    const start = p + 1;
    const end = start + length;
    if (end > this.#end) return this.#fail("messagepack.truncated", this.#end);
    const type = this.#view.getInt8(p);
    if (type === timestampExtension && (length === 4 || length === 8 || length === 12)) {
      this.#instant(start, length);
      return end;
    }
    this.#texts.raw(`{"extension":${type},"binary":`);
    this.#texts.base64(this.#bytes, start, end);
    this.#texts.raw("}");
    return end;
  }

  #instant(start: number, length: number): void {
    const view = this.#view;
    if (length === 4) return this.#values.instant(BigInt(view.getUint32(start)), 0);
    if (length === 12) return this.#values.instant(view.getBigInt64(start + 4), view.getUint32(start));
    const packed = view.getBigUint64(start);
    this.#values.instant(packed & 0x3_ffff_ffffn, Number(packed >> 34n));
  }
}

/** Bytes of number or length behind the types 0xc0 to 0xdf. */
const sizes = [0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4];
