import type { Header, Records } from "./records.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** A zig-zag varint as Kafka's record format writes it (32 bits). */
function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let raw = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new RangeError("a record's headers end in the middle of a number");
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
  }
  throw new RangeError("a record's headers hold a number of more than 32 bits");
}

/** Writes at `at`; answers where the next byte goes. */
function writeVarint(out: Uint8Array, at: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0;
  let next = at;
  for (; raw >= 0x80; raw >>>= 7) out[next++] = (raw & 0x7f) | 0x80;
  out[next++] = raw;
  return next;
}

/** How many headers a record has at most: by its own count, or, where that can't be read, what its bytes could hold. */
export function headerCount(records: Records, row: number): number {
  const length = records.headersLength[row] as number;
  if (length <= 0) return 0;
  const start = records.headersStart[row] as number;
  // A header takes at least two bytes.
  const most = length >> 1;
  try {
    return Math.min(most, readVarint(records.bytes.subarray(start, start + length), { at: 0 }));
  } catch (fault) {
    if (fault instanceof RangeError) return most;
    throw fault;
  }
}

/** Headers of one record, in order, duplicates kept; values are views into the slab. Throws RangeError on bytes that no broker would hand out. */
export function headersOf(records: Records, row: number): Header[] {
  const length = records.headersLength[row] as number;
  if (length <= 0) return [];
  const start = records.headersStart[row] as number;
  const bytes = records.bytes.subarray(start, start + length);
  const cursor = { at: 0 };
  const count = readVarint(bytes, cursor);
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) {
    const keyLength = readVarint(bytes, cursor);
    const key = utf8.decode(bytes.subarray(cursor.at, cursor.at + keyLength));
    cursor.at += keyLength;
    const valueLength = readVarint(bytes, cursor);
    const value = valueLength < 0 ? null : bytes.subarray(cursor.at, cursor.at + valueLength);
    if (valueLength > 0) cursor.at += valueLength;
    headers.push({ key, value });
  }
  return headers;
}

function varintLength(value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0;
  let length = 1;
  for (; raw >= 0x80; raw >>>= 7) length++;
  return length;
}

/** The header span of `Records` for a list of headers; empty for none. */
export function encodeHeaders(headers: readonly Header[]): Uint8Array {
  if (headers.length === 0) return new Uint8Array(0);
  const names = headers.map(({ key }) => encoder.encode(key));
  let size = varintLength(headers.length);
  headers.forEach(({ value }, i) => {
    const name = names[i] as Uint8Array;
    size += varintLength(name.length) + name.length + varintLength(value?.length ?? -1) + (value?.length ?? 0);
  });
  const out = new Uint8Array(size);
  let at = writeVarint(out, 0, headers.length);
  headers.forEach(({ value }, i) => {
    const name = names[i] as Uint8Array;
    at = writeVarint(out, at, name.length);
    out.set(name, at);
    at = writeVarint(out, at + name.length, value?.length ?? -1);
    if (value === null) return;
    out.set(value, at);
    at += value.length;
  });
  return out;
}
