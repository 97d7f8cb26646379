import type { AvroArray, AvroRecord, AvroRow, AvroSchema, AvroValue } from "./avro-schema.ts";

const text = new TextEncoder();

/** Avro's binary encoding into one growing buffer (Avro specification 1.12, "Binary Encoding"). */
export class AvroEncoder {
  #bytes = new Uint8Array(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written so far; a view that is valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.long(BigInt(bytes.length));
    this.raw(bytes);
  }

  string(value: string): void {
    this.bytes(text.encode(value));
  }

  /** A zig-zag variable-length integer of 64 bits. */
  long(value: bigint): void {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  /** Writes a value under a schema. Throws TypeError where it does not fit: a mistake of the caller. */
  value(schema: AvroSchema, value: AvroValue | undefined): void {
    if (Array.isArray(schema)) {
      this.#union(schema as readonly AvroSchema[], value ?? null);
      return;
    }
    if (typeof schema === "string") {
      this.#primitive(schema, value);
      return;
    }
    const named = schema as Exclude<AvroSchema, string | readonly AvroSchema[]>;
    switch (named.type) {
      case "record":
        this.#record(named, value as AvroRow);
        break;
      case "array":
        this.#array(named, value as readonly AvroValue[] | ReadonlyMap<number, AvroValue>);
        break;
      case "fixed":
        if (!(value instanceof Uint8Array) || value.length !== named.size) throw new TypeError(`${named.name} takes ${named.size} bytes`);
        this.raw(value);
        break;
      case "map":
        throw new TypeError("maps are written by the container only");
      default:
        this.#primitive(named.type, value);
    }
  }

  #union(branches: readonly AvroSchema[], value: AvroValue): void {
    const branch = branches.findIndex((schema) => (schema === "null") === (value === null));
    if (branch < 0) throw new TypeError("no branch of the union takes the value");
    this.long(BigInt(branch));
    if (value !== null) this.value(branches[branch] as AvroSchema, value);
  }

  #record(schema: AvroRecord, row: AvroRow): void {
    for (const field of schema.fields) {
      const value = row[field.name];
      if (value === undefined && !Array.isArray(field.type)) throw new TypeError(`${schema.name} needs ${field.name}`);
      this.value(field.type, value);
    }
  }

  #array(schema: AvroArray, values: readonly AvroValue[] | ReadonlyMap<number, AvroValue>): void {
    const items: AvroValue[] = [];
    if (values instanceof Map) for (const [key, value] of values as ReadonlyMap<number, AvroValue>) items.push({ key, value });
    else items.push(...(values as readonly AvroValue[]));
    if (items.length > 0) {
      this.long(BigInt(items.length));
      for (const item of items) this.value(schema.items, item);
    }
    this.long(0n);
  }

  #primitive(type: string, value: AvroValue | undefined): void {
    if ((type === "int" || type === "long") && (typeof value === "number" || typeof value === "bigint")) this.long(BigInt(value));
    else if (type === "string" && typeof value === "string") this.string(value);
    else if (type === "bytes" && value instanceof Uint8Array) this.bytes(value);
    else if (type === "boolean" && typeof value === "boolean") this.raw(Uint8Array.of(value ? 1 : 0));
    else if (type === "float" && typeof value === "number") this.raw(new Uint8Array(Float32Array.of(value).buffer));
    else if (type === "double" && typeof value === "number") this.raw(new Uint8Array(Float64Array.of(value).buffer));
    else throw new TypeError(`${typeof value} is no value of Avro's ${type}`);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.written());
    this.#bytes = grown;
  }
}
