import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileAvroDecoder } from "../../../src/codecs/avro-compiled/compile-avro-decoder.ts";
import { avroCodec } from "../../../src/codecs/avro/avro.ts";
import { compileProtobufDecoder } from "../../../src/codecs/protobuf-compiled/compile-protobuf-decoder.ts";
import { protobufCodec } from "../../../src/codecs/protobuf/protobuf.ts";
import { parseProto } from "../../../src/core/protobuf/parse-proto.ts";
import { makeContract, makeRecords, type FieldSketch } from "../../fixtures/contract.ts";
import { schemaOf } from "../avro/avro-decode.ts";
import { compareCompiled } from "../compare-compiled.ts";
import { rowsOf } from "../formats/decode-values.ts";
import { oddMoments } from "../json-compiled/record-fuzzer.ts";

const stamp = (zoned: boolean, unit: "micros" | "nanos"): FieldSketch => ({ type: { kind: "timestamp", zoned, unit } });
const columns: Readonly<Record<string, FieldSketch>> = {
  d: { type: "date" },
  t: { type: "time" },
  i: stamp(true, "micros"),
  l: stamp(false, "micros"),
  n: stamp(true, "nanos"),
  m: stamp(false, "nanos"),
};
const names = Object.keys(columns);
const good = [
  "2024-02-29",
  "23:59:59.999999",
  "2024-02-29T12:34:56.789+05:30",
  "0001-01-01 00:00:00",
  "1969-12-31T23:59:59.999999999Z",
  "2024-02-29T12:34",
];
const texts = [...good, ...oddMoments, "", "x", "2024-02-30", "24:00", "é", "9".repeat(5000)];

/** Texts of moments with something changed, so that most are nearly right. */
const nearly = fc
  .tuple(
    fc.constantFrom(...good),
    fc.array(fc.tuple(fc.nat(30), fc.constantFrom(...Array.from("0123456789-:.TZt +é"))), { maxLength: 2 }),
    fc.nat(3),
  )
  .map(([text, edits, cut]) => {
    const letters = Array.from(text);
    for (const [at, letter] of edits) if (at < letters.length) letters[at] = letter;
    return letters.slice(0, letters.length - (cut === 3 ? 1 : 0)).join("");
  });

const varint = (value: number): number[] => (value > 127 ? [(value & 127) | 128, ...varint(value >>> 7)] : [value]);

const formats = {
  avro: {
    compile: compileAvroDecoder,
    codec: avroCodec,
    format: {
      format: "avro",
      schema: schemaOf({ type: "record", name: "R", fields: names.map((name) => ({ name, type: "string" })) }),
      text: "",
    },
    value: (all: readonly string[]) =>
      Buffer.concat(all.flatMap((text) => [Buffer.from(varint(Buffer.byteLength(text) * 2)), Buffer.from(text)])),
  },
  protobuf: {
    compile: compileProtobufDecoder,
    codec: protobufCodec,
    format: { format: "protobuf", message: messageOf(names.map((name, i) => `string ${name} = ${i + 1};`).join(" ")) },
    value: (all: readonly string[]) =>
      Buffer.concat(all.flatMap((text, i) => [Buffer.from([i * 8 + 10, ...varint(Buffer.byteLength(text))]), Buffer.from(text)])),
  },
} as const;

function messageOf(body: string) {
  const file = parseProto(`syntax = "proto3"; import "google/protobuf/wrappers.proto"; message M { ${body} }`);
  if ("problem" in file) throw new Error(file.problem);
  return (file.messages[0] as (typeof file.messages)[number]).message;
}

describe.each(Object.values(formats))("texts of dates and times in $format.format", ({ compile, codec, format, value }) => {
  const contract = { ...makeContract(columns), format };

  it("are compiled, and mean what they mean to the interpreter", () => {
    expect(
      compareCompiled(
        { compile, codec },
        contract,
        texts.map((text) => value(names.map(() => text))),
      ),
    ).toBe(true);
  });

  it("right ones are values", () => {
    const all = [
      "2024-02-29",
      "23:59:59.999999",
      "2024-02-29T12:34:56.789+05:30",
      "2024-02-29 12:34:56",
      "1969-12-31T23:59:59.999999999Z",
      "2024-02-29T00:00:00.000000001",
    ];
    const seconds = BigInt(Date.parse("2024-02-29T00:00:00Z") / 1000);
    expect(rowsOf(codec.compile(contract)(makeRecords([value(all)])))).toEqual([
      {
        d: seconds / 86_400n,
        t: 86_399_999_999n,
        i: BigInt(Date.parse("2024-02-29T07:04:56.789Z")) * 1000n,
        l: (seconds + 45_296n) * 1_000_000n,
        n: -1n,
        m: seconds * 1_000_000_000n + 1n,
      },
    ]);
  });

  it("nearly right ones are judged alike (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(...names.map(() => nearly)), { minLength: 1, maxLength: 8 }), (rows) => {
        compareCompiled(
          { compile, codec },
          contract,
          rows.map((row) => value(row)),
        );
      }),
      { numRuns: 150 },
    );
  });

  it("with a format of the contract's own are the interpreter's", () => {
    const formatted = {
      ...contract,
      fields: contract.fields.map((field) => (field.name === "d" ? { ...field, format: "dd.MM.yyyy" } : field)),
    };
    const all = [value(["29.02.2024", "12:00", ...names.slice(2).map(() => "2024-02-29T12:34:56")]), value(names.map(() => "2024-02-29"))];
    expect(compareCompiled({ compile, codec }, formatted, all)).toBe(false);
  });
});

describe("Protobuf's other places of text", () => {
  const contract = {
    ...makeContract({ d: { type: "date" }, many: { type: "list", of: { type: "timestamp" } }, gone: { type: "timestamp" } }),
    format: { format: "protobuf", message: messageOf("google.protobuf.StringValue d = 1; repeated string many = 2; string gone = 3;") },
  } as const;
  const part = (tag: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(tag, bytes.length), bytes]);

  it("are read as well: wrappers, lists, and the empty zero of a field without presence", () => {
    const values = ["2024-02-29", "2024-02-30"].map((day) =>
      Buffer.concat([
        part(10, part(10, Buffer.from(day))),
        part(18, Buffer.from("2024-02-29T00:00:00Z")),
        part(18, Buffer.from(`${day}T00:00:00Z`)),
        part(26, Buffer.from("2024-02-29T00:00:00Z")),
      ]),
    );
    const all = [...values, Buffer.alloc(0), ...values];
    expect(compareCompiled({ compile: compileProtobufDecoder, codec: protobufCodec }, contract, all)).toBe(true);
  });
});
