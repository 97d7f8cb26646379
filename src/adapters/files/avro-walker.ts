import type { AvroSchema } from "../../core/avro/avro-schema.ts";

/** As deep as records are decoded. */
const depthMax = 100;
/** Of records that take no bytes, in a block. */
const emptyRecordsMax = 1 << 20;

/** Passes over one value. */
type Pass = () => void;

/** How a record's field is passed over; `never` stands where it has no null. */
const Step = { pass: 0, long: 1, text: 2, fixed: 3, never: 255 } as const;

/** A field as a step: its kind, its size if that is fixed, and which branch of a union with null is the null. */
function stepOf(schema: AvroSchema): { readonly kind: number; readonly size: number; readonly nullBranch: number } {
  if (schema.type === "union" && schema.branches.length === 2) {
    const nullBranch = schema.branches.findIndex(({ type }) => type === "null");
    const other = schema.branches[1 - nullBranch];
    if (nullBranch >= 0 && other !== undefined && other.type !== "union") return { ...stepOf(other), nullBranch };
  }
  const nullBranch = Step.never;
  switch (schema.type) {
    case "int":
    case "long":
    case "enum":
      return { kind: Step.long, size: 0, nullBranch };
    case "bytes":
    case "string":
      return { kind: Step.text, size: 0, nullBranch };
    case "boolean":
      return { kind: Step.fixed, size: 1, nullBranch };
    case "float":
      return { kind: Step.fixed, size: 4, nullBranch };
    case "double":
      return { kind: Step.fixed, size: 8, nullBranch };
    case "fixed":
      return { kind: Step.fixed, size: schema.size, nullBranch };
    default:
      return { kind: Step.pass, size: 0, nullBranch };
  }
}

/**
 * Finds where each datum of a block ends, which only its schema tells (Apache Avro 1.12, "Binary Encoding"). What a datum holds is not looked at: that
 * is the decoder's to judge.
 */
export class AvroWalker {
  readonly #passes = new Map<AvroSchema, Pass>();
  readonly #datum: Pass;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #depth = 0;

  constructor(schema: AvroSchema) {
    this.#datum = this.#compile(schema);
  }

  /** Where each of `count` data of a block ends. Throws RangeError where they don't fill it. */
  ends(block: Uint8Array, count: number): Uint32Array {
    if (count > Math.max(block.length, emptyRecordsMax))
      throw new RangeError(`a block of ${block.length} bytes can't have ${count} records`);
    this.#bytes = block;
    this.#at = 0;
    const ends = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      this.#depth = 0;
      this.#datum();
      // Reading behind the end answers zeros: one look at the end of each datum is enough.
      if (this.#at > block.length) throw new RangeError(`a block ends within its record ${i + 1} of ${count}`);
      ends[i] = this.#at;
    }
    if (this.#at !== block.length) throw new RangeError(`a block has ${block.length - this.#at} bytes behind its ${count} records`);
    return ends;
  }

  #compile(schema: AvroSchema): Pass {
    const known = this.#passes.get(schema);
    if (known !== undefined) return known;
    let made: Pass | null = null;
    // Schemas can contain themselves.
    this.#passes.set(schema, () => (made as Pass)());
    made = this.#passOf(schema);
    this.#passes.set(schema, made);
    return made;
  }

  #passOf(schema: AvroSchema): Pass {
    switch (schema.type) {
      case "null":
        return () => {};
      case "boolean":
        return () => void this.#at++;
      case "int":
      case "long":
      case "enum":
        return () => this.#passLong();
      case "float":
        return () => void (this.#at += 4);
      case "double":
        return () => void (this.#at += 8);
      case "bytes":
      case "string":
        return () => this.#skip(this.#long());
      case "fixed":
        return () => void (this.#at += schema.size);
      case "record":
        return this.#record(schema.fields.map((field) => field.schema));
      case "union":
        return this.#union(schema.branches.map((branch) => this.#compile(branch)));
      case "array":
        return this.#blocks([this.#compile(schema.items)]);
      case "map":
        return this.#blocks([() => this.#skip(this.#long()), this.#compile(schema.values)]);
    }
  }

  #record(schemas: readonly AvroSchema[]): Pass {
    // Steps instead of a call a field: most fields are a number or a text, or null.
    const steps = schemas.map((schema) => stepOf(schema));
    const kinds = Uint8Array.from(steps, ({ kind }) => kind);
    const optional = Uint8Array.from(steps, ({ nullBranch }) => nullBranch);
    const sizes = Float64Array.from(steps, ({ size }) => size);
    const passes = schemas.map((schema, i) => (kinds[i] === Step.pass ? this.#compile(schema) : null));
    return () => {
      if (++this.#depth > depthMax) throw new RangeError(`a record is nested deeper than ${depthMax} levels`);
      for (let i = 0; i < kinds.length; i++) {
        const kind = kinds[i] as number;
        if (kind !== Step.pass && optional[i] !== Step.never && this.#isNull(optional[i] as number)) continue;
        if (kind === Step.long) this.#passLong();
        else if (kind === Step.text) this.#skip(this.#long());
        else if (kind === Step.fixed) this.#at += sizes[i] as number;
        else (passes[i] as Pass)();
      }
      this.#depth--;
    };
  }

  /** Of a union of null and one more, whose null is the branch of this number. */
  #isNull(nullBranch: number): boolean {
    const branch = this.#long();
    if (branch !== 0 && branch !== 1) throw new RangeError("a record names a branch that its union does not have");
    return branch === nullBranch;
  }

  #union(branches: readonly Pass[]): Pass {
    return () => {
      const branch = branches[this.#long()];
      if (branch === undefined) throw new RangeError("a record names a branch that its union does not have");
      branch();
    };
  }

  #blocks(parts: readonly Pass[]): Pass {
    return () => {
      if (++this.#depth > depthMax) throw new RangeError(`a record is nested deeper than ${depthMax} levels`);
      for (let count = this.#long(); count !== 0; count = this.#long()) {
        // A negative count is followed by the block's size in bytes.
        if (count < 0) this.#skip(this.#long());
        else this.#items(parts, count);
      }
      this.#depth--;
    };
  }

  #items(parts: readonly Pass[], count: number): void {
    for (let left = count; left > 0; left--) {
      const before = this.#at;
      for (let i = 0; i < parts.length; i++) (parts[i] as Pass)();
      if (this.#at > this.#bytes.length) throw new RangeError("a block ends within a list");
      // Items of no bytes are all alike, however many there are said to be.
      if (this.#at === before) return;
    }
  }

  #skip(bytes: number): void {
    if (bytes < 0 || bytes > this.#bytes.length - this.#at) throw new RangeError("a length goes beyond its block");
    this.#at += bytes;
  }

  #passLong(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    while ((bytes[at++] as number) >= 128);
    this.#at = at;
  }

  /** A zig-zag varint; beyond 2^53 the nearest double, which is out of any bounds. */
  #long(): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at++] ?? 0;
    if (first < 128) return (first >>> 1) ^ -(first & 1);
    let value = first & 127;
    let scale = 128;
    for (let i = 1; i < 10; i++) {
      const byte = bytes[this.#at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    throw new RangeError("a number has more than 64 bits");
  }
}
