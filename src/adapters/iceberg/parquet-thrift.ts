/**
 * Thrift's compact protocol, without any schema: a Parquet footer read and written back is the same bytes, whatever fields a newer writer put there.
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

/** A value as it stood: integers as bigint (16, 32 and 64 bits), text and binary as bytes. */
export type ThriftValue = boolean | number | bigint | Uint8Array | ThriftList | ThriftStruct;

export interface ThriftList {
  readonly elementType: number;
  readonly values: readonly ThriftValue[];
}

/** Fields by id, in the order they stood. */
export type ThriftStruct = Map<number, { readonly type: number; readonly value: ThriftValue }>;

/** The types of the compact protocol that Parquet's metadata use. */
export const ThriftType = { true: 1, false: 2, i8: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, set: 10, struct: 12 } as const;

/** Reads one struct from the start of `bytes`. Throws RangeError on anything that is none. */
export function readThrift(bytes: Uint8Array): ThriftStruct {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = view.getUint8(at++);
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw new RangeError("a number of more than 64 bits");
  };
  const integer = (): bigint => {
    const raw = varint();
    return (raw >> 1n) ^ -(raw & 1n);
  };

  const readValue = (type: number, depth: number): ThriftValue => {
    switch (type) {
      case ThriftType.i8:
        return view.getInt8(at++);
      case ThriftType.i16:
      case ThriftType.i32:
      case ThriftType.i64:
        return integer();
      case ThriftType.double:
        at += 8;
        return view.getFloat64(at - 8, true);
      case ThriftType.binary: {
        const length = Number(varint());
        if (length > bytes.length - at) throw new RangeError("text runs past the end");
        at += length;
        return bytes.slice(at - length, at);
      }
      case ThriftType.list:
      case ThriftType.set:
        return readList(depth);
      case ThriftType.struct:
        return readStruct(depth);
      default:
        throw new RangeError(`thrift type ${type} is not used by Parquet`);
    }
  };

  const readList = (depth: number): ThriftList => {
    const head = view.getUint8(at++);
    const elementType = head & 15;
    const count = head >> 4 === 15 ? Number(varint()) : head >> 4;
    if (count > bytes.length - at) throw new RangeError("a list runs past the end");
    const isBoolean = elementType === ThriftType.true || elementType === ThriftType.false;
    const values: ThriftValue[] = [];
    for (let i = 0; i < count; i++) values.push(isBoolean ? view.getUint8(at++) === ThriftType.true : readValue(elementType, depth));
    return { elementType, values };
  };

  const readStruct = (depth: number): ThriftStruct => {
    if (depth > 32) throw new RangeError("nested too deep");
    const fields: ThriftStruct = new Map();
    let id = 0;
    for (;;) {
      const head = view.getUint8(at++);
      if (head === 0) return fields;
      const type = head & 15;
      id = head >> 4 === 0 ? Number(integer()) : id + (head >> 4);
      const isBoolean = type === ThriftType.true || type === ThriftType.false;
      fields.set(id, { type, value: isBoolean ? type === ThriftType.true : readValue(type, depth + 1) });
    }
  };

  return readStruct(0);
}

/** The bytes of a struct: fields in ascending order of their ids. */
export function writeThrift(struct: ThriftStruct): Uint8Array {
  let out = new Uint8Array(4096);
  let at = 0;

  const room = (size: number): void => {
    if (at + size <= out.length) return;
    const larger = new Uint8Array(Math.max(out.length * 2, at + size));
    larger.set(out);
    out = larger;
  };
  const byte = (value: number): void => {
    room(1);
    out[at++] = value;
  };
  const varint = (value: bigint): void => {
    let rest = value;
    while (rest >= 0x80n) {
      byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    byte(Number(rest));
  };
  const integer = (value: bigint): void => varint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));

  const writeValue = (type: number, value: ThriftValue): void => {
    if (value instanceof Map) writeStruct(value);
    else if (value instanceof Uint8Array) {
      varint(BigInt(value.length));
      room(value.length);
      out.set(value, at);
      at += value.length;
    } else if (typeof value === "object") writeList(value);
    else if (typeof value === "bigint") integer(value);
    else if (type === ThriftType.double) {
      room(8);
      new DataView(out.buffer).setFloat64(at, value as number, true);
      at += 8;
    } else byte((value as number) & 255);
  };

  const writeList = (list: ThriftList): void => {
    const count = list.values.length;
    byte((Math.min(count, 15) << 4) | list.elementType);
    if (count >= 15) varint(BigInt(count));
    for (const value of list.values) {
      if (typeof value === "boolean") byte(value ? ThriftType.true : ThriftType.false);
      else writeValue(list.elementType, value);
    }
  };

  const writeStruct = (fields: ThriftStruct): void => {
    let last = 0;
    for (const id of [...fields.keys()].toSorted((a, b) => a - b)) {
      const { type, value } = fields.get(id) as { type: number; value: ThriftValue };
      const head = typeof value === "boolean" ? (value ? ThriftType.true : ThriftType.false) : type;
      if (id - last <= 15 && id > last) byte(((id - last) << 4) | head);
      else {
        byte(head);
        integer(BigInt(id));
      }
      last = id;
      if (typeof value !== "boolean") writeValue(type, value);
    }
    byte(0);
  };

  writeStruct(struct);
  return out.subarray(0, at);
}
