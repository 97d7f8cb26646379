import type { ProtoField, ProtoMessage } from "../../core/protobuf/proto-schema.ts";
import { ByteArea } from "../byte-area.ts";
import { integerText } from "../cell-writer.ts";
import type { RowSet } from "../row-set.ts";
import { WireType } from "./message-index.ts";
import type { ProtoJson } from "./proto-json.ts";
import type { Frame, ProtoScan } from "./proto-scan.ts";

/** Unknown fields that a fault names. */
const namedFieldsMax = 8;
const encoder = new TextEncoder();

/**
 * What becomes of fields that the contract does not name. Kept ones are JSON, under their name, or under their number where the message has no such
 * field: then whole numbers without sign, bytes as base64, and groups are left out.
 */
export class ProtoUnknown {
  readonly #scan: ProtoScan;
  readonly #rows: RowSet;
  readonly #json: ProtoJson;
  readonly #policy: "ignore" | "keep" | "reject";
  readonly #scratch = new ByteArea();
  #rejected: string[] = [];
  rejectedAt = 0;
  /** Key of the struct that is entered next, where it is not its column's. */
  #name: string | null = null;

  constructor(scan: ProtoScan, rows: RowSet, json: ProtoJson, policy: "ignore" | "keep" | "reject") {
    this.#scan = scan;
    this.#rows = rows;
    this.#json = json;
    this.#policy = policy;
  }

  begin(): void {
    if (this.#rejected.length > 0) this.#rejected = [];
    this.#name = null;
  }

  /** The names of rejected fields, or null. */
  rejected(): string | null {
    return this.#rejected.length === 0 ? null : this.#rejected.join(", ");
  }

  /** The next struct is an element: it goes under its index or key. */
  rename(key: string): void {
    this.#name = key;
  }

  enter(key: string): void {
    if (this.#rows.unknown !== null) this.#rows.unknown.enter(encoder.encode(JSON.stringify(this.#name ?? key)));
    this.#name = null;
  }

  leave(): void {
    if (this.#rows.unknown !== null) this.#rows.unknown.leave();
  }

  #reject(name: string, at: number): void {
    if (this.#rejected.length === 0) this.rejectedAt = at;
    if (this.#rejected.length < namedFieldsMax) this.#rejected.push(JSON.stringify(name.slice(0, 64)));
  }

  /** A field of the message that the contract does not name; false after a fault. */
  known(owner: ProtoMessage, field: ProtoField, head: number): boolean {
    if (this.#policy === "reject") this.#reject(field.name, this.#scan.start(head));
    const { unknown } = this.#rows;
    if (unknown === null) return true;
    const keyEnd = this.#key(field.name);
    if (!this.#json.field(owner, field, head, this.#scratch)) return false;
    unknown.add(this.#scratch.bytes, 0, keyEnd, keyEnd, this.#scratch.length);
    return true;
  }

  #key(name: string): number {
    const key = encoder.encode(JSON.stringify(name));
    this.#scratch.length = 0;
    this.#scratch.append(key, 0, key.length);
    return key.length;
  }

  /** Fields whose numbers the message does not have; of several with the same number the last is kept. */
  numbers(frame: Frame): boolean {
    if (this.#policy === "ignore" || frame.unknownHead < 0) return true;
    const scan = this.#scan;
    const last = new Map<number, number>();
    for (let found = frame.unknownHead; found >= 0; found = scan.next(found)) last.set(scan.number(found), found);
    for (const [number, found] of last) {
      if (this.#policy === "reject") this.#reject(String(number), scan.start(found));
      const { unknown } = this.#rows;
      const text = unknown === null ? null : this.#text(found);
      if (unknown === null || text === null) continue;
      const keyEnd = this.#key(String(number));
      const value = encoder.encode(text);
      this.#scratch.append(value, 0, value.length);
      unknown.add(this.#scratch.bytes, 0, keyEnd, keyEnd, this.#scratch.length);
    }
    return true;
  }

  #text(found: number): string | null {
    const scan = this.#scan;
    const start = scan.start(found);
    const end = scan.end(found);
    switch (scan.wire(found)) {
      case WireType.varint:
        scan.varint(start, end);
        return integerText(scan.low, scan.high, true);
      case WireType.fixed32:
        scan.scalar("fixed32", start, end);
        return integerText(scan.low, scan.high, true);
      case WireType.fixed64:
        scan.scalar("fixed64", start, end);
        return integerText(scan.low, scan.high, true);
      case WireType.length:
        return `"${Buffer.from(scan.bytes.buffer, scan.bytes.byteOffset + start, end - start).toString("base64")}"`;
      default:
        return null;
    }
  }
}
