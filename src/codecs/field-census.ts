import { Buffer } from "node:buffer";
import type { Batch } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { FieldCount, FieldCounts } from "../core/profile.ts";
import { jsonTypes } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import { JsonReader, maxDepth } from "./json-reader.ts";
import { cutName, memberPath } from "./member-path.ts";
import { sampleWeight } from "./record-sample.ts";

/** Fields that the contract does not name are told apart up to so many a window; then they count as one. */
export const unnamedMax = 512;
/** The path of fields that are not told apart. */
export const othersPath = "…";

const [isNull, isBoolean, isNumber, isString, isObject, isArray] = jsonTypes.map((_, i) => i) as [
  number,
  number,
  number,
  number,
  number,
  number,
];

/** A field at its place in the records. */
interface Place {
  readonly path: string;
  readonly types: number[];
  /** What fields lie below it; null where they are not looked at: scalars, maps, JSON, and what the contract does not name. */
  readonly members: Members | null;
  /** The last record that had it. */
  seenIn: number;
}

interface Members {
  readonly prefix: string;
  /** In the order in which they were first met: records tend to keep it. */
  readonly places: { readonly key: Uint8Array; readonly place: Place }[];
  readonly byName: Map<string, number>;
}

/**
 * Counts which fields records have and of which JSON types, those that a contract does not name among them, by reading the records' texts once
 * more. Every record counts that is a JSON object, whether it was promoted or not.
 */
export class FieldCensus {
  readonly #contract: Pick<Contract, "fields" | "policies">;
  readonly #reader = new JsonReader();
  /** Places of the record that is being read, with the type there; counted once the whole record was read. */
  readonly #found: Place[] = [];
  readonly #foundTypes: number[] = [];
  #root: Members;
  #places: Place[] = [];
  #others: Place;
  #unnamed = 0;
  #rows = 0;
  #record = 0;
  #records = 0;
  #squares = 0;

  constructor(contract: Pick<Contract, "fields" | "policies">) {
    this.#contract = contract;
    this.#others = newPlace(othersPath, null);
    this.#root = this.#named(contract.fields, "");
  }

  reset(): void {
    this.#places = [];
    this.#others = newPlace(othersPath, null);
    this.#root = this.#named(this.#contract.fields, "");
    this.#unnamed = 0;
    this.#rows = 0;
    this.#record = 0;
    this.#records = 0;
    this.#squares = 0;
  }

  /** Adds the records of a batch, as the texts that it was decoded from. */
  add(batch: Batch): void {
    const { bytes, valueStart, valueLength } = batch.payload ?? batch.records;
    const bytesMax = this.#contract.policies.oversized.bytes;
    this.#reader.bytes = bytes;
    for (let row = 0; row < batch.rows; row++) {
      const length = valueLength[row] as number;
      if (length <= 0 || length > bytesMax) continue;
      const weight = sampleWeight(this.#rows++);
      if (weight === 0) continue;
      const start = valueStart[row] as number;
      this.#addRecord(start, start + length, weight);
    }
  }

  finish(): FieldCounts {
    const fields: FieldCount[] = [...this.#places, this.#others]
      .filter(({ types }) => types.some((count) => count > 0))
      .map(({ path, types }) => ({ path, types: [...types] }));
    fields.sort((a, b) => (a.path < b.path ? -1 : 1));
    return { records: this.#records, squares: this.#squares, fields };
  }

  #addRecord(start: number, end: number, weight: number): void {
    const reader = this.#reader;
    reader.end = end;
    this.#record++;
    this.#found.length = 0;
    this.#foundTypes.length = 0;
    const from = reader.space(start);
    // A record that is no JSON object has no fields, and says nothing of which it should have.
    if (from >= end || reader.bytes[from] !== 0x7b) return;
    const to = this.#object(from, this.#root, 1);
    if (to < 0 || reader.space(to) !== end) return;
    this.#records += weight;
    this.#squares += weight * weight;
    this.#found.forEach((place, i) => {
      const type = this.#foundTypes[i] as number;
      place.types[type] = (place.types[type] as number) + weight;
    });
  }

  /** The object whose brace is at `p`, inside of `depth` - 1 others; answers the position after it, or -1. */
  #object(p: number, members: Members, depth: number): number {
    const reader = this.#reader;
    const { bytes, end } = reader;
    p = reader.space(p + 1);
    if (bytes[p] === 0x7d && p < end) return p + 1;
    for (let expected = 0; ;) {
      if (p >= end || bytes[p] !== 0x22) return -1;
      const key = p;
      p = reader.string(p + 1);
      if (p < 0) return -1;
      const index = this.#indexOf(members, expected, key, p, reader.escaped);
      expected = index + 1;
      p = reader.colon(p);
      if (p < 0 || p >= end) return -1;
      const place = index < 0 ? this.#others : (members.places[index] as Members["places"][number]).place;
      p = this.#value(p, place, depth);
      if (p < 0) return -1;
      p = reader.space(p);
      if (p >= end) return -1;
      if (bytes[p] === 0x7d) return p + 1;
      if (bytes[p] !== 0x2c) return -1;
      p = reader.space(p + 1);
    }
  }

  #value(p: number, place: Place, depth: number): number {
    const type = typeAt(this.#reader.bytes[p] as number);
    if (place.seenIn !== this.#record) {
      place.seenIn = this.#record;
      this.#found.push(place);
      this.#foundTypes.push(type);
    }
    return place.members === null ? this.#reader.skip(p, depth) : this.#below(p, place.members, depth);
  }

  /** A value below which fields are looked at: an object, or objects in an array. */
  #below(p: number, members: Members, depth: number): number {
    const reader = this.#reader;
    const { bytes, end } = reader;
    const type = typeAt(bytes[p] as number);
    if (type !== isObject && type !== isArray) return reader.skip(p, depth);
    if (depth >= maxDepth) return -1;
    if (type === isObject) return this.#object(p, members, depth + 1);
    p = reader.space(p + 1);
    if (p < end && bytes[p] === 0x5d) return p + 1;
    for (;;) {
      if (p >= end) return -1;
      p = this.#below(p, members, depth + 1);
      if (p < 0) return -1;
      p = reader.space(p);
      if (p >= end) return -1;
      if (bytes[p] === 0x5d) return p + 1;
      if (bytes[p] !== 0x2c) return -1;
      p = reader.space(p + 1);
    }
  }

  /** Which of the members the key `bytes[start, end)`, quotes included, is; -1 where it is not told apart. */
  #indexOf(members: Members, expected: number, start: number, end: number, escaped: boolean): number {
    const { bytes } = this.#reader;
    const next = members.places[expected];
    if (next !== undefined && equalBytes(next.key, bytes, start, end)) return expected;
    const quoted = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const text = quoted.toString("utf8");
    const name = cutName(escaped ? (JSON.parse(text) as string) : text.slice(1, -1));
    const known = members.byName.get(name);
    if (known !== undefined) return known;
    if (this.#unnamed >= unnamedMax) return -1;
    this.#unnamed++;
    return this.#join(members, name, Uint8Array.from(quoted), null);
  }

  #join(members: Members, name: string, key: Uint8Array, below: Members | null): number {
    const place = newPlace(memberPath(members.prefix, name), below);
    this.#places.push(place);
    members.byName.set(name, members.places.length);
    return members.places.push({ key, place }) - 1;
  }

  #named(fields: readonly Field[], prefix: string): Members {
    const members: Members = { prefix, places: [], byName: new Map() };
    for (const field of fields) {
      const name = cutName(field.sourceName);
      // Two columns can be of one field.
      if (members.byName.has(name)) continue;
      this.#join(members, name, Buffer.from(JSON.stringify(field.sourceName)), this.#membersOf(field, memberPath(prefix, name)));
    }
    return members;
  }

  #membersOf({ type }: Field, path: string): Members | null {
    if (type.kind === "struct") return this.#named(type.fields, path);
    return type.kind === "list" ? this.#membersOf(type.element, `${path}[]`) : null;
  }
}

function newPlace(path: string, members: Members | null): Place {
  return { path, types: jsonTypes.map(() => 0), members, seenIn: 0 };
}

function typeAt(byte: number): number {
  switch (byte) {
    case 0x7b:
      return isObject;
    case 0x5b:
      return isArray;
    case 0x22:
      return isString;
    case 0x74:
    case 0x66:
      return isBoolean;
    case 0x6e:
      return isNull;
    default:
      return isNumber;
  }
}

function equalBytes(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
