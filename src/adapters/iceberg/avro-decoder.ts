import type { AvroArray, AvroMap, AvroRecord, AvroSchema, AvroValue } from "./avro-schema.ts";

const text = new TextDecoder("utf-8", { fatal: true });

/** Reads Avro's binary encoding. Throws RangeError where bytes end too early or a count is out of bounds. */
export class AvroDecoder {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next `count` bytes, a view. */
  raw(count: number): Uint8Array {
    if (count < 0 || this.#at + count > this.#bytes.length) throw new RangeError(`Avro data ends at byte ${this.#bytes.length}`);
    const bytes = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }

  long(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError(`Avro data ends at byte ${this.#bytes.length}`);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
    throw new RangeError("an Avro number has more than 64 bits");
  }

  bytes(): Uint8Array {
    return this.raw(Number(this.long()));
  }

  string(): string {
    return text.decode(this.bytes());
  }

  /** Reads one value of a schema whose references are resolved. */
  value(schema: AvroSchema): AvroValue {
    if (Array.isArray(schema)) {
      const branch = (schema as readonly AvroSchema[])[Number(this.long())];
      if (branch === undefined) throw new RangeError("an Avro union has no such branch");
      return this.value(branch);
    }
    if (typeof schema === "string") return this.#primitive(schema);
    const named = schema as Exclude<AvroSchema, string | readonly AvroSchema[]>;
    switch (named.type) {
      case "record":
        return this.#record(named);
      case "array":
        return this.#array(named);
      case "map":
        return this.#map(named);
      case "fixed":
        return new Uint8Array(this.raw(named.size));
      default:
        return this.value(named.type);
    }
  }

  #record(schema: AvroRecord): AvroValue {
    const row: Record<string, AvroValue> = {};
    for (const field of schema.fields) row[field.name] = this.value(field.type);
    return row;
  }

  #array(schema: AvroArray): AvroValue {
    const items: AvroValue[] = [];
    this.#blocks(() => items.push(this.value(schema.items)));
    if (schema.logicalType !== "map") return items;
    const map = new Map<number, AvroValue>();
    for (const item of items as unknown as { key: number; value: AvroValue }[]) map.set(item.key, item.value);
    return map;
  }

  #map(schema: AvroMap): AvroValue {
    const entries: [string, AvroValue][] = [];
    this.#blocks(() => {
      const key = this.string();
      entries.push([key, this.value(schema.values)]);
    });
    // Not by assignment: a key may be called `__proto__`.
    return Object.fromEntries(entries);
  }

  #blocks(read: () => void): void {
    for (;;) {
      let count = Number(this.long());
      if (count === 0) return;
      if (count < 0) {
        // A negative count is followed by the block's size in bytes.
        this.long();
        count = -count;
      }
      if (count > this.#bytes.length) throw new RangeError("an Avro block counts more items than it has bytes");
      for (let i = 0; i < count; i++) read();
    }
  }

  #primitive(type: string): AvroValue {
    switch (type) {
      case "null":
        return null;
      case "boolean":
        return this.raw(1)[0] === 1;
      case "int":
        return Number(this.long());
      case "long":
        return this.long();
      case "float":
        this.raw(4);
        return this.#view.getFloat32(this.#at - 4, true);
      case "double":
        this.raw(8);
        return this.#view.getFloat64(this.#at - 8, true);
      case "string":
        return this.string();
      case "bytes":
        return new Uint8Array(this.bytes());
      default:
        throw new RangeError(`unknown Avro type ${type}`);
    }
  }
}
