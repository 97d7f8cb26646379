/** Types of fields and list elements in Thrift's compact protocol, as far as Parquet's metadata use them. */
export const ThriftType = { true: 1, false: 2, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

/**
 * Writes structs in Thrift's compact protocol, field by field in ascending order of their ids.
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export class ThriftWriter {
  #bytes = new Uint8Array(256);
  #length = 0;
  #lastId = 0;

  /** What was written; a copy. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  bool(id: number, value: boolean): void {
    this.#field(id, value ? ThriftType.true : ThriftType.false);
  }

  i16(id: number, value: number): void {
    this.#field(id, ThriftType.i16);
    this.#zigzag(value);
  }

  i32(id: number, value: number): void {
    this.#field(id, ThriftType.i32);
    this.#zigzag(value);
  }

  /** Integers up to 2^53. */
  i64(id: number, value: number): void {
    this.#field(id, ThriftType.i64);
    this.#zigzag(value);
  }

  binary(id: number, value: Uint8Array | string): void {
    this.#field(id, ThriftType.binary);
    this.#text(value);
  }

  struct(id: number, write: () => void): void {
    this.#field(id, ThriftType.struct);
    this.nested(write);
  }

  /** A struct without a field's head: the outermost one, and elements of lists. */
  nested(write: () => void): void {
    const outer = this.#lastId;
    this.#lastId = 0;
    write();
    this.#byte(0);
    this.#lastId = outer;
  }

  structs<T>(id: number, values: readonly T[], write: (value: T) => void): void {
    this.#list(id, ThriftType.struct, values.length);
    for (const value of values) this.nested(() => write(value));
  }

  binaries(id: number, values: readonly (Uint8Array | string)[]): void {
    this.#list(id, ThriftType.binary, values.length);
    for (const value of values) this.#text(value);
  }

  /** Elements of type i32 or i64. */
  integers(id: number, type: 5 | 6, values: readonly number[]): void {
    this.#list(id, type, values.length);
    for (const value of values) this.#zigzag(value);
  }

  bools(id: number, values: readonly boolean[]): void {
    this.#list(id, ThriftType.true, values.length);
    for (const value of values) this.#byte(value ? ThriftType.true : ThriftType.false);
  }

  #list(id: number, type: number, count: number): void {
    this.#field(id, ThriftType.list);
    this.#byte((Math.min(count, 15) << 4) | type);
    if (count >= 15) this.#varint(count);
  }

  #field(id: number, type: number): void {
    const step = id - this.#lastId;
    if (step > 0 && step <= 15) this.#byte((step << 4) | type);
    else {
      this.#byte(type);
      this.#zigzag(id);
    }
    this.#lastId = id;
  }

  #text(value: Uint8Array | string): void {
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    this.#varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Without 32-bit operators: lengths and offsets go past 2^31. */
  #varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
