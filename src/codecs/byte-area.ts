import { readUuid, uuidSize } from "../core/uuid.ts";
import { hexQuad } from "./json-reader.ts";

const simpleEscapes = new Uint8Array(128);
for (const [letter, byte] of Object.entries({ '"': 0x22, "\\": 0x5c, "/": 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 }))
  simpleEscapes[letter.charCodeAt(0)] = byte;

/** A growing run of bytes for text that can't be a view of the record: strings with escapes, base64, UUIDs, kept unknown fields. */
export class ByteArea {
  bytes = new Uint8Array(0);
  length = 0;

  reserve(extra: number): void {
    const need = this.length + extra;
    if (need <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(need, this.bytes.length * 2, 1024));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }

  append(from: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    this.bytes.set(from.subarray(start, end), this.length);
    this.length += end - start;
  }

  push(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Appends the text of a JSON string whose escapes were already checked. */
  unescape(from: Uint8Array, start: number, end: number): void {
    // Text never gets longer: `\u0800` is six bytes for three.
    this.reserve(end - start);
    const { bytes } = this;
    let at = this.length;
    for (let p = start; p < end;) {
      const c = from[p] as number;
      if (c !== 0x5c) {
        bytes[at++] = c;
        p++;
        continue;
      }
      const letter = from[p + 1] as number;
      if (letter !== 0x75) {
        bytes[at++] = simpleEscapes[letter] as number;
        p += 2;
        continue;
      }
      let point = hexQuad(from, p + 2);
      p += 6;
      if (point >= 0xd800 && point <= 0xdbff) {
        point = 0x10000 + ((point - 0xd800) << 10) + (hexQuad(from, p + 2) - 0xdc00);
        p += 6;
      }
      if (point < 0x80) bytes[at++] = point;
      else {
        if (point < 0x800) bytes[at++] = 0xc0 | (point >> 6);
        else {
          if (point < 0x10000) bytes[at++] = 0xe0 | (point >> 12);
          else {
            bytes[at++] = 0xf0 | (point >> 18);
            bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
          }
          bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
        }
        bytes[at++] = 0x80 | (point & 0x3f);
      }
    }
    this.length = at;
  }

  /** Appends what base64 text (RFC 4648 section 4, padded, canonical) means; false, and nothing appended, where it is none. */
  base64(from: Uint8Array, start: number, end: number): boolean {
    const size = end - start;
    if (size % 4 !== 0) return false;
    this.reserve((size / 4) * 3);
    const { bytes } = this;
    let at = this.length;
    for (let p = start; p < end; p += 4) {
      const last = p + 4 === end;
      const a = base64Value[from[p] as number] as number;
      const b = base64Value[from[p + 1] as number] as number;
      const padC = last && from[p + 2] === 0x3d && from[p + 3] === 0x3d;
      const padD = last && from[p + 3] === 0x3d;
      const c = padC ? 0 : (base64Value[from[p + 2] as number] as number);
      const d = padD ? 0 : (base64Value[from[p + 3] as number] as number);
      if ((a | b | c | d) > 63) return false;
      if ((padC && (b & 15) !== 0) || (padD && !padC && (c & 3) !== 0)) return false;
      bytes[at++] = (a << 2) | (b >> 4);
      if (padC) break;
      bytes[at++] = ((b & 15) << 4) | (c >> 2);
      if (padD) break;
      bytes[at++] = ((c & 3) << 6) | d;
    }
    this.length = at;
    return true;
  }

  /** Appends the 16 bytes of a UUID's canonical text; false, and nothing appended, where it is none. */
  uuid(from: Uint8Array, start: number, end: number): boolean {
    this.reserve(uuidSize);
    if (!readUuid(from, start, end, this.bytes, this.length)) return false;
    this.length += uuidSize;
    return true;
  }
}

const base64Value = new Uint8Array(256).fill(64);
for (const [i, letter] of Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").entries())
  base64Value[letter.charCodeAt(0)] = i;
