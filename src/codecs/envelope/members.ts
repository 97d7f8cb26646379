import type { Records } from "../../core/records.ts";
import { ByteArea } from "../byte-area.ts";
import type { DecodeFaultCode } from "../faults.ts";
import { JsonReader } from "../json-reader.ts";
import { KeyTable } from "../key-table.ts";

/** Finds members of JSON objects by name: where the value of each stands, checked as JSON. */
export class Members {
  readonly names: readonly string[];
  /** Of the object read last, by name's index: where the value stands; start -1: the member is missing. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Why `read` gave up. */
  fault: DecodeFaultCode = "json.syntax";
  faultAt = 0;
  detail = "";
  readonly #keys: KeyTable;
  readonly #reader = new JsonReader();
  readonly #key = new ByteArea();

  constructor(names: readonly string[]) {
    this.names = names;
    this.#keys = new KeyTable(names);
    this.starts = new Int32Array(names.length);
    this.ends = new Int32Array(names.length);
  }

  index(name: string): number {
    return this.names.indexOf(name);
  }

  /** The first byte of a member's value; 0 where it is missing. */
  first(bytes: Uint8Array, index: number): number {
    const start = this.starts[index] as number;
    return start < 0 ? 0 : (bytes[start] as number);
  }

  /** Whether a member is missing or null. */
  isNull(bytes: Uint8Array, index: number): boolean {
    const first = this.first(bytes, index);
    return first === 0 || first === 0x6e;
  }

  /** The text of a member that is a JSON string; null for any other. */
  text(bytes: Uint8Array, index: number): string | null {
    const start = this.starts[index] as number;
    if (start < 0 || bytes[start] !== 0x22) return null;
    const source = Buffer.from(bytes.buffer, bytes.byteOffset + start, (this.ends[index] as number) - start).toString("utf8");
    return source.includes("\\") ? (JSON.parse(source) as string) : source.slice(1, -1);
  }

  /** Reads the object that fills `bytes[start, end)`, spaces around it allowed. False where there is none, and `fault` says why. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const reader = this.#reader;
    reader.bytes = bytes;
    reader.end = end;
    this.starts.fill(-1);
    this.ends.fill(-1);
    this.detail = "";
    let p = start === end ? reader.fail("json.empty", start) : reader.space(start);
    if (p >= 0 && (p >= end || bytes[p] !== 0x7b)) {
      const after = reader.skip(p, 0);
      p = after < 0 ? after : reader.fail("json.not-object", p);
    }
    if (p >= 0) p = this.#object(bytes, p);
    if (p >= 0) {
      p = reader.space(p);
      if (p < end) p = reader.fail("json.trailing", p);
    }
    if (p >= 0) return true;
    this.fault = reader.fault as DecodeFaultCode;
    this.faultAt = reader.faultAt - start;
    return false;
  }

  #object(bytes: Uint8Array, start: number): number {
    const reader = this.#reader;
    let p = reader.space(start + 1);
    if (p < reader.end && bytes[p] === 0x7d) return p + 1;
    for (;;) {
      if (p >= reader.end || bytes[p] !== 0x22) return reader.unexpected(p);
      const keyStart = p;
      p = reader.string(p + 1);
      if (p < 0) return p;
      const member = this.#find(bytes, keyStart + 1, p - 1);
      p = reader.colon(p);
      if (p < 0) return p;
      if (member >= 0 && (this.starts[member] as number) >= 0) {
        this.detail = this.names[member] as string;
        return reader.fail("json.duplicate-key", keyStart);
      }
      const valueStart = p;
      p = reader.skip(p, 1);
      if (p < 0) return p;
      if (member >= 0) {
        this.starts[member] = valueStart;
        this.ends[member] = p;
      }
      p = reader.space(p);
      if (p < reader.end && bytes[p] === 0x7d) return p + 1;
      if (p >= reader.end || bytes[p] !== 0x2c) return reader.unexpected(p);
      p = reader.space(p + 1);
    }
  }

  #find(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#reader.escaped) return this.#keys.find(bytes, start, end);
    this.#key.length = 0;
    this.#key.unescape(bytes, start, end);
    return this.#keys.find(this.#key.bytes, 0, this.#key.length);
  }
}

/** Values of records that stand in part in the records' slab and in part in bytes made for them: one slab for both. */
export class PayloadSpans {
  readonly starts: Uint32Array;
  readonly lengths: Int32Array;
  readonly area = new ByteArea();
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
    this.starts = new Uint32Array(records.count);
    this.lengths = new Int32Array(records.count).fill(-1);
  }

  /** The row's payload is a span of its record. */
  span(row: number, start: number, end: number): void {
    this.starts[row] = start;
    this.lengths[row] = end - start;
  }

  /** The row's payload is what `area` holds from `mark` on. */
  made(row: number, mark: number): void {
    this.starts[row] = this.#records.bytes.length + mark;
    this.lengths[row] = this.area.length - mark;
  }

  records(): Records {
    const { area } = this;
    let { bytes } = this.#records;
    if (area.length > 0) {
      const joined = new Uint8Array(bytes.length + area.length);
      joined.set(bytes);
      joined.set(area.bytes.subarray(0, area.length), bytes.length);
      bytes = joined;
    }
    return { ...this.#records, bytes, valueStart: this.starts, valueLength: this.lengths };
  }
}
