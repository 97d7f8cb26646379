import avro from "avsc";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAvroSchema } from "../../../src/core/avro/parse-avro-schema.ts";
import type { RegisteredSchema } from "../../../src/core/registered-schema.ts";
import { invalid } from "../../fixtures/column-value.ts";
import type { FieldSketch } from "../../fixtures/contract.ts";
import { rowsOf } from "../formats/decode-values.ts";
import { decodeRun, framed, invalidTexts } from "./record-fixture.ts";

const v1 = {
  type: "record",
  name: "Order",
  fields: [
    { name: "id", type: "long" },
    { name: "note", type: "string" },
  ],
} as const;
const v2 = {
  type: "record",
  name: "Order",
  fields: [
    { name: "tags", type: { type: "array", items: "string" } },
    { name: "id", type: "int" },
    { name: "note", type: ["null", "string"] },
    {
      name: "address",
      type: [
        "null",
        {
          type: "record",
          name: "Address",
          fields: [
            { name: "city", type: "string" },
            { name: "codes", type: { type: "map", values: "long" } },
          ],
        },
      ],
    },
  ],
} as const;
const first = avro.Type.forSchema(v1 as never);
const second = avro.Type.forSchema(v2 as never);
const registered = (schema: object): RegisteredSchema => ({ type: "avro", text: JSON.stringify(schema), references: [] });
const schemas = { "1": registered(v1), "2": registered(v2) };
const fields: Readonly<Record<string, FieldSketch>> = {
  id: { type: "long" },
  note: { type: "string" },
  tags: { type: "list" },
  address: { type: "struct", of: { city: { type: "string" }, codes: { type: "map", of: { type: "long" } } } },
};
const byAvro = { value: { format: "registered", type: "avro", validate: false } } as const;

describe("framed Avro", () => {
  it("is decoded by each record's own schema, several in one batch", () => {
    const batch = decodeRun(
      fields,
      byAvro,
      [
        { value: framed(1, first.toBuffer({ id: 9007199254740, note: "a" })) },
        { value: framed(2, second.toBuffer({ tags: ["x", "y"], id: 2, note: null, address: { city: "B", codes: { k: 7 } } })) },
        { value: framed(1, first.toBuffer({ id: 3, note: "" })) },
        { value: null },
        { value: framed(2, second.toBuffer({ tags: [], id: 4, note: "z", address: null })) },
      ],
      { schemas },
    );
    expect(rowsOf(batch)).toEqual([
      { id: 9007199254740n, note: "a", tags: undefined, address: undefined },
      { id: 2n, note: null, tags: ["x", "y"], address: { city: "B", codes: new Map([["k", 7n]]) } },
      { id: 3n, note: "", tags: undefined, address: undefined },
      { fault: "record.tombstone" },
      { id: 4n, note: "z", tags: [], address: null },
    ]);
  });

  it("gives the same rows however records of two schemas are mixed (property)", () => {
    const order = fc.record({
      version: fc.constantFrom(1, 2),
      id: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      note: fc.string(),
      tags: fc.array(fc.string(), { maxLength: 3 }),
      address: fc.option(
        fc.record({
          city: fc.string(),
          // avsc refuses the largest safe integers.
          codes: fc.dictionary(fc.string({ minLength: 1 }), fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), {
            maxKeys: 3,
            noNullPrototype: true,
          }),
        }),
      ),
    });
    fc.assert(
      fc.property(fc.array(order, { minLength: 1, maxLength: 12 }), (orders) => {
        const sketches = orders.map(({ version, ...value }) => ({
          value: framed(version, (version === 1 ? first : second).toBuffer(value as never)),
        }));
        const mixed = rowsOf(decodeRun(fields, byAvro, sketches, { schemas }));
        const alone = sketches.flatMap((sketch) => rowsOf(decodeRun(fields, byAvro, [sketch], { schemas })));
        expect(mixed).toEqual(alone);
      }),
      { numRuns: 200 },
    );
  });

  it("keeps the source text of invalid cells through the mixing", () => {
    const narrow: Readonly<Record<string, FieldSketch>> = { id: { type: "int" }, note: { type: "string" } };
    const batch = decodeRun(
      narrow,
      byAvro,
      [
        { value: framed(2, second.toBuffer({ tags: [], id: 4, note: "z", address: null })) },
        { value: framed(1, first.toBuffer({ id: 9007199254740, note: "a" })) },
        { value: framed(1, first.toBuffer({ id: -9007199254740, note: "b" })) },
      ],
      { schemas },
    );
    expect(rowsOf(batch)).toEqual([
      { id: 4n, note: "z" },
      { id: invalid, note: "a" },
      { id: invalid, note: "b" },
    ]);
    expect(invalidTexts(batch)).toEqual({ id: ["9007199254740", "-9007199254740"] });
  });

  it("finds ids in headers too: GUIDs, and the v0 form", () => {
    const guid = "89791762-2336-186f-9674-180a8c90c4b8";
    const header = Buffer.concat([Buffer.of(1), Buffer.from(guid.replaceAll("-", ""), "hex")]);
    const batch = decodeRun(
      fields,
      byAvro,
      [
        { value: first.toBuffer({ id: 1, note: "a" }), headers: { other: "x", __value_schema_id: header } },
        { value: framed(1, first.toBuffer({ id: 2, note: "b" })), headers: { __key_schema_id: header } },
        { value: first.toBuffer({ id: 3, note: "c" }), headers: { __value_schema_id: Buffer.of(0, 0, 0, 0, 1) } },
        { value: first.toBuffer({ id: 4, note: "d" }), headers: { __value_schema_id: Buffer.of(1, 2) } },
      ],
      { schemas: { ...schemas, [guid]: registered(v1) } },
    );
    expect(rowsOf(batch)).toMatchObject([{ id: 1n }, { id: 2n }, { id: 3n }, { fault: "registry.framing" }]);
  });

  it("quarantines what is not framed, of an unknown id or another type, and never what stands beside it", () => {
    const batch = decodeRun(
      fields,
      byAvro,
      [
        { value: first.toBuffer({ id: 1, note: "a" }) },
        { value: Buffer.of(0, 0, 0) },
        { value: framed(77, "x") },
        { value: framed(3, "x") },
        { value: framed(4, "x") },
        { value: framed(1, first.toBuffer({ id: 5, note: "ok" })) },
        { value: framed(5, "x") },
      ],
      {
        schemas: {
          ...schemas,
          "3": { type: "json", text: "{}", references: [] },
          "4": { type: "avro", text: "no schema", references: [] },
          "5": { found: false, fault: "reference", message: "it refers to nowhere" },
        },
      },
    );
    expect(rowsOf(batch)).toMatchObject([
      { fault: "registry.framing" },
      { fault: "registry.framing" },
      { fault: "registry.unknown-id" },
      { fault: "registry.type" },
      { fault: "registry.schema" },
      { id: 5n, note: "ok" },
      { fault: "registry.reference" },
    ]);
    expect(batch.faults.map(({ row }) => row)).toEqual([0, 1, 2, 3, 4, 6]);
    expect([...batch.undecoded]).toEqual([1, 1, 1, 1, 1, 0, 1]);
  });

  it("resolves named types of references", () => {
    const schema: RegisteredSchema = {
      type: "avro",
      text: JSON.stringify({
        type: "record",
        name: "Order",
        fields: [
          { name: "id", type: "long" },
          { name: "address", type: "geo.Address" },
        ],
      }),
      references: [
        {
          name: "geo.Address",
          text: JSON.stringify({
            type: "record",
            name: "Address",
            namespace: "geo",
            fields: [
              { name: "city", type: "string" },
              { name: "codes", type: { type: "map", values: "long" } },
            ],
          }),
        },
      ],
    };
    const value = framed(9, Buffer.concat([Buffer.of(2), Buffer.of(2, 0x42), Buffer.of(0)]));
    expect(rowsOf(decodeRun(fields, byAvro, [{ value }], { schemas: { "9": schema } }))).toMatchObject([
      { id: 1n, address: { city: "B", codes: new Map() } },
    ]);
  });
});

describe("framed JSON", () => {
  it("is the JSON behind its frame", () => {
    const json = { value: { format: "registered", type: "json", validate: false } } as const;
    const batch = decodeRun(fields, json, [{ value: framed(1, '{"id":1}') }, { value: '{"id":1}' }, { value: framed(1, "{") }], {
      schemas: { "1": { type: "json", text: "{}", references: [] } },
    });
    expect(rowsOf(batch)).toMatchObject([{ id: 1n }, { fault: "registry.framing" }, { fault: "json.truncated" }]);
  });

  it("is the whole value where a header has the schema's GUID", () => {
    const guid = "0a0b0c0d-1111-2222-3333-444455556666";
    const header = Buffer.concat([Buffer.of(1), Buffer.from(guid.replaceAll("-", ""), "hex")]);
    const json = { value: { format: "registered", type: "json", validate: false } } as const;
    const batch = decodeRun(
      fields,
      json,
      [
        { value: '{"id":1}', headers: { __value_schema_id: header } },
        { value: '{"id":2}', headers: { __value_schema_id: header.subarray(0, 16) } },
      ],
      { schemas: { [guid]: { type: "json", text: "{}", references: [] } } },
    );
    expect(rowsOf(batch)).toMatchObject([{ id: 1n }, { fault: "registry.framing" }]);
  });
});

describe("framed Protobuf", () => {
  const byProtobuf = { value: { format: "registered", type: "protobuf", validate: false } } as const;
  const guid = "0a0b0c0d-1111-2222-3333-444455556666";
  const head = Buffer.concat([Buffer.of(1), Buffer.from(guid.replaceAll("-", ""), "hex")]);
  const schema: RegisteredSchema = {
    type: "protobuf",
    text: `syntax = "proto3"; package shop; import "geo/address.proto";
      message First { int64 id = 1; geo.Address address = 2; }
      message Second { message Inner { string note = 1; oneof which { int64 id = 2; string other = 3; } } }`,
    references: [
      { name: "geo/codes.proto", text: 'syntax = "proto3"; package geo; message Codes { map<string, int64> codes = 1; }' },
      {
        name: "geo/address.proto",
        text: 'syntax = "proto3"; package geo; import "geo/codes.proto"; message Address { string city = 1; map<string, int64> codes = 2; Codes more = 3; }',
      },
    ],
  };
  const ids = { "1": schema, [guid]: schema };
  const first = Buffer.from([0x08, 7, 0x12, 3, 0x0a, 1, 0x42]);
  const inner = Buffer.from([0x0a, 1, 0x61, 0x10, 9]);

  it("is of the message that the indexes name, by an id or a header's GUID, with imports of imports", () => {
    const batch = decodeRun(
      fields,
      byProtobuf,
      [
        { value: framed(1, first, [0]) },
        { value: framed(1, inner, [4, 2, 0]) },
        { value: first, headers: { __value_schema_id: head } },
        { value: inner, headers: { __value_schema_id: Buffer.concat([head, Buffer.of(4, 2, 0)]) } },
        { value: first, headers: { __value_schema_id: Buffer.concat([head, Buffer.of(0)]) } },
        { value: inner, headers: { __value_schema_id: Buffer.concat([head, Buffer.of(4, 2)]) } },
        { value: framed(1, inner, [2, 6]) },
      ],
      { schemas: ids },
    );
    const rows = rowsOf(batch) as Record<string, unknown>[];
    expect(rows[0]).toMatchObject({ id: 7n, address: { city: "B", codes: new Map() } });
    expect(rows[1]).toMatchObject({ id: 9n, note: "a" });
    expect([rows[2], rows[3], rows[4]]).toEqual([rows[0], rows[1], rows[0]]);
    expect([rows[5], rows[6]]).toMatchObject([{ fault: "registry.framing" }, { fault: "registry.message" }]);
  });

  it("keeps its columns while fields come, go, are numbered anew or join a oneof: by each record's own schema", () => {
    const of = (body: string): RegisteredSchema => ({ type: "protobuf", text: `syntax = "proto3"; message O { ${body} }`, references: [] });
    const batch = decodeRun(
      { id: { type: "long" }, note: { type: "string" } },
      byProtobuf,
      [
        { value: framed(1, Buffer.of(0x08, 1, 0x12, 1, 0x61), [0]) },
        { value: framed(2, Buffer.of(0x10, 2, 0x0a, 1, 0x62), [0]) },
        { value: framed(3, Buffer.of(0x08, 3, 0x18, 5), [0]) },
        { value: framed(4, Buffer.of(0x08, 4, 0x1a, 1, 0x64, 0x12, 1, 0x63), [0]) },
        { value: framed(5, Buffer.of(0x12, 1, 0x65), [0]) },
      ],
      {
        schemas: {
          "1": of("int64 id = 1; string note = 2;"),
          "2": of("string note = 1; uint32 id = 2;"),
          "3": of("sint32 id = 1; int32 added = 3;"),
          "4": of("int64 id = 1; oneof which { string note = 2; string other = 3; }"),
          "5": of("optional int64 id = 1; string note = 2;"),
        },
      },
    );
    expect(rowsOf(batch)).toEqual([
      { id: 1n, note: "a" },
      { id: 2n, note: "b" },
      { id: -2n, note: undefined },
      { id: 4n, note: "c" },
      { id: undefined, note: "e" },
    ]);
  });
});

describe("the contract's own Avro schema beside a registry", () => {
  it("is what the writers' schemas are resolved to: aliases, promotions, defaults, an enum's default", () => {
    const kind = (symbols: readonly string[], rest = {}): object => ({ type: "enum", name: "Kind", symbols, ...rest });
    const reader = {
      type: "record",
      name: "Order",
      fields: [
        { name: "id", type: "double" },
        { name: "text", type: ["null", "string"], aliases: ["note"] },
        { name: "kind", type: kind(["NONE", "GIFT"], { default: "NONE" }), default: "GIFT" },
      ],
    };
    const parsed = parseAvroSchema(JSON.stringify(reader));
    if ("problem" in parsed) throw new Error(parsed.problem);
    const third = {
      type: "record",
      name: "Order",
      fields: [
        { name: "kind", type: kind(["NEW", "GIFT"]) },
        { name: "id", type: "int" },
      ],
    };
    const batch = decodeRun(
      { id: { type: "double" }, text: { type: "string" }, kind: { type: "string" } },
      { value: { ...byAvro.value, reader: parsed.schema } },
      [
        { value: framed(1, first.toBuffer({ id: 3, note: "a" })) },
        { value: framed(3, avro.Type.forSchema(third as never).toBuffer({ kind: "NEW", id: 4 })) },
      ],
      { schemas: { ...schemas, "3": registered(third) } },
    );
    expect(rowsOf(batch)).toEqual([
      { id: 3, text: "a", kind: "GIFT" },
      { id: 4, text: undefined, kind: "NONE" },
    ]);
  });
});
