import { describe, expect, test } from "vitest";
import type { Batch } from "../../../src/core/batch.ts";
import { InvalidCause } from "../../../src/core/column.ts";
import { parseAvroSchema } from "../../../src/core/avro/parse-avro-schema.ts";
import { encodeAvroDefault } from "../../../src/codecs/avro/avro-default.ts";
import { avroCodec } from "../../../src/codecs/avro/avro.ts";
import { resolveAvro } from "../../../src/codecs/avro/resolve-avro.ts";
import { cellText } from "../../../src/rules/cell-text.ts";
import { cellValue, invalid } from "../../fixtures/column-value.ts";
import { makeContract, makeRecords } from "../../fixtures/contract.ts";
import { decodeAvro, rowOf, schemaOf, type Decoding } from "./avro-decode.ts";
import { avscType } from "./avro-shapes.ts";

const record = (...fields: readonly (readonly [string, unknown, object?])[]): object => ({
  type: "record",
  name: "R",
  fields: fields.map(([name, type, rest]) => ({ name, type, ...rest })),
});
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const encode = (schema: object, value: unknown): Buffer => avscType(schema).toBuffer(value);

/** The only cell of a record with the one field `a`. */
function cell(writer: unknown, value: Uint8Array, type: Decoding["fields"][string]): { readonly value: unknown; readonly batch: Batch } {
  const batch = decodeAvro([value], { writer: record(["a", writer]), fields: { a: type } });
  return { value: rowOf(batch, 0)["a"], batch };
}

describe("bytes that are no datum", () => {
  const list = { type: "array", items: "int" };
  const deep: unknown = Array.from({ length: 60 }).reduce((inner) => ({ type: "array", items: inner }), "int" as unknown);
  test.each([
    ["int", bytes(), "avro.truncated", 0],
    ["int", bytes(0x80), "avro.truncated", 1],
    ["int", bytes(0x02, 0x02), "avro.trailing", 1],
    ["int", bytes(0x80, 0x80, 0x80, 0x80, 0x10), "avro.varint", 0],
    ["long", bytes(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02), "avro.varint", 0],
    ["long", bytes(...Array.from({ length: 11 }, () => 0x80)), "avro.varint", 0],
    ["boolean", bytes(2), "avro.boolean", 0],
    ["double", bytes(0, 0, 0), "avro.truncated", 3],
    ["string", bytes(0x01), "avro.length", 0],
    ["string", bytes(0x08, 0x61), "avro.truncated", 2],
    ["string", bytes(0xfe, 0xff, 0xff, 0xff, 0x1f), "avro.truncated", 5],
    [["null", "int"], bytes(0x04), "avro.union", 0],
    [["null", "int"], bytes(0x01), "avro.union", 0],
    [{ type: "enum", name: "E", symbols: ["A"] }, bytes(0x02), "avro.enum", 0],
    [{ type: "fixed", name: "F", size: 3 }, bytes(1, 2), "avro.truncated", 2],
    [list, bytes(0x02, 0x02), "avro.truncated", 2],
    [list, bytes(0xfe, 0xff, 0xff, 0xff, 0x0f), "avro.truncated", 5],
    [list, bytes(0x03, 0x02, 0x02, 0x04, 0x00), "avro.block", 4],
    [{ type: "map", values: "int" }, bytes(0x04, 0x02, 0x61, 0x02, 0x02, 0x61, 0x02, 0x00), "avro.duplicate-key", 4],
    [{ type: "map", values: "int" }, bytes(0x02, 0x02, 0xff, 0x02, 0x00), "avro.utf8", 2],
    [{ type: "array", items: "null" }, bytes(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), "avro.too-many-elements", 7],
  ] as const)("%j %j", (type, value, code, at) => {
    const kind = typeof type === "object" && "type" in type && (type.type === "array" || type.type === "map") ? type.type : "int";
    const field =
      kind === "array"
        ? ({ type: "list", of: { type: "int" } } as const)
        : kind === "map"
          ? ({ type: "map", of: { type: "int" } } as const)
          : { type: kind };
    const { batch } = cell(type, value, field as never);
    expect(batch.faults.map((fault) => [fault.code, fault.at])).toEqual([[code, at]]);
  });

  test("nesting beyond 100 levels, in what is kept as JSON", () => {
    const tree = record(["a", ["null", "R"]]);
    const { batch } = cell(
      tree === null ? "null" : ["null", { ...tree, name: "T", fields: [{ name: "a", type: ["null", "T"] }] }],
      new Uint8Array(150).fill(2),
      { type: "json" },
    );
    expect(batch.faults.map(({ code }) => code)).toEqual(["avro.depth"]);
    const fine = cell(deep, bytes(...Array.from({ length: 60 }, () => 2), 6, ...Array.from({ length: 60 }, () => 0)), { type: "json" });
    expect(fine.value).toBe(`${"[".repeat(60)}3${"]".repeat(60)}`);
  });

  test("a million empty items that nobody reads cost nothing", () => {
    const writer = record(["skipped", { type: "array", items: "null" }], ["a", "int"]);
    const batch = decodeAvro([bytes(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x0e)], { writer, fields: { a: { type: "int" } } });
    expect(rowOf(batch, 0)).toEqual({ a: 7n });
  });
});

describe("cells that can't take what is written", () => {
  test.each([
    ["long", bytes(0x80, 0x80, 0x80, 0x80, 0x20), { type: "int" }, InvalidCause.range, "4294967296"],
    ["double", bytes(0, 0, 0, 0, 0, 0, 0xf8, 0x7f), { type: "double" }, InvalidCause.range, "NaN"],
    ["string", bytes(0x04, 0xff, 0x61), { type: "string" }, InvalidCause.utf8, "\ufffda"],
    ["string", bytes(0x02, 0x61), { type: "long" }, InvalidCause.type, `"a"`],
    ["string", bytes(0x02, 0x61), { type: "date" }, InvalidCause.form, "a"],
    [{ type: "long", logicalType: "timestamp-nanos" }, bytes(0x02), { type: "timestamp" }, InvalidCause.scale, "1"],
    [
      { type: "long", logicalType: "timestamp-millis" },
      bytes(0x01),
      { type: { kind: "timestamp", zoned: false, unit: "micros" } },
      InvalidCause.offset,
      `"1969-12-31T23:59:59.999000Z"`,
    ],
    [{ type: "int", logicalType: "time-millis" }, bytes(0x01), { type: "time" }, InvalidCause.range, "-1000"],
    [
      { type: "fixed", name: "D", size: 12, logicalType: "duration" },
      new Uint8Array(12),
      { type: "long" },
      InvalidCause.type,
      `"AAAAAAAAAAAAAAAA"`,
    ],
    [{ type: "array", items: "int" }, bytes(0x02, 0x02, 0x00), { type: "string" }, InvalidCause.type, "[1]"],
  ] as const)("%j", (type, value, field, cause, text) => {
    const { value: found, batch } = cell(type, value, field);
    expect(found).toBe(invalid);
    const column = batch.columns[0]!;
    expect(column.invalid?.causes[0]).toBe(cause);
    expect(cellText(column, 0, batch)).toBe(text);
  });

  test("they are issues of the plan, by field, where they concern every record", () => {
    const contract = makeContract({ a: { type: "long" }, b: { type: "int" }, s: { type: "struct", of: { x: { type: "date" } } } });
    const writer = schemaOf(record(["a", "string"], ["s", ["null", { type: "record", name: "S", fields: [{ name: "x", type: "long" }] }]]));
    const plan = resolveAvro({ writer, reader: null, fields: contract.fields, unknownFields: "ignore", keyField: null });
    expect("problem" in plan ? plan : plan.issues.map(({ path, code, message }) => [path, code, message])).toEqual([
      ["b", "missing", "R has no field b, so b is missing"],
      ["a", "type", "a is long in the contract and string in Avro"],
      ["s.x", "type", "s.x is date in the contract and long in Avro"],
    ]);
  });

  test("data that are no records are a problem of the plan, and a fault of every record", () => {
    const contract = { ...makeContract({ a: { type: "int" } }), format: { format: "avro", schema: schemaOf("int"), text: "" } } as const;
    const batch = avroCodec.compile(contract)(makeRecords([bytes(2)]));
    expect(batch.faults.map(({ code, message }) => [code, message])).toEqual([
      [
        "avro.schema",
        "the schema that the record was written by can't become the contract's columns: records are int, and a row needs an Avro record",
      ],
    ]);
  });
});

describe("fields that the contract does not name", () => {
  const inner = {
    type: "record",
    name: "In",
    fields: [
      { name: "x", type: "int" },
      { name: "y", type: ["null", "double"] },
    ],
  };
  const writer = record(
    ["extra", "long"],
    ["a", "int"],
    ["s", inner],
    ["l", { type: "array", items: "In" }],
    ["m", { type: "map", values: "string" }],
  );
  const fields = {
    a: { type: "int" },
    s: { type: "struct", of: { x: { type: "int" } } },
    l: { type: "list", of: { type: "struct", of: { x: { type: "int" } } } },
  } as const;
  const value = encode(writer, {
    extra: 2n ** 60n,
    a: 1,
    s: { x: 2, y: 0.5 },
    l: [
      { x: 3, y: null },
      { x: 4, y: -0 },
    ],
    m: { 'k"': "v\u00e9" },
  });

  test("kept, exact and in their places", () => {
    const batch = decodeAvro([value, value], { writer, fields, unknownFields: "keep" });
    const text = `{"extra":1152921504606846976,"s":{"y":0.5},"l":{"0":{"y":null},"1":{"y":-0}},"m":{"k\\"":"vé"}}`;
    expect([0, 1].map((row) => cellValue(batch.unknown!, row))).toEqual([text, text]);
    expect(rowOf(batch, 1)).toEqual({ a: 1n, s: { x: 2n }, l: [{ x: 3n }, { x: 4n }] });
  });

  test("rejected, by name", () => {
    const { faults } = decodeAvro([value], { writer, fields, unknownFields: "reject" });
    expect(faults.map(({ code, message }) => [code, message.slice(-42)])).toEqual([
      ["avro.unknown-field", `rejects those: "extra", "y", "y", "y", "m" (byte 0)`.slice(-42)],
    ]);
  });
});

describe("schema resolution", () => {
  test("an enum's unknown symbol is the reader's default, or an invalid cell", () => {
    const symbols = (all: readonly string[], rest = {}): object => ({ type: "enum", name: "E", symbols: all, ...rest });
    const writer = record(["a", symbols(["OLD", "NEW"])]);
    const values = [bytes(0), bytes(2)];
    const fields = { a: { type: "string" } } as const;
    const plain = decodeAvro(values, { writer, reader: record(["a", symbols(["NEW"])]), fields });
    expect([0, 1].map((row) => rowOf(plain, row)["a"])).toEqual([invalid, "NEW"]);
    expect(cellText(plain.columns[0]!, 0, plain)).toBe("OLD");
    const fallback = decodeAvro(values, { writer, reader: record(["a", symbols(["NEW", "NONE"], { default: "NONE" })]), fields });
    expect([0, 1].map((row) => rowOf(fallback, row)["a"])).toEqual(["NONE", "NEW"]);
  });

  test("defaults: unions of any branch, longs beyond 2^53, bytes, nested containers", () => {
    const reader = record(
      ["big", "long", { default: 9007199254740993n }],
      ["text", ["null", "string"], { default: "x" }],
      ["raw", "bytes", { default: "\u00ff\u0000" }],
      ["list", { type: "array", items: "int" }, { default: [1, 2] }],
      ["map", { type: "map", values: "int" }, { default: { k: 3 } }],
    );
    const text = JSON.stringify(reader, (_, value: unknown) => (typeof value === "bigint" ? `#${value}` : value)).replace(/"#(\d+)"/, "$1");
    const parsed = parseAvroSchema(text);
    if ("problem" in parsed) throw new Error(parsed.problem);
    const fields = {
      big: { type: "long" },
      text: { type: "string" },
      raw: { type: "binary" },
      list: { type: "list", of: { type: "int" } },
      map: { type: "map", of: { type: "int" } },
    } as const;
    const contract = makeContract(fields);
    const format = { format: "avro", schema: schemaOf(record()), text: "", reader: parsed.schema } as const;
    const batch = avroCodec.compile({ ...contract, format })(makeRecords([bytes(), bytes()]));
    const row = { big: 9007199254740993n, text: "x", raw: bytes(0xff, 0), list: [1n, 2n], map: new Map([["k", 3n]]) };
    expect([rowOf(batch, 0), rowOf(batch, 1)]).toEqual([row, row]);
  });

  test("a default that is no value of its type is none", () => {
    expect(encodeAvroDefault(schemaOf("int"), 2 ** 31)).toBeNull();
    expect(encodeAvroDefault(schemaOf("int"), "1")).toBeNull();
    expect(encodeAvroDefault(schemaOf(["null", "string"]), 1)).toBeNull();
    expect(encodeAvroDefault(schemaOf(["null", "string"]), "a")).toEqual(bytes(2, 2, 0x61));
  });

  test("a union's branch is the one of the same name before one that it could be promoted to", () => {
    const a = { type: "record", name: "A", fields: [{ name: "x", type: "int" }] };
    const b = { type: "record", name: "B", fields: [{ name: "x", type: "int" }] };
    const reader = record([
      "u",
      [
        {
          ...a,
          fields: [
            { name: "x", type: "int" },
            { name: "tag", type: "string", default: "a" },
          ],
        },
        {
          ...b,
          fields: [
            { name: "x", type: "int" },
            { name: "tag", type: "string", default: "b" },
          ],
        },
      ],
    ]);
    const fields = { u: { type: "struct", of: { x: { type: "int" }, tag: { type: "string" } } } } as const;
    const batch = decodeAvro([bytes(0x0a)], { writer: record(["u", b]), reader, fields });
    expect(rowOf(batch, 0)).toEqual({ u: { x: 5n, tag: "b" } });
  });
});

describe("schemas", () => {
  test.each([
    ["{", /no JSON/],
    [`{"type":"record","name":"R"}`, /no list of fields/],
    [`{"type":"record","name":"1R","fields":[]}`, /no name of a type/],
    [`["int",["null"]]`, /union stands directly in a union/],
    [`["int","int"]`, /int twice/],
    [`{"type":"enum","name":"E","symbols":["A","A"]}`, /symbol twice/],
    [`{"type":"fixed","name":"F","size":-1}`, /proper size/],
    [`"Gone"`, /no type "Gone"/],
    [JSON.stringify(Array.from({ length: 80 }).reduce((inner) => ({ type: "array", items: inner }), "int" as unknown)), /nested deeper/],
  ])("%s", (text, problem) => {
    expect(parseAvroSchema(text)).toEqual({ problem: expect.stringMatching(problem) as string });
  });

  test("names are resolved in their namespaces, and references come first", () => {
    const money = { name: "money", text: `{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"units","type":"long"}]}` };
    const parsed = parseAvroSchema(
      `{"type":"record","name":"shop.Order","fields":[{"name":"a","type":"Money"},{"name":"b","type":["null","shop.Money"]},{"name":"c","type":["null","Order"]}]}`,
      [money],
    );
    if ("problem" in parsed || parsed.schema.type !== "record") throw new Error("no record");
    const [a, b, c] = parsed.schema.fields;
    expect(a?.schema).toMatchObject({ name: "shop.Money" });
    expect(b?.schema.type === "union" && b.schema.branches[1]).toBe(a?.schema);
    expect(c?.schema.type === "union" && c.schema.branches[1]).toBe(parsed.schema);
  });

  test("a logical type that does not fit its type is none", () => {
    for (const bad of [
      { type: "int", logicalType: "timestamp-millis" },
      { type: "bytes", logicalType: "decimal", precision: 2, scale: 3 },
      { type: "fixed", name: "F", size: 2, logicalType: "decimal", precision: 9 },
    ])
      expect(schemaOf(bad)).toMatchObject({ logical: null });
  });
});

describe("schemas that would be endless work", () => {
  /** Records of two records each, forty levels deep, without a byte. */
  const doubled = (last: unknown, rest = {}): unknown =>
    Array.from({ length: 40 }).reduce<unknown>(
      (inner, _, i) => ({
        type: "record",
        name: `D${i}`,
        fields: [
          { name: "a", type: inner, ...rest },
          { name: "b", type: i === 0 ? "L" : `D${i - 1}`, ...rest },
        ],
      }),
      last,
    );
  const nothing = { type: "record", name: "L", fields: [] };

  test("values without bytes are passed over, and not written out", () => {
    const writer = record(["x", doubled(nothing)], ["a", "int"]);
    expect(rowOf(decodeAvro([bytes(6)], { writer, fields: { a: { type: "int" } } }), 0)).toEqual({ a: 3n });
    const kept = decodeAvro([bytes(6)], { writer, fields: { a: { type: "int" } }, unknownFields: "keep" });
    expect(kept.faults.map(({ code }) => code)).toEqual(["avro.too-many-elements"]);
  });

  test("defaults within defaults end", () => {
    expect(encodeAvroDefault(schemaOf(doubled(nothing, { default: {} })), {})).toBeNull();
  });
});
