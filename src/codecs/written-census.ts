import type { Batch } from "../core/batch.ts";
import type { Contract } from "../core/contract.ts";
import type { FieldCount, FieldCounts } from "../core/profile.ts";
import { jsonTypes } from "../core/profile.ts";
import type { Field } from "../core/schema.ts";
import type { WriterFields, WrittenField, WrittenRows } from "../core/written-fields.ts";
import { othersPath, unnamedMax } from "./field-census.ts";
import { cutName, memberPath } from "./member-path.ts";
import { MessageIndexes } from "./protobuf/message-index.ts";
import { WireFields } from "./protobuf/proto-fields.ts";
import { sampleWeight } from "./record-sample.ts";

/** Whether records have no texts to read fields from, but schemas: Avro and Protobuf. */
export function isWritten({ format, record }: Pick<Contract, "format" | "record">): boolean {
  const value = record?.value ?? format;
  return value?.format === "registered" ? value.type !== "json" : value?.format === "avro" || value?.format === "protobuf";
}

/** Writers that are counted apart before what their schemas say is added up. */
const writersMax = 500;
/** The path of fields in bytes that are not told apart: a record can have these and ones of its schema. */
const otherNumbersPath = "#…";

/** What is counted of one field. */
interface Place {
  readonly types: number[];
  /** The last record that had it in its bytes. */
  seenIn: number;
}

/** A writer among those of a window. */
interface Writer {
  readonly wire: WireFields | null;
  /** Records that it wrote, those they stand for among them. */
  weight: number;
}

/**
 * Counts which fields records have by the schemas that they were written by, the same sample as of records with texts: once a schema, not once a record. What
 * stands in Protobuf's bytes beside its schema, or without any but the contract's, is read record by record.
 */
export class WrittenCensus {
  readonly #contract: Pick<Contract, "fields" | "policies">;
  readonly #raw: WriterFields | null;
  /** Of the messages of the writers that are counted apart. */
  #indexes = new MessageIndexes();
  readonly #named: ReadonlySet<string>;
  readonly #writers = new Map<WriterFields, Writer>();
  readonly #places = new Map<string, Place>();
  #unnamed = 0;
  #rows = 0;
  #record = 0;
  #records = 0;
  #squares = 0;

  constructor(contract: Pick<Contract, "fields" | "policies" | "format" | "record">) {
    this.#contract = contract;
    const { format, record } = contract;
    this.#raw = record === undefined && format?.format === "protobuf" ? { fields: null, message: format.message } : null;
    this.#named = new Set(contract.fields.flatMap((field) => pathsOf(field, "")));
  }

  reset(): void {
    this.#forgetWriters();
    this.#places.clear();
    this.#unnamed = 0;
    this.#rows = 0;
    this.#record = 0;
    this.#records = 0;
    this.#squares = 0;
  }

  add({ records, written }: Batch): void {
    const rows = written ?? (this.#raw === null ? null : { payload: records, of: new Int32Array(records.count), writers: [this.#raw] });
    if (rows === null) return;
    const bytesMax = this.#contract.policies.oversized.bytes;
    for (let row = 0; row < records.count; row++) {
      const length = rows.payload.valueLength[row] as number;
      const writer = rows.writers[rows.of[row] as number] ?? null;
      // A Protobuf message can have no bytes at all, an Avro record without fields as well.
      if (writer === null || length < 0 || length > bytesMax) continue;
      const weight = sampleWeight(this.#rows++);
      if (weight > 0) this.#addRecord(writer, rows, row, weight);
    }
  }

  finish(): FieldCounts {
    this.#countWriters();
    const fields: FieldCount[] = Array.from(this.#places, ([path, { types }]) => ({ path, types: [...types] }));
    fields.sort((a, b) => (a.path < b.path ? -1 : 1));
    return { records: this.#records, squares: this.#squares, fields };
  }

  /** Counts what the schemas say of the records since they were last counted. */
  #countWriters(): void {
    for (const [{ fields }, { weight }] of this.#writers) {
      this.#record++;
      for (const field of fields ?? []) this.#count(field, weight, othersPath);
    }
    this.#forgetWriters();
  }

  #forgetWriters(): void {
    this.#writers.clear();
    this.#indexes = new MessageIndexes();
  }

  #addRecord(fields: WriterFields, { payload }: WrittenRows, row: number, weight: number): void {
    let writer = this.#writers.get(fields);
    if (writer === undefined) {
      if (this.#writers.size >= writersMax) this.#countWriters();
      const options = { indexes: this.#indexes, knownToo: fields.fields === null };
      writer = { wire: fields.message === null ? null : new WireFields(fields.message, this.#contract.fields, options), weight: 0 };
      this.#writers.set(fields, writer);
    }
    if (writer.wire !== null) {
      const start = payload.valueStart[row] as number;
      const found = writer.wire.read(payload.bytes, start, start + (payload.valueLength[row] as number));
      // What is no message has no fields, and says nothing of which it should have.
      if (found === null) return;
      this.#record++;
      for (const field of found) this.#count(field, weight, otherNumbersPath);
    }
    writer.weight += weight;
    this.#records += weight;
    this.#squares += weight * weight;
  }

  /** Counts a field of the record, or of the records of a schema, that is counted now; once. */
  #count({ path, type }: WrittenField, weight: number, others: string): void {
    const place = this.#placeOf(path, others);
    if (place.seenIn === this.#record) return;
    place.seenIn = this.#record;
    place.types[type] = (place.types[type] as number) + weight;
  }

  /** A field's place; beyond as many as are told apart that of the others. */
  #placeOf(path: string, others: string): Place {
    const known = this.#places.get(path);
    if (known !== undefined) return known;
    const isNamed = this.#named.has(path);
    if (!isNamed && this.#unnamed >= unnamedMax && path !== others) return this.#placeOf(others, others);
    if (!isNamed) this.#unnamed++;
    const place = { types: jsonTypes.map(() => 0), seenIn: 0 };
    this.#places.set(path, place);
    return place;
  }
}

function pathsOf({ sourceName, type }: Field, prefix: string): string[] {
  const path = memberPath(prefix, cutName(sourceName));
  return [path, ...pathsBelow(type, path)];
}

function pathsBelow(type: Field["type"], path: string): string[] {
  if (type.kind === "struct") return type.fields.flatMap((field) => pathsOf(field, path));
  return type.kind === "list" ? pathsBelow(type.element.type, `${path}[]`) : [];
}
