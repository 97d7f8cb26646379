import { nanosText, timestampText } from "../../core/civil.ts";
import type { ProtoEnum, ProtoField, ProtoMessage, ProtoScalar, ProtoType } from "../../core/protobuf/proto-schema.ts";
import type { ByteArea } from "../byte-area.ts";
import { integerText, realText } from "../cell-writer.ts";
import type { RowSet } from "../row-set.ts";
import { isUtf8 } from "../utf8.ts";
import { WireType, type MessageIndexes } from "./message-index.ts";
import { isUnsigned, type Frame, type ProtoScan } from "./proto-scan.ts";

const encoder = new TextEncoder();
const wrapperPattern = /^google\.protobuf\.(Double|Float|Int64|UInt64|Int32|UInt32|Bool|String|Bytes)Value$/;

/** Seconds and nanoseconds of a Timestamp or Duration message. */
export interface Seconds {
  seconds: bigint;
  nanos: number;
}

/** `1.5s`, as protobuf's JSON has a Duration; null where it is out of its range or its parts differ in sign. */
export function durationText({ seconds, nanos }: Seconds): string | null {
  const proper =
    seconds >= -315_576_000_000n &&
    seconds <= 315_576_000_000n &&
    Math.abs(nanos) <= 999_999_999 &&
    !(seconds > 0n && nanos < 0) &&
    !(seconds < 0n && nanos > 0);
  if (!proper) return null;
  const sign = seconds < 0n || nanos < 0 ? "-" : "";
  const whole = `${sign}${seconds < 0n ? -seconds : seconds}`;
  if (nanos === 0) return `${whole}s`;
  const digits = String(Math.abs(nanos)).padStart(9, "0");
  return `${whole}.${digits.endsWith("000000") ? digits.slice(0, 3) : digits.endsWith("000") ? digits.slice(0, 6) : digits}s`;
}

/** Whether a Timestamp is one of the years 0001 to 9999, its nanoseconds counting forward. */
export function isTimestamp({ seconds, nanos }: Seconds): boolean {
  return seconds >= -62_135_596_800n && seconds <= 253_402_300_799n && nanos >= 0 && nanos <= 999_999_999;
}

/**
 * Writes messages as JSON text much as protobuf's own JSON: enums by name, bytes as base64, well-known types in their short forms. Fields keep the names
 * of the `.proto` file, whole numbers are numbers, and fields without presence are always there.
 */
export class ProtoJson {
  readonly #scan: ProtoScan;
  readonly #rows: RowSet;
  readonly #indexes: MessageIndexes;
  /** Whether a string of the value written last is no UTF-8; its bad bytes were replaced. */
  badText = false;

  constructor(scan: ProtoScan, rows: RowSet, indexes: MessageIndexes) {
    this.#scan = scan;
    this.#rows = rows;
    this.#indexes = indexes;
  }

  #put(into: ByteArea, text: string): void {
    const bytes = encoder.encode(text);
    into.append(bytes, 0, bytes.length);
  }

  /** The value of a field whose occurrences begin at `head` (-1: none); false after a fault. */
  field(owner: ProtoMessage, field: ProtoField, head: number, into: ByteArea): boolean {
    if (field.shape === "list") return this.#list(field.type, head, into);
    if (field.shape === "map") return this.#map(owner, field, head, into);
    return this.single(field.type, head, into);
  }

  /** One value from its occurrences; of none the type's zero. */
  single(type: ProtoType, head: number, into: ByteArea): boolean {
    if (type.kind === "message") return this.message(type.message, head, into);
    const scan = this.#scan;
    let last = head;
    if (last >= 0) for (let next = scan.next(last); next >= 0; next = scan.next(next)) last = next;
    if (last < 0) {
      this.#put(into, zeroText(type));
      return true;
    }
    return this.#value(type, scan.start(last), scan.end(last), into) >= 0;
  }

  /** One element of a list, by its occurrence. */
  one(type: ProtoType, found: number, into: ByteArea): boolean {
    const scan = this.#scan;
    if (type.kind === "message") return this.#span(type.message, scan.start(found), scan.end(found), into);
    return this.#value(type, scan.start(found), scan.end(found), into) >= 0;
  }

  /** A number among packed ones at `p`; answers the position after it, or -1. */
  packed(type: ProtoType | null, p: number, end: number, into: ByteArea): number {
    return type === null || type.kind === "message" ? -1 : this.#value(type, p, end, into);
  }

  /** A scalar or enum value at `p`; of text, `[p, end)`. */
  #value(type: ProtoType & { readonly kind: "scalar" | "enum" }, p: number, end: number, into: ByteArea): number {
    const scan = this.#scan;
    if (type.kind === "enum") {
      const after = scan.scalar("int32", p, end);
      if (after >= 0) this.#put(into, enumText(type.enum, scan.low));
      return after;
    }
    const { scalar } = type;
    if (scalar === "string") this.#text(p, end, into);
    else if (scalar === "bytes")
      this.#put(into, `"${Buffer.from(scan.bytes.buffer, scan.bytes.byteOffset + p, end - p).toString("base64")}"`);
    if (scalar === "string" || scalar === "bytes") return end;
    const after = scan.scalar(scalar, p, end);
    if (after < 0) return after;
    this.#put(into, this.#scalarText(scalar));
    return after;
  }

  #scalarText(scalar: ProtoScalar): string {
    const { low, high, real } = this.#scan;
    if (scalar === "bool") return low === 1 ? "true" : "false";
    if (scalar === "double" || scalar === "float") return Number.isFinite(real) ? realText(real) : `"${real}"`;
    return integerText(low, high, isUnsigned(scalar));
  }

  #text(start: number, end: number, into: ByteArea): void {
    const { bytes } = this.#scan;
    if (!isUtf8(bytes, start, end)) this.badText = true;
    this.#put(into, JSON.stringify(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8")));
  }

  #list(type: ProtoType, head: number, into: ByteArea): boolean {
    const scan = this.#scan;
    into.push(0x5b);
    let first = true;
    const separate = (at: number): boolean => {
      if (!first) into.push(0x2c);
      first = false;
      return this.#rows.spend(1) || scan.fail("protobuf.too-many-elements", at) > 0;
    };
    for (let found = head; found >= 0; found = scan.next(found)) {
      let p = scan.start(found);
      const end = scan.end(found);
      if (type.kind === "message") {
        if (!separate(p) || !this.#span(type.message, p, end, into)) return false;
        continue;
      }
      const packed =
        scan.wire(found) === WireType.length && !(type.kind === "scalar" && (type.scalar === "string" || type.scalar === "bytes"));
      for (let more = !packed || p < end; more; more = packed && p < end) {
        if (!separate(p)) return false;
        p = this.#value(type, p, end, into);
        if (p < 0) return false;
      }
    }
    into.push(0x5d);
    return true;
  }

  #map(owner: ProtoMessage, field: ProtoField, head: number, into: ByteArea): boolean {
    const scan = this.#scan;
    const index = this.#indexes.of(owner);
    const entry = this.#indexes.of(index.entries[index.message.fields.indexOf(field)] as ProtoMessage);
    const values = new Map<string, number>();
    for (let found = head; found >= 0; found = scan.next(found)) {
      const key = this.entryKey(entry.message, found);
      if (key === null) return false;
      values.set(key, found);
    }
    into.push(0x7b);
    let first = true;
    for (const [key, found] of values) {
      if (!this.#rows.spend(1)) return scan.fail("protobuf.too-many-elements", scan.start(found)) > 0;
      this.#put(into, `${first ? "" : ","}${JSON.stringify(key)}:`);
      first = false;
      const frame = scan.enter(entry, scan.start(found));
      if (frame === null || scan.scan(entry, frame, scan.start(found), scan.end(found)) < 0) return false;
      if (!this.single(field.type, frame.heads[1] as number, into)) return false;
      scan.leave(frame);
    }
    into.push(0x7d);
    return true;
  }

  /** The key of a map's entry as text; null after a fault. */
  entryKey(entry: ProtoMessage, found: number): string | null {
    const scan = this.#scan;
    const index = this.#indexes.of(entry);
    const frame = scan.enter(index, scan.start(found));
    if (frame === null || scan.scan(index, frame, scan.start(found), scan.end(found)) < 0) return null;
    const { type } = entry.fields[0] as ProtoField;
    const tail = frame.tails[0] as number;
    const scalar = type.kind === "scalar" ? type.scalar : "string";
    let text = scalar === "string" ? "" : scalar === "bool" ? "false" : "0";
    if (tail >= 0 && scalar === "string") {
      const start = scan.start(tail);
      const end = scan.end(tail);
      if (!isUtf8(scan.bytes, start, end)) {
        scan.fail("protobuf.utf8", start);
        return null;
      }
      text = Buffer.from(scan.bytes.buffer, scan.bytes.byteOffset + start, end - start).toString("utf8");
    } else if (tail >= 0) {
      if (scan.scalar(scalar, scan.start(tail), scan.end(tail)) < 0) return null;
      text = this.#scalarText(scalar);
    }
    scan.leave(frame);
    return text;
  }

  /** A message from its occurrences, merged; of none, as if it were empty. */
  message(message: ProtoMessage, head: number, into: ByteArea): boolean {
    const scan = this.#scan;
    const index = this.#indexes.of(message);
    const frame = scan.enter(index, head < 0 ? 0 : scan.start(head));
    if (frame === null) return false;
    for (let found = head; found >= 0; found = scan.next(found))
      if (scan.scan(index, frame, scan.start(found), scan.end(found)) < 0) return false;
    return this.#body(message, frame, into);
  }

  #span(message: ProtoMessage, start: number, end: number, into: ByteArea): boolean {
    const index = this.#indexes.of(message);
    const frame = this.#scan.enter(index, start);
    if (frame === null || this.#scan.scan(index, frame, start, end) < 0) return false;
    return this.#body(message, frame, into);
  }

  /** What a frame found of a message; leaves the frame. */
  #body(message: ProtoMessage, frame: Frame, into: ByteArea): boolean {
    this.#scan.settle(this.#indexes.of(message), frame);
    const done = this.#wellKnown(message, frame, into) ?? this.object(message, frame, into);
    this.#scan.leave(frame);
    return done;
  }

  /** The fields of a message as an object. */
  object(message: ProtoMessage, frame: Frame, into: ByteArea): boolean {
    into.push(0x7b);
    let first = true;
    for (const [i, field] of message.fields.entries()) {
      const head = frame.heads[i] as number;
      if (head < 0 && field.presence) continue;
      this.#put(into, `${first ? "" : ","}${JSON.stringify(field.name)}:`);
      first = false;
      if (!this.field(message, field, head, into)) return false;
    }
    into.push(0x7d);
    return true;
  }

  /** The short form of a well-known type; null where it has none. */
  #wellKnown(message: ProtoMessage, frame: Frame, into: ByteArea): boolean | null {
    const [first] = message.fields;
    if (wrapperPattern.test(message.name) && first !== undefined) return this.single(first.type, frame.heads[0] as number, into);
    switch (message.name) {
      case "google.protobuf.Timestamp": {
        const time = this.seconds(frame);
        if (time === null || !isTimestamp(time)) return time === null ? false : null;
        const text =
          time.nanos === 0
            ? timestampText(time.seconds * 1_000_000n, true)
            : nanosText(time.seconds * 1_000_000_000n + BigInt(time.nanos), true);
        this.#put(into, `"${text}"`);
        return true;
      }
      case "google.protobuf.Duration": {
        const time = this.seconds(frame);
        const text = time === null ? null : durationText(time);
        if (text === null) return time === null ? false : null;
        this.#put(into, `"${text}"`);
        return true;
      }
      case "google.protobuf.Struct":
      case "google.protobuf.ListValue":
        return first === undefined ? null : this.field(message, first, frame.heads[0] as number, into);
      case "google.protobuf.Value":
        return this.#anyValue(message, frame, into);
      default:
        return null;
    }
  }

  /** Seconds and nanoseconds of a Timestamp's or Duration's frame; null after a fault. */
  seconds(frame: Frame): Seconds | null {
    const scan = this.#scan;
    const time: Seconds = { seconds: 0n, nanos: 0 };
    const [seconds, nanos] = [frame.tails[0] as number, frame.tails[1] as number];
    if (seconds >= 0) {
      if (scan.scalar("int64", scan.start(seconds), scan.end(seconds)) < 0) return null;
      time.seconds = (BigInt(scan.high) << 32n) | BigInt(scan.low >>> 0);
    }
    if (nanos >= 0) {
      if (scan.scalar("int32", scan.start(nanos), scan.end(nanos)) < 0) return null;
      time.nanos = scan.low;
    }
    return time;
  }

  #anyValue(message: ProtoMessage, frame: Frame, into: ByteArea): boolean {
    const chosen = message.fields.findIndex((_, i) => (frame.heads[i] as number) >= 0);
    const field = message.fields[chosen];
    if (field === undefined || field.type.kind === "enum") {
      this.#put(into, "null");
      return true;
    }
    return this.field(message, field, frame.heads[chosen] as number, into);
  }
}

function enumText(type: ProtoEnum, number: number): string {
  const value = type.values.find((each) => each.number === number);
  return value === undefined ? String(number) : JSON.stringify(value.name);
}

/** The JSON text of a type's zero. */
function zeroText(type: ProtoType): string {
  if (type.kind === "enum") return enumText(type.enum, type.enum.values[0]?.number ?? 0);
  if (type.kind === "message") return "{}";
  if (type.scalar === "bool") return "false";
  return type.scalar === "string" || type.scalar === "bytes" ? '""' : "0";
}
