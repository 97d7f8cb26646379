import type { DecodeFault } from "../../core/column.ts";
import type { Records } from "../../core/records.ts";
import { ByteArea } from "../byte-area.ts";
import { decodeFaults, type DecodeFaultCode } from "../faults.ts";

/** The escapes of the bytes below 0x20, as `JSON.stringify` writes them. */
const escapes = Array.from({ length: 0x20 }, (_, byte) => JSON.stringify(String.fromCharCode(byte)).slice(1, -1));

/** Below this many bytes a loop is quicker than a call. */
const shortBytes = 24;

/** A name as a JSON string of ASCII, with its colon: what `raw` takes. */
export function memberKey(name: string): string {
  return `${JSON.stringify(name).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}:`;
}

/**
 * One JSON text a record, written by a format that is no JSON: its values then become cells exactly as JSON's do, whose decoder has every rule for
 * exactness. Rows without a text stand as null values.
 */
export class JsonTexts {
  readonly area = new ByteArea();
  readonly faults: DecodeFault[] = [];
  readonly #starts: Uint32Array;
  readonly #lengths: Int32Array;
  #mark = 0;

  constructor(rows: number) {
    this.#starts = new Uint32Array(rows);
    this.#lengths = new Int32Array(rows).fill(-1);
  }

  begin(): void {
    this.#mark = this.area.length;
  }

  end(row: number): void {
    this.#starts[row] = this.#mark;
    this.#lengths[row] = this.area.length - this.#mark;
  }

  /** Forgets the text begun, and notes why. */
  fail(row: number, code: DecodeFaultCode, at: number | null, detail = ""): void {
    this.area.length = this.#mark;
    const where = at === null ? "" : ` (byte ${at})`;
    this.faults.push({ row, code, message: `${decodeFaults[code]}${detail === "" ? "" : `: ${detail}`}${where}`, at });
  }

  /** The records with these texts as values; their keys have no place in that slab. */
  records(from: Records): Records {
    const none = new Int32Array(from.count).fill(-1);
    return {
      ...from,
      bytes: this.area.bytes.subarray(0, this.area.length),
      valueStart: this.#starts,
      valueLength: this.#lengths,
      keyLength: none,
      headersLength: new Int32Array(from.count),
    };
  }

  /** ASCII as it is. */
  raw(text: string): void {
    const { area } = this;
    area.reserve(text.length);
    const { bytes } = area;
    let { length } = area;
    for (let i = 0; i < text.length; i++) bytes[length++] = text.charCodeAt(i);
    area.length = length;
  }

  /** A JSON string of UTF-8 bytes, which are checked when they are decoded. */
  string(from: Uint8Array, start: number, end: number): void {
    const { area } = this;
    area.push(0x22);
    let plain = start;
    for (let p = start; p < end; p++) {
      const c = from[p] as number;
      if (c >= 0x20 && c !== 0x22 && c !== 0x5c) continue;
      this.copy(from, plain, p);
      plain = p + 1;
      if (c >= 0x20) this.raw(`\\${String.fromCharCode(c)}`);
      else this.raw(escapes[c] as string);
    }
    this.copy(from, plain, end);
    area.push(0x22);
  }

  /** Bytes as they are. */
  copy(from: Uint8Array, start: number, end: number): void {
    const { area } = this;
    if (end - start > shortBytes) return area.append(from, start, end);
    area.reserve(end - start);
    const { bytes } = area;
    let { length } = area;
    for (let p = start; p < end; p++) bytes[length++] = from[p] as number;
    area.length = length;
  }

  /** A JSON string of base64. */
  base64(from: Uint8Array, start: number, end: number): void {
    this.raw(`"${Buffer.from(from.buffer, from.byteOffset + start, end - start).toString("base64")}"`);
  }
}
