import { describe, expect, test } from "vitest";
import type { Contract } from "../../../src/core/contract.ts";
import type { Records } from "../../../src/core/records.ts";
import { Arena, type WasmExports } from "../../../src/wasm/arena.ts";
import { and, c128, c32, c64, geU, gtS, gtU, leU, type Expr } from "../../../src/wasm/expression.ts";
import { makeContract, makeRecords } from "../../fixtures/contract.ts";
import { Pair } from "./equality.ts";
import { nested, scalars } from "./fuzzed-contracts.ts";
import { oddMoments, oddNumbers, oddTexts, oddUuids, otherValues, RecordFuzzer } from "./record-fuzzer.ts";
import { SeededRandom } from "./seeded-random.ts";

type Bytes = readonly number[];

/** A mistake in an emitted module: every place where the instructions `right` stand has `wrong` instead, of the same length. */
interface Mistake {
  readonly name: string;
  readonly right: Bytes;
  readonly wrong: Bytes;
}

/** An arena whose modules have a mistake. */
class MistakenArena extends Arena {
  readonly #mistake: Mistake;
  places = 0;

  constructor(mistake: Mistake) {
    super();
    this.#mistake = mistake;
  }

  override instantiate(
    module: Uint8Array<ArrayBuffer>,
    imports?: Readonly<Record<string, (...values: never[]) => number | void>>,
  ): WasmExports {
    const bytes = Buffer.from(module);
    const { right, wrong } = this.#mistake;
    for (let at = bytes.indexOf(Buffer.from(right)); at >= 0; at = bytes.indexOf(Buffer.from(right), at + 1)) {
      bytes.set(wrong, at);
      this.places++;
    }
    return super.instantiate(Uint8Array.from(bytes), imports);
  }
}

/** What an operator adds behind its operands. */
function tail(operand: Expr, operator: (a: Expr, b: Expr) => Expr): Bytes {
  return operator({ type: operand.type, code: [] }, operand).code;
}

const constant = (name: string, right: Expr, wrong: Expr): Mistake => ({ name, right: right.code, wrong: wrong.code });
const bytes16 = (byte: number): Expr => c128(new Uint8Array(16).fill(byte));
const compared = (name: string, right: Expr, wrong: Expr, operator: (a: Expr, b: Expr) => Expr): Mistake => ({
  name,
  right: tail(right, operator),
  wrong: tail(wrong, operator),
});

const mistakes: readonly Mistake[] = [
  constant("a colon counts as a digit", c64(0x7676_7676_7676_7676n), c64(0x7575_7575_7575_7575n)),
  compared("a number may end with a byte behind nine", c32(9), c32(10), gtU),
  constant("control characters begin one lower", bytes16(0x20), bytes16(0x1f)),
  constant("bytes behind the backslash are read as one", bytes16(0x5c), bytes16(0x5d)),
  compared("bytes from c0 on continue a character", c32(0xc0), c32(0x80), and),
  constant("UTF-8: no upper bound behind ed", c32(0x9f), c32(0xbf)),
  constant("UTF-8: c1 begins a character", c32(0x1e), c32(0x1f)),
  constant("UTF-8: surrogates among three bytes", c32(0x200d), c32(0x200c)),
  constant("UTF-8: overlong three bytes", c32(0x8080e0), c32(0x8080c0)),
  constant("UTF-8: no upper bound behind f4", c32(0x8f), c32(0xbf)),
  constant("UTF-8: no lower bound behind e0", c32(0xa0), c32(0x80)),
  compared("a low surrogate may be one beyond", c32(0x3ff), c32(0x400), gtU),
  compared("the first low surrogate counts as a high one", c32(0xdbff), c32(0xdc00), gtU),
  compared("objects may be one level deeper", c32(100), c32(101), geU),
  constant("the largest long is one smaller", c64(0x7fff_ffff_ffff_ffffn), c64(0x7fff_ffff_ffff_fffen)),
  constant("the largest int is one smaller", c64(0x7fff_ffff), c64(0x7fff_fffe)),
  compared("twenty digits count as exact", c32(19), c32(20), gtU),
  compared("10^23 counts as an exact double", c32(22), c32(23), leU),
  constant("2^53 is one larger where doubles are exact", c64(1n << 53n), c64((1n << 53n) + 1n)),
  constant("the exponent of ten begins one too late", c32(-342), c32(-341)),
  compared("doubles overflow one power too late", c32(0x7fe), c32(0x7ff), gtS),
  constant("halfway is not rounded to even", c64((1n << 64n) - 2n), c64((1n << 64n) - 1n)),
  constant("a float's halfway bits are others", c64(0x1000_0000), c64(0x1000_0001)),
  constant("two digits make eleven times the first", c64(2561), c64(2817)),
  constant("days begin a day late", c32(719_468 + 146_097), c32(719_467 + 146_097)),
  constant("February has a day more", c32(28), c32(29)),
  constant("leap years every 401", c32(400), c32(401)),
  compared("hours may be 24", c32(23), c32(24), gtU),
  compared("seconds may be 60", c32(59), c32(60), gtU),
  compared("offsets may have 19 hours", c32(18), c32(19), gtU),
  compared("thirteen digits of a second", c32(12), c32(13), gtS),
  constant("an hour has 3601 seconds", c32(3600), c32(3601)),
  constant("a minute of offset is too short", c64(60_000_000), c64(59_999_999)),
  constant("the last bits of base64 are not looked at", c32(15), c32(0)),
  compared("the last letter of base64 is none", c32(63), c32(62), gtU),
  constant("oull is read as null", c32(0x6c6c_756e), c32(0x6c6c_756f)),
  constant("urue is read as true", c32(0x6575_7274), c32(0x6575_7275)),
  constant("galse is read as false", c32(0x736c_6166), c32(0x736c_6167)),
];

const contract = makeContract({ ...nested, ...scalars, x: { type: "list", of: { type: "json" } } });

/** Records that reach every corner: each awkward value in each column, fuzzed and damaged records, depth. */
function corpus(of: Contract): Records {
  const random = new SeededRandom(11);
  const clean = new RecordFuzzer(of.fields, random, 0);
  const awkward = new RecordFuzzer(of.fields, random, 0.05);
  const odd = [...oddNumbers, ...oddTexts, ...oddUuids, ...oddMoments.map((text) => `"${text}"`), ...otherValues];
  const single = Object.keys(scalars).flatMap((name) => odd.map((text) => `{${JSON.stringify(name)}:${text}}`));
  const depth = [98, 99, 100, 101].map((levels) => `{"j":${"[".repeat(levels)}${"]".repeat(levels)}}`);
  const bytes = [
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe0, 0x80, 0x80],
    [0xc2, 0xc0],
    [0xc1, 0x80],
    [0xc1, 0x80, 0x80],
    [0xc1, 0x80, 0x80],
    [0xc3, 0x80, 0x80],
    [0xe2, 0x82, 0xc1],
    [0x1f],
  ].map((middle) => Buffer.concat([Buffer.from('{"s":"'), Buffer.from(middle), Buffer.from('"}')]));
  const edges = ['"\\udbff\\udc00"', '"\\udbff\\udfff"', '"\\ud800\\ue000"', '"\\udbfe\\udfff"', '"a]b"', '"2013-01-32T05:00:00Z"'];
  return makeRecords([
    ...Array.from({ length: 500 }, () => clean.record()),
    ...single,
    ...depth,
    ...bytes,
    ...edges.flatMap((text) => [`{"s":${text}}`, `{"ts":${text}}`]),
    ...[
      "9007199254740993e0",
      "90071992547409930e-1",
      "9007199254740993e-1",
      "7e-341",
      "3e-342",
      "17e307",
      "179769313486231590e291",
      "1:2",
    ].map((text) => `{"g":${text}}`),
    ...["16777217", "1.00000017881393421514957253748434595763683319091796875001", "1.0000001788139343"].map((text) => `{"f":${text}}`),
    ...Array.from({ length: 700 }, () => (random.chance(0.5) ? awkward.record() : awkward.mutant())),
  ]);
}

/** What differs with a mistake; a trap is a difference too. */
function difference(records: Records, arena: Arena): string | null {
  try {
    return new Pair(contract, undefined, arena).differs(records);
  } catch (fault) {
    return String(fault);
  }
}

describe("a compiler that is wrong by one is caught", () => {
  const records = corpus(contract);

  test("without a mistake nothing differs", () => {
    expect(difference(records, new Arena())).toBeNull();
  });

  test.each(mistakes)("$name", (mistake) => {
    expect(mistake.right.length).toBe(mistake.wrong.length);
    const arena = new MistakenArena(mistake);
    const found = difference(records, arena);
    expect(arena.places).toBeGreaterThan(0);
    expect(found).not.toBeNull();
  });
});
