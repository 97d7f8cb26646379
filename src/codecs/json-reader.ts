import type { DecodeFaultCode } from "./faults.ts";

/** Objects and arrays nested deeper than this are refused. */
export const maxDepth = 100;

/** What a byte means inside a string: 0 plain, 1 the closing quote, 2 a backslash, 3 a control character, 4 the start of a longer UTF-8 sequence. */
const stringClass = new Uint8Array(256);
stringClass.fill(3, 0, 0x20);
stringClass[0x22] = 1;
stringClass[0x5c] = 2;
stringClass.fill(4, 0x80);

/** Largest count of significant digits that a double holds exactly whatever they are. */
const exactDigits = 15;

function isHex(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** The number that four hex digits at `p` spell. */
export function hexQuad(bytes: Uint8Array, p: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const c = bytes[p + i] as number;
    value = (value << 4) | (c <= 0x39 ? c - 0x30 : (c | 0x20) - 0x57);
  }
  return value;
}

/** Length of the well-formed UTF-8 sequence of two to four bytes at `p` (Unicode 17, table 3-7), or 0. */
export function utf8Sequence(bytes: Uint8Array, p: number, end: number): number {
  const c = bytes[p] as number;
  if (c < 0xc2 || c > 0xf4) return 0;
  const size = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  if (p + size > end) return 0;
  const second = bytes[p + 1] as number;
  const low = c === 0xe0 ? 0xa0 : c === 0xf0 ? 0x90 : 0x80;
  const high = c === 0xed ? 0x9f : c === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  if (size > 2 && ((bytes[p + 2] as number) & 0xc0) !== 0x80) return 0;
  if (size > 3 && ((bytes[p + 3] as number) & 0xc0) !== 0x80) return 0;
  return size;
}

/**
 * A strict reader of JSON tokens (RFC 8259) over a span of bytes. Every scan takes a position and answers the one after the token,
 * or -1 with `fault` and `faultAt` set. It makes no values: callers take them from the span and from what the scan noted.
 */
export class JsonReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** Position after the last byte of the value being read. */
  end = 0;
  fault: DecodeFaultCode | null = null;
  faultAt = 0;
  /** Whether the string just scanned has escapes. */
  escaped = false;
  /** Of the number just scanned: its first 15 significant digits, as an integer. */
  mantissa = 0;
  /** Digits that stand after the point, less the exponent: the number is mantissa / 10^scale, if `short`. */
  scale = 0;
  /** Whether `mantissa` and `scale` are the whole number. */
  short = false;
  negative = false;
  /** For each open level of a skipped value, 1 for an object. */
  readonly #open = new Uint8Array(maxDepth + 1);

  fail(code: DecodeFaultCode, at: number): -1 {
    this.fault = code;
    this.faultAt = at;
    return -1;
  }

  /** Fails at `p` with the code for whatever stands there instead of what was expected. */
  unexpected(p: number): -1 {
    if (p >= this.end) return this.fail("json.truncated", this.end);
    const c = this.bytes[p] as number;
    if (c === 0x4e || c === 0x49) return this.fail("json.not-a-number", p);
    if (c >= 0x80 && utf8Sequence(this.bytes, p, this.end) === 0) return this.fail("json.utf8", p);
    return this.fail("json.syntax", p);
  }

  space(p: number): number {
    const { bytes, end } = this;
    while (p < end) {
      const c = bytes[p] as number;
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
      p++;
    }
    return p;
  }

  /** `p` is after the opening quote; answers the position after the closing one. */
  string(p: number): number {
    const { bytes, end } = this;
    this.escaped = false;
    while (p < end) {
      const kind = stringClass[bytes[p] as number] as number;
      if (kind === 0) {
        p++;
        continue;
      }
      if (kind === 1) return p + 1;
      if (kind === 2) {
        this.escaped = true;
        p = this.#escape(p);
        if (p < 0) return p;
      } else if (kind === 4) {
        const size = utf8Sequence(bytes, p, end);
        if (size === 0) return this.fail("json.utf8", p);
        p += size;
      } else return this.fail("json.control-character", p);
    }
    return this.fail("json.truncated", end);
  }

  #escape(p: number): number {
    const { bytes, end } = this;
    if (p + 1 >= end) return this.fail("json.truncated", end);
    switch (bytes[p + 1]) {
      case 0x22:
      case 0x5c:
      case 0x2f:
      case 0x62:
      case 0x66:
      case 0x6e:
      case 0x72:
      case 0x74:
        return p + 2;
      case 0x75:
        break;
      default:
        return this.fail("json.escape", p);
    }
    if (!this.#hexAt(p + 2)) return -1;
    const unit = hexQuad(bytes, p + 2);
    if (unit < 0xd800 || unit > 0xdfff) return p + 6;
    if (unit > 0xdbff) return this.fail("json.lone-surrogate", p);
    if (p + 6 >= end) return this.fail("json.truncated", end);
    if (bytes[p + 6] !== 0x5c) return this.fail("json.lone-surrogate", p);
    if (p + 7 >= end) return this.fail("json.truncated", end);
    if (bytes[p + 7] !== 0x75) return this.fail("json.lone-surrogate", p);
    if (!this.#hexAt(p + 8)) return -1;
    const low = hexQuad(bytes, p + 8);
    if (low < 0xdc00 || low > 0xdfff) return this.fail("json.lone-surrogate", p);
    return p + 12;
  }

  #hexAt(p: number): boolean {
    for (let i = p; i < p + 4; i++) {
      if (i >= this.end) this.fail("json.truncated", this.end);
      else if (!isHex(this.bytes[i] as number)) this.fail("json.escape", p - 2);
      else continue;
      return false;
    }
    return true;
  }

  /** `p` is at the minus or the first digit. Notes `negative`, `mantissa`, `scale` and `short`. */
  number(p: number): number {
    const { bytes, end } = this;
    let c = bytes[p] as number;
    const negative = c === 0x2d;
    if (negative) {
      p++;
      if (p >= end) return this.fail("json.truncated", end);
      c = bytes[p] as number;
      if (!isDigit(c)) return this.unexpected(p);
    }
    let mantissa = 0;
    let digits = 0;
    let scale = 0;
    if (c === 0x30) p++;
    else {
      const first = p;
      do {
        if (digits < exactDigits) mantissa = mantissa * 10 + (c - 0x30);
        digits++;
        p++;
        c = p < end ? (bytes[p] as number) : 0;
      } while (c >= 0x30 && c <= 0x39);
      digits = p - first;
    }
    if (p < end && bytes[p] === 0x2e) {
      p++;
      const first = p;
      while (p < end && isDigit((c = bytes[p] as number))) {
        // Zeros before the first significant digit count for the scale only.
        if (digits > 0 || c !== 0x30) {
          if (digits < exactDigits) mantissa = mantissa * 10 + (c - 0x30);
          digits++;
        }
        p++;
      }
      if (p === first) return this.unexpected(p);
      scale = p - first;
    }
    if (p < end && ((bytes[p] as number) | 0x20) === 0x65) {
      p++;
      if (p < end && (bytes[p] === 0x2b || bytes[p] === 0x2d)) p++;
      const first = p;
      let exponent = 0;
      while (p < end && isDigit((c = bytes[p] as number))) {
        if (exponent < 1e8) exponent = exponent * 10 + (c - 0x30);
        p++;
      }
      if (p === first) return this.unexpected(p);
      scale -= bytes[first - 1] === 0x2d ? -exponent : exponent;
    }
    this.negative = negative;
    this.mantissa = mantissa;
    this.scale = scale;
    this.short = digits <= exactDigits;
    return p;
  }

  /** `true`, `false` or `null`, whichever begins at `p`. */
  literal(p: number): number {
    const { bytes, end } = this;
    const c = bytes[p] as number;
    const word = c === 0x74 ? "true" : c === 0x66 ? "false" : c === 0x6e ? "null" : "";
    if (word === "") return this.unexpected(p);
    for (let i = 1; i < word.length; i++) {
      if (p + i >= end) return this.fail("json.truncated", end);
      // A bare `nan` is what many writers print for a missing number.
      if (bytes[p + i] !== word.charCodeAt(i))
        return this.fail(c === 0x6e && bytes[p + 1] === 0x61 ? "json.not-a-number" : "json.syntax", p);
    }
    return p + word.length;
  }

  /** A string, number or literal at `p`. */
  scalar(p: number): number {
    const c = this.bytes[p] as number;
    if (c === 0x22) return this.string(p + 1);
    if (c === 0x2d || isDigit(c)) return this.number(p);
    return this.literal(p);
  }

  /** Checks a whole value at `p` that lies inside `depth` open levels; without recursion. */
  skip(p: number, depth: number): number {
    const { bytes, end } = this;
    const open = this.#open;
    let level = depth;
    for (;;) {
      if (p >= end) return this.fail("json.truncated", end);
      const c = bytes[p] as number;
      if (c === 0x7b || c === 0x5b) {
        if (level >= maxDepth) return this.fail("json.depth", p);
        const object = c === 0x7b;
        level++;
        open[level] = object ? 1 : 0;
        p = this.space(p + 1);
        if (p < end && bytes[p] === (object ? 0x7d : 0x5d)) {
          p++;
          level--;
        } else {
          if (object && (p = this.#key(p)) < 0) return p;
          continue;
        }
      } else {
        p = this.scalar(p);
        if (p < 0) return p;
      }
      for (;;) {
        if (level === depth) return p;
        p = this.space(p);
        if (p >= end) return this.fail("json.truncated", end);
        const next = bytes[p] as number;
        const object = open[level] === 1;
        if (next === 0x2c) {
          p = this.space(p + 1);
          if (object && (p = this.#key(p)) < 0) return p;
          break;
        }
        if (next !== (object ? 0x7d : 0x5d)) return this.unexpected(p);
        p++;
        level--;
      }
    }
  }

  /** A key and its colon at `p`; answers where the value begins. */
  #key(p: number): number {
    if (p >= this.end || this.bytes[p] !== 0x22) return this.unexpected(p);
    p = this.string(p + 1);
    return p < 0 ? p : this.colon(p);
  }

  /** The colon after a key, with the spaces around it. */
  colon(p: number): number {
    p = this.space(p);
    if (p >= this.end || this.bytes[p] !== 0x3a) return this.unexpected(p);
    return this.space(p + 1);
  }
}
