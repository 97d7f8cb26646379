import * as fc from "fast-check";
import { expect, test } from "vitest";
import { jsonCodec } from "../../src/codecs/json.ts";
import { compileTimeFormat } from "../../src/core/time-format.ts";
import { nearestFloat } from "../../src/codecs/exact-number.ts";
import type { Batch } from "../../src/core/batch.ts";
import { cellValue, invalid } from "../fixtures/column-value.ts";
import { makeContract, makeRecords } from "../fixtures/contract.ts";

const contract = makeContract(
  {
    i: { type: "int" },
    l: { type: "long" },
    d: { type: { kind: "decimal", precision: 12, scale: 3 } },
    g: { type: "double" },
    s: { type: "string" },
    b: { type: "boolean" },
    j: { type: "json" },
    list: { type: "list", of: { type: "double" } },
    o: {
      type: "struct",
      of: { s: { type: "string" }, l: { type: "long" }, o: { type: "list", of: { type: "struct", of: { s: { type: "string" } } } } },
    },
    m: { type: "map", of: { type: "string" } },
  },
  { policies: { unknownFields: "keep" } },
);
const decode = jsonCodec.compile(contract);
type FieldLike = (typeof contract.fields)[number];

/** A JSON value with the source text of its numbers and every key, duplicates included: a plain tree that needs no care for speed. */
type Tree =
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, Tree])[]; readonly text: string }
  | { readonly kind: "array"; readonly items: readonly Tree[]; readonly text: string }
  | { readonly kind: "number" | "string" | "boolean" | "null"; readonly text: string };

const token = /\s*("(?:[^"\\]|\\.)*"|[-+.eE\d]+|true|false|null|[{}[\],:])\s*/gy;

/** The tree of a text that JSON.parse accepts; null where a string is half a surrogate pair. */
function treeOf(text: string): Tree | null {
  const tokens: { word: string; from: number; to: number }[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const word = match[1]!;
    const from = match.index + match[0].indexOf(word);
    tokens.push({ word, from, to: from + word.length });
  }
  let at = 0;
  let wellFormed = true;
  const parse = (): Tree => {
    const { word, from } = tokens[at++]!;
    if (word === "{" || word === "[") {
      const entries: [string, Tree][] = [];
      const close = word === "{" ? "}" : "]";
      while (tokens[at]!.word !== close) {
        if (tokens[at]!.word === ",") at++;
        let key = "";
        if (word === "{") {
          key = JSON.parse(tokens[at]!.word) as string;
          if (!key.isWellFormed()) wellFormed = false;
          at += 2;
        }
        entries.push([key, parse()]);
      }
      const whole = text.slice(from, tokens[at++]!.to);
      return word === "{"
        ? { kind: "object", entries, text: whole }
        : { kind: "array", items: entries.map(([, item]) => item), text: whole };
    }
    if (word.startsWith('"')) {
      if (!(JSON.parse(word) as string).isWellFormed()) wellFormed = false;
      return { kind: "string", text: word };
    }
    return { kind: word === "null" ? "null" : word === "true" || word === "false" ? "boolean" : "number", text: word };
  };
  const tree = parse();
  return wellFormed ? tree : null;
}

function depthOf(tree: Tree): number {
  if (tree.kind === "object") return 1 + Math.max(0, ...tree.entries.map(([, child]) => depthOf(child)));
  return tree.kind === "array" ? 1 + Math.max(0, ...tree.items.map(depthOf)) : 0;
}

/** A number's text at a scale, by a route of its own; null where it has digits beyond it. */
function scaled(text: string, scale: number): bigint | null {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text)!;
  const digits = BigInt(whole! + fraction);
  if (digits === 0n) return 0n;
  const power = Number(exponent) - fraction.length + scale;
  if (Math.abs(power) > 400) return power > 0 ? 10n ** 400n : null;
  const value = power >= 0 ? digits * 10n ** BigInt(power) : digits / 10n ** BigInt(-power);
  if (power < 0 && value * 10n ** BigInt(-power) !== digits) return null;
  return sign === "-" ? -value : value;
}

class Fault extends Error {}

/** What a field's cell must be; throws where the record must be refused. */
function expected(field: FieldLike, tree: Tree | undefined): unknown {
  if (tree === undefined) return undefined;
  if (tree.kind === "null") return null;
  const { type } = field;
  switch (type.kind) {
    case "int":
    case "long": {
      const value = tree.kind === "number" ? scaled(tree.text, 0) : null;
      return value !== null && BigInt.asIntN(type.kind === "int" ? 32 : 64, value) === value ? value : invalid;
    }
    case "decimal": {
      const value = tree.kind === "number" ? scaled(tree.text, type.scale) : null;
      return value !== null && (value < 0n ? -value : value) < 10n ** BigInt(type.precision) ? value : invalid;
    }
    case "double":
      return tree.kind === "number" && Number.isFinite(Number(tree.text)) ? Number(tree.text) : invalid;
    case "boolean":
      return tree.kind === "boolean" ? tree.text === "true" : invalid;
    case "string":
      return tree.kind === "string" ? JSON.parse(tree.text) : invalid;
    case "json":
      return tree.text;
    case "list":
      return tree.kind === "array" ? tree.items.map((item) => expected(type.element, item)) : invalid;
    case "map":
      if (tree.kind !== "object") return invalid;
      if (new Set(tree.entries.map(([key]) => key)).size !== tree.entries.length) throw new Fault();
      return new Map(tree.entries.map(([key, item]) => [key, expected(type.value, item)]));
    case "struct":
      return tree.kind === "object" ? objectOf(type.fields, tree) : invalid;
    default:
      throw new Error(type.kind);
  }
}

function objectOf(fields: readonly FieldLike[], tree: Tree & { kind: "object" }): Record<string, unknown> {
  if (new Set(tree.entries.map(([key]) => key)).size !== tree.entries.length) throw new Fault();
  return Object.fromEntries(fields.map((field) => [field.name, expected(field, tree.entries.find(([key]) => key === field.name)?.[1])]));
}

/** The row that a value must become; null where it must be refused. */
function oracle(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    JSON.parse(text);
    const tree = treeOf(text);
    if (tree === null || tree.kind !== "object" || depthOf(tree) > 100) return null;
    return objectOf(contract.fields, tree);
  } catch (fault) {
    if (fault instanceof SyntaxError || fault instanceof TypeError || fault instanceof Fault) return null;
    throw fault;
  }
}

function rowOf(batch: Batch, row: number): Record<string, unknown> | null {
  if (batch.undecoded[row] === 1) return null;
  return Object.fromEntries(batch.columns.map((column) => [column.field.name, cellValue(column, row)]));
}

const numberText = fc.oneof(
  fc.maxSafeInteger().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer({ min: -3000, max: 3000 }).map((value) => String(value / 1000)),
  fc
    .tuple(
      fc.constantFrom("", "-"),
      fc.bigInt({ min: 0n, max: 10n ** 22n }),
      fc.option(fc.nat(99_999).map(String)),
      fc.option(fc.integer({ min: -30, max: 30 })),
    )
    .map(
      ([sign, whole, fraction, exponent]) =>
        `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${exponent === null ? "" : `e${exponent}`}`,
    ),
);

const stringText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: "grapheme", maxLength: 8 }).map((value) => JSON.stringify(value)),
  fc
    .array(fc.nat(0xffff), { maxLength: 3 })
    .map((units) => `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}"`),
  fc.constantFrom('"\\u00e9\\/\\b"', '"\\ud83d\\ude00"', '"i"', '""'),
);

const space = fc.constantFrom("", "", "", " ", "\n\t", " \r\n ");
const keyText = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("i", "l", "d", "g", "s", "b", "j", "list", "o", "m", "x").map((key) => `"${key}"`) },
  stringText,
);

const { value: valueText } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: "json" },
    fc.constantFrom("true", "false", "null"),
    numberText,
    stringText,
    tie("object"),
    tie("array"),
  ),
  object: fc
    .tuple(fc.array(fc.tuple(space, keyText, space, space, tie("value"), space), { maxLength: 6, depthIdentifier: "json" }), space)
    .map(([entries, inside]) =>
      entries.length === 0 ? `{${inside}}` : `{${entries.map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`).join(",")}}`,
    ),
  array: fc
    .tuple(fc.array(fc.tuple(space, tie("value"), space), { maxLength: 5, depthIdentifier: "json" }), space)
    .map(([items, inside]) => (items.length === 0 ? `[${inside}]` : `[${items.map(([a, value, b]) => a + value + b).join(",")}]`)),
}));

/** Whole records: mostly the contract's fields, each with a value that may or may not fit. */
const recordText = fc
  .tuple(
    fc.record(
      {
        i: fc.oneof(numberText, valueText),
        l: fc.oneof(numberText, valueText),
        d: fc.oneof(numberText, valueText),
        g: fc.oneof(numberText, valueText),
        s: fc.oneof(stringText, valueText),
        b: valueText,
        j: valueText,
        list: fc.oneof(
          fc.array(numberText, { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
          valueText,
        ),
        o: fc.oneof(
          fc.tuple(stringText, numberText, stringText).map(([s, l, inner]) => `{"o":[{"s":${inner}},{},{"z":1}],"l":${l},"s":${s}}`),
          valueText,
        ),
        m: fc.oneof(
          fc.tuple(stringText, stringText).map(([a, b]) => `{${a}:${b},"k":${a}}`),
          valueText,
        ),
        other: valueText,
      },
      { requiredKeys: [] },
    ),
    fc.nat(),
    space,
  )
  .map(([record, turn, blank]) => {
    const entries = Object.entries(record).map(([key, value]) => `${blank}"${key}":${blank}${value}`);
    return `{${[...entries.slice(turn % 11), ...entries.slice(0, turn % 11)].join(",")}}`;
  });

const mutation = fc.record({
  // Doubles of fast-check crowd at zero.
  at: fc.nat(999_999).map((n) => n / 1_000_000),
  byte: fc.oneof(fc.constantFrom(...Buffer.from('0123456789abcdefgijlmosx  .,-+eE"\\{}[]:tfnu')), fc.nat(255)),
  kind: fc.constantFrom("set", "set", "set", "insert", "insert", "delete", "delete", "cut"),
});

function mutate(text: string, mutations: readonly { at: number; byte: number; kind: string }[]): Uint8Array {
  let bytes: Uint8Array = Buffer.from(text);
  for (const { at, byte, kind } of mutations) {
    const position = Math.floor(at * bytes.length);
    const rest = kind === "insert" ? position : position + 1;
    const between = kind === "delete" ? [] : [byte];
    bytes = kind === "cut" ? bytes.slice(0, position) : Buffer.concat([bytes.slice(0, position), Buffer.from(between), bytes.slice(rest)]);
  }
  return bytes;
}

const runs = { numRuns: 1500 } as const;

test("the generators reach both sides: most plain records are rows, mutated ones are both", () => {
  const accepted = (values: readonly Uint8Array[]): number => values.filter((value) => oracle(value) !== null).length / values.length;
  const options = { numRuns: 300, seed: 1 };
  expect(accepted(fc.sample(recordText, options).map((text) => Buffer.from(text)))).toBeGreaterThan(0.6);
  const mutated = accepted(
    fc.sample(fc.tuple(recordText, fc.array(mutation, { minLength: 1, maxLength: 2 })), options).map(([text, list]) => mutate(text, list)),
  );
  expect(mutated).toBeGreaterThan(0.1);
  expect(mutated).toBeLessThan(0.7);
});

test("whole records: the same rows as JSON.parse with exact numbers", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(recordText, valueText), { minLength: 1, maxLength: 6 }), (texts) => {
      const values = texts.map((text) => Buffer.from(text));
      const batch = decode(makeRecords(values));
      expect(values.map((_, row) => rowOf(batch, row))).toEqual(values.map(oracle));
    }),
    runs,
  );
});

test("mutated bytes: refused exactly where strict JSON.parse refuses", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(recordText, fc.array(mutation, { minLength: 1, maxLength: 2 })), { minLength: 1, maxLength: 6 }),
      (cases) => {
        const values = cases.map(([text, mutations]) => mutate(text, mutations));
        const batch = decode(makeRecords(values));
        expect(values.map((_, row) => rowOf(batch, row))).toEqual(values.map(oracle));
      },
    ),
    runs,
  );
});

test("cutting a run into batches gives the same rows", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(recordText, fc.array(mutation, { maxLength: 1 })), { maxLength: 12 }), fc.nat(12), (cases, cut) => {
      const values = cases.map(([text, mutations]) => mutate(text, mutations));
      const rows = (part: readonly Uint8Array[]): unknown[] => {
        const batch = decode(makeRecords(part));
        return part.map((_, row) => [
          rowOf(batch, row),
          cellValue(batch.unknown!, row),
          batch.faults.find((fault) => fault.row === row)?.code,
        ]);
      };
      expect([...rows(values.slice(0, cut)), ...rows(values.slice(cut))]).toEqual(rows(values));
    }),
    { numRuns: 400 },
  );
});

test("kept unknown fields are JSON, and hold what the record had", () => {
  fc.assert(
    fc.property(recordText, (text) => {
      const batch = decode(makeRecords([text]));
      if (batch.undecoded[0] === 1) return;
      const kept = cellValue(batch.unknown!, 0) as string | undefined;
      const whole = JSON.parse(text) as Record<string, unknown>;
      expect(kept === undefined ? undefined : (JSON.parse(kept) as Record<string, unknown>)["other"]).toEqual(whole["other"]);
    }),
    { numRuns: 500 },
  );
});

test("every single byte of a record can be broken without a crash, and valid rows around it stay", () => {
  const text =
    '{"i":1,"l":12345678901234567,"d":1.25,"g":1e-7,"s":"\\u00e9x","b":true,"j":{"a":[1]},"list":[1,2],"o":{"s":"y"},"m":{"k":"v"}}';
  const good = Buffer.from(text);
  const values: Uint8Array[] = [];
  for (let at = 0; at < good.length; at++)
    for (const byte of [0, 0x20, 0x22, 0x2c, 0x30, 0x5c, 0x5d, 0x65, 0x7b, 0x7d, 0x80, 0xff]) {
      const value = Buffer.from(good);
      value[at] = byte;
      values.push(value);
    }
  const batch = decode(makeRecords(values));
  expect(values.map((_, row) => rowOf(batch, row))).toEqual(values.map(oracle));
});

test("timestamps agree with the parser that contracts use for their constants", () => {
  const digits = (length: number): fc.Arbitrary<string> =>
    fc
      .oneof(
        { weight: 3, arbitrary: fc.nat(10 ** Math.min(length, 9) - 1) },
        { weight: 1, arbitrary: fc.constantFrom(0, 1, 12, 23, 24, 29, 59, 60) },
      )
      .map((n) => String(n).padStart(length, "0"));
  const text = fc
    .tuple(
      fc.oneof(fc.constantFrom("2024", "1900", "2000", "0001", "9999", "0000"), digits(4)),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      fc.constantFrom("T", " ", "t", "_"),
      fc.integer({ min: 0, max: 24 }),
      digits(2),
      fc.option(digits(2)),
      fc.option(fc.oneof(digits(3), digits(6), digits(9), fc.constantFrom("100000000", "123456000", "1234567890123"))),
      fc.oneof(fc.constantFrom("", "Z", "z", "+18:00", "+18:01", "-0530", "+05", "+5", "-00:00", "+19:00", " "), digits(2)),
    )
    .map(([y, m, d, t, h, min, s, f, z]) => {
      const two = (n: number): string => String(n).padStart(2, "0");
      return `${y}-${two(m)}-${two(d)}${t}${two(h)}:${min}${s === null ? "" : `:${s}${f === null ? "" : `.${f}`}`}${z}`;
    });
  const run = jsonCodec.compile(
    makeContract({
      z: { type: { kind: "timestamp", zoned: true, unit: "micros" } },
      l: { type: { kind: "timestamp", zoned: false, unit: "micros" } },
      zn: { type: { kind: "timestamp", zoned: true, unit: "nanos" } },
      ln: { type: { kind: "timestamp", zoned: false, unit: "nanos" } },
      d: { type: "date" },
      t: { type: "time" },
    }),
  );
  const parsers = (["epochMicros", "epochMicros", "epochNanos", "epochNanos", "days", "dayMicros"] as const).map((unit, i) => {
    const compiled = compileTimeFormat({ unit, zoned: i === 0 || i === 2, format: null });
    if ("problem" in compiled) throw new Error(compiled.problem);
    return compiled.parse;
  });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
      const parts = texts.map((whole) => [whole, whole, whole, whole, whole.slice(0, 10), whole.slice(11)]);
      const batch = run(
        makeRecords(parts.map((row) => JSON.stringify({ z: row[0], l: row[1], zn: row[2], ln: row[3], d: row[4], t: row[5] }))),
      );
      const seen = parts.map((_, row) => batch.columns.map((column) => cellValue(column, row)));
      expect(seen).toEqual(parts.map((row) => row.map((part, i) => parsers[i]!(part) ?? invalid)));
    }),
    { numRuns: 1500 },
  );
});

test("a float is the nearest one to its text, by exact arithmetic", () => {
  const bits = new DataView(new ArrayBuffer(4));
  const exact = (value: number): [bigint, bigint] => {
    let twos = 1n;
    while (!Number.isInteger(value)) {
      value *= 2;
      twos *= 2n;
    }
    return [BigInt(value), twos];
  };
  fc.assert(
    fc.property(
      fc.nat(0x7f7ffffe),
      fc.constantFrom("", "0", "00000000000000000001", "1"),
      fc.constantFrom(0, 1, -1),
      (raw, tail, nudge) => {
        // The text of the midpoint of two neighbouring floats, or something next to it.
        bits.setUint32(0, raw);
        const low = bits.getFloat32(0);
        bits.setUint32(0, raw + 1);
        const high = bits.getFloat32(0);
        const middle = (low + high) / 2;
        fc.pre(middle > 1e-30 && middle < 1e30);
        const [top, bottom] = exact(middle);
        const scale = bottom.toString(2).length - 1;
        const digits = (top * 5n ** BigInt(scale)).toString().padStart(scale + 1, "0");
        let text = scale === 0 ? `${digits}.0` : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
        text = nudge < 0 ? String(Number(text) * (1 - 1e-12)) : text + tail;
        const result = nearestFloat(text, Number(text));
        const upper = nudge >= 0 && /[1-9]$/.test(tail);
        const even = raw % 2 === 0 ? low : high;
        expect([text, result]).toEqual([text, nudge < 0 ? low : upper ? high : even]);
      },
    ),
    { numRuns: 1000 },
  );
});
