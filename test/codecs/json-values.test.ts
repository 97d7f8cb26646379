import { describe, expect, test } from "vitest";
import { jsonCodec } from "../../src/codecs/json.ts";
import { InvalidCause } from "../../src/core/column.ts";
import type { Batch } from "../../src/core/batch.ts";
import type { FieldType } from "../../src/core/schema.ts";
import { cellValue, invalid } from "../fixtures/column-value.ts";
import { makeContract, makeRecords, type FieldSketch } from "../fixtures/contract.ts";

function decodeOne(sketch: FieldSketch, text: string): { batch: Batch; value: unknown; cause: number | null } {
  const contract = makeContract({ x: sketch });
  const batch = jsonCodec.compile(contract)(makeRecords([`{"x":${text}}`]));
  expect(batch.faults).toEqual([]);
  const column = batch.columns[0]!;
  return { batch, value: cellValue(column, 0), cause: column.invalid?.causes[0] ?? null };
}

/** Source text of an invalid cell. */
function invalidText(batch: Batch): string {
  const cells = batch.columns[0]!.invalid!;
  const start = cells.starts[0]!;
  return Buffer.from(batch.records.bytes.subarray(start, start + cells.lengths[0]!)).toString();
}

function check(type: FieldType["kind"] | FieldType, format: string | null, cases: readonly (readonly [string, unknown])[]): void {
  const sketch: FieldSketch = format === null ? { type } : { type, format };
  for (const [text, expected] of cases) {
    const { value, cause, batch } = decodeOne(sketch, text);
    if (typeof expected === "string" && expected.startsWith("!")) {
      expect([text, value, cause], text).toEqual([text, invalid, InvalidCause[expected.slice(1) as keyof typeof InvalidCause]]);
      expect(invalidText(batch).replaceAll('"', "")).toBe(text.replaceAll('"', ""));
    } else expect([text, value], text).toEqual([text, expected]);
  }
}

describe("whole numbers", () => {
  test("int holds 32 bits, and integral values however they are written", () => {
    check("int", null, [
      ["0", 0n],
      ["-0", 0n],
      ["-1", -1n],
      ["2147483647", 2147483647n],
      ["-2147483648", -2147483648n],
      ["2147483648", "!range"],
      ["-2147483649", "!range"],
      ["999999999", 999999999n],
      ["1000000000", 1000000000n],
      ["1.0", 1n],
      ["-20.000", -20n],
      ["1e3", 1000n],
      ["12.5e1", 125n],
      ["1.5", "!fraction"],
      ["1e-1", "!fraction"],
      ["1e10", "!range"],
      ["1e999999999999", "!range"],
      ["0e999999999999", 0n],
      ["1e-999999999999", "!fraction"],
      ["null", null],
      ['"1"', "!type"],
      ["true", "!type"],
      ["[1]", "!type"],
      ['{"a":1}', "!type"],
    ]);
  });

  test("long holds 64 bits exactly and never rounds", () => {
    check("long", null, [
      ["9007199254740991", 9007199254740991n],
      ["9007199254740993", 9007199254740993n],
      ["-9007199254740993", -9007199254740993n],
      ["999999999999999", 999999999999999n],
      ["1000000000000001", 1000000000000001n],
      ["9223372036854775807", 9223372036854775807n],
      ["-9223372036854775808", -9223372036854775808n],
      ["9223372036854775808", "!range"],
      ["-9223372036854775809", "!range"],
      ["12345678901234567890", "!range"],
      ["9223372036854775807.0", 9223372036854775807n],
      ["922337203685477580.7e1", 9223372036854775807n],
      ["1.0000000000000000000000001", "!fraction"],
      ["0.0", 0n],
    ]);
  });

  test("the nearest double stands beside the exact value", () => {
    const { batch } = decodeOne({ type: "long" }, "9223372036854775807");
    const column = batch.columns[0]!;
    expect(column.kind === "integer" && column.values[0]).toBe(2 ** 63);
  });
});

test("decimals are exact: excess digits are refused, none is rounded", () => {
  const type: FieldType = { kind: "decimal", precision: 10, scale: 2 };
  check(type, null, [
    ["0", 0n],
    ["-0.00", 0n],
    ["1", 100n],
    ["1.1", 110n],
    ["-1.15", -115n],
    ["0.07", 7n],
    ["1.150", 115n],
    ["1.155", "!scale"],
    ["99999999.99", 9999999999n],
    ["-99999999.99", -9999999999n],
    ["100000000", "!range"],
    ["1e7", 1000000000n],
    ["1e8", "!range"],
    ["1e-2", 1n],
    ["1e-3", "!scale"],
    ["0.000000000000000000000000", 0n],
    ['"1.15"', "!type"],
  ]);
  check({ kind: "decimal", precision: 38, scale: 0 }, null, [
    ["12345678901234567890", 12345678901234567890n],
    ["99999999999999999999999999999999999999", 10n ** 38n - 1n],
    ["-99999999999999999999999999999999999999", 1n - 10n ** 38n],
    ["100000000000000000000000000000000000000", "!range"],
    ["0.5", "!scale"],
  ]);
  check({ kind: "decimal", precision: 38, scale: 38 }, null, [
    ["0.00000000000000000000000000000000000001", 1n],
    ["1e-38", 1n],
    ["1", "!range"],
  ]);
  check({ kind: "decimal", precision: 20, scale: 10 }, null, [
    ["4503599627.3704972", 45035996273704972000n],
    ["0.1234567891", 1234567891n],
    ["900719925.4740993", 9007199254740993000n],
  ]);
});

test("doubles are the nearest, floats are rounded once", () => {
  check("double", null, [
    ["0.1", 0.1],
    ["-0", -0],
    ["-0.0", -0],
    ["1e22", 1e22],
    ["1e23", 1e23],
    ["123456789012345678", Number("123456789012345678")],
    ["2.2250738585072011e-308", Number("2.2250738585072011e-308")],
    ["5e-324", 5e-324],
    ["2e-324", 0],
    ["1.7976931348623157e308", 1.7976931348623157e308],
    ["1.7976931348623159e308", "!range"],
    ["-1e400", "!range"],
    ["9007199254740993", 2 ** 53],
    ["8.5e-5", 8.5e-5],
  ]);
  check("float", null, [
    ["0.1", Math.fround(0.1)],
    ["16777217", 16777216],
    // Halfway between two floats as a double; the text lies just above and below.
    ["16777217.0000000001", 16777218],
    ["16777216.9999999999", 16777216],
    ["16777219", 16777220],
    ["-16777217.0000000001", -16777218],
    ["3.4028235e38", Math.fround(3.4028235e38)],
    ["3.5e38", "!range"],
    ["1e-46", 0],
    ["-0", -0],
  ]);
});

test("booleans and text are never converted", () => {
  check("boolean", null, [
    ["true", true],
    ["false", false],
    ["0", "!type"],
    ['"true"', "!type"],
    ["null", null],
  ]);
  check("string", null, [
    ['""', ""],
    ['"é\\u00e9\\ud83d\\ude00😀"', "éé😀😀"],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"\\u0000"', "\0"],
    ['"\\uFFFF\\u0800\\u07ff\\u007f"', "\uFFFF\u0800\u07ff\u007f"],
    ["1", "!type"],
    ["true", "!type"],
    ["[]", "!type"],
  ]);
});

test("dates, times and timestamps are exact to the microsecond", () => {
  const day = (text: string): bigint => BigInt(Date.parse(`${text}T00:00:00Z`) / 86_400_000);
  check("date", null, [
    ['"1970-01-01"', 0n],
    ['"2024-02-29"', day("2024-02-29")],
    ['"2000-02-29"', day("2000-02-29")],
    ['"1900-02-29"', "!range"],
    ['"2023-02-29"', "!range"],
    ['"2023-13-01"', "!range"],
    ['"2023-00-01"', "!range"],
    ['"0000-01-01"', "!range"],
    ['"0001-01-01"', -719162n],
    ['"9999-12-31"', 2932896n],
    ['"2023-1-1"', "!form"],
    ['"20230101"', "!form"],
    ['"2023-01-01T00:00:00Z"', "!form"],
    ['""', "!form"],
    ["0", "!type"],
  ]);
  check("time", null, [
    ['"00:00"', 0n],
    ['"23:59:59.999999"', 86_399_999_999n],
    ['"12:34:56.5"', 45_296_500_000n],
    ['"12:34:56.123456000"', 45_296_123_456n],
    ['"12:34:56.1234567"', "!scale"],
    ['"24:00:00"', "!range"],
    ['"23:60"', "!range"],
    ['"23:59:60"', "!range"],
    ['"12:34:56Z"', "!form"],
    ['"12:34:56."', "!form"],
    ['"1:34"', "!form"],
  ]);
  const micros = (text: string): bigint => BigInt(Date.parse(text)) * 1000n;
  check({ kind: "timestamp", zoned: true, unit: "micros" }, null, [
    ['"1970-01-01T00:00:00Z"', 0n],
    ['"2013-01-01T05:00:00+05:30"', micros("2013-01-01T05:00:00+05:30")],
    ['"2013-01-01T05:00:00-0800"', micros("2013-01-01T05:00:00-08:00")],
    ['"2013-01-01T05:00:00+14"', micros("2013-01-01T05:00:00+14:00")],
    ['"2013-01-01 05:00z"', micros("2013-01-01T05:00:00Z")],
    ['"2013-01-01T05:00:00"', micros("2013-01-01T05:00:00Z")],
    ['"2013-01-01T05:00:00.000001Z"', micros("2013-01-01T05:00:00Z") + 1n],
    ['"9999-12-31T23:59:59.999999Z"', micros("9999-12-31T23:59:59Z") + 999_999n],
    ['"0001-01-01T00:00:00+18:00"', micros("0001-01-01T00:00:00Z") - 18n * 3_600_000_000n],
    ['"2013-01-01T05:00:00.0000001Z"', "!scale"],
    ['"2013-01-01T24:00:00Z"', "!range"],
    ['"2016-12-31T23:59:60Z"', "!range"],
    ['"2013-02-30T00:00:00Z"', "!range"],
    ['"2013-01-01T05:00:00+19:00"', "!range"],
    ['"2013-01-01T05:00:00+05:60"', "!range"],
    ['"2013-01-01T05:00:00+5"', "!form"],
    ['"2013-01-01T05:00:00+05:3"', "!form"],
    ['"2013-01-01"', "!form"],
    ['"2013-01-01T05Z"', "!form"],
    ["1357016400000", "!type"],
  ]);
  check({ kind: "timestamp", zoned: false, unit: "micros" }, null, [
    ['"2013-01-01T05:00:00"', micros("2013-01-01T05:00:00Z")],
    ['"2013-01-01T05:00:00Z"', "!offset"],
    ['"2013-01-01T05:00:00+01:00"', "!offset"],
  ]);
});

test("timestamps in nanoseconds are exact, and reach from 1677 to 2262", () => {
  const nanos = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;
  const ends: readonly [string, unknown][] = [
    ['"1677-09-21T00:12:43.145224192"', -(2n ** 63n)],
    ['"1677-09-21T00:12:43.145224191"', "!range"],
    ['"2262-04-11T23:47:16.854775807"', 2n ** 63n - 1n],
    ['"2262-04-11T23:47:16.854775808"', "!range"],
    ['"0001-01-01T00:00:00"', "!range"],
    ['"2013-01-01T05:00:00.123456789"', nanos("2013-01-01T05:00:00Z") + 123_456_789n],
    ['"2013-01-01T05:00:00.00000001"', nanos("2013-01-01T05:00:00Z") + 10n],
    ['"2013-01-01T05:00:00.123456789000"', nanos("2013-01-01T05:00:00Z") + 123_456_789n],
    ['"2013-01-01T05:00:00.1234567891"', "!scale"],
    ['"2013-01-01T05:00"', nanos("2013-01-01T05:00:00Z")],
  ];
  check({ kind: "timestamp", zoned: true, unit: "nanos" }, null, [
    ...ends,
    ['"1677-09-21T00:12:43.145224192Z"', -(2n ** 63n)],
    ['"1969-12-31T23:59:59.999999999Z"', -1n],
    ['"2262-04-12T01:47:16.854775807+02:00"', 2n ** 63n - 1n],
    ['"2262-04-11T23:47:16.854775807-00:01"', "!range"],
  ]);
  check({ kind: "timestamp", zoned: false, unit: "nanos" }, null, [...ends, ['"2013-01-01T05:00:00.000000001Z"', "!offset"]]);
  check({ kind: "timestamp", zoned: true, unit: "nanos" }, "yyyyMMddHHmmss[.SSSSSSSSS]X", [
    ['"20130101050000.000000001+01"', nanos("2013-01-01T04:00:00Z") + 1n],
    ['"22620411234716.854775808Z"', "!form"],
  ]);
});

test("a field's own format takes the place of ISO 8601", () => {
  check("date", "dd.MM.yyyy", [
    ['"29.02.2024"', 19782n],
    ['"30.02.2024"', "!form"],
    ['"2024-02-29"', "!form"],
    ['"29\\u002e02.2024"', 19782n],
  ]);
  check({ kind: "timestamp", zoned: true, unit: "micros" }, "yyyyMMddHHmmssX", [
    ['"20130101050000+01"', BigInt(Date.parse("2013-01-01T04:00:00Z")) * 1000n],
  ]);
});

test("binary is canonical base64", () => {
  const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
  check("binary", null, [
    ['""', bytes("")],
    ['"aGVsbG8="', bytes("aGVsbG8=")],
    ['"aGVsbA=="', bytes("aGVsbA==")],
    ['"aGVs"', bytes("aGVs")],
    ['"\\u0061GVs"', bytes("aGVs")],
    ['"aGVsbG8"', "!form"],
    ['"aGVsbG9="', "!form"],
    ['"aGV="', "!form"],
    ['"aGV_"', "!form"],
    ['"===="', "!form"],
    ['"aG=="', "!form"],
    ['"aGVs\\n"', "!form"],
  ]);
});

test("json keeps the exact source text", () => {
  check("json", null, [
    ['{"b": 1.0, "a":12345678901234567890, "a":[ ]}', '{"b": 1.0, "a":12345678901234567890, "a":[ ]}'],
    ["1.0", "1.0"],
    ['"x\\u0041"', '"x\\u0041"'],
    ["true", "true"],
    ["null", null],
  ]);
});

describe("nested fields", () => {
  const contract = makeContract({
    order: {
      type: "struct",
      of: { id: { type: "long" }, tags: { type: "list", of: { type: "string" } }, note: { type: "string" } },
    },
    items: { type: "list", of: { type: "struct", of: { price: { type: "double" }, sizes: { type: "list", of: { type: "int" } } } } },
    prices: { type: "map", of: { type: "double" } },
  });
  const decode = jsonCodec.compile(contract);
  const values = (...texts: string[]): unknown[][] => {
    const batch = decode(makeRecords(texts));
    return texts.map((_, row) => batch.columns.map((column) => cellValue(column, row)));
  };

  test("structs, lists and maps in any depth, with rows between that lack them", () => {
    expect(
      values(
        '{"order":{"id":1,"tags":["a","b"]},"items":[{"price":1.5,"sizes":[1,2]},{"sizes":[]},{}],"prices":{"x":1,"y":null}}',
        "{}",
        '{"prices":{},"items":[],"order":null}',
        '{"items":[null,{"sizes":[3],"price":"x"},7],"order":{}}',
        '{"order":[],"items":{},"prices":[1]}',
      ),
    ).toEqual([
      [
        { id: 1n, tags: ["a", "b"], note: undefined },
        [
          { price: 1.5, sizes: [1n, 2n] },
          { price: undefined, sizes: [] },
          { price: undefined, sizes: undefined },
        ],
        new Map([
          ["x", 1],
          ["y", null],
        ]),
      ],
      [undefined, undefined, undefined],
      [null, [], new Map()],
      [{ id: undefined, tags: undefined, note: undefined }, [null, { price: invalid, sizes: [3n] }, invalid], undefined],
      [invalid, invalid, invalid],
    ]);
  });

  test("a record that breaks off leaves nothing behind, not even in lists", () => {
    const good = '{"items":[{"price":1,"sizes":[1]}],"prices":{"a":1},"order":{"id":5,"tags":["t"]}}';
    const batch = decode(
      makeRecords([
        good,
        '{"order":{"id":9,"tags":["\\u0041",1]},"prices":{"q":2},"items":[{"price":2,"sizes":[1,2,3]},{"price":"x"',
        good,
      ]),
    );
    expect(batch.faults.map(({ row, code }) => [row, code])).toEqual([[1, "json.truncated"]]);
    const rows = [0, 1, 2].map((row) => batch.columns.map((column) => cellValue(column, row)));
    expect(rows[1]).toEqual([undefined, undefined, undefined]);
    expect(rows[2]).toEqual(rows[0]);
    const items = batch.columns[1]!;
    expect(items.kind === "list" && [Array.from(items.offsets), items.element.length]).toEqual([[0, 1, 1, 2], 2]);
    expect(items.kind === "list" && items.element.kind === "struct" && items.element.children[0]!.invalid).toBeNull();
  });
});

describe("keys", () => {
  const contract = makeContract({ a: { type: "int" }, 'ö"\\/': { type: "int" }, bb: { type: "int", sourceName: "b.b" } });
  const decode = jsonCodec.compile(contract);
  const row = (text: string): unknown[] => decode(makeRecords([text])).columns.map((column) => cellValue(column, 0));

  test("in any order, spaced, escaped, and by their source names", () => {
    expect(row('{"a":1,"ö\\"\\\\/":2,"b.b":3}')).toEqual([1n, 2n, 3n]);
    expect(row(' {\t"b.b" :\n3 , "\\u00f6\\u0022\\u005c\\/" : 2 , "\\u0061"\r: 1 } ')).toEqual([1n, 2n, 3n]);
    expect(row('{"bb":3,"A":1,"a ":4}')).toEqual([undefined, undefined, undefined]);
    expect(row("{}")).toEqual([undefined, undefined, undefined]);
  });

  test("twice is a fault, escaped or not, and so is an unknown one twice", () => {
    for (const text of ['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"a":null,"b.b":1,"a":2}', '{"x":1,"y":2,"x":3}', '{"x":1,"\\u0078":3}'])
      expect(decode(makeRecords([text])).faults.map(({ code }) => code)).toEqual(["json.duplicate-key"]);
    expect(decode(makeRecords(['{"x":{"y":1},"y":{"y":1}}'])).faults).toEqual([]);
    const many = Array.from({ length: 100 }, (_, i) => `"k${i}":0`).join(",");
    expect(decode(makeRecords([`{${many}}`])).faults).toEqual([]);
    expect(decode(makeRecords([`{${many},"k77":0}`])).faults[0]).toMatchObject({ code: "json.duplicate-key", at: 1 + many.length + 1 });
  });
});

test("text is a view of the slab, and a column with escapes keeps every row's text", () => {
  const contract = makeContract({ a: { type: "string" }, b: { type: "string" } });
  const texts = ['{"a":"x","b":"1"}', '{"a":"\\ty","b":"2"}', '{"a":"z","b":"3"}', '{"a":null,"b":"4"}'];
  const batch = jsonCodec.compile(contract)(makeRecords(texts));
  expect(texts.map((_, row) => batch.columns.map((column) => cellValue(column, row)))).toEqual([
    ["x", "1"],
    ["\ty", "2"],
    ["z", "3"],
    [null, "4"],
  ]);
  const [a, b] = batch.columns;
  expect(b!.kind === "bytes" && b!.bytes).toBe(batch.records.bytes);
  expect(a!.kind === "bytes" && a!.bytes.length).toBe(4);
});
