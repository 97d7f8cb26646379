import type { DecodeFault } from "../../core/column.ts";
import { headersOf } from "../../core/headers.ts";
import type { Records } from "../../core/records.ts";
import { span } from "../../core/records.ts";
import type { SchemaId } from "../../core/registered-schema.ts";
import { decodeFaults } from "../faults.ts";

/** Which schema wrote a record, and for Protobuf which of its messages: the index of the outer one, then of each inner one. */
export interface FrameGroup {
  readonly id: SchemaId;
  readonly message: readonly number[] | null;
}

/** What tells a group from all others. */
export function frameName({ id, message }: FrameGroup): string {
  return message === null ? id : `${id}:${message.join(".")}`;
}

/** Where the payloads of framed records stand, and which of the groups each belongs to. */
export interface Frames {
  readonly groups: readonly FrameGroup[];
  /** Index into `groups` a row; -1: no payload (null, or a fault). */
  readonly group: Int32Array;
  readonly starts: Uint32Array;
  readonly lengths: Int32Array;
  readonly faults: readonly DecodeFault[];
}

/** The header that names a schema by its GUID (Confluent's wire format, version 1), by part of the record. */
const headerNames = { value: "__value_schema_id", key: "__key_schema_id" } as const;
const headerMarks = { value: Buffer.from(headerNames.value), key: Buffer.from(headerNames.key) } as const;
const messageDepthMax = 32;

/**
 * Takes the frames of Confluent's serializers off: a header with `01` and a GUID, or before the payload `00` and the id as 4 bytes, big endian; `messages`:
 * followed by Protobuf's message indexes.
 */
export function readFrames(records: Records, part: "value" | "key", messages: boolean): Frames {
  return new FrameReader(records, part, messages).read();
}

/** The schema ids that a run's frames name. */
export function frameIds(records: Records, part: "value" | "key"): Set<SchemaId> {
  return new Set(readFrames(records, part, false).groups.map(({ id }) => id));
}

/** Stands for the header of the record before. */
const sameHeader = new Uint8Array(0);

class FrameReader {
  readonly #records: Records;
  readonly #part: "value" | "key";
  readonly #messages: boolean;
  readonly #groups: FrameGroup[] = [];
  readonly #indexOf = new Map<string, number>();
  /** The id of the record before, which most share. */
  #lastId = -1;
  #lastGroup = -1;
  /** Where the headers of the record before stand, if they name its schema: many records share them. */
  #headersAt = -1;
  #headersSize = -1;
  /** Set by `#readMessages`. */
  #message: readonly number[] = [];

  constructor(records: Records, part: "value" | "key", messages: boolean) {
    this.#records = records;
    this.#part = part;
    this.#messages = messages;
  }

  read(): Frames {
    const { count } = this.#records;
    const group = new Int32Array(count).fill(-1);
    const starts = this.#records[`${this.#part}Start`].slice();
    const lengths = this.#records[`${this.#part}Length`].slice();
    const faults: DecodeFault[] = [];
    for (let row = 0; row < count; row++) {
      const length = lengths[row] as number;
      if (length < 0) continue;
      const start = starts[row] as number;
      const header = this.#isLikeLast(row) ? sameHeader : this.#header(row);
      const size = header === sameHeader ? 0 : header === null ? this.#prefix(start, start + length) : this.#fromHeader(header);
      this.#headersAt = header !== null && size === 0 ? (this.#records.headersStart[row] as number) : -1;
      this.#headersSize = this.#records.headersLength[row] as number;
      if (size < 0) {
        const detail = header === null ? "" : `: its header ${headerNames[this.#part]} is malformed`;
        faults.push({ row, code: "registry.framing", message: decodeFaults["registry.framing"] + detail, at: null });
        lengths[row] = -1;
        continue;
      }
      group[row] = this.#lastGroup;
      starts[row] = start + size;
      lengths[row] = length - size;
    }
    return { groups: this.#groups, group, starts, lengths, faults };
  }

  #isLikeLast(row: number): boolean {
    const { headersStart, headersLength } = this.#records;
    return headersStart[row] === this.#headersAt && headersLength[row] === this.#headersSize;
  }

  #header(row: number): Uint8Array | null {
    const headers = span(this.#records, "headers", row);
    if (headers === null || headers.length === 0) return null;
    const mark = headerMarks[this.#part];
    if (Buffer.from(headers.buffer, headers.byteOffset, headers.byteLength).indexOf(mark) < 0) return null;
    return headersOf(this.#records, row).find(({ key }) => key === headerNames[this.#part])?.value ?? null;
  }

  /** The frame before the payload `bytes[start, end)`; answers its size, or -1. */
  #prefix(start: number, end: number): number {
    const { bytes } = this.#records;
    if (end - start < 5 || bytes[start] !== 0) return -1;
    const id =
      (((bytes[start + 1] as number) << 24) |
        ((bytes[start + 2] as number) << 16) |
        ((bytes[start + 3] as number) << 8) |
        (bytes[start + 4] as number)) >>>
      0;
    if (!this.#messages) {
      if (id !== this.#lastId) {
        this.#lastGroup = this.#groupOf(String(id), null);
        this.#lastId = id;
      }
      return 5;
    }
    const after = this.#readMessages(bytes, start + 5, end);
    if (after < 0) return -1;
    this.#lastGroup = this.#groupOf(String(id), this.#message);
    return after - start;
  }

  /** The frame of a header; the payload has none then. Answers 0, or -1. */
  #fromHeader(header: Uint8Array): number {
    this.#lastId = -1;
    const isGuid = header[0] === 1;
    const size = isGuid ? 17 : 5;
    if (header.length < size || (!isGuid && header[0] !== 0)) return -1;
    const hex = Buffer.from(header.subarray(1, size)).toString("hex");
    const id = isGuid ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : String(Number.parseInt(hex, 16));
    if (this.#messages) {
      if (header.length === size) this.#message = [0];
      else if (this.#readMessages(header, size, header.length) < 0) return -1;
    }
    this.#lastGroup = this.#groupOf(id, this.#messages ? this.#message : null);
    return 0;
  }

  /** Zig-zag varints: how many, and each index; none stands for the first message. Answers the position after them, or -1. */
  #readMessages(bytes: Uint8Array, start: number, end: number): number {
    const numbers: number[] = [];
    let p = start;
    for (let left = 1; left > 0; left--) {
      let raw = 0;
      let shift = 0;
      let byte: number;
      do {
        if (p >= end || shift > 28) return -1;
        byte = bytes[p++] as number;
        raw |= (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
      const value = (raw >>> 1) ^ -(raw & 1);
      if (value < 0) return -1;
      if (numbers.length === 0) {
        if (value > messageDepthMax) return -1;
        left += value;
      }
      numbers.push(value);
    }
    this.#message = numbers.length === 1 ? [0] : numbers.slice(1);
    return p;
  }

  #groupOf(id: SchemaId, message: readonly number[] | null): number {
    const key = frameName({ id, message });
    let index = this.#indexOf.get(key);
    if (index === undefined) {
      index = this.#groups.push({ id, message }) - 1;
      this.#indexOf.set(key, index);
    }
    return index;
  }
}
