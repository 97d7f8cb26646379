import type { Batch } from "../../core/batch.ts";
import type { Contract } from "../../core/contract.ts";
import type { Records } from "../../core/records.ts";
import type { Field } from "../../core/schema.ts";
import { uuidText } from "../../core/uuid.ts";
import { ByteArea } from "../byte-area.ts";
import type { DecodeFaultCode } from "../faults.ts";
import { compileTexts, type RowTexts } from "../text/compile-texts.ts";
import type { JsonTexts } from "../text/json-texts.ts";
import { maxDepth, ValueTexts } from "../text/value-texts.ts";
import { CborHead, Major } from "./cbor-head.ts";

/** One CBOR map (RFC 8949) a value, its keys text. Tags of moments, days, big numbers and decimals give their values; docs/reference/decoding.md lists them. */
export function compileCbor(contract: Contract): (records: Records) => Batch {
  return compileTexts(contract, (texts) => new CborRows(contract.fields, texts));
}

/** Tags that say how text or bytes came to be, and leave what they are: base64 hints, encoded CBOR, URI, MIME, UUID text, "this is CBOR". */
const plainTags: ReadonlySet<bigint> = new Set([0n, 21n, 22n, 23n, 24n, 32n, 33n, 34n, 36n, 1004n, 55_799n]);
const bigNumberBytesMax = 256;

class CborRows implements RowTexts {
  readonly #texts: JsonTexts;
  readonly #values: ValueTexts;
  readonly #head = new CborHead();
  readonly #joined = new ByteArea();
  #bytes: Uint8Array = new Uint8Array(0);
  #fault: DecodeFaultCode = "cbor.syntax";
  #faultAt = 0;

  constructor(fields: readonly Field[], texts: JsonTexts) {
    this.#texts = texts;
    this.#values = new ValueTexts(texts, fields);
  }

  write(row: number, bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#head.open(bytes, end);
    let p = start;
    while (p >= 0 && p < end && (bytes[p] as number) >> 5 === Major.tag && this.#read(p) >= 0 && plainTags.has(this.#head.value))
      p = this.#head.after;
    const isMap = p < end && (bytes[p] as number) >> 5 === Major.map;
    const root = p;
    p = this.#value(null, root, isMap ? 0 : 1);
    if (p >= 0 && !isMap) p = this.#fail("cbor.not-map", root);
    if (p >= 0 && p < end) p = this.#fail("cbor.trailing", p);
    if (p < 0) this.#texts.fail(row, this.#fault, this.#faultAt - start);
    else this.#texts.end(row);
  }

  #fail(code: DecodeFaultCode, at: number): -1 {
    this.#fault = code;
    this.#faultAt = at;
    return -1;
  }

  /** Reads the head at `p`; answers the position after it, or -1. */
  #read(p: number): number {
    const fault = this.#head.read(p);
    return fault === null ? this.#head.after : this.#fail(fault, p);
  }

  #value(field: Field | null | undefined, p: number, depth: number): number {
    const at = p;
    p = this.#read(p);
    if (p < 0) return p;
    const { major, value, indefinite } = this.#head;
    switch (major) {
      case Major.unsigned:
        return this.#written(String(value), p);
      case Major.negative:
        return this.#written(String(-1n - value), p);
      case Major.bytes:
      case Major.text:
        return this.#string(field, p, major);
      case Major.list:
        return this.#list(field, p, depth, indefinite ? null : Number(value));
      case Major.map:
        return this.#map(field, p, depth, indefinite ? null : Number(value));
      case Major.tag:
        return this.#tagged(field, { at, p, depth, tag: value });
      default:
        return this.#simple(at, p);
    }
  }

  #written(text: string, after: number): number {
    this.#texts.raw(text);
    return after;
  }

  /** Floats, booleans, null; the head was just read. */
  #simple(at: number, p: number): number {
    const { info, value } = this.#head;
    if (info === 20 || info === 21) return this.#written(info === 21 ? "true" : "false", p);
    // Undefined says no more than null.
    if (info === 22 || info === 23) return this.#written("null", p);
    if (info < 25 || info > 27) return this.#fail("cbor.syntax", at);
    this.#values.float(this.#head.float(info, value));
    return p;
  }

  /** The bytes or text behind a head that was just read: one span, or chunks up to a break. */
  #span(
    p: number,
    major: number,
  ): { readonly bytes: Uint8Array; readonly start: number; readonly end: number; readonly after: number } | null {
    const { indefinite, value } = this.#head;
    if (!indefinite) {
      const end = this.#end(p, value);
      return end < 0 ? null : { bytes: this.#bytes, start: p, end, after: end };
    }
    const joined = this.#joined;
    joined.length = 0;
    for (;;) {
      if (this.#head.isBreak(p)) return { bytes: joined.bytes, start: 0, end: joined.length, after: p + 1 };
      const at = p;
      p = this.#read(p);
      if (p < 0) return null;
      if (this.#head.major !== major || this.#head.indefinite) {
        this.#fail("cbor.syntax", at);
        return null;
      }
      const end = this.#end(p, this.#head.value);
      if (end < 0) return null;
      joined.append(this.#bytes, p, end);
      p = end;
    }
  }

  #end(p: number, length: bigint): number {
    if (length > BigInt(this.#head.end - p)) return this.#fail("cbor.truncated", this.#head.end);
    return p + Number(length);
  }

  #string(field: Field | null | undefined, p: number, major: number): number {
    const span = this.#span(p, major);
    if (span === null) return -1;
    this.#values[major === Major.text ? "text" : "binary"](field, span.bytes, span.start, span.end);
    return span.after;
  }

  #list(field: Field | null | undefined, p: number, depth: number, count: number | null): number {
    if (depth >= maxDepth) return this.#fail("cbor.depth", p);
    const element = this.#values.element(field);
    this.#texts.area.push(0x5b);
    for (let i = 0; ; i++) {
      if (count === null ? this.#head.isBreak(p) : i >= count) break;
      if (i > 0) this.#texts.area.push(0x2c);
      p = this.#value(element, p, depth + 1);
      if (p < 0) return p;
    }
    this.#texts.area.push(0x5d);
    return count === null ? p + 1 : p;
  }

  #map(field: Field | null | undefined, p: number, depth: number, count: number | null): number {
    if (depth >= maxDepth) return this.#fail("cbor.depth", p);
    this.#texts.area.push(0x7b);
    for (let i = 0; ; i++) {
      if (count === null ? this.#head.isBreak(p) : i >= count) break;
      if (i > 0) this.#texts.area.push(0x2c);
      const at = p;
      p = this.#read(p);
      if (p < 0) return p;
      if (this.#head.major !== Major.text) return this.#fail("cbor.key", at);
      const key = this.#span(p, Major.text);
      if (key === null) return -1;
      this.#texts.string(key.bytes, key.start, key.end);
      this.#texts.area.push(0x3a);
      p = this.#value(this.#values.child(field, key.bytes, key.start, key.end), key.after, depth + 1);
      if (p < 0) return p;
    }
    this.#texts.area.push(0x7d);
    return count === null ? p + 1 : p;
  }

  #tagged(
    field: Field | null | undefined,
    { at, p, depth, tag }: { readonly at: number; readonly p: number; readonly depth: number; readonly tag: bigint },
  ): number {
    if (depth >= maxDepth) return this.#fail("cbor.depth", at);
    if (tag === 1n) return this.#epoch(p);
    if (tag === 2n || tag === 3n) return this.#bigNumber(p, tag === 3n);
    if (tag === 4n) return this.#decimal(p);
    if (tag === 37n) return this.#uuid(field, p);
    if (tag === 100n) return this.#day(p);
    if (!plainTags.has(tag)) return this.#fail("cbor.tag", at);
    return this.#value(field, p, depth + 1);
  }

  /** Seconds since the epoch, whole or a float. */
  #epoch(p: number): number {
    const at = p;
    p = this.#read(p);
    if (p < 0) return p;
    const { major, value, info } = this.#head;
    if (major === Major.unsigned || major === Major.negative) this.#values.instant(major === Major.unsigned ? value : -1n - value, 0);
    else if (major === Major.simple && info >= 25 && info <= 27) {
      const seconds = this.#head.float(info, value);
      if (!Number.isFinite(seconds)) this.#texts.raw(`"${seconds}"`);
      else {
        const whole = Math.floor(seconds);
        // A double of seconds today is good for about a quarter of a microsecond: what lies below is noise of its own.
        const micros = Math.round((seconds - whole) * 1e6);
        this.#values.instant(BigInt(whole) + (micros === 1e6 ? 1n : 0n), (micros % 1e6) * 1000);
      }
    } else return this.#fail("cbor.syntax", at);
    return p;
  }

  #day(p: number): number {
    const at = p;
    p = this.#read(p);
    if (p < 0) return p;
    const { major, value } = this.#head;
    if (major !== Major.unsigned && major !== Major.negative) return this.#fail("cbor.syntax", at);
    this.#values.day(major === Major.unsigned ? value : -1n - value);
    return p;
  }

  #bigNumber(p: number, negative: boolean): number {
    const found = this.#bigInteger(p, negative);
    return found === null ? -1 : this.#written(String(found.value), found.after);
  }

  #bigInteger(p: number, negative: boolean): { readonly value: bigint; readonly after: number } | null {
    const at = p;
    p = this.#read(p);
    if (p < 0) return null;
    const span = this.#head.major === Major.bytes ? this.#span(p, Major.bytes) : null;
    if (span === null || span.end - span.start > bigNumberBytesMax) {
      this.#fail("cbor.syntax", at);
      return null;
    }
    const digits = Buffer.from(span.bytes.buffer, span.bytes.byteOffset + span.start, span.end - span.start).toString("hex");
    const magnitude = BigInt(`0x0${digits}`);
    return { value: negative ? -1n - magnitude : magnitude, after: span.after };
  }

  /** A decimal fraction: exponent of ten and mantissa. */
  #decimal(p: number): number {
    const at = p;
    p = this.#read(p);
    if (p < 0) return p;
    if (this.#head.major !== Major.list || this.#head.indefinite || this.#head.value !== 2n) return this.#fail("cbor.syntax", at);
    const exponent = this.#integer(p);
    if (exponent === null) return -1;
    const mantissa = this.#integer(exponent.after);
    if (mantissa === null) return -1;
    return this.#written(`${mantissa.value}e${exponent.value}`, mantissa.after);
  }

  #integer(p: number): { readonly value: bigint; readonly after: number } | null {
    const at = p;
    p = this.#read(p);
    if (p < 0) return null;
    const { major, value } = this.#head;
    if (major === Major.unsigned) return { value, after: p };
    if (major === Major.negative) return { value: -1n - value, after: p };
    if (major === Major.tag && (value === 2n || value === 3n)) return this.#bigInteger(p, value === 3n);
    this.#fail("cbor.syntax", at);
    return null;
  }

  #uuid(field: Field | null | undefined, p: number): number {
    const at = p;
    p = this.#read(p);
    if (p < 0) return p;
    const span = this.#head.major === Major.bytes ? this.#span(p, Major.bytes) : null;
    if (span === null || span.end - span.start !== 16) return this.#fail("cbor.syntax", at);
    if (field?.type.kind === "binary") this.#texts.base64(span.bytes, span.start, span.end);
    else this.#texts.raw(`"${uuidText(span.bytes, span.start)}"`);
    return span.after;
  }
}
