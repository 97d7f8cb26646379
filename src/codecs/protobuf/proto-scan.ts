import type { ProtoScalar } from "../../core/protobuf/proto-schema.ts";
import type { DecodeFaultCode } from "../faults.ts";
import { WireType, type MessageIndex } from "./message-index.ts";

/** Messages and groups nested deeper than this are refused. */
const maxDepth = 100;

/** An occurrence of a field: its wire type, the bytes of its value, and the field's next occurrence (-1: none); for a field that is not known, its number. */
const stride = 5;
/** Words for occurrences that are kept from one record to the next. */
const foundKeptMax = 1 << 20;

/** What one scan of a message found: the first and last occurrence of each field. */
export class Frame {
  heads: Int32Array = new Int32Array(0);
  tails: Int32Array = new Int32Array(0);
  /** Fields whose number the message does not have. */
  unknownHead = -1;
  unknownTail = -1;
  mark = 0;

  reset(fields: number, mark: number): void {
    if (this.heads.length < fields) {
      this.heads = new Int32Array(fields * 2);
      this.tails = new Int32Array(fields * 2);
    }
    this.heads.fill(-1, 0, fields);
    this.tails.fill(-1, 0, fields);
    this.unknownHead = -1;
    this.unknownTail = -1;
    this.mark = mark;
  }
}

/**
 * A strict reader of Protobuf's wire format over the bytes of a record. Messages are scanned first and their values read after: fields may come in any
 * order and several times, where the last one wins, messages merge and members of a oneof exclude each other.
 */
export class ProtoScan {
  bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  fault: DecodeFaultCode | null = null;
  faultAt = 0;
  /** The whole number read last, as two words. */
  low = 0;
  high = 0;
  real = 0;
  #found = new Int32Array(stride * 64);
  #count = 0;
  readonly #frames: Frame[] = [];
  readonly #notesUnknown: boolean;
  readonly #takesOtherWires: boolean;
  #level = 0;

  /**
   * `notesUnknown`: whether fields that their message does not have are found too; `takesOtherWires`: whether a field of another wire type than its own is
   * one of these, and no fault.
   */
  constructor(notesUnknown: boolean, takesOtherWires = false) {
    this.#notesUnknown = notesUnknown;
    this.#takesOtherWires = takesOtherWires;
  }

  /** Reads these bytes from now on. */
  open(bytes: Uint8Array): void {
    this.#count = 0;
    if (this.#found.length > foundKeptMax) this.#found = new Int32Array(stride * 64);
    this.#level = 0;
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(code: DecodeFaultCode, at: number): -1 {
    this.fault = code;
    this.faultAt = at;
    return -1;
  }

  wire(found: number): number {
    return this.#found[found * stride + 1] as number;
  }
  start(found: number): number {
    return this.#found[found * stride + 2] as number;
  }
  end(found: number): number {
    return this.#found[found * stride + 3] as number;
  }
  next(found: number): number {
    return this.#found[found * stride + 4] as number;
  }
  /** Of an occurrence of an unknown field. */
  number(found: number): number {
    return (this.#found[found * stride] as number) >>> 0;
  }

  /** A frame for a message, one level deeper; null beyond the deepest. Every frame is left by `leave`. */
  enter(index: MessageIndex, at: number): Frame | null {
    if (this.#level >= maxDepth) {
      this.fail("protobuf.depth", at);
      return null;
    }
    const frame = (this.#frames[this.#level++] ??= new Frame());
    frame.reset(index.wires.length, this.#count);
    return frame;
  }

  leave(frame: Frame): void {
    this.#level--;
    this.#count = frame.mark;
  }

  /** Scans the message `bytes[p, end)` into its frame; answers `end` or -1. Several spans of one message merge. */
  scan(index: MessageIndex, frame: Frame, p: number, end: number): number {
    while (p < end) {
      const at = p;
      p = this.#tag(p, end);
      if (p < 0) return p;
      const tag = this.low;
      const number = tag >>> 3;
      const wire = tag & 7;
      if (number === 0 || wire > WireType.fixed32) return this.fail("protobuf.tag", at);
      if (wire === WireType.endGroup) return this.fail("protobuf.group", at);
      const start = p;
      p = this.#pass(number, wire, p, end, 0);
      if (p < 0) return p;
      let field = number < index.dense.length ? (index.dense[number] as number) : (index.sparse.get(number) ?? -1);
      if (field >= 0 && wire !== index.wires[field] && !(wire === WireType.length && index.packable[field] === 1)) {
        if (!this.#takesOtherWires) return this.fail("protobuf.wire-type", at);
        field = -1;
      }
      const from = wire === WireType.length ? this.#bodyStart : start;
      const to = wire === WireType.startGroup ? this.#bodyEnd : p;
      if (field < 0) {
        if (this.#notesUnknown) this.#note(frame, -1, number, wire, from, to);
      } else if (index.replaceable[field] === 1 && (frame.tails[field] as number) >= 0) {
        // Only the last counts: many of them take no memory.
        this.#found.set([field, wire, from, to], (frame.tails[field] as number) * stride);
      } else this.#note(frame, field, number, wire, from, to);
    }
    return end;
  }

  #bodyStart = 0;
  #bodyEnd = 0;

  #note(frame: Frame, field: number, number: number, wire: number, start: number, end: number): void {
    const found = this.#count++;
    if ((found + 1) * stride > this.#found.length) {
      const grown = new Int32Array(this.#found.length * 2);
      grown.set(this.#found);
      this.#found = grown;
    }
    this.#found.set([field < 0 ? number : field, wire, start, end, -1], found * stride);
    const last = field < 0 ? frame.unknownTail : (frame.tails[field] as number);
    if (last >= 0) this.#found[last * stride + 4] = found;
    if (field < 0) {
      if (last < 0) frame.unknownHead = found;
      frame.unknownTail = found;
    } else {
      if (last < 0) frame.heads[field] = found;
      frame.tails[field] = found;
    }
  }

  /** Of fields that exclude each other the one that came last stays, with what came of it since another one. */
  settle(index: MessageIndex, frame: Frame): void {
    for (const members of index.oneofs) {
      let winner = -1;
      let last = -1;
      let before = -1;
      for (const member of members) {
        const tail = frame.tails[member] as number;
        if (tail > last) {
          before = last;
          last = tail;
          winner = member;
        } else if (tail > before) before = tail;
      }
      for (const member of members) if (member !== winner) frame.heads[member] = -1;
      if (winner >= 0) while ((frame.heads[winner] as number) < before) frame.heads[winner] = this.next(frame.heads[winner] as number);
    }
  }

  /** A tag, into `low`. */
  #tag(p: number, end: number): number {
    const byte = this.bytes[p] as number;
    if (byte < 0x80) {
      this.low = byte;
      return p + 1;
    }
    const after = this.varint(p, end);
    return after >= 0 && this.high !== 0 ? this.fail("protobuf.varint", p) : after;
  }

  /** A varint of at most 10 bytes into `low` and `high`; bits beyond the 64th are dropped. */
  varint(p: number, end: number): number {
    const { bytes } = this;
    if (p >= end) return this.fail("protobuf.truncated", end);
    let byte = bytes[p] as number;
    if (byte < 0x80) {
      this.low = byte;
      this.high = 0;
      return p + 1;
    }
    const start = p;
    let low = byte & 0x7f;
    let middle = 0;
    let top = 0;
    for (let i = 1; byte >= 0x80; i++) {
      if (++p >= end) return this.fail("protobuf.truncated", end);
      byte = bytes[p] as number;
      if (i < 4) low |= (byte & 0x7f) << (7 * i);
      else if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4));
      else if (i < 10) top |= (byte & 0x7f) << (7 * (i - 8));
      else return this.fail("protobuf.varint", start);
    }
    this.low = low | (middle << 28);
    this.high = (middle >>> 4) | (top << 24);
    return p + 1;
  }

  /** Passes over a value; of a length-delimited one `#bodyStart` is where its bytes begin, of a group `#bodyEnd` is where its end tag does. */
  #pass(number: number, wire: number, p: number, end: number, depth: number): number {
    switch (wire) {
      case WireType.varint:
        return this.varint(p, end);
      case WireType.fixed64:
        return p + 8 > end ? this.fail("protobuf.truncated", end) : p + 8;
      case WireType.fixed32:
        return p + 4 > end ? this.fail("protobuf.truncated", end) : p + 4;
      case WireType.length: {
        const body = this.varint(p, end);
        if (body < 0) return body;
        if (this.high !== 0 || this.low >>> 0 > end - body) return this.fail("protobuf.truncated", end);
        this.#bodyStart = body;
        return body + this.low;
      }
      default:
        return this.#group(number, p, end, depth);
    }
  }

  #group(number: number, p: number, end: number, depth: number): number {
    if (this.#level + depth >= maxDepth) return this.fail("protobuf.depth", p);
    for (;;) {
      const at = p;
      if (p >= end) return this.fail("protobuf.group", end);
      p = this.#tag(p, end);
      if (p < 0) return p;
      const tag = this.low;
      const inner = tag >>> 3;
      const wire = tag & 7;
      if (inner === 0 || wire > WireType.fixed32) return this.fail("protobuf.tag", at);
      if (wire === WireType.endGroup) {
        if (inner !== number) return this.fail("protobuf.group", at);
        this.#bodyEnd = at;
        return p;
      }
      p = this.#pass(inner, wire, p, end, depth + 1);
      if (p < 0) return p;
    }
  }

  /** A number or boolean of a scalar type at `p` into `low` and `high` (sign extended) or `real`; answers the position after it, or -1. */
  scalar(scalar: ProtoScalar, p: number, end: number): number {
    switch (scalar) {
      case "double":
      case "fixed64":
      case "sfixed64":
        if (p + 8 > end) return this.fail("protobuf.truncated", end);
        if (scalar === "double") this.real = this.#view.getFloat64(p, true);
        this.low = this.#view.getInt32(p, true);
        this.high = this.#view.getInt32(p + 4, true);
        return p + 8;
      case "float":
      case "fixed32":
      case "sfixed32":
        if (p + 4 > end) return this.fail("protobuf.truncated", end);
        if (scalar === "float") this.real = this.#view.getFloat32(p, true);
        this.low = this.#view.getInt32(p, true);
        this.high = scalar === "sfixed32" ? this.low >> 31 : 0;
        return p + 4;
      default: {
        const after = this.varint(p, end);
        if (after < 0) return after;
        this.#convert(scalar);
        return after;
      }
    }
  }

  /** What a varint means: types of 32 bits take its low word. */
  #convert(scalar: ProtoScalar): void {
    switch (scalar) {
      case "int32":
        this.high = this.low >> 31;
        return;
      case "uint32":
        this.high = 0;
        return;
      case "sint32":
        this.low = (this.low >>> 1) ^ -(this.low & 1);
        this.high = this.low >> 31;
        return;
      case "sint64": {
        const sign = -(this.low & 1);
        this.low = ((this.low >>> 1) | (this.high << 31)) ^ sign;
        this.high = (this.high >>> 1) ^ sign;
        return;
      }
      case "bool":
        this.low = this.low !== 0 || this.high !== 0 ? 1 : 0;
        this.high = 0;
        return;
      default:
        return;
    }
  }
}

/** Whether a scalar's words are of 0 to 2^64 - 1. */
export function isUnsigned(scalar: ProtoScalar): boolean {
  return scalar === "uint64" || scalar === "fixed64" || scalar === "uint32" || scalar === "fixed32";
}
