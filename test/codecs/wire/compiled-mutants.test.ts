import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { compileAvroDecoder } from "../../../src/codecs/avro-compiled/compile-avro-decoder.ts";
import { avroCodec } from "../../../src/codecs/avro/avro.ts";
import { compileProtobufDecoder } from "../../../src/codecs/protobuf-compiled/compile-protobuf-decoder.ts";
import { protobufCodec } from "../../../src/codecs/protobuf/protobuf.ts";
import type { Contract } from "../../../src/core/contract.ts";
import { parseProto } from "../../../src/core/protobuf/parse-proto.ts";
import { Arena, type WasmExports } from "../../../src/wasm/arena.ts";
import { and, c32, c64, geU, gtU, leS, ne, type Expr } from "../../../src/wasm/expression.ts";
import { layoutBatch } from "../../../src/wasm/layout.ts";
import { makeContract, makeRecords } from "../../fixtures/contract.ts";
import { schemaOf } from "../avro/avro-decode.ts";
import { batchContent } from "../batch-content.ts";

type Bytes = readonly number[];

/** A mistake in an emitted module: every place where the instructions `right` stand has `wrong` instead, of the same length. */
interface Mistake {
  readonly name: string;
  readonly right: Bytes;
  readonly wrong: Bytes;
}

/** An arena whose modules have a mistake. */
class MistakenArena extends Arena {
  readonly #mistake: Mistake | null;
  places = 0;

  constructor(mistake: Mistake | null) {
    super();
    this.#mistake = mistake;
  }

  override instantiate(module: Uint8Array<ArrayBuffer>): WasmExports {
    const bytes = Buffer.from(module);
    if (this.#mistake !== null) {
      const { right, wrong } = this.#mistake;
      for (let at = bytes.indexOf(Buffer.from(right)); at >= 0; at = bytes.indexOf(Buffer.from(right), at + 1)) {
        bytes.set(wrong, at);
        this.places++;
      }
    }
    return super.instantiate(Uint8Array.from(bytes));
  }
}

/** What an operator adds behind its operands. */
const tail = (operand: Expr, operator: (a: Expr, b: Expr) => Expr): Bytes => operator({ type: operand.type, code: [] }, operand).code;
const constant = (name: string, right: Expr, wrong: Expr): Mistake => ({ name, right: right.code, wrong: wrong.code });
const compared = (name: string, right: Expr, wrong: Expr, operator: (a: Expr, b: Expr) => Expr): Mistake => ({
  name,
  right: tail(right, operator),
  wrong: tail(wrong, operator),
});

const inText: readonly Mistake[] = [
  constant("UTF-8: no upper bound behind ed", c32(0x9f), c32(0xbf)),
  constant("UTF-8: c1 begins a character", c32(0xc2), c32(0xc1)),
  constant("UTF-8: no upper bound behind f4", c32(0x8f), c32(0xbf)),
  constant("UTF-8: no lower bound behind e0", c32(0xa0), c32(0x80)),
  compared("UTF-8: bytes from c0 on continue a character", c32(0xc0), c32(0x80), and),
  compared("a text of 17 bytes is checked as one of 16", c32(16), c32(17), leS),
  constant("a group of seven bits loses one", c64(0x007f_007f_007f_007fn), c64(0x007f_007f_007f_007en)),
  constant("pairs of groups lose a bit", c64(0x0000_3fff_0000_3fffn), c64(0x0000_3fff_0000_3ffen)),
];

const oddTexts = [
  [0xed, 0xa0, 0x80],
  [0xc1, 0x81],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe0, 0x80, 0x80],
  [0xe2, 0x82, 0xc0],
  [0xf0, 0x9f, 0x98, 0xc0],
  [...Buffer.from("sixteen letters."), 0xff],
  [...Buffer.from("gr\u00fc\u00df und ein \u20ac")],
];

/** Whether a decoder with a mistake says something else than the reference, or fails, on some of the records. */
function isCaught(mistake: Mistake | null, contract: Contract, values: readonly Uint8Array[]): boolean {
  const arena = new MistakenArena(mistake);
  const avro = contract.format?.format === "avro";
  const { decoder, fallback } = (avro ? compileAvroDecoder : compileProtobufDecoder)(contract, layoutBatch(contract.fields, arena), arena);
  expect(fallback).toBeNull();
  if (mistake !== null) expect(arena.places).toBeGreaterThan(0);
  const records = makeRecords(values);
  const right = batchContent((avro ? avroCodec : protobufCodec).compile(contract)(records));
  try {
    return !isDeepStrictEqual(batchContent(decoder.decode(records, 0)), right);
  } catch (error) {
    if (error instanceof Error && error.name === "RuntimeError") return true;
    throw error;
  }
}

const varint = (value: bigint): number[] => (value > 127n ? [Number(value & 127n) | 128, ...varint(value >> 7n)] : [Number(value)]);
const zigzag = (value: bigint): number[] => varint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));

describe("a compiler of Avro that is wrong by one is caught", () => {
  const fields = {
    s: { type: "string" },
    i: { type: "int" },
    t: { type: "time" },
    ts: { type: "timestamp" },
    d: { type: { kind: "decimal", precision: 6, scale: 2 } },
    w: { type: { kind: "decimal", precision: 38, scale: 4 } },
    u: { type: "int" },
    b: { type: "boolean" },
    e: { type: "string" },
    x: { type: "uuid" },
    y: { type: "string" },
  } as const;
  const types: Readonly<Record<keyof typeof fields, unknown>> = {
    s: "string",
    i: "long",
    t: { type: "long", logicalType: "time-micros" },
    ts: { type: "long", logicalType: "timestamp-millis" },
    d: { type: "bytes", logicalType: "decimal", precision: 18, scale: 2 },
    w: { type: "bytes", logicalType: "decimal", precision: 18, scale: 2 },
    u: ["null", "int"],
    b: "boolean",
    e: { type: "enum", name: "E", symbols: ["A", "B", "C"] },
    x: { type: "string", logicalType: "uuid" },
    y: { type: "fixed", name: "Y", size: 16, logicalType: "uuid" },
  };
  const text = (bytes: readonly number[]): number[] => [...zigzag(BigInt(bytes.length)), ...bytes];
  const good: Readonly<Record<keyof typeof fields, number[]>> = {
    s: text([0x61]),
    i: zigzag(1n),
    t: zigzag(86_399_999_999n),
    ts: zigzag(1_700_000_000_123n),
    d: [0x04, 0x01, 0x00],
    w: [0x06, 0xff, 0x00, 0x01],
    u: [0x02, 0x08],
    b: [0x01],
    e: [0x04],
    x: text([...Buffer.from("ab1d4cae-7dec-41d0-A765-00a0c91e6bd6")]),
    y: Array.from({ length: 16 }, (_, i) => i * 17),
  };
  const odd: readonly (readonly [keyof typeof fields, number[]])[] = [
    ...oddTexts.map((bytes) => ["s", text(bytes)] as const),
    ["s", [0x01]],
    ["i", zigzag(2n ** 31n)],
    ["i", zigzag(300_000n)],
    ["i", zigzag(-300_001n)],
    ["i", [...Array.from({ length: 9 }, () => 0x80), 0x02]],
    ["t", zigzag(86_400_000_000n)],
    ["d", [0x06, 0x0f, 0x42, 0x40]],
    ["d", [0x00]],
    ["u", [0x00]],
    ["u", [0x04, 0x02]],
    ["b", [0x02]],
    ["e", [0x06]],
    ...[
      "ab1d4cae-7dec-41d0-a765-00a0c91e6bdg",
      "ab1d4cae-7dec-41d0-a765-00a0c91e6bd:",
      "ab1d4cae.7dec.41d0.a765.00a0c91e6bd6",
      "ab1d4cae-7dec-41d0-a765-00a0c91e6bd6a",
    ].map((wrong) => ["x", text([...Buffer.from(wrong)])] as const),
  ];
  const row = (change: Partial<Record<keyof typeof fields, number[]>>): Uint8Array =>
    Uint8Array.from(Object.values({ ...good, ...change }).flat());
  const values = [row({}), ...odd.map(([name, bytes]) => row({ [name]: bytes }))];
  const schema = schemaOf({ type: "record", name: "R", fields: Object.entries(types).map(([name, type]) => ({ name, type })) });
  const contract = { ...makeContract(fields), format: { format: "avro", schema, text: "" } } as const;

  test("one that is right is not", () => expect(isCaught(null, contract, values)).toBe(false));

  test.each([
    ...inText,
    constant("a day has a microsecond more", c64(86_399_999_999n), c64(86_400_000_000n)),
    constant("a decimal of six digits may have seven", c64(999_999), c64(1_000_000)),
    constant("hundredths are moved by 101", c64(100), c64(101)),
    constant("a millisecond has 1001 microseconds", c64(1000), c64(1001)),
    compared("2 is a boolean", c32(1), c32(2), gtU),
    compared("a union has a branch more", c32(2), c32(4), gtU),
    compared("an enum has a symbol more", c32(6), c32(8), geU),
    constant("lengths may be negative", c32(0x81), c32(0x80)),
    constant("letters of a UUID begin one lower", c32(0x61), c32(0x60)),
    constant("a UUID's parts are told apart by dots", c32(0x2d), c32(0x2e)),
    constant("a UUID of bytes has letters one higher", c32(0x57), c32(0x58)),
    compared("a UUID's text has a letter more", c32(36), c32(37), ne),
    compared("a tenth byte is taken as it is", c32(9), c32(10), gtU),
  ])("$name", (mistake) => {
    expect(isCaught(mistake, contract, values)).toBe(true);
  });
});

describe("a compiler of Protobuf that is wrong by one is caught", () => {
  const fields = {
    s: { type: "string" },
    u: { type: "long" },
    z: { type: "int" },
    ts: { type: "timestamp" },
    e: { type: "string" },
    b: { type: "boolean" },
    d: { type: { kind: "decimal", precision: 6, scale: 2 } },
  } as const;
  const file = parseProto(
    `syntax = "proto3"; import "google/protobuf/timestamp.proto";
     message M { string s = 1; uint32 u = 2; sint32 z = 3; google.protobuf.Timestamp ts = 4; E e = 5; bool b = 6; int64 d = 7; oneof o { int32 x = 8; int32 y = 9; } }
     enum E { NONE = 0; ONE = 1; FIVE = 5; }`,
  );
  if ("problem" in file) throw new Error(file.problem);
  const contract = {
    ...makeContract({ ...fields, x: { type: "int" }, y: { type: "int" } }),
    format: { format: "protobuf", message: file.messages[0]!.message },
  } as const;
  const length = (number: number, bytes: readonly number[]): number[] => [number * 8 + 2, ...varint(BigInt(bytes.length)), ...bytes];
  const at = (seconds: bigint, nanos: bigint): number[] =>
    length(4, [
      ...(seconds === 0n ? [] : [0x08, ...varint(BigInt.asUintN(64, seconds))]),
      ...(nanos === 0n ? [] : [0x10, ...varint(nanos)]),
    ]);
  const values = [
    ...oddTexts.map((bytes) => length(1, bytes)),
    [0x10, ...varint(2n ** 32n - 1n)],
    [0x10, ...varint(2n ** 40n + 5n)],
    [0x18, ...varint(2n ** 32n - 1n)],
    [0x18, ...varint(300_001n)],
    at(253_402_300_799n, 999_999_000n),
    at(253_402_300_800n, 0n),
    at(-62_135_596_800n, 0n),
    at(-62_135_596_801n, 0n),
    at(5n, 1_000_000_000n),
    at(5n, 1001n),
    at(1_700_000_000n, 5000n),
    [0x28, 5],
    [0x28, 6],
    [0x30, 2],
    [0x38, ...varint(9_999n)],
    [0x38, ...varint(10_000n)],
    [0x40, 1, 0x48, 2],
    [0x48, 1, 0x48, 2],
    [0x38, 1, 0x08, 0x01],
  ].map((bytes) => Uint8Array.from(bytes));

  test("one that is right is not", () => expect(isCaught(null, contract, values)).toBe(false));

  test.each([
    ...inText,
    constant("the year 10000 begins a second late", c64(253_402_300_799n), c64(253_402_300_800n)),
    constant("the year 1 begins a second early", c64(-62_135_596_800n), c64(-62_135_596_801n)),
    constant("a second has a nanosecond more", c64(999_999_999), c64(1_000_000_000)),
    constant("a microsecond has 1001 nanoseconds", c64(1000), c64(1001)),
    constant("a second has a microsecond more", c64(1_000_000), c64(1_000_001)),
    constant("32 bits are 31", c64(0xffff_ffffn), c64(0xffff_fffen)),
    constant("a decimal of six digits may have seven", c64(9_999), c64(10_000)),
    constant("hundredths are moved by 101", c64(100), c64(101)),
    { name: "a table of names is read eight bytes off", right: c32(3).code, wrong: c32(2).code },
  ])("$name", (mistake) => {
    expect(isCaught(mistake, contract, values)).toBe(true);
  });
});
