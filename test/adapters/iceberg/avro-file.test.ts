import avsc from "avsc";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeAvroFile, encodeAvroFile } from "../../../src/adapters/iceberg/avro-file.ts";
import type { AvroRecord, AvroRow } from "../../../src/adapters/iceberg/avro-schema.ts";
import { integerMap, optionalField, requiredField } from "../../../src/adapters/iceberg/avro-schema.ts";

const schema: AvroRecord = {
  type: "record",
  name: "row",
  fields: [
    requiredField(1, "id", "long"),
    optionalField(2, "text", "string"),
    requiredField(3, "counts", integerMap(4, 5, "long")),
    optionalField(6, "bounds", integerMap(7, 8, "bytes")),
    requiredField(9, "offsets", { type: "array", items: "long", "element-id": 10 }),
    requiredField(11, "flag", "boolean"),
    requiredField(12, "small", "int"),
    requiredField(13, "ratio", "double"),
    requiredField(14, "single", "float"),
    requiredField(15, "uuid", { type: "fixed", name: "uuid_fixed", size: 16 }),
    requiredField(16, "part", { type: "record", name: "part", fields: [] }),
  ],
};

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const bytes = (length?: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array(length === undefined ? {} : { minLength: length, maxLength: length });
const mapOf = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Map<number, T>> =>
  fc
    .dictionary(fc.nat().map(String), value, { noNullPrototype: true })
    .map((each) => new Map(Object.entries(each).map(([key, v]) => [Number(key), v])));
const row = fc.record({
  id: long,
  text: fc.option(fc.string({ unit: "binary" })),
  counts: mapOf(long),
  bounds: fc.option(mapOf(bytes())),
  offsets: fc.array(long),
  flag: fc.boolean(),
  small: fc.integer(),
  ratio: fc.double(),
  single: fc.float(),
  uuid: bytes(16),
  part: fc.constant({}),
}) as unknown as fc.Arbitrary<AvroRow>;
const sync = new Uint8Array(16).fill(7);

const wide = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

describe("Avro container files", () => {
  it("give back every value, in any number of blocks", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), fc.dictionary(fc.string(), fc.string()), (rows, metadata) => {
        const file = decodeAvroFile(encodeAvroFile({ schema, metadata, rows }, sync));
        expect(file.rows).toEqual(rows);
        expect(file.schema).toEqual(schema);
        for (const [key, value] of Object.entries(metadata)) if (!key.startsWith("avro.")) expect(file.metadata[key]).toBe(value);
      }),
      { numRuns: 200, examples: [[[], JSON.parse('{"__proto__":"x"}') as Record<string, string>]] },
    );
    const many = Array.from({ length: 5000 }, (_, i) => ({ ...fc.sample(row, { numRuns: 1, seed: 1 })[0], id: BigInt(i) }));
    expect(decodeAvroFile(encodeAvroFile({ schema, metadata: {}, rows: many }, sync)).rows.map((each) => each.id)).toEqual(
      many.map((each) => each.id),
    );
  });

  it("are what avsc reads", async () => {
    const rows = fc.sample(row, { numRuns: 50, seed: 42 });
    const decoder = new avsc.streams.BlockDecoder({
      parseHook: (json: avsc.Schema) => avsc.Type.forSchema(json, { registry: { long: wide }, wrapUnions: false }),
    });
    const seen: AvroRow[] = [];
    const done = new Promise((resolve, reject) =>
      decoder
        .on("data", (each: AvroRow) => seen.push(each))
        .on("end", resolve)
        .on("error", reject),
    );
    decoder.end(Buffer.from(encodeAvroFile({ schema, metadata: {}, rows }, sync)));
    await done;
    const plain = seen.map((each) => ({ id: each.id, offsets: each.offsets, small: each.small, text: each.text }));
    expect(plain).toEqual(rows.map(({ id, offsets, small, text }) => ({ id, offsets, small, text })));
  });

  it("are read as avsc writes them, without compression too", async () => {
    for (const codec of ["null", "deflate"]) {
      const type = avsc.Type.forSchema(
        {
          type: "record",
          name: "row",
          fields: [
            { name: "id", type: "long" },
            { name: "all", type: { type: "map", values: ["null", "string"] } },
          ],
        },
        { wrapUnions: false },
      );
      const encoder = new avsc.streams.BlockEncoder(type, { codec });
      const chunks: Buffer[] = [];
      const done = new Promise((resolve) => encoder.on("data", (each: Buffer) => chunks.push(each)).on("end", resolve));
      for (let id = 0; id < 100; id++) encoder.write({ id, all: { a: "x", b: null } });
      encoder.end();
      await done;
      const file = decodeAvroFile(Buffer.concat(chunks));
      expect(file.rows).toHaveLength(100);
      expect(file.rows[99]).toEqual({ id: 99n, all: { a: "x", b: null } });
    }
  });

  it("are refused where they are cut or are something else", () => {
    const whole = encodeAvroFile({ schema, metadata: {}, rows: fc.sample(row, { numRuns: 3, seed: 1 }) }, sync).slice();
    const header = encodeAvroFile({ schema, metadata: {}, rows: [] }, sync).length;
    for (let length = 0; length < whole.length; length++) {
      if (length === header) continue;
      expect(() => decodeAvroFile(whole.subarray(0, length))).toThrow();
    }
    expect(() => decodeAvroFile(new TextEncoder().encode("PAR1 and so on"))).toThrow(RangeError);
    const damaged = whole.slice();
    damaged.set([1, 2, 3], damaged.length - 4);
    expect(() => decodeAvroFile(damaged)).toThrow(/sync/);
  });

  it("are refused as damaged where a block can't be unpacked, whatever packed it, and the next file is read again", () => {
    const flat: AvroRecord = { type: "record", name: "flat", fields: [requiredField(1, "id", "long")] };
    const rows = Array.from({ length: 50 }, (_, i) => ({ id: BigInt(i) }));
    const whole = encodeAvroFile({ schema: flat, metadata: {}, rows }, sync);
    const header = encodeAvroFile({ schema: flat, metadata: {}, rows: [] }, sync);
    const codecName = Buffer.from(header).indexOf("deflate");
    expect(codecName).toBeGreaterThan(0);
    const ofCodec = (codec: string, block: Uint8Array): Buffer =>
      Buffer.concat([
        header.subarray(0, codecName - 1),
        Buffer.from([codec.length * 2]),
        Buffer.from(codec),
        header.subarray(codecName + "deflate".length),
        Buffer.from([2, block.length * 2]),
        block,
        sync,
      ]);
    for (const codec of ["deflate", "snappy", "zstandard"]) {
      for (const block of [Buffer.alloc(0), Buffer.from("no block of any codec"), Buffer.from([4, 15, 1, 2, 3, 4, 5, 6])]) {
        expect(() => decodeAvroFile(ofCodec(codec, block)), `${codec} ${block.toString("hex")}`).toThrow(RangeError);
      }
    }
    expect(decodeAvroFile(whole).rows).toEqual(rows);
  });

  it("refuse values that do not fit their schema", () => {
    const [good] = fc.sample(row, { numRuns: 1, seed: 1 });
    for (const [name, value] of [
      ["id", "1"],
      ["uuid", new Uint8Array(3)],
      ["flag", 1],
      ["id", undefined],
    ] as const) {
      expect(() => encodeAvroFile({ schema, metadata: {}, rows: [{ ...good, [name]: value } as AvroRow] }, sync)).toThrow(TypeError);
    }
  });
});
