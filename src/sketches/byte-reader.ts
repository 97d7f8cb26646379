import { Buffer } from "node:buffer";
import { SluiceError } from "../core/errors.ts";

const shortBytesMax = 12;

/** Reads what `ByteWriter` wrote; anything else, and any read past the end, is PROFILE_CORRUPT. */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#buffer.length) throw corrupt("it ends too early");
    this.#at = at + bytes;
    return at;
  }

  get left(): number {
    return this.#buffer.length - this.#at;
  }

  byte(): number {
    return this.#buffer[this.#take(1)] as number;
  }

  /** A whole number from 0 to `max`. */
  varint(max: number): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (value > max) throw corrupt(`a number is above its limit of ${max}`);
      if (byte < 128) return value;
      scale *= 128;
      if (scale > 2 ** 49) throw corrupt("a number is too long");
    }
  }

  word(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  doubles(length: number): Float64Array {
    const from = this.#buffer.byteOffset + this.#take(8 * length);
    // Copied at once; every machine that this runs on has the format's order of bytes.
    return new Float64Array(this.#buffer.buffer.slice(from, from + 8 * length) as ArrayBuffer);
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  text(bytesMax: number): string {
    const length = this.varint(bytesMax);
    const at = this.#take(length);
    return this.#shortText(at, at + length) ?? this.#buffer.toString("utf8", at, at + length);
  }

  /** Null where it is longer, or not all ASCII. Of a few letters, asking the buffer costs more than they do. */
  #shortText(from: number, to: number): string | null {
    if (to - from > shortBytesMax) return null;
    let text = "";
    for (let at = from; at < to; at++) {
      const byte = this.#buffer[at] as number;
      if (byte > 127) return null;
      text += String.fromCharCode(byte);
    }
    return text;
  }
}

/** The error of a profile that can't be read. */
export function corrupt(why: string): SluiceError {
  return new SluiceError("PROFILE_CORRUPT", `The profile can't be read: ${why}.`);
}
