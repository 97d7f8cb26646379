import type { AvroLogical, AvroSchema } from "../../core/avro/avro-schema.ts";
import { timeText, timestampText, dateText, microsPerDay, nanosText } from "../../core/civil.ts";
import { uuidText } from "../../core/uuid.ts";
import type { ByteArea } from "../byte-area.ts";
import { integerText, realText } from "../cell-writer.ts";
import type { RowSet } from "../row-set.ts";
import { isUtf8 } from "../utf8.ts";
import { maxDepth, type AvroCursor } from "./avro-cursor.ts";

const encoder = new TextEncoder();
/** Decimals of more bytes are written as base64: turning them into digits takes quadratic time. */
const decimalBytesMax = 512;

/** Decimal digits of a whole number at a scale: `-0.05`. */
export function scaledText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A two's complement whole number, most significant byte first. */
export function bigEndianInteger(bytes: Uint8Array, start: number, end: number): bigint {
  if (start === end) return 0n;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("hex");
  return BigInt.asIntN((end - start) * 8, BigInt(`0x${hex}`));
}

/** Whether a decimal is small enough to be turned into digits. */
export function isShortDecimal(start: number, end: number): boolean {
  return end - start <= decimalBytesMax;
}

/**
 * Writes Avro values as JSON text: records and maps as objects, unions as the value that they hold, bytes as base64, logical types as the text or number
 * that the JSON codec takes for them, NaN and the infinities as text.
 */
export class AvroJson {
  readonly #cursor: AvroCursor;
  readonly #rows: RowSet;
  /** Whether a string of the value written last is no UTF-8; its bad bytes were replaced. */
  badText = false;

  constructor(cursor: AvroCursor, rows: RowSet) {
    this.#cursor = cursor;
    this.#rows = rows;
  }

  /** Appends the value at `p`, which lies inside `depth` open levels; answers the position after it, or -1. */
  write(schema: AvroSchema, p: number, depth: number, into: ByteArea): number {
    const cursor = this.#cursor;
    switch (schema.type) {
      case "null":
        return this.#put(into, "null", p);
      case "boolean": {
        const after = cursor.boolean(p);
        return after < 0 ? after : this.#put(into, cursor.low === 1 ? "true" : "false", after);
      }
      case "int":
      case "long": {
        const after = schema.type === "int" ? cursor.int(p) : cursor.long(p);
        return after < 0 ? after : this.#put(into, wholeText(cursor.low, cursor.high, schema.logical), after);
      }
      case "float":
      case "double": {
        const after = schema.type === "float" ? cursor.float(p) : cursor.double(p);
        if (after < 0) return after;
        return this.#put(into, Number.isFinite(cursor.real) ? realText(cursor.real) : `"${cursor.real}"`, after);
      }
      case "bytes":
      case "string": {
        const start = cursor.length(p);
        if (start < 0) return start;
        return this.#span(schema.type, schema.logical, start, start + cursor.low, into);
      }
      case "fixed": {
        const after = cursor.fixed(p, schema.size);
        return after < 0 ? after : this.#span("bytes", schema.logical, p, after, into);
      }
      case "enum": {
        const after = cursor.index(p, schema.symbols.length, "avro.enum");
        return after < 0 ? after : this.#put(into, JSON.stringify(schema.symbols[cursor.low]), after);
      }
      case "union": {
        const after = cursor.index(p, schema.branches.length, "avro.union");
        return after < 0 ? after : this.write(schema.branches[cursor.low] as AvroSchema, after, depth, into);
      }
      case "record":
        if (depth >= maxDepth) return cursor.fail("avro.depth", p);
        if (!this.#rows.spend(1)) return cursor.fail("avro.too-many-elements", p);
        into.push(0x7b);
        for (const [i, field] of schema.fields.entries()) {
          this.#put(into, `${i === 0 ? "" : ","}${JSON.stringify(field.name)}:`, p);
          p = this.write(field.schema, p, depth + 1, into);
          if (p < 0) return p;
        }
        into.push(0x7d);
        return p;
      case "array":
        return this.#blocks(schema.items, false, p, depth, into);
      case "map":
        return this.#blocks(schema.values, true, p, depth, into);
    }
  }

  #put(into: ByteArea, text: string, after: number): number {
    const bytes = encoder.encode(text);
    into.append(bytes, 0, bytes.length);
    return after;
  }

  /** A string, bytes or fixed value of `bytes[start, end)`. */
  #span(type: "bytes" | "string", logical: AvroLogical | null, start: number, end: number, into: ByteArea): number {
    const { bytes } = this.#cursor;
    if (type === "string") this.#string(start, end, into);
    else if (logical?.kind === "decimal" && isShortDecimal(start, end))
      this.#put(into, scaledText(bigEndianInteger(bytes, start, end), logical.scale), 0);
    else if (logical?.kind === "uuid") this.#put(into, `"${uuidText(bytes, start)}"`, 0);
    else this.#put(into, `"${Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("base64")}"`, 0);
    return end;
  }

  #string(start: number, end: number, into: ByteArea): void {
    const { bytes } = this.#cursor;
    if (!isUtf8(bytes, start, end)) this.badText = true;
    this.#put(into, JSON.stringify(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8")), 0);
  }

  #blocks(items: AvroSchema, keyed: boolean, p: number, depth: number, into: ByteArea): number {
    const cursor = this.#cursor;
    if (depth >= maxDepth) return cursor.fail("avro.depth", p);
    into.push(keyed ? 0x7b : 0x5b);
    for (let first = true; ;) {
      p = cursor.block(p, items, keyed ? 1 : 0);
      if (p < 0) return p;
      const { count, blockEnd } = cursor;
      if (count === 0) break;
      for (let i = 0; i < count; i++) {
        if (!this.#rows.spend(1)) return cursor.fail("avro.too-many-elements", p);
        if (!first) into.push(0x2c);
        first = false;
        if (keyed) {
          p = cursor.length(p);
          if (p < 0) return p;
          this.#string(p, p + cursor.low, into);
          p += cursor.low;
          into.push(0x3a);
        }
        p = this.write(items, p, depth + 1, into);
        if (p < 0) return p;
      }
      if (blockEnd >= 0 && p !== blockEnd) return cursor.fail("avro.block", p);
    }
    into.push(keyed ? 0x7d : 0x5d);
    return p;
  }
}

/** A whole number as JSON has it by its logical type: dates, times and timestamps as text. */
function wholeText(low: number, high: number, logical: AvroLogical | null): string {
  if (logical === null) return integerText(low, high, false);
  const value = (BigInt(high) << 32n) | BigInt(low >>> 0);
  switch (logical.kind) {
    case "date":
      return `"${dateText(low)}"`;
    case "time-millis":
    case "time-micros": {
      const micros = logical.kind === "time-millis" ? value * 1000n : value;
      return micros < 0n || micros >= BigInt(microsPerDay) ? String(value) : `"${timeText(Number(micros))}"`;
    }
    case "timestamp-millis":
    case "local-timestamp-millis":
      return `"${timestampText(value * 1000n, logical.kind === "timestamp-millis")}"`;
    case "timestamp-micros":
    case "local-timestamp-micros":
      return `"${timestampText(value, logical.kind === "timestamp-micros")}"`;
    case "timestamp-nanos":
    case "local-timestamp-nanos":
      return `"${nanosText(value, logical.kind === "timestamp-nanos")}"`;
    default:
      return String(value);
  }
}
