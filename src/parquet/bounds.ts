/** Iceberg's binary single-value serialisation (spec, appendix D), and bounds of text and bytes that are cut short. */

export { unscaledBytes as ofDecimal } from "../core/unscaled-bytes.ts";

/** Code points (text) or bytes (binary) that a bound keeps, as Iceberg's default metrics mode `truncate(16)` has it. */
const boundLength = 16;

/** Enough of a value to cut its bound from: 16 code points of up to 4 bytes, and one more that says there is more. */
export const boundBytesKept = boundLength * 4 + 4;

/** int and date: four bytes, little endian. */
export function ofInt(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** long and timestamp: eight bytes, little endian. */
export function ofLong(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

/** Rounds to the nearest single, as the column's values are rounded when they are written. */
export function ofFloat(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/** Eight bytes, little endian. */
export function ofDouble(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** The beginning of UTF-8 text up to `end`: 16 code points unless said. */
export function textBelow(text: Uint8Array, end: number = endOfCodePoints(text)): Uint8Array {
  return text.subarray(0, end);
}

/**
 * The least text of no more than `end` bytes (16 code points unless said) that no text beginning like this one exceeds: the text itself if it is short,
 * else its beginning with the last code point that can grow grown by one. Null where none can (sixteen times U+10FFFF). UTF-8 bytes order as code points do.
 */
export function textAbove(text: Uint8Array, end: number = endOfCodePoints(text)): Uint8Array | null {
  if (end === text.length) return text;
  const points = Array.from(Buffer.from(text.subarray(0, end)).toString("utf8"), (character) => character.codePointAt(0) as number);
  for (let i = points.length - 1; i >= 0; i--) {
    const point = (points[i] as number) + 1;
    if (point > 0x10ffff) continue;
    // Surrogates are no characters: the next one after U+D7FF is U+E000.
    const grown = point === 0xd800 ? 0xe000 : point;
    return Buffer.from(String.fromCodePoint(...points.slice(0, i), grown));
  }
  return null;
}

/** The first `length` bytes. */
export function bytesBelow(bytes: Uint8Array, length: number = boundLength): Uint8Array {
  return bytes.subarray(0, length);
}

/** At most `length` bytes that nothing beginning like `bytes` exceeds; null where no such bytes exist (sixteen times 0xff). */
export function bytesAbove(bytes: Uint8Array, length: number = boundLength): Uint8Array | null {
  if (bytes.length <= length) return bytes;
  for (let i = length - 1; i >= 0; i--) {
    const byte = bytes[i] as number;
    if (byte === 0xff) continue;
    const above = bytes.slice(0, i + 1);
    above[i] = byte + 1;
    return above;
  }
  return null;
}

/** Where the last code point ends that is whole within `bytesMax` bytes. */
export function endOfBytes(text: Uint8Array, bytesMax: number): number {
  if (text.length <= bytesMax) return text.length;
  let end = bytesMax;
  while (end > 0 && ((text[end] as number) & 0xc0) === 0x80) end--;
  return end;
}

/** Where the sixteenth code point ends; the text's length if it has no more than that. */
function endOfCodePoints(text: Uint8Array): number {
  let points = 0;
  for (let at = 0; at < text.length; at++) {
    const isStart = ((text[at] as number) & 0xc0) !== 0x80;
    if (isStart && ++points > boundLength) return at;
  }
  return text.length;
}
