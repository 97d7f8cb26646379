import { describe, expect, test } from "vitest";
import { jsonCodec } from "../../src/codecs/json.ts";
import { decodeFaults } from "../../src/codecs/faults.ts";
import type { Batch } from "../../src/core/batch.ts";
import type { Policies } from "../../src/core/contract.ts";
import { cellValue } from "../fixtures/column-value.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";

const fields = {
  a: { type: "long" },
  s: { type: "string" },
  j: { type: "json" },
  l: { type: "list", of: { type: "long" } },
  o: { type: "struct", of: { x: { type: "int" } } },
} as const;

function decode(values: readonly (string | Uint8Array | null)[], policies: Partial<Policies> = {}): Batch {
  return jsonCodec.compile(makeContract(fields, { policies }))(makeRecords(values));
}

function bytes(...parts: readonly (string | number)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));
}

/** Value, fault code, byte position. */
const corpus: readonly (readonly [string | Uint8Array, keyof typeof decodeFaults, number])[] = [
  ["", "json.empty", 0],
  [bytes(0xef, 0xbb, 0xbf, "{}"), "json.bom", 0],
  [bytes(0xef, 0xbb), "json.utf8", 0],
  [bytes(0xfe, 0xff, 0, "{"), "json.utf8", 0],
  [" ", "json.truncated", 1],
  ["null", "json.not-object", 0],
  [" [1,2]", "json.not-object", 1],
  ['"text"', "json.not-object", 0],
  ["12", "json.not-object", 0],
  ["nul", "json.truncated", 3],
  ["nulL", "json.syntax", 0],
  ["{", "json.truncated", 1],
  ['{"a"', "json.truncated", 4],
  ['{"a":', "json.truncated", 5],
  ['{"a":1', "json.truncated", 6],
  ['{"a":1,', "json.truncated", 7],
  ['{"a":-', "json.truncated", 6],
  ['{"a":12.', "json.truncated", 8],
  ['{"a":1e', "json.truncated", 7],
  ['{"a":1e+', "json.truncated", 8],
  ['{"s":"x', "json.truncated", 7],
  ['{"s":"x\\', "json.truncated", 8],
  ['{"s":"\\u12', "json.truncated", 10],
  ['{"s":"\\ud83d', "json.truncated", 12],
  ['{"s":"\\ud83d\\ude', "json.truncated", 16],
  ['{"l":[1,2', "json.truncated", 9],
  ['{"o":{"x":1', "json.truncated", 11],
  ['{"j":{"y":[', "json.truncated", 11],
  ['{"a":tru', "json.truncated", 8],
  ["{}x", "json.trailing", 2],
  ["{} {}", "json.trailing", 3],
  ["{}\0", "json.trailing", 2],
  ['{"a":1}}', "json.trailing", 7],
  ["{,}", "json.syntax", 1],
  ['{"a":1,}', "json.syntax", 7],
  ['{"a":1 "s":2}', "json.syntax", 7],
  ['{"a" 1}', "json.syntax", 5],
  ["{'a':1}", "json.syntax", 1],
  ["{a:1}", "json.syntax", 1],
  ['{"a":01}', "json.syntax", 6],
  ['{"a":-01}', "json.syntax", 7],
  ['{"a":+1}', "json.syntax", 5],
  ['{"a":.5}', "json.syntax", 5],
  ['{"a":1.}', "json.syntax", 7],
  ['{"a":1.e3}', "json.syntax", 7],
  ['{"a":0x10}', "json.syntax", 6],
  ['{"a":1e}', "json.syntax", 7],
  ['{"a":1_000}', "json.syntax", 6],
  ['{"a":True}', "json.syntax", 5],
  ['{"a":undefined}', "json.syntax", 5],
  ['{"a":1/*c*/}', "json.syntax", 6],
  ['{"l":[1,]}', "json.syntax", 8],
  ['{"l":[1 2]}', "json.syntax", 8],
  ['{"l":[}', "json.syntax", 6],
  ['{"l":[1}', "json.syntax", 7],
  ['{"j":[1}', "json.syntax", 7],
  ['{"j":{"y":1]', "json.syntax", 11],
  ['{"o":{"x":1]', "json.syntax", 11],
  ['{"a":NaN}', "json.not-a-number", 5],
  ['{"a":Infinity}', "json.not-a-number", 5],
  ['{"a":-Infinity}', "json.not-a-number", 6],
  ['{"a":nan}', "json.not-a-number", 5],
  ['{"l":[1,NaN]}', "json.not-a-number", 8],
  [bytes('{"s":"', 0xff, '"}'), "json.utf8", 6],
  [bytes('{"s":"', 0xc0, 0x80, '"}'), "json.utf8", 6],
  [bytes('{"s":"', 0xed, 0xa0, 0x80, '"}'), "json.utf8", 6],
  [bytes('{"s":"', 0xf4, 0x90, 0x80, 0x80, '"}'), "json.utf8", 6],
  [bytes('{"s":"', 0xe2, 0x82, '"}'), "json.utf8", 6],
  [bytes('{"s":"ab', 0x80, '"}'), "json.utf8", 8],
  [bytes('{"s":"', 0xe2, 0x82), "json.utf8", 6],
  [bytes('{"', 0xff, '":1}'), "json.utf8", 2],
  [bytes('{"a":1,', 0xff), "json.utf8", 7],
  ['{"s":"a\nb"}', "json.control-character", 7],
  ['{"s":"\0"}', "json.control-character", 6],
  ['{"s\t":1}', "json.control-character", 3],
  ['{"s":"\\x41"}', "json.escape", 6],
  ['{"s":"\\u12g4"}', "json.escape", 6],
  ['{"s":"\\\'"}', "json.escape", 6],
  ['{"s":"a\\ud800"}', "json.lone-surrogate", 7],
  ['{"s":"\\udc00"}', "json.lone-surrogate", 6],
  ['{"s":"\\ud800\\u0041"}', "json.lone-surrogate", 6],
  ['{"s":"\\ud800\\n"}', "json.lone-surrogate", 6],
  ['{"\\ud800":1}', "json.lone-surrogate", 2],
  ['{"a":1,"a":1}', "json.duplicate-key", 7],
  ['{"o":{"x":1,"x":1}}', "json.duplicate-key", 12],
];

test("each nasty record has its fault code and byte position, alone and between good ones", () => {
  const good = '{"a":7,"s":"\\ngood","l":[1,2],"o":{"x":3}}';
  const values = corpus.flatMap(([value]) => [value, good]);
  const batch = decode(values);
  expect(batch.faults.map(({ row, code, at }) => [values[row], code, at])).toEqual(corpus.map((entry) => Array.from(entry)));
  expect(batch.faults.map(({ row }) => row)).toEqual(corpus.map((_, i) => i * 2));
  for (const [i, [value, code, at]] of corpus.entries()) {
    expect(decode([value]).faults).toEqual([{ ...batch.faults[i], row: 0, code, at }]);
    expect(batch.undecoded[i * 2]).toBe(1);
    expect(batch.undecoded[i * 2 + 1]).toBe(0);
    expect(batch.columns.map((column) => cellValue(column, i * 2))).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(batch.columns.map((column) => cellValue(column, i * 2 + 1))).toEqual([7n, "\ngood", undefined, [1n, 2n], { x: 3n }]);
  }
});

test("a fault's message says what is wrong and where, without the record's values", () => {
  expect(decode(['{"s":"secret","s":"secret"}']).faults[0]!.message).toBe(
    "an object has the same key twice, and keeping one would lose the other: s (byte 14)",
  );
  expect(decode(['{"s":"secret']).faults[0]!.message).toBe("the value ends in the middle of the JSON text (byte 12)");
});

describe("depth", () => {
  const nest = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

  test("100 levels pass, 101 do not, wherever they are", () => {
    for (const key of ["j", "unknown", "a", "l"]) {
      expect(decode([`{"${key}":${nest(99, "[", "]")}}`]).faults).toEqual([]);
      const [fault] = decode([`{"${key}":${nest(100, "[", "]")}}`]).faults;
      expect([fault?.code, fault?.at]).toEqual(["json.depth", key.length + 4 + 99]);
    }
    expect(decode([nest(101, "[", "]")]).faults[0]).toMatchObject({ code: "json.depth", at: 100 });
    expect(decode([nest(100, "[", "]")]).faults[0]).toMatchObject({ code: "json.not-object" });
  });

  test("a hundred thousand and a million levels neither overflow the stack nor take long", () => {
    for (const depth of [100_000, 1_000_000])
      for (const key of ["j", "zz"]) {
        const batch = decode([`{"${key}":${'{"a":'.repeat(depth)}`, `{"${key}":${nest(depth, "[", "]")}}`], {
          oversized: { bytes: 1 << 30, action: "quarantine" },
        });
        expect(batch.faults.map(({ code }) => code)).toEqual(["json.depth", "json.depth"]);
      }
  });

  test("a contract nested as deep as the limit is read by recursion that the limit bounds", () => {
    type Sketch = { type: "struct"; of: Record<string, unknown> } | { type: "int" };
    let sketch: Sketch = { type: "int" };
    for (let i = 0; i < 120; i++) sketch = { type: "struct", of: { a: sketch } };
    const contract = makeContract({ a: sketch as never });
    const run = jsonCodec.compile(contract);
    expect(run(makeRecords([`${'{"a":'.repeat(99)}{}${"}".repeat(99)}`])).faults).toEqual([]);
    expect(run(makeRecords([`${'{"a":'.repeat(110)}1${"}".repeat(110)}`])).faults[0]).toMatchObject({ code: "json.depth", at: 500 });
  });
});

describe("sizes", () => {
  test("an oversized value is not decoded", () => {
    const batch = decode(['{"a":1}', `{"a":1,"s":"${"x".repeat(100)}"}`, "x".repeat(101)], {
      oversized: { bytes: 100, action: "quarantine" },
    });
    expect(batch.faults).toEqual([
      { row: 1, code: "record.oversized", message: `${decodeFaults["record.oversized"]}: 114 bytes, 100 allowed`, at: null },
      { row: 2, code: "record.oversized", message: `${decodeFaults["record.oversized"]}: 101 bytes, 100 allowed`, at: null },
    ]);
  });

  test("a record of 50 MB in a batch is not copied", () => {
    const big = Buffer.alloc(50 * 1024 * 1024, 0x61);
    big.write('{"a":1,"s":"');
    big.write('"}', big.length - 2);
    const records = makeRecords(['{"a":1,"s":"b"}', big, '{"a":2,"s":"c"}']);
    const before = process.memoryUsage();
    const batch = jsonCodec.compile(makeContract(fields, { policies: { oversized: { bytes: 1 << 26, action: "quarantine" } } }))(records);
    const after = process.memoryUsage();
    expect(batch.faults).toEqual([]);
    const text = batch.columns[1]!;
    expect(text.kind === "bytes" && text.bytes).toBe(records.bytes);
    expect(text.kind === "bytes" && Array.from(text.lengths)).toEqual([1, big.length - 14, 1]);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1 << 20);
  });

  test("a number of a megabyte of digits takes no quadratic time", () => {
    const digits = "9".repeat(1 << 20);
    const contract = makeContract({ l: { type: "long" }, d: { type: "decimal" }, f: { type: "float" }, g: { type: "double" } });
    const started = process.cpuUsage();
    const batch = jsonCodec.compile({
      ...contract,
      policies: { ...contract.policies, oversized: { bytes: 1 << 30, action: "quarantine" } },
    })(
      makeRecords([
        `{"l":${digits},"d":${digits}e-${digits},"f":16777217.${"0".repeat(1 << 20)}1,"g":0.${digits}}`,
        `{"f":1${digits}e-1048576,"l":1.${"0".repeat(1 << 20)}}`,
      ]),
    );
    expect(process.cpuUsage(started).user).toBeLessThan(10_000_000);
    expect(batch.faults).toEqual([]);
    expect(cellValue(batch.columns[2]!, 0)).toBe(16777218);
    expect(cellValue(batch.columns[3]!, 0)).toBe(1);
    expect(cellValue(batch.columns[0]!, 1)).toBe(1n);
  });

  test("lists of nearly empty elements can't blow up memory", () => {
    const wide = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c${i}`, { type: "long" as const }]));
    const contract = makeContract(
      { l: { type: "list", of: { type: "struct", of: wide } } },
      { policies: { oversized: { bytes: 1 << 24, action: "quarantine" } } },
    );
    const run = jsonCodec.compile(contract);
    const batch = run(makeRecords([`{"l":[${"{},".repeat(1_000_000)}{}]}`, `{"l":[${"{},".repeat(1000)}{}]}`]));
    expect(batch.faults.map(({ row, code }) => [row, code])).toEqual([[0, "json.too-many-elements"]]);
    const list = batch.columns[0]!;
    expect(list.kind === "list" && Array.from(list.offsets)).toEqual([0, 0, 1001]);
    const plain = jsonCodec.compile(
      makeContract({ l: { type: "list", of: { type: "long" } } }, { policies: { oversized: { bytes: 1 << 24, action: "quarantine" } } }),
    );
    expect(plain(makeRecords([`{"l":[${"0,".repeat(2_000_000)}0]}`])).faults).toEqual([]);
  });
});

describe("policies", () => {
  test("a tombstone is skipped and counted, or set aside", () => {
    const skipped = decode([null, '{"a":1}', null], { tombstone: "skip" });
    expect(skipped.skipped).toEqual([
      { row: 0, policy: "tombstone" },
      { row: 2, policy: "tombstone" },
    ]);
    expect(Array.from(skipped.undecoded)).toEqual([1, 0, 1]);
    expect(skipped.faults).toEqual([]);
    const kept = decode([null, '{"a":1}'], { tombstone: "quarantine" });
    expect(kept.faults.map(({ row, code, at }) => [row, code, at])).toEqual([[0, "record.tombstone", null]]);
    expect(kept.skipped).toEqual([]);
  });

  test("unknown fields are ignored", () => {
    const batch = decode(['{"a":1,"zz":[{"y":"\\u0041"}],"o":{"q":1,"x":2}}'], { unknownFields: "ignore" });
    expect(batch.unknown).toBeNull();
    expect(cellValue(batch.columns[4]!, 0)).toEqual({ x: 2n });
  });

  test("unknown fields are checked as strictly as known ones", () => {
    expect(decode(['{"zz":[1,{"y":01}]}']).faults[0]).toMatchObject({ code: "json.syntax", at: 15 });
    expect(decode([bytes('{"zz":"', 0x80, '"}')]).faults[0]).toMatchObject({ code: "json.utf8", at: 7 });
  });

  test("unknown fields are kept with their exact text and in their place", () => {
    const contract = makeContract(
      {
        a: { type: "long" },
        o: { type: "struct", of: { x: { type: "int" }, p: { type: "struct", of: { y: { type: "int" } } } }, sourceName: 'o"1' },
        l: { type: "list", of: { type: "struct", of: { x: { type: "int" } } } },
        m: { type: "map", of: { type: "struct", of: { x: { type: "int" } } } },
      },
      { policies: { unknownFields: "keep" } },
    );
    const texts = [
      '{"a":1,"b" : 12345678901234567890,"c":{ "d":1.0, "d":2 }}',
      '{"a":1}',
      '{"o\\"1":{"x":1,"n1":1,"p":{"n2":[1, 2],"y":3,"n3":null},"n4":true},"z\\u0041":"\\u0041"}',
      '{"l":[{"x":1},{"q":1},{"x":2,"r":2,"s":3}],"m":{"k\\n":{"t":1},"j":{"x":1}},"b":0}',
      '{"o\\"1":{"n":1},"l":[{"n":1}',
      '{"b":1}',
    ];
    const batch = jsonCodec.compile(contract)(makeRecords(texts));
    expect(batch.faults.map(({ row }) => row)).toEqual([4]);
    const kept = texts.map((_, row) => cellValue(batch.unknown!, row));
    expect(kept).toEqual([
      '{"b":12345678901234567890,"c":{ "d":1.0, "d":2 }}',
      undefined,
      '{"o\\"1":{"n1":1,"p":{"n2":[1, 2],"n3":null},"n4":true},"z\\u0041":"\\u0041"}',
      '{"l":{"1":{"q":1},"2":{"r":2,"s":3}},"m":{"k\\n":{"t":1}},"b":0}',
      undefined,
      '{"b":1}',
    ]);
    for (const text of kept) if (typeof text === "string") JSON.parse(text);
    expect(batch.unknown!.field.name).toBe("_sluice_unknown");
  });

  test("unknown fields are refused by name", () => {
    const batch = decode(['{"a":1,"b":1,"o":{"x":1,"c\\n":2}}', '{"a":1}', `{${"b".repeat(3)}`, '{"b":1,"b":2}'], {
      unknownFields: "reject",
    });
    expect(batch.faults.map(({ row, code, at }) => [row, code, at])).toEqual([
      [0, "json.unknown-field", 7],
      [2, "json.syntax", 1],
      [3, "json.duplicate-key", 7],
    ]);
    expect(batch.faults[0]!.message).toContain('"b", "c\\n"');
  });

  test("the key becomes a column where the contract wants it", () => {
    const contract = makeContract({ k: { type: "string" }, a: { type: "long" } }, { policies: { key: { action: "column", name: "k" } } });
    const records = makeRecords(
      ['{"a":1}', '{"a":2,"k":"other"}', "{", '{"a":4}', '{"a":5}'],
      ["é1", null, "x", Uint8Array.from([0xff]), ""],
    );
    const batch = jsonCodec.compile(contract)(records);
    expect([0, 1, 2, 4].map((row) => cellValue(batch.columns[0]!, row))).toEqual(["é1", null, undefined, ""]);
    expect(batch.columns[0]!.state[3]).toBe(3);
    expect(batch.columns[0]!.invalid?.rows).toEqual(Uint32Array.from([3]));
  });
});

test("an empty run gives an empty batch", () => {
  const batch = decode([]);
  expect([batch.rows, batch.faults, batch.columns.length]).toEqual([0, [], 5]);
});
