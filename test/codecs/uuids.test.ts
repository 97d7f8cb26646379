import { encode as msgpack } from "@msgpack/msgpack";
import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { avroCodec } from "../../src/codecs/avro/avro.ts";
import { compileAvroDecoder } from "../../src/codecs/avro-compiled/compile-avro-decoder.ts";
import { compileCbor } from "../../src/codecs/cbor/cbor.ts";
import { compileCsv } from "../../src/codecs/csv/csv.ts";
import { jsonCodec } from "../../src/codecs/json.ts";
import { compileMessagePack } from "../../src/codecs/messagepack/messagepack.ts";
import { compileProtobufDecoder } from "../../src/codecs/protobuf-compiled/compile-protobuf-decoder.ts";
import { protobufCodec } from "../../src/codecs/protobuf/protobuf.ts";
import { InvalidCause } from "../../src/core/column.ts";
import { parseProto } from "../../src/core/protobuf/parse-proto.ts";
import { uuidBytes, uuidText } from "../../src/core/uuid.ts";
import { typeFamily } from "../../src/rules/type.ts";
import { cellValue, invalid } from "../fixtures/column-value.ts";
import { makeContract, makeRecords, type FieldSketch } from "../fixtures/contract.ts";
import { schemaOf } from "./avro/avro-decode.ts";
import { compareCompiled } from "./compare-compiled.ts";
import { decodeValues, rowsOf } from "./formats/decode-values.ts";

const text = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
const raw = Buffer.from(text.replaceAll("-", ""), "hex");
const fields: Readonly<Record<string, FieldSketch>> = { u: { type: "uuid" } };

/** Texts that are nearly one. */
const other = "00000000-0000-4000-8000-00000000abcd";
const nearly = [
  "",
  text.slice(1),
  `${text}0`,
  text.replaceAll("-", ""),
  `{${text}}`,
  `urn:uuid:${text}`,
  text.replace("f8", "g8"),
  text.replace("-", "_"),
  `${text.slice(0, 35)}\u0130`,
  ` ${text.slice(1)}`,
  "f81d4fae7-dec-41d0-a765-00a0c91e6bf6",
];

test("a UUID's text is 8-4-4-4-12 digits of either case, and nothing else", () => {
  expect(uuidText(uuidBytes(text) as Uint8Array)).toBe(text);
  expect(uuidBytes(text.toUpperCase())).toEqual(Uint8Array.from(raw));
  expect(nearly.map(uuidBytes)).toEqual(nearly.map(() => null));
  fc.assert(
    fc.property(fc.uuid(), fc.boolean(), (each, upper) => {
      const bytes = uuidBytes(upper ? each.toUpperCase() : each) as Uint8Array;
      expect(Buffer.from(bytes).toString("hex")).toBe(each.replaceAll("-", ""));
    }),
  );
});

test("every character that is no hexadecimal digit is refused at every place", () => {
  for (let place = 0; place < text.length; place++) {
    const isHyphen = text[place] === "-";
    for (let code = 0; code < 256; code++) {
      const letter = String.fromCharCode(code);
      const made = uuidBytes(text.slice(0, place) + letter + text.slice(place + 1));
      expect(made !== null).toBe(isHyphen ? letter === "-" : /[0-9a-fA-F]/.test(letter));
    }
  }
});

describe("JSON", () => {
  const one = (json: string): { readonly value: unknown; readonly cause: number | undefined } => {
    const batch = jsonCodec.compile(makeContract(fields))(makeRecords([`{"u":${json}}`]));
    const column = batch.columns[0] as (typeof batch.columns)[number];
    return { value: cellValue(column, 0), cause: column.invalid?.causes[0] };
  };

  it("takes texts, by escapes too; other texts are of another form, other values of another type", () => {
    expect(one(`"${text}"`).value).toBe(text);
    expect(one(`"${text.toUpperCase()}"`).value).toBe(text);
    expect(one(`"\\u00668${text.slice(2)}"`).value).toBe(text);
    expect(one("null").value).toBeNull();
    for (const wrong of nearly) expect(one(JSON.stringify(wrong))).toEqual({ value: invalid, cause: InvalidCause.form });
    for (const wrong of ["1", "true", "{}", "[]"]) expect(one(wrong)).toEqual({ value: invalid, cause: InvalidCause.type });
  });

  it("says why a row is rejected", () => {
    const contract = makeContract(fields);
    const plan = contract.rules[0] as (typeof contract.rules)[number];
    const batch = jsonCodec.compile(contract)(makeRecords(['{"u":"f81d4fae7dec41d0a76500a0c91e6bf6"}']));
    const rule = typeFamily.compile({ family: "type" }, { plan, fields: contract.fields });
    expect(rule.explain(batch, 0)).toMatchObject({ observed: "f81d4fae7dec41d0a76500a0c91e6bf6", expected: `a UUID such as ${text}` });
  });
});

describe("Avro", () => {
  const writer = (type: unknown): object => ({ type: "record", name: "R", fields: [{ name: "u", type }] });
  const compare = (type: unknown, values: readonly Uint8Array[]): { readonly rows: unknown[]; readonly isCompiled: boolean } => {
    const format = { format: "avro", schema: schemaOf(writer(type)), text: "" } as const;
    const contract = { ...makeContract(fields), format };
    const isCompiled = compareCompiled({ compile: compileAvroDecoder, codec: avroCodec }, contract, values);
    return { rows: rowsOf(avroCodec.compile(contract)(makeRecords(values))).map((row) => (row as { u: unknown }).u), isCompiled };
  };
  const sized = (bytes: Uint8Array): Uint8Array => Buffer.concat([Buffer.of(bytes.length * 2), bytes]);

  it("takes a fixed of 16, as it stands", () => {
    const fixed = { type: "fixed", name: "U", size: 16, logicalType: "uuid" };
    expect(compare(fixed, [raw, Buffer.alloc(16, 255)])).toEqual({
      rows: [text, "ffffffff-ffff-ffff-ffff-ffffffffffff"],
      isCompiled: true,
    });
    expect(compare({ type: "fixed", name: "U", size: 15 }, [raw.subarray(1)]).rows).toEqual([invalid]);
  });

  it("takes text, and 16 bytes of any number of them", () => {
    const texts = [text, text.toUpperCase(), ...nearly].map((each) => sized(Buffer.from(each)));
    expect(compare({ type: "string", logicalType: "uuid" }, texts)).toEqual({
      rows: [text, text, ...nearly.map(() => invalid)],
      isCompiled: true,
    });
    const bytes = [raw, raw.subarray(1), Buffer.alloc(0), Buffer.concat([raw, raw]), raw].map(sized);
    expect(compare("bytes", bytes)).toEqual({ rows: [text, invalid, invalid, invalid, text], isCompiled: true });
  });
});

describe("many UUIDs", () => {
  it("end a chunk where their texts have no more room, and lose none", () => {
    const names = Array.from({ length: 40 }, (_, i) => `u${i}`);
    const type = {
      type: "record",
      name: "R",
      fields: names.map((name) => ({ name, type: { type: "fixed", name: `F${name}`, size: 16, logicalType: "uuid" } })),
    };
    const format = { format: "avro", schema: schemaOf(type), text: "" } as const;
    const contract = { ...makeContract(Object.fromEntries(names.map((name) => [name, { type: "string" as const }]))), format };
    const values = Array.from({ length: 150 }, (_, row) =>
      Buffer.from(Array.from({ length: 640 }, (__, place) => (row * 31 + place * 7) & 255)),
    );
    expect(compareCompiled({ compile: compileAvroDecoder, codec: avroCodec }, contract, values)).toBe(true);
  });

  it("are read as well where a record is given up behind them", () => {
    const type = {
      type: "record",
      name: "R",
      fields: [
        { name: "u", type: "string" },
        { name: "n", type: "long" },
        { name: "v", type: "string" },
      ],
    };
    const format = { format: "avro", schema: schemaOf(type), text: "" } as const;
    const contract = { ...makeContract({ u: { type: "uuid" }, n: { type: "int" }, v: { type: "uuid" } }), format };
    const part = Buffer.concat([Buffer.of(72), Buffer.from(text)]);
    const big = Buffer.from("feffffffffffffffff01", "hex");
    const values = Array.from({ length: 200 }, (_, row) => Buffer.concat([part, row % 3 === 0 ? big : Buffer.of(2), part]));
    expect(compareCompiled({ compile: compileAvroDecoder, codec: avroCodec }, contract, values)).toBe(true);
  });
});

describe("Protobuf", () => {
  const compare = (type: string, values: readonly Uint8Array[]): { readonly rows: unknown[]; readonly isCompiled: boolean } => {
    const file = parseProto(`syntax = "proto3"; import "google/protobuf/wrappers.proto"; message M { ${type} u = 1; }`);
    if ("problem" in file) throw new Error(file.problem);
    const { message } = file.messages[0] as (typeof file.messages)[number];
    const contract = { ...makeContract(fields), format: { format: "protobuf", message } as const };
    const isCompiled = compareCompiled({ compile: compileProtobufDecoder, codec: protobufCodec }, contract, values);
    return { rows: rowsOf(protobufCodec.compile(contract)(makeRecords(values))).map((row) => (row as { u: unknown }).u), isCompiled };
  };
  const sized = (bytes: Uint8Array): Uint8Array => Buffer.concat([Buffer.of(10, bytes.length), bytes]);

  it("takes 16 bytes; those of a text are none, and neither is the zero of a field without presence", () => {
    const values = [sized(raw), sized(Buffer.from(text)), sized(Buffer.alloc(0)), Buffer.alloc(0), sized(raw)];
    expect(compare("bytes", values)).toEqual({ rows: [text, invalid, invalid, invalid, text], isCompiled: true });
    expect(compare("optional bytes", values).rows).toEqual([text, invalid, invalid, undefined, text]);
  });

  it("takes a default of proto2's, which is a UUID or none", () => {
    const rows = [text, "x"].map((fallback) => {
      const file = parseProto(`syntax = "proto2"; message M { optional string u = 1 [default = "${fallback}"]; }`);
      if ("problem" in file) throw new Error(file.problem);
      const { message } = file.messages[0] as (typeof file.messages)[number];
      const contract = { ...makeContract(fields), format: { format: "protobuf", message } as const };
      const values = [Buffer.alloc(0), sized(Buffer.from(other)), Buffer.alloc(0)];
      expect(compareCompiled({ compile: compileProtobufDecoder, codec: protobufCodec }, contract, values)).toBe(true);
      return rowsOf(protobufCodec.compile(contract)(makeRecords(values))).map((row) => (row as { u: unknown }).u);
    });
    expect(rows).toEqual([
      [text, other, text],
      [invalid, other, invalid],
    ]);
  });

  it("takes text", () => {
    const values = [text, text.toUpperCase(), ...nearly].map((each) => sized(Buffer.from(each)));
    expect(compare("string", values)).toEqual({ rows: [text, text, ...nearly.map(() => invalid)], isCompiled: true });
    const wrapped = values.map((value) => Buffer.concat([Buffer.of(10, value.length), value]));
    expect(compare("google.protobuf.StringValue", wrapped)).toEqual({ rows: [text, text, ...nearly.map(() => invalid)], isCompiled: true });
  });
});

describe("maps of bytes and lines of text", () => {
  it("MessagePack has text or 16 bytes", () => {
    const values = [text, text.toUpperCase(), raw, raw.subarray(1), 7, null].map((u) => msgpack({ u }));
    expect(rowsOf(decodeValues(compileMessagePack, fields, values))).toEqual(
      [text, text, text, invalid, invalid, null].map((u) => ({ u })),
    );
  });

  it("CBOR has text, 16 bytes, and its tag of UUIDs", () => {
    const head = Buffer.from("a16175", "hex");
    const values = [
      [0x78, 36, ...Buffer.from(text)],
      [0x50, ...raw],
      [0xd8, 37, 0x50, ...raw],
      [0x4f, ...raw.subarray(1)],
    ].map((each) => Buffer.concat([head, Buffer.from(each)]));
    expect(rowsOf(decodeValues(compileCbor, fields, values))).toEqual([text, text, text, invalid].map((u) => ({ u })));
  });

  it("CSV has text", () => {
    const plan = { format: "csv", columns: ["u"], delimiter: ",", quote: '"', nullToken: "" } as const;
    const lines = [text, `"${text.toUpperCase()}"`, "x", '""'];
    expect(rowsOf(decodeValues((contract) => compileCsv(contract, plan), fields, lines))).toEqual(
      [text, text, invalid, invalid].map((u) => ({ u })),
    );
  });
});
