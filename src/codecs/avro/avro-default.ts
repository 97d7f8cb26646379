import type { AvroSchema } from "../../core/avro/avro-schema.ts";

class Unfit extends Error {}

/** Records within a default that defaults of their own fill. */
const recordsMax = 10_000;

/** A field's default (JSON; whole numbers beyond 2^53 as bigint) in Avro's binary encoding; null where it is no value of the schema. */
export function encodeAvroDefault(schema: AvroSchema, value: unknown): Uint8Array | null {
  const bytes: number[] = [];
  try {
    encode(schema, value, { bytes, recordsLeft: recordsMax });
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
  return Uint8Array.from(bytes);
}

function long(value: bigint, into: number[]): void {
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; left > 127n; left >>= 7n) into.push(Number(left & 127n) | 128);
  into.push(Number(left));
}

function wholeNumber(value: unknown, bits: number): bigint {
  const whole = typeof value === "bigint" ? value : typeof value === "number" && Number.isInteger(value) ? BigInt(value) : null;
  if (whole === null || BigInt.asIntN(bits, whole) !== whole) throw new Unfit();
  return whole;
}

function floating(value: unknown, size: 4 | 8, into: number[]): void {
  if (typeof value !== "number" && typeof value !== "bigint") throw new Unfit();
  const view = new DataView(new ArrayBuffer(size));
  if (size === 4) view.setFloat32(0, Number(value), true);
  else view.setFloat64(0, Number(value), true);
  into.push(...new Uint8Array(view.buffer));
}

function entriesOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unfit();
  return value as Readonly<Record<string, unknown>>;
}

/** Text as bytes: the standard writes each byte as the character of its number. */
function latin1(value: unknown): Uint8Array {
  if (typeof value !== "string" || /[^\u0000-\u00ff]/.test(value)) throw new Unfit();
  return Buffer.from(value, "latin1");
}

function sized(bytes: Uint8Array, into: number[]): void {
  long(BigInt(bytes.length), into);
  for (const byte of bytes) into.push(byte);
}

interface Encoding {
  readonly bytes: number[];
  recordsLeft: number;
}

function encode(schema: AvroSchema, value: unknown, encoding: Encoding): void {
  const into = encoding.bytes;
  switch (schema.type) {
    case "null":
      if (value !== null) throw new Unfit();
      return;
    case "boolean":
      if (typeof value !== "boolean") throw new Unfit();
      into.push(value ? 1 : 0);
      return;
    case "int":
      return long(wholeNumber(value, 32), into);
    case "long":
      return long(wholeNumber(value, 64), into);
    case "float":
      return floating(value, 4, into);
    case "double":
      return floating(value, 8, into);
    case "string":
      if (typeof value !== "string") throw new Unfit();
      return sized(Buffer.from(value, "utf8"), into);
    case "bytes":
      return sized(latin1(value), into);
    case "fixed": {
      const bytes = latin1(value);
      if (bytes.length !== schema.size) throw new Unfit();
      into.push(...bytes);
      return;
    }
    case "enum": {
      const index = schema.symbols.indexOf(value as string);
      if (index < 0) throw new Unfit();
      return long(BigInt(index), into);
    }
    case "array": {
      if (!Array.isArray(value)) throw new Unfit();
      if (value.length > 0) long(BigInt(value.length), into);
      for (const item of value) encode(schema.items, item, encoding);
      into.push(0);
      return;
    }
    case "map": {
      const entries = Object.entries(entriesOf(value));
      if (entries.length > 0) long(BigInt(entries.length), into);
      for (const [key, item] of entries) {
        sized(Buffer.from(key, "utf8"), into);
        encode(schema.values, item, encoding);
      }
      into.push(0);
      return;
    }
    case "union":
      return encodeUnion(schema.branches, value, encoding);
    case "record": {
      if (--encoding.recordsLeft < 0) throw new Unfit();
      const given = entriesOf(value);
      for (const field of schema.fields)
        encode(field.schema, Object.hasOwn(given, field.name) ? given[field.name] : field.byDefault, encoding);
    }
  }
}

/** Before 1.12 a union's default was one of its first branch; now it is of the first branch that it fits. */
function encodeUnion(branches: readonly AvroSchema[], value: unknown, encoding: Encoding): void {
  const into = encoding.bytes;
  const mark = into.length;
  for (const [index, branch] of branches.entries()) {
    try {
      long(BigInt(index), into);
      return encode(branch, value, encoding);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      into.length = mark;
    }
  }
  throw new Unfit();
}
