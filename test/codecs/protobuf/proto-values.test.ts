import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { create, createFileRegistry, fromBinary, toBinary, type JsonObject } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { fromJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { protobufCodec } from "../../../src/codecs/protobuf/protobuf.ts";
import { compileProtobufDecoder } from "../../../src/codecs/protobuf-compiled/compile-protobuf-decoder.ts";
import { resolveProto } from "../../../src/codecs/protobuf/resolve-proto.ts";
import type { Batch } from "../../../src/core/batch.ts";
import { InvalidCause } from "../../../src/core/column.ts";
import { parseProto } from "../../../src/core/protobuf/parse-proto.ts";
import { protoMessage } from "../../../src/core/protobuf/read-descriptor-set.ts";
import { cellText } from "../../../src/rules/cell-text.ts";
import { cellValue, invalid } from "../../fixtures/column-value.ts";
import { makeContract, makeRecords, type FieldSketch } from "../../fixtures/contract.ts";
import { compareCompiled } from "../compare-compiled.ts";

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
type Fields = Readonly<Record<string, FieldSketch>>;

function decode(
  text: string,
  fields: Fields,
  values: readonly Uint8Array[],
  unknownFields: "ignore" | "keep" | "reject" = "ignore",
): Batch {
  const file = parseProto(text);
  if ("problem" in file) throw new Error(file.problem);
  const { message } = file.messages[0]!;
  const contract = { ...makeContract(fields, { policies: { unknownFields } }), format: { format: "protobuf", message } as const };
  return protobufCodec.compile(contract)(makeRecords(values));
}

const row = (batch: Batch, index = 0): Record<string, unknown> =>
  Object.fromEntries(batch.columns.map((column) => [column.field.name, cellValue(column, index)]));
const proto3 = (fields: string, rest = ""): string => `syntax = "proto3"; message M { ${fields} } ${rest}`;
const int: FieldSketch = { type: "int" };

function varint(value: bigint): number[] {
  const out: number[] = [];
  let left = BigInt.asUintN(64, value);
  for (; left > 127n; left >>= 7n) out.push(Number(left & 127n) | 128);
  return [...out, Number(left)];
}

describe("bytes that are no message", () => {
  const text = proto3("int32 a = 1; string s = 2; repeated int32 l = 3; map<string, int32> m = 4; M inner = 5;");
  const fields: Fields = {
    a: int,
    s: { type: "string" },
    l: { type: "list", of: int },
    m: { type: "map", of: int },
    inner: { type: "json" },
  };
  test.each([
    [bytes(0x08), "protobuf.truncated", 1],
    [bytes(0x08, 0x80), "protobuf.truncated", 2],
    [bytes(0x08, ...Array.from({ length: 10 }, () => 0x80), 0x01), "protobuf.varint", 1],
    [bytes(0x12, 0x05, 0x61), "protobuf.truncated", 3],
    [bytes(0x0d, 1, 2, 3, 4), "protobuf.wire-type", 0],
    [bytes(0x00, 0x01), "protobuf.tag", 0],
    [bytes(0x0f, 0x01), "protobuf.tag", 0],
    [bytes(0x0c), "protobuf.group", 0],
    [bytes(0x7b, 0x08, 0x01), "protobuf.group", 3],
    [bytes(0x7b, 0x84, 0x01), "protobuf.group", 1],
    [bytes(0x1a, 0x02, 0x01, 0x80), "protobuf.truncated", 4],
    [bytes(0x22, 0x05, 0x0a, 0x01, 0xff, 0x10, 0x01), "protobuf.utf8", 4],
    [bytes(...Array.from({ length: 110 }, () => 0x7b)), "protobuf.depth", 100],
  ] as const)("%j", (value, code, at) => {
    expect(decode(text, fields, [value]).faults.map((fault) => [fault.code, fault.at])).toEqual([[code, at]]);
  });

  test("messages nested beyond 100 levels", () => {
    let value = bytes();
    for (let i = 0; i < 110; i++) {
      const size = value.length < 128 ? [value.length] : [(value.length & 127) | 128, value.length >> 7];
      value = bytes(0x2a, ...size, ...value);
    }
    expect(decode(text, fields, [value]).faults.map(({ code }) => code)).toEqual(["protobuf.depth"]);
  });

  test("nothing at all is a message of defaults", () => {
    expect(row(decode(text, fields, [bytes()]))).toEqual({ a: 0n, s: "", l: [], m: new Map(), inner: undefined });
  });

  test("wire types that a repeated number may have, and numbers in more bytes than they need", () => {
    const value = bytes(0x18, 0x01, 0x1a, 0x02, 0x02, 0x03, 0x98, 0x00, 0x84, 0x00, 0x1a, 0x00);
    expect(row(decode(text, fields, [value]))["l"]).toEqual([1n, 2n, 3n, 4n]);
  });
});

describe("cells that can't take what is written", () => {
  test.each([
    [
      "uint64 a = 1;",
      bytes(0x08, ...Array.from({ length: 9 }, () => 0xff), 0x01),
      { type: "long" },
      InvalidCause.range,
      "18446744073709551615",
    ],
    ["uint32 a = 1;", bytes(0x08, 0xff, 0xff, 0xff, 0xff, 0x0f), int, InvalidCause.range, "4294967295"],
    ["string a = 1;", bytes(0x0a, 0x02, 0x61, 0xff), { type: "string" }, InvalidCause.utf8, "a\ufffd"],
    ["string a = 1;", bytes(0x0a, 0x01, 0x61), int, InvalidCause.type, `"a"`],
    ["E a = 1;", bytes(0x08, 0x05), { type: "string" }, InvalidCause.range, "5"],
    ["float a = 1;", bytes(0x0d, 0, 0, 0x80, 0x7f), { type: "float" }, InvalidCause.range, "Infinity"],
    ["repeated int32 a = 1;", bytes(0x0a, 0x02, 0x01, 0x02), int, InvalidCause.type, "[1,2]"],
    ["int32 a = 1;", bytes(0x08, 0x01), { type: "list", of: int }, InvalidCause.type, "1"],
  ] as const)("%s %j", (field, value, sketch, cause, text) => {
    const batch = decode(proto3(field, "enum E { NONE = 0; }"), { a: sketch }, [value]);
    expect(row(batch)).toEqual({ a: invalid });
    const column = batch.columns[0]!;
    expect(column.invalid?.causes[0]).toBe(cause);
    expect(cellText(column, 0, batch)).toBe(text);
  });

  test("they are issues of the plan, by field", () => {
    const file = parseProto(proto3("string a = 1; In s = 2; message In { bool x = 1; }"));
    if ("problem" in file) throw new Error(file.problem);
    const contract = makeContract({ a: int, b: int, s: { type: "struct", of: { x: { type: "long" } } } });
    const { issues } = resolveProto({
      message: file.messages[0]!.message,
      fields: contract.fields,
      unknownFields: "ignore",
      keyField: null,
    });
    expect(issues.map(({ path, code, message }) => [path, code, message])).toEqual([
      ["b", "missing", "M has no field b, so b is missing"],
      ["a", "type", "a is int in the contract and string in Protobuf"],
      ["s.x", "type", "s.x is long in the contract and bool in Protobuf"],
    ]);
  });
});

describe("presence and defaults", () => {
  test("proto3: without presence the zero, with it missing", () => {
    const text = proto3(
      "int32 a = 1; optional int32 b = 2; E e = 3; oneof o { string x = 4; string y = 5; } M m = 6; double d = 7;",
      "enum E { NONE = 0; }",
    );
    const fields: Fields = {
      a: int,
      b: int,
      e: { type: "string" },
      x: { type: "string" },
      y: { type: "string" },
      m: { type: "struct", of: { a: int } },
      d: { type: "double" },
    };
    expect(row(decode(text, fields, [bytes()]))).toEqual({
      a: 0n,
      b: undefined,
      e: "NONE",
      x: undefined,
      y: undefined,
      m: undefined,
      d: 0,
    });
    expect(row(decode(text, fields, [bytes(0x10, 0x00, 0x22, 0x00, 0x32, 0x00)]))).toEqual({
      a: 0n,
      b: 0n,
      e: "NONE",
      x: "",
      y: undefined,
      m: { a: 0n },
      d: 0,
    });
  });

  test("proto2: declared defaults, else missing", () => {
    const text = `syntax = "proto2"; message M { required int32 a = 1; optional string s = 2 [default = "x\\"y"]; optional bytes raw = 3 [default = "\\377"]; optional double r = 4 [default = -1.5]; optional E e = 5 [default = B]; optional E n = 6 [default = B]; optional int32 j = 7 [default = 3]; enum E { A = 1; B = 2; } }`;
    const fields: Fields = {
      a: int,
      s: { type: "string" },
      raw: { type: "binary" },
      r: { type: "double" },
      e: { type: "string" },
      n: int,
      j: { type: "json" },
    };
    expect(row(decode(text, fields, [bytes()]))).toEqual({ a: undefined, s: `x"y`, raw: bytes(255), r: -1.5, e: "B", n: 2n, j: "3" });
  });

  test("of a oneof the member that came last counts, with what came of it since", () => {
    const text = proto3("oneof o { In m = 1; int32 n = 2; } message In { int32 a = 1; int32 b = 2; }");
    const fields: Fields = { m: { type: "struct", of: { a: int, b: int } }, n: int };
    const [a, n, b] = [bytes(0x0a, 0x02, 0x08, 0x01), bytes(0x10, 0x07), bytes(0x0a, 0x02, 0x10, 0x02)];
    expect(row(decode(text, fields, [Buffer.concat([a, n, b])]))).toEqual({ m: { a: 0n, b: 2n }, n: undefined });
    expect(row(decode(text, fields, [Buffer.concat([a, b])]))).toEqual({ m: { a: 1n, b: 2n }, n: undefined });
    expect(row(decode(text, fields, [Buffer.concat([a, b, n])]))).toEqual({ m: undefined, n: 7n });
  });
});

describe("fields that the contract does not name", () => {
  const text = proto3("int32 a = 1; string extra = 2; In s = 3; repeated In l = 4; message In { int32 x = 1; bool y = 2; }");
  const fields: Fields = { a: int, s: { type: "struct", of: { x: int } }, l: { type: "list", of: { type: "struct", of: { x: int } } } };
  const value = bytes(
    0x08,
    1,
    0x12,
    2,
    0x22,
    0x5c,
    0x1a,
    2,
    0x10,
    1,
    0x22,
    2,
    0x08,
    3,
    0x22,
    2,
    0x10,
    1,
    0x7a,
    1,
    0xff,
    0x78,
    5,
    0x85,
    1,
    1,
    0,
    0,
    0x80,
    0x93,
    1,
    0x94,
    1,
  );

  test("kept in their places, by name, and by number where the message has no such field", () => {
    const batch = decode(text, fields, [value], "keep");
    expect(batch.faults).toEqual([]);
    expect(cellValue(batch.unknown!, 0)).toBe(`{"extra":"\\"\\\\","s":{"y":true},"l":{"1":{"y":true}},"15":5,"16":2147483649}`);
    expect(row(batch)).toEqual({ a: 1n, s: { x: 0n }, l: [{ x: 3n }, { x: 0n }] });
  });

  test("rejected, by name and number", () => {
    const { faults } = decode(text, fields, [value], "reject");
    expect(faults.map(({ code, message }) => [code, message])).toEqual([
      [
        "protobuf.unknown-field",
        `the record has a field that the contract doesn't name, and its policy rejects those: "extra", "y", "y", "15", "16", "18" (byte 4)`,
      ],
    ]);
  });
});

describe("well-known types, groups, maps and the rest, as protobuf-es writes them", () => {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(fileURLToPath(new URL("schemas/order.binpb", import.meta.url))));
  const registry = createFileRegistry(create(FileDescriptorSetSchema, set));
  const desc = registry.getMessage("shop.Order")!;
  const json: JsonObject = {
    id: "-7",
    items: [{ sku: "a" }, { count: 2 }],
    prices: { x: { units: "1", nanos: 5, currency: "USD", note: { text: "n" }, codes: [1, 2] } },
    flags: { "-1": true, "2": false },
    cash: { units: "3" },
    status: "LOST",
    at: "2024-02-29T12:00:00.000001Z",
    took: "-1.500s",
    note: "",
    extra: { a: [1, "x", null, { b: true }] },
    deltas: ["-1", "2"],
    ids: [7],
    legacy: { number: 1, line: [{ text: "g" }], innerPart: { x: 4 } },
    raw: "AQI=",
    tree: { label: "r", children: [{ label: "c" }] },
  };
  const value = toBinary(desc, fromJson(desc, json, { registry }));
  const money: FieldSketch = {
    type: "struct",
    of: {
      units: { type: "long" },
      nanos: int,
      currency: { type: "string" },
      note: { type: "struct", of: { text: { type: "string" } } },
      codes: { type: "list", of: int },
    },
  };
  const fields: Fields = {
    id: { type: "long" },
    name: { type: "string" },
    items: { type: "list", of: { type: "struct", of: { sku: { type: "string" }, count: int } } },
    prices: { type: "map", of: money },
    flags: { type: "map", of: { type: "boolean" } },
    cash: money,
    status: { type: "string" },
    at: { type: "timestamp" },
    took: { type: "string" },
    note: { type: "string" },
    extra: { type: "json" },
    deltas: { type: "list", of: { type: "long" } },
    ids: { type: "list", of: { type: "long" } },
    legacy: {
      type: "struct",
      of: { number: int, text: { type: "string" }, line: { type: "json" }, inner_part: { type: "struct", of: { x: int } } },
    },
    raw: { type: "binary" },
    tree: { type: "json" },
  };

  test("every column", () => {
    const contract = { ...makeContract(fields), format: { format: "protobuf", message: protoMessage(desc) } as const };
    const batch = protobufCodec.compile(contract)(makeRecords([value]));
    expect(batch.faults).toEqual([]);
    expect(row(batch)).toEqual({
      id: -7n,
      name: undefined,
      items: [
        { sku: "a", count: 0n },
        { sku: "", count: 2n },
      ],
      prices: new Map([["x", { units: 1n, nanos: 5n, currency: "USD", note: { text: "n" }, codes: [1n, 2n] }]]),
      flags: new Map([
        ["-1", true],
        ["2", false],
      ]),
      cash: { units: 3n, nanos: 0n, currency: undefined, note: undefined, codes: [] },
      status: "LOST",
      at: 1_709_208_000_000_001n,
      took: "-1.500s",
      note: "",
      extra: `{"a":[1,"x",null,{"b":true}]}`,
      deltas: [-1n, 2n],
      ids: [7n],
      legacy: { number: 1n, text: `none "at" all\n`, line: `[{"text":"g"}]`, inner_part: { x: 4n } },
      raw: bytes(1, 2),
      tree: `{"label":"r","children":[{"label":"c","children":[]}]}`,
    });
  });

  test("a whole record as the JSON that a JSON Schema judges", () => {
    const rules = [{ check: { family: "jsonSchema", draft: "2020-12", schema: {} } }] as const;
    const contract = {
      ...makeContract({ id: { type: "long" } }, { rules }),
      format: { format: "protobuf", message: protoMessage(desc) } as const,
    };
    const { payload } = protobufCodec.compile(contract)(makeRecords([value]));
    const text = Buffer.from(
      payload!.bytes.subarray(payload!.valueStart[0], payload!.valueStart[0]! + payload!.valueLength[0]!),
    ).toString();
    expect(JSON.parse(text)).toMatchObject({
      id: -7,
      items: [{ sku: "a", count: 0 }, {}],
      took: "-1.500s",
      at: "2024-02-29T12:00:00.000001Z",
      flags: { "-1": true },
    });
  });

  test.each([
    [bytes(0x52, 5, 0x08, 1, 0x10, 0xe9, 0x07), InvalidCause.scale],
    [bytes(0x52, 6, 0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03), InvalidCause.range],
  ])("a Timestamp finer than a microsecond, or of more nanoseconds than a second has", (at, cause) => {
    const contract = {
      ...makeContract({ at: { type: "timestamp" } }),
      format: { format: "protobuf", message: protoMessage(desc) } as const,
    };
    const { columns } = protobufCodec.compile(contract)(makeRecords([at]));
    expect(columns[0]!.invalid?.causes[0]).toBe(cause);
  });

  test.each([
    [0n, 1001, 1001n],
    [-1n, 999_999_999, -1n],
    [253_402_300n, 1, 253_402_300_000_000_001n],
    [9_223_372_036n, 854_775_807, 2n ** 63n - 1n],
    [-9_223_372_037n, 145_224_192, -(2n ** 63n)],
    [9_223_372_036n, 854_775_808, InvalidCause.range],
    [-9_223_372_037n, 145_224_191, InvalidCause.range],
    [-9_223_372_038n, 0, InvalidCause.range],
  ])("a Timestamp of %d s and %d ns in nanoseconds", (seconds, nanos, expected) => {
    const time = [0x08, ...varint(seconds), 0x10, ...varint(BigInt(nanos))];
    const contract = {
      ...makeContract({ at: { type: { kind: "timestamp", zoned: true, unit: "nanos" } } }),
      format: { format: "protobuf", message: protoMessage(desc) } as const,
    };
    const record = bytes(0x52, time.length, ...time);
    const [column] = protobufCodec.compile(contract)(makeRecords([record])).columns;
    expect(column!.invalid?.causes[0] ?? cellValue(column!, 0)).toBe(expected);
    compareCompiled({ compile: compileProtobufDecoder, codec: protobufCodec }, contract, [record]);
  });
});
