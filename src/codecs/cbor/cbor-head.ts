import type { DecodeFaultCode } from "../faults.ts";

/** The major types of RFC 8949, section 3.1. */
export const Major = { unsigned: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6, simple: 7 } as const;

/** Reads the heads of data items: one is filled again and again. */
export class CborHead {
  major = 0;
  /** The low five bits. */
  info = 0;
  /** The argument: a number, length, count, tag, or the bits of a float. */
  value = 0n;
  indefinite = false;
  after = 0;
  end = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  open(bytes: Uint8Array, end: number): void {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.end = end;
  }

  /** Null, or what is wrong with the head at `p`. */
  read(p: number): DecodeFaultCode | null {
    if (p >= this.end) return "cbor.truncated";
    const first = this.#bytes[p] as number;
    this.major = first >> 5;
    const info = first & 31;
    this.info = info;
    this.indefinite = info === 31;
    if (info >= 28) {
      this.after = p + 1;
      const canBeOpen = this.major >= Major.bytes && this.major <= Major.map;
      return info === 31 && canBeOpen ? null : "cbor.syntax";
    }
    const size = info < 24 ? 0 : 1 << (info - 24);
    this.after = p + 1 + size;
    if (this.after > this.end) return "cbor.truncated";
    const view = this.#view;
    if (size === 0) this.value = BigInt(info);
    else if (size === 1) this.value = BigInt(view.getUint8(p + 1));
    else if (size === 2) this.value = BigInt(view.getUint16(p + 1));
    else if (size === 4) this.value = BigInt(view.getUint32(p + 1));
    else this.value = view.getBigUint64(p + 1);
    return null;
  }

  /** Whether an indefinite item ends at `p`. */
  isBreak(p: number): boolean {
    return p < this.end && this.#bytes[p] === 0xff;
  }

  /** The float whose bits a head of `info` 25, 26 or 27 holds. */
  float(info: number, bits: bigint): number {
    const scratch = new DataView(new ArrayBuffer(8));
    if (info === 25) return halfFloat(Number(bits));
    if (info === 26) {
      scratch.setUint32(0, Number(bits));
      return scratch.getFloat32(0);
    }
    scratch.setBigUint64(0, bits);
    return scratch.getFloat64(0);
  }
}

/** A 16-bit float (IEEE 754 binary16). */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
