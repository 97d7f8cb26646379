import type { AvroSchema } from "../../core/avro/avro-schema.ts";
import type { DecodeFaultCode } from "../faults.ts";

/** Values nested deeper than this are refused, as in JSON. */
export const maxDepth = 100;

const twoTo32 = 4_294_967_296;

const empty = new WeakMap<AvroSchema, boolean>();

/** Whether values of a schema take no bytes at all. */
export function isEmptySchema(schema: AvroSchema): boolean {
  if (schema.type === "null") return true;
  if (schema.type === "fixed") return schema.size === 0;
  if (schema.type !== "record") return false;
  let known = empty.get(schema);
  if (known === undefined) {
    // A record within itself stands in a union, array or map, which take a byte.
    empty.set(schema, false);
    known = schema.fields.every((field) => isEmptySchema(field.schema));
    empty.set(schema, known);
  }
  return known;
}

/**
 * A strict reader of Avro's binary encoding (Apache Avro 1.12, "Binary Encoding") over a span of bytes. Every read takes a position and answers the one
 * after it, or -1 with `fault` and `faultAt` set.
 */
export class AvroCursor {
  bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Position after the last byte of the datum. */
  end = 0;
  fault: DecodeFaultCode | null = null;
  faultAt = 0;
  /** The whole number read last, as two words. */
  low = 0;
  high = 0;
  /** The floating-point number read last. */
  real = 0;
  /** Of the block begun last: its items, and where its bytes end if it says so, else -1. */
  count = 0;
  blockEnd = -1;

  /** Reads `bytes[.., end)` from now on. */
  open(bytes: Uint8Array, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.end = end;
  }

  fail(code: DecodeFaultCode, at: number): -1 {
    this.fault = code;
    this.faultAt = at;
    return -1;
  }

  /** A long: zig-zag varint of at most 64 bits. */
  long(p: number): number {
    const { bytes, end } = this;
    if (p >= end) return this.fail("avro.truncated", end);
    let byte = bytes[p] as number;
    if (byte < 0x80) {
      this.low = (byte >>> 1) ^ -(byte & 1);
      this.high = this.low >> 31;
      return p + 1;
    }
    const start = p;
    let low = byte & 0x7f;
    let middle = 0;
    let top = 0;
    for (let i = 1; byte >= 0x80; i++) {
      if (++p >= end) return this.fail("avro.truncated", end);
      byte = bytes[p] as number;
      if (i < 4) low |= (byte & 0x7f) << (7 * i);
      else if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4));
      else if (i === 8) top = byte & 0x7f;
      else if (byte > 1) return this.fail("avro.varint", start);
      else top |= byte << 7;
    }
    const low32 = low | (middle << 28);
    const high32 = (middle >>> 4) | (top << 24);
    const sign = -(low32 & 1);
    this.low = ((low32 >>> 1) | (high32 << 31)) ^ sign;
    this.high = (high32 >>> 1) ^ sign;
    return p + 1;
  }

  /** An int: a long of 32 bits. */
  int(p: number): number {
    const after = this.long(p);
    return after >= 0 && this.high !== this.low >> 31 ? this.fail("avro.varint", p) : after;
  }

  float(p: number): number {
    if (p + 4 > this.end) return this.fail("avro.truncated", this.end);
    this.real = this.#view.getFloat32(p, true);
    return p + 4;
  }

  double(p: number): number {
    if (p + 8 > this.end) return this.fail("avro.truncated", this.end);
    this.real = this.#view.getFloat64(p, true);
    return p + 8;
  }

  /** A boolean, into `low`. */
  boolean(p: number): number {
    if (p >= this.end) return this.fail("avro.truncated", this.end);
    this.low = this.bytes[p] as number;
    return this.low > 1 ? this.fail("avro.boolean", p) : p + 1;
  }

  /** The length of bytes or a string, into `low`; they lie within the datum. */
  length(p: number): number {
    const after = this.long(p);
    if (after < 0) return after;
    if (this.high < 0) return this.fail("avro.length", p);
    if (this.high > 0 || this.low >>> 0 > this.end - after) return this.fail("avro.truncated", this.end);
    return after;
  }

  /** An index below `count`, into `low`. */
  index(p: number, count: number, code: DecodeFaultCode): number {
    const after = this.long(p);
    return after >= 0 && (this.high !== 0 || this.low >>> 0 >= count) ? this.fail(code, p) : after;
  }

  /** The head of an array's or map's block: `count` items, 0 at the end. Items that take bytes must fit into the rest of the datum. */
  block(p: number, items: AvroSchema, leastBytes: number): number {
    let after = this.long(p);
    if (after < 0) return after;
    this.blockEnd = -1;
    let count = this.high * twoTo32 + (this.low >>> 0);
    if (count < 0) {
      count = -count;
      after = this.length(after);
      if (after < 0) return after;
      this.blockEnd = after + this.low;
    }
    if (count > this.end - after && (leastBytes > 0 || !isEmptySchema(items))) return this.fail("avro.truncated", this.end);
    this.count = count;
    return after;
  }

  /** Passes over a value that lies inside `depth` open levels. Blocks that say their size are not looked into. */
  skip(schema: AvroSchema, p: number, depth: number): number {
    switch (schema.type) {
      case "null":
        return p;
      case "boolean":
        return this.boolean(p);
      case "int":
        return this.int(p);
      case "long":
        return this.long(p);
      case "float":
        return this.float(p);
      case "double":
        return this.double(p);
      case "bytes":
      case "string": {
        const after = this.length(p);
        return after < 0 ? after : after + this.low;
      }
      case "fixed":
        return this.fixed(p, schema.size);
      case "enum":
        return this.index(p, schema.symbols.length, "avro.enum");
      case "union": {
        const after = this.index(p, schema.branches.length, "avro.union");
        return after < 0 ? after : this.skip(schema.branches[this.low] as AvroSchema, after, depth);
      }
      case "record":
        if (depth >= maxDepth) return this.fail("avro.depth", p);
        // Records of records without a byte can be endless work.
        if (isEmptySchema(schema)) return p;
        for (const field of schema.fields) {
          p = this.skip(field.schema, p, depth + 1);
          if (p < 0) return p;
        }
        return p;
      case "array":
        return this.#skipBlocks(schema.items, false, p, depth);
      case "map":
        return this.#skipBlocks(schema.values, true, p, depth);
    }
  }

  /** Passes over `size` bytes. */
  fixed(p: number, size: number): number {
    return size > this.end - p ? this.fail("avro.truncated", this.end) : p + size;
  }

  #skipBlocks(items: AvroSchema, keyed: boolean, p: number, depth: number): number {
    if (depth >= maxDepth) return this.fail("avro.depth", p);
    for (;;) {
      p = this.block(p, items, keyed ? 1 : 0);
      if (p < 0) return p;
      const { count, blockEnd } = this;
      if (count === 0) return p;
      if (blockEnd >= 0) {
        p = blockEnd;
        continue;
      }
      if (!keyed && isEmptySchema(items)) continue;
      for (let i = 0; i < count; i++) {
        if (keyed) {
          p = this.length(p);
          if (p < 0) return p;
          p += this.low;
        }
        p = this.skip(items, p, depth + 1);
        if (p < 0) return p;
      }
    }
  }
}
