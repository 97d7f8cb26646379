import { encode as encodePack, encodeTimestampExtension } from "@msgpack/msgpack";
import { encode as encodeCbor } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileCbor } from "../../../src/codecs/cbor/cbor.ts";
import { jsonCodec } from "../../../src/codecs/json.ts";
import { compileMessagePack } from "../../../src/codecs/messagepack/messagepack.ts";
import { invalid } from "../../fixtures/column-value.ts";
import type { FieldSketch } from "../../fixtures/contract.ts";
import { decodeValues, rowsOf } from "./decode-values.ts";

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(" ", ""), "hex");
const fields: Readonly<Record<string, FieldSketch>> = {
  i: { type: "int" },
  l: { type: "long" },
  f: { type: "float" },
  d: { type: "double" },
  m: { type: "decimal" },
  b: { type: "boolean" },
  s: { type: "string" },
  x: { type: "binary" },
  t: { type: "timestamp" },
  n: { type: { kind: "timestamp", zoned: true, unit: "nanos" } },
  y: { type: "date" },
  j: { type: "json" },
  o: { type: "struct", of: { a: { type: "long" }, x: { type: "binary" } } },
  a: { type: "list", of: { type: "double" } },
  p: { type: "map", of: { type: "string" } },
};
const formats = {
  messagepack: { compile: compileMessagePack, encode: encodePack },
  cbor: {
    compile: compileCbor,
    // Keys as they come, not in canonical order.
    encode: (value: unknown, _options?: object) => encodeCbor(value, { mapSorter: () => 0 }),
  },
};

describe.each(["messagepack", "cbor"] as const)("%s", (name) => {
  const { compile, encode } = formats[name];

  it("gives the same columns as the same values in JSON", () => {
    const leaf = fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
      fc.string({ unit: "binary" }),
      fc.boolean(),
      fc.constant(null),
      fc.maxSafeInteger(),
    );
    const nested = fc.oneof(
      leaf,
      fc.array(leaf, { maxLength: 20 }),
      fc.dictionary(fc.string(), leaf, { maxKeys: 20, noNullPrototype: true }),
    );
    const value = fc.dictionary(fc.constantFrom(...Object.keys(fields), "extra"), nested, { maxKeys: 8, noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
        const { x: _x, o: _o, ...comparable } = fields;
        const binary = decodeValues(
          compile,
          comparable,
          values.map((one) => encode(one)),
        );
        const text = decodeValues(
          (contract) => jsonCodec.compile(contract),
          comparable,
          values.map((one) => JSON.stringify(one)),
        );
        expect(rowsOf(binary)).toEqual(rowsOf(text));
      }),
      { numRuns: 300 },
    );
  });

  it("keeps whole numbers of 64 bits and floats of 32 exact", () => {
    const rows = rowsOf(
      decodeValues(compile, fields, [
        encode({ l: 9007199254740993n }, { useBigInt64: true }),
        encode({ l: -9223372036854775808n }, { useBigInt64: true }),
        name === "cbor" ? hex("a1 61 66 fa 3dcccccd") : hex("81 a1 66 ca 3dcccccd"),
        name === "cbor" ? hex("a1 61 6c 1b ffffffffffffffff") : hex("81 a1 6c cf ffffffffffffffff"),
      ]),
    );
    expect(rows).toMatchObject([{ l: 9007199254740993n }, { l: -9223372036854775808n }, { f: Math.fround(0.1) }, { l: invalid }]);
  });

  it("takes bytes for binary columns only, and text for text", () => {
    const bytes = Uint8Array.of(0, 1, 255);
    const rows = rowsOf(decodeValues(compile, fields, [encode({ x: bytes, s: bytes, o: { x: bytes } }), encode({ x: "AAH/", s: "ok" })]));
    expect(rows).toMatchObject([
      { x: bytes, s: invalid, o: { x: bytes } },
      { x: invalid, s: "ok" },
    ]);
  });

  it("makes NaN and infinities invalid cells", () => {
    expect(rowsOf(decodeValues(compile, fields, [encode({ d: Number.NaN, f: Number.POSITIVE_INFINITY, i: 1 })]))).toMatchObject([
      { d: invalid, f: invalid, i: 1n },
    ]);
  });

  it("refuses what is no map, ends early, goes on or is nested too deep, and never crashes on any bytes", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100; i++) deep = [deep];
    const whole = encode({ s: "abc", a: [1.5, 2], o: { a: 1 } });
    const rows = rowsOf(
      decodeValues(compile, fields, [
        encode([1]),
        new Uint8Array(0),
        whole.subarray(0, -1),
        Buffer.concat([whole, Buffer.of(0)]),
        encode({ j: deep }, { maxDepth: 200 }),
        null,
      ]),
    );
    expect(rows.map((row) => (row as { fault: string }).fault)).toEqual([
      ...["not-map", "truncated", "truncated", "trailing", "depth"].map((fault) => `${name}.${fault}`),
      "record.tombstone",
    ]);
    for (let cut = 0; cut < whole.length; cut++) expect(decodeValues(compile, fields, [whole.subarray(0, cut)]).faults).toHaveLength(1);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const [fault] = decodeValues(compile, fields, [bytes]).faults;
        expect(fault === undefined || /^(messagepack|cbor|json)\./.test(fault.code)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("says what else JSON's decoder finds, and without a place in text that nobody wrote", () => {
    const twice = name === "cbor" ? hex("a2 61 69 01 61 69 02") : hex("82 a1 69 01 a1 69 02");
    const badText = name === "cbor" ? hex("a1 61 73 61 ff") : hex("81 a1 73 a1 ff");
    const { faults } = decodeValues(compile, fields, [twice, badText]);
    expect(faults.map(({ code, at, message }) => [code, at, /\(byte/.test(message)])).toEqual([
      ["json.duplicate-key", null, false],
      ["json.utf8", null, false],
    ]);
  });
});

describe("MessagePack's own", () => {
  const pack = (value: object): Uint8Array => encodePack(value);
  const one = (bytes: Uint8Array): unknown => rowsOf(decodeValues(compileMessagePack, fields, [bytes]))[0];

  it("reads timestamps of all three sizes", () => {
    expect(one(pack({ t: new Date(1_000) }))).toMatchObject({ t: 1_000_000n });
    expect(one(pack({ t: new Date(1_700_000_000_123) }))).toMatchObject({ t: 1_700_000_000_123_000n });
    expect(one(pack({ t: new Date(-1) }))).toMatchObject({ t: -1000n });
    expect(encodeTimestampExtension(new Date(2 ** 34 * 1000))).toHaveLength(12);
    expect(one(pack({ t: new Date(2 ** 34 * 1000) }))).toMatchObject({ t: 2n ** 34n * 1_000_000n });
  });

  it("never stores a timestamp that is finer than a microsecond, or out of range", () => {
    expect(one(hex("81 a1 74 d7 ff 00000004 00000001"))).toMatchObject({ t: invalid });
    expect(one(hex("81 a1 74 c7 0c ff 3b9aca00 0000000000000001"))).toMatchObject({ t: invalid });
    expect(one(hex("81 a1 74 c7 0c ff 00000000 7fffffffffffffff"))).toMatchObject({ t: invalid });
  });

  it("stores nanoseconds of columns that have them, and none that 64 bits do not hold", () => {
    expect(one(hex("81 a1 6e d7 ff 00000004 00000001"))).toMatchObject({ n: 1_000_000_001n });
    expect(one(hex("81 a1 6e d6 ff ffffffff"))).toMatchObject({ n: (2n ** 32n - 1n) * 1_000_000_000n });
    expect(one(hex("81 a1 6e c7 0c ff 3b9ac9ff ffffffffffffffff"))).toMatchObject({ n: -1n });
    expect(one(hex("81 a1 6e c7 0c ff 32f2d7ff 0000000225c17d04"))).toMatchObject({ n: 2n ** 63n - 1n });
    expect(one(hex("81 a1 6e c7 0c ff 32f2d800 0000000225c17d04"))).toMatchObject({ n: invalid });
    expect(one(hex("81 a1 6e c7 0c ff 3b9aca00 0000000000000001"))).toMatchObject({ n: invalid });
    expect(one(hex("81 a1 6e c7 0c ff 00000000 7fffffffffffffff"))).toMatchObject({ n: invalid });
  });

  it("takes other extensions for no value, keys that are no text for a fault", () => {
    expect(one(hex("82 a1 73 d4 05 00 a1 69 01"))).toMatchObject({ s: invalid, i: 1n });
    expect(one(hex("81 01 01"))).toEqual({ fault: "messagepack.key" });
    expect(one(hex("81 a1 69 c1"))).toEqual({ fault: "messagepack.syntax" });
  });
});

describe("CBOR's own", () => {
  const one = (text: string): unknown => rowsOf(decodeValues(compileCbor, fields, [hex(text)]))[0];

  it("reads tagged moments, days, big numbers, decimals and UUIDs (RFC 8949, 8943, 9562)", () => {
    expect(one("a1 61 74 c1 1a 514b67b0")).toMatchObject({ t: 1363896240_000000n });
    expect(one("a1 61 74 c1 fb 41d452d9ec200000")).toMatchObject({ t: 1363896240_500000n });
    expect(one("a1 61 74 c0 74 323031332d30332d32315432303a30343a30305a")).toMatchObject({ t: 1363896240_000000n });
    expect(one("a1 61 74 c1 20")).toMatchObject({ t: -1_000_000n });
    expect(one("a1 61 6e c1 1a 514b67b0")).toMatchObject({ n: 1363896240_000000000n });
    expect(one("a1 61 6e c1 fb 41d452d9ec200000")).toMatchObject({ n: 1363896240_500000000n });
    expect(one("a1 61 6e c0 78 1e 313936392d31322d33315432333a35393a35392e3939393939393939395a")).toMatchObject({ n: -1n });
    expect(one("a1 61 6e c1 1b 0000000225c17d05")).toMatchObject({ n: invalid });
    expect(one("a1 61 79 d8 64 19 01f4")).toMatchObject({ y: 500n });
    expect(one("a1 61 6c c2 48 7fffffffffffffff")).toMatchObject({ l: 9223372036854775807n });
    expect(one("a1 61 6c c3 41 00")).toMatchObject({ l: -1n });
    expect(one("a1 61 6d c4 82 21 19 6ab3")).toMatchObject({ m: 27315n });
    expect(one("a1 61 73 d8 25 50 c232ab00 9414 11ec b3c8 9f6bdeced846")).toMatchObject({ s: "c232ab00-9414-11ec-b3c8-9f6bdeced846" });
    expect(one("d9 d9f7 a1 61 69 01")).toMatchObject({ i: 1n });
  });

  it("reads items of indefinite length, half floats and undefined", () => {
    expect(one("bf 61 61 9f f93e00 01 ff 61 73 7f 61 61 61 62 ff 61 78 5f 41 01 ff ff")).toMatchObject({
      a: [1.5, 1],
      s: "ab",
      x: Uint8Array.of(1),
    });
    expect(one("a2 61 64 f90001 61 73 f7")).toMatchObject({ d: 2 ** -24, s: null });
  });

  it("faults what it can't know: other tags, keys that are no text, reserved heads", () => {
    expect(one("a1 61 69 d8 ff 01")).toEqual({ fault: "cbor.tag" });
    expect(one("a1 01 01")).toEqual({ fault: "cbor.key" });
    expect(one("a1 61 69 1c")).toEqual({ fault: "cbor.syntax" });
    expect(one("a1 61 69 f8 20")).toEqual({ fault: "cbor.syntax" });
    expect(one("a1 61 73 7b ffffffffffffffff")).toEqual({ fault: "cbor.truncated" });
  });
});
