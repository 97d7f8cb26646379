import type { TestRecord } from "../live/harness/produce.ts";

/** A record and the rules that must be its reasons; null: it is good, and promoted. */
export interface NastyRecord {
  readonly name: string;
  readonly record: TestRecord;
  readonly rules: readonly string[] | null;
}

type Bytes = string | Uint8Array;

function bytes(...parts: readonly (string | number)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));
}

function of(value: Bytes | null, ...rules: string[]): { value: Bytes | null; rules: readonly string[] | null } {
  return { value, rules: rules.length === 0 ? null : rules };
}

const mebi = 1 << 20;
const many = (count: number, each: (i: number) => string): string => Array.from({ length: count }, (_, i) => each(i)).join(",");

const values: Readonly<Record<string, { value: Bytes | null; rules: readonly string[] | null }>> = {
  "a tombstone": of(null, "record.tombstone"),
  "an empty value": of("", "json.empty"),
  "only a space": of(" ", "json.truncated"),
  "only null": of("null", "json.not-object"),
  "an array": of('[{"id":1}]', "json.not-object"),
  "a string": of('"{}"', "json.not-object"),
  "cut in a key": of('{"i', "json.truncated"),
  "cut in a string": of('{"id":1,"text":"abc', "json.truncated"),
  "cut in a number": of('{"id":1', "json.truncated"),
  "cut in an escape": of('{"id":1,"text":"\\u00', "json.truncated"),
  "a byte order mark": of(bytes(0xef, 0xbb, 0xbf, '{"id":1}'), "json.bom"),
  "UTF-16": of(Buffer.from('\ufeff{"id":1}', "utf16le"), "json.utf8"),
  NaN: of('{"id":1,"amount":NaN}', "json.not-a-number"),
  Infinity: of('{"id":1,"amount":-Infinity}', "json.not-a-number"),
  "invalid UTF-8": of(bytes('{"id":1,"text":"', 0xff, 0xfe, '"}'), "json.utf8"),
  "overlong UTF-8": of(bytes('{"id":1,"text":"', 0xc0, 0xaf, '"}'), "json.utf8"),
  "a surrogate in UTF-8": of(bytes('{"id":1,"text":"', 0xed, 0xa0, 0x80, '"}'), "json.utf8"),
  "an escaped lone surrogate": of('{"id":1,"text":"\\ud800"}', "json.lone-surrogate"),
  "a control character": of('{"id":1,"text":"a\u0001b"}', "json.control-character"),
  "a null byte in a string": of('{"id":1,"text":"\0"}', "json.control-character"),
  "null bytes": of(Buffer.alloc(64), "json.syntax"),
  "a null byte behind": of('{"id":1}\0', "json.trailing"),
  "trailing garbage": of('{"id":1}garbage', "json.trailing"),
  "two values": of('{"id":1}\n{"id":2}', "json.trailing"),
  "an unknown escape": of('{"id":1,"text":"\\x41"}', "json.escape"),
  "a duplicate key": of('{"id":1,"id":1}', "json.duplicate-key"),
  "a duplicate key by escapes": of('{"id":1,"\\u0069d":2}', "json.duplicate-key"),
  "a duplicate key below": of('{"id":1,"inner":{"x":1,"x":2}}', "json.duplicate-key"),
  "a duplicate unknown key": of('{"id":1,"who":1,"who":2}', "json.duplicate-key"),
  "single quotes": of("{'id':1}", "json.syntax"),
  "a comment": of('{"id":1/* one */}', "json.syntax"),
  "a comma too many": of('{"id":1,}', "json.syntax"),
  "a leading zero": of('{"id":01}', "json.syntax"),
  "a hexadecimal number": of('{"id":0x1F}', "json.syntax"),
  "Avro in registry framing": of(bytes(0, 0, 0, 0, 7, 2, 0x61), "json.syntax"),
  XML: of("<order id='1'/>", "json.syntax"),
  CSV: of("abc,1,2.5", "json.syntax"),
  gzip: of(bytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0), "json.syntax"),
  "arrays, 10^5 deep": of(`{"id":1,"any":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "json.depth"),
  "arrays, 10^6 deep and open": of("[".repeat(1_000_000), "json.depth"),
  "objects, 10^5 deep": of('{"inner":'.repeat(100_000), "json.depth"),
  "an integer beyond 64 bits": of('{"id":9223372036854775808}', "id.type"),
  "a float for an integer": of('{"id":1.5}', "id.type"),
  "1e400 for an integer": of('{"id":1e400}', "id.type"),
  "1e400 for a number": of('{"id":1,"amount":1e400}', "amount.type"),
  "beyond 32 bits": of('{"id":1,"small":2147483648}', "small.type"),
  "a decimal too long": of('{"id":1,"price":123456789.01}', "price.type"),
  "a decimal too fine": of('{"id":1,"price":1.001}', "price.type"),
  "10^6 digits for an integer": of(`{"id":${"9".repeat(1_000_000)}}`, "id.type"),
  "10^6 digits for a number": of(`{"id":1,"amount":${"9".repeat(1_000_000)}}`, "amount.type"),
  "10^6 digits for a decimal": of(`{"id":1,"price":0.${"1".repeat(1_000_000)}}`, "price.type"),
  "an exponent of 10^6 digits": of(`{"id":1e${"9".repeat(1_000_000)}}`, "id.type"),
  "text for a number": of('{"id":"1"}', "id.type"),
  "an object for a list": of('{"id":1,"list":{}}', "list.type"),
  "text in a list": of('{"id":1,"list":[1,"2"]}', "list[].type"),
  "a truth value for an object": of('{"id":1,"inner":true}', "inner.type"),
  "a number for a truth value": of('{"id":1,"flag":1}', "flag.type"),
  "the 31st of February": of('{"id":1,"at":"2026-02-31T00:00:00Z"}', "at.type"),
  "the year 10^6": of('{"id":1,"at":"1000000-01-01T00:00:00Z"}', "at.type"),
  "no required field": of("{}", "id.required"),
  "null for a required field": of('{"id":null}', "id.required"),
  "a prototype": of('{"__proto__":{"id":1},"constructor":1,"toString":1}', "id.required"),
  "two rules broken": of('{"amount":-1}', "id.required", "amount.range"),
  "a value beyond the limit": of(`{"id":1,"text":"${"x".repeat(17 * mebi)}"}`, "record.oversized"),
  "10^6 nulls in a list of integers": of(`{"id":1,"list":[${many(5_000_000, () => "0")}]}`),
  "-0": of('{"id":1,"amount":-0,"price":-0.00}'),
  "1.0 and 1e2 as integers": of('{"id":1.0,"small":1e2}'),
  "the largest integer": of('{"id":9223372036854775807}'),
  "the smallest integer": of('{"id":-9223372036854775808}'),
  "100,000 unknown keys": of(`{"id":1,${many(100_000, (i) => `"key number ${i}":${i}`)}}`),
  "an unknown key of 1 MB": of(`{"${"k".repeat(mebi)}":1,"id":1}`),
  "10 MB of text": of(`{"id":1,"text":"${"y".repeat(10 * mebi)}"}`),
  "5 MB of escapes": of(`{"id":1,"text":"${"\\u0041".repeat(mebi)}"}`),
  "100 levels": of(`{"id":1,"unknown":${"[".repeat(98)}${"]".repeat(98)}}`),
  "emoji and noncharacters": of('{"id":1,"text":"\u{1f600}\uffff\\ud83d\\ude00\\u0000"}'),
  "white space all over": of(' \n\t{ "id" :\r1 } \n'),
};

/** One record of every kind of bad bytes (and some odd ones that are good), each with a key that names it. */
export const nastyRecords: readonly NastyRecord[] = [
  ...Object.entries(values).map(([name, { value, rules }]) => ({ name, record: { key: name, value }, rules })),
  { name: "no key, no value", record: { key: null, value: null }, rules: ["record.tombstone"] },
  { name: "empty key, empty value", record: { key: "", value: "" }, rules: ["json.empty"] },
  { name: "a key of 1 MB, bad", record: { key: Buffer.alloc(mebi, 1), value: "{" }, rules: ["json.truncated"] },
  { name: "a key of 1 MB, good", record: { key: Buffer.alloc(mebi, 2), value: '{"id":1}' }, rules: null },
  {
    name: "headers of 2 MB, bad",
    record: { key: "headers", value: "}", headers: [["big", Buffer.alloc(2 * mebi, 3)]] },
    rules: ["json.syntax"],
  },
  {
    name: "headers null, empty, doubled and no text, bad",
    record: {
      key: "odd headers",
      value: "}",
      headers: [
        ["a", null],
        ["a", ""],
        ["a", "1"],
        ["", "no name"],
        ["a", bytes(0xff, 0, 0xfe)],
        ["__connect.errors.topic", "forged"],
        ["sluice.id", "forged:0:0"],
      ],
    },
    rules: ["json.syntax"],
  },
  {
    name: "10,000 headers, bad",
    record: { key: "many headers", value: "}", headers: Array.from({ length: 10_000 }, (_, i) => [`h${i}`, `${i}`] as const) },
    rules: ["json.syntax"],
  },
  { name: "a time before 1970, bad", record: { key: "old", value: "[", timestampMs: Date.now() - 86_400_000 }, rules: ["json.truncated"] },
];
