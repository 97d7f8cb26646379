import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Arithmetic, Comparison, RuleCheck, RulePart, Scalar } from "../../src/core/rule.ts";
import { compileValidator } from "../../src/rules/compile-validator.ts";
import { jsonCodec } from "../../src/codecs/json.ts";
import { makeContract, makeRecords, type FieldSketch } from "../fixtures/contract.ts";
import { validate } from "../fixtures/validate.ts";

const fields = {
  i: { type: "long" },
  j: { type: "int" },
  d: { type: { kind: "decimal", precision: 30, scale: 4 } },
  f: { type: "double" },
  g: { type: "float" },
  s: { type: "string" },
  u: { type: "string" },
  l: { type: "list", of: { type: "int" } },
} as const;

function contractOf(check: RuleCheck, path: string | null = null, given: Readonly<Record<string, FieldSketch>> = fields) {
  return makeContract(given, { rules: [{ check, path, id: "rule" }] });
}

function offenders(check: RuleCheck, records: readonly (string | object)[], path: string | null = null): readonly (number | string)[] {
  const texts = records.map((record) => (typeof record === "string" ? record : JSON.stringify(record)));
  return validate(contractOf(check, path), texts).offenders["rule"] ?? [];
}

function message(
  check: RuleCheck,
  record: string | object,
  path: string | null = null,
  given: Readonly<Record<string, FieldSketch>> = fields,
): string | undefined {
  return validate(contractOf(check, path, given), [typeof record === "string" ? record : JSON.stringify(record)])
    .reasons(0)
    .find(({ rule }) => rule === "rule")?.message;
}

const text = (value: string): Scalar => ({ type: "string", value });
const number = (value: number): Scalar => ({ type: "number", text: String(value), value });
const column = (path: string): Arithmetic => ({ op: "column", path });
const plus = (left: Arithmetic, right: Arithmetic): Arithmetic => ({ op: "add", left, right });

describe("arithmetic", () => {
  const equation = (left: Arithmetic, op: Comparison, right: Arithmetic, within: string | null = null): RuleCheck => ({
    family: "arithmetic",
    left,
    op,
    right,
    within,
    text: "the equation",
  });

  test("decimal digits are added, not their doubles", () => {
    const sum = equation(plus(column("f"), column("d")), "eq", { op: "number", text: "0.3" });
    expect(offenders(sum, ['{"f":0.1,"d":0.2}', '{"f":0.1,"d":0.2001}', '{"f":0.30000000000000004,"d":0}'])).toEqual([1, 2]);
    // 32-bit floats by the shortest text that reads as them.
    expect(offenders(equation(column("g"), "eq", { op: "number", text: "0.1" }), ['{"g":0.1}'])).toEqual([]);
    expect(
      offenders(equation(plus(column("i"), column("j")), "gt", column("i")), [
        '{"i":9007199254740993,"j":1}',
        '{"i":9007199254740993,"j":0}',
      ]),
    ).toEqual([1]);
  });

  test("within a tolerance both sides are equal, at its border too", () => {
    const within = (op: Comparison): RuleCheck => equation(column("d"), op, column("f"), "0.01");
    const rows = ['{"d":1.01,"f":1}', '{"d":1.0101,"f":1}', '{"d":0.99,"f":1}', '{"d":0.98,"f":1}'];
    expect(offenders(within("eq"), rows)).toEqual([1, 3]);
    expect(offenders(within("lt"), rows)).toEqual([0, 1, 2]);
    expect(offenders(within("le"), rows)).toEqual([1]);
    expect(offenders(within("ne"), rows)).toEqual([0, 2]);
  });

  test("rows in which a column has no value are not judged, and the reason shows both sides", () => {
    const sum = equation(plus(column("i"), { op: "negate", of: column("j") }), "eq", {
      op: "multiply",
      left: column("d"),
      right: { op: "number", text: "2" },
    });
    expect(offenders(sum, ["{}", '{"i":1,"j":null,"d":1}', '{"i":5,"j":1,"d":2}', '{"i":5,"j":"x","d":9}'])).toEqual([]);
    expect(message(sum, '{"i":5,"j":1,"d":1.5}')).toBe("i = 5, j = 1, d = 1.5000: 4 against 3, expected the equation");
    const masked = { ...fields, j: { type: "int", classification: "secret" } } as const;
    expect(message(sum, '{"i":5,"j":1,"d":1.5}', null, masked)).toBe("<masked>, expected the equation");
  });

  test("is what exact fractions say, on random equations and rows", () => {
    const { term } = fc.letrec<{ term: Arithmetic }>((tie) => ({
      term: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom("i", "j", "d", "f").map(column),
        fc.constantFrom("0", "1", "0.1", "2.5").map((value): Arithmetic => ({ op: "number", text: value })),
        tie("term").map((of): Arithmetic => ({ op: "negate", of })),
        fc
          .tuple(fc.constantFrom("add" as const, "subtract" as const, "multiply" as const), tie("term"), tie("term"))
          .map(([op, left, right]): Arithmetic => ({ op, left, right })),
      ),
    }));
    const record = fc.record({
      i: fc.constantFrom("0", "1", "-7", "9007199254740993"),
      j: fc.constantFrom("0", "2", "-1"),
      d: fc.constantFrom("0.1", "2.5", "-0.0001", "12345678901234567890.1234"),
      f: fc.constantFrom("0.1", "0.2", "1e-20", "1e20", "-2.5"),
    });
    const scale = 200n;
    const unit = 10n ** scale;
    const exact = (value: string): bigint => {
      const [mantissa = "0", exponent = "0"] = value.split("e");
      const [whole = "0", fraction = ""] = mantissa.replace("-", "").split(".");
      const digits = BigInt(whole + fraction) * (value.startsWith("-") ? -1n : 1n);
      const shift = scale - BigInt(fraction.length) + BigInt(exponent);
      return digits * 10n ** shift;
    };
    const evaluate = (at: Arithmetic, row: Readonly<Record<string, string>>): bigint => {
      if (at.op === "column") return exact(row[at.path] as string);
      if (at.op === "number") return exact(at.text);
      if (at.op === "negate") return -evaluate(at.of, row);
      const [a, b] = [evaluate(at.left, row), evaluate(at.right, row)];
      return at.op === "add" ? a + b : at.op === "subtract" ? a - b : (a * b) / unit;
    };
    const signs: Readonly<Record<Comparison, (sign: bigint) => boolean>> = {
      eq: (sign) => sign === 0n,
      ne: (sign) => sign !== 0n,
      lt: (sign) => sign < 0n,
      le: (sign) => sign <= 0n,
      gt: (sign) => sign > 0n,
      ge: (sign) => sign >= 0n,
    };
    fc.assert(
      fc.property(
        term,
        term,
        fc.constantFrom<Comparison[]>("eq", "ne", "lt", "le", "gt", "ge"),
        fc.array(record, { maxLength: 6 }),
        (left, right, op, records) => {
          const both = plus(left, plus(right, column("i")));
          const found = offenders(
            equation(both, op, right),
            records.map((row) => `{"i":${row.i},"j":${row.j},"d":${row.d},"f":${row.f}}`),
          );
          const expected = records.flatMap((row, at) => (signs[op](evaluate(both, row) - evaluate(right, row)) ? [] : [at]));
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("several columns", () => {
  test("tuples", () => {
    const check = (negated: boolean): RuleCheck => ({
      family: "tuples",
      columns: ["i", "s"],
      tuples: [
        [number(1), text("a")],
        [number(2), text("b")],
      ],
      negated,
    });
    const rows = [{ i: 1, s: "a" }, { i: 1, s: "b" }, { i: 2, s: "b" }, { i: 2 }, { i: 1, s: "b" }];
    expect(offenders(check(false), rows)).toEqual([1, 4]);
    expect(offenders(check(true), rows)).toEqual([0, 2]);
    expect(message(check(false), { i: 1, s: "b" })).toBe('i, s are 1, b, expected one of (1, "a"), (2, "b")');
  });

  test("complete", () => {
    const rows = [{}, { i: 1 }, { i: 1, s: "x" }, { i: 1, s: "x", f: 2 }, { i: "x" }];
    const of = (quantity: "all" | "any" | "exactlyOne" | "allOrNone"): readonly (number | string)[] =>
      offenders({ family: "complete", columns: ["i", "s", "f"], quantity }, rows);
    expect([of("all"), of("any"), of("exactlyOne"), of("allOrNone")]).toEqual([[0, 1, 2], [0], [0, 2, 3], [1, 2]]);
    const said = (quantity: "all" | "exactlyOne", row: object): string | undefined =>
      message({ family: "complete", columns: ["i", "s"], quantity }, row);
    expect(said("all", { s: "x" })).toBe("i, s have a value only in s, expected all of them to have a value");
    expect(said("all", {})).toBe("i, s have no value, expected all of them to have a value");
    expect(said("exactlyOne", { i: 1, s: "x" })).toBe("i, s all have a value, expected exactly one of them to have a value");
  });

  test("empty text", () => {
    const rows = [{ s: "" }, { s: " \t" }, { s: "\u2003" }, { s: "x" }, { s: null }, {}, { s: " x" }];
    expect(offenders({ family: "empty", whitespace: true }, rows, "s")).toEqual([0, 1, 2]);
    expect(offenders({ family: "empty", whitespace: false }, rows, "s")).toEqual([0]);
    expect(message({ family: "empty", whitespace: true }, { s: " " }, "s")).toBe(
      "s is only white space, expected text that is not only white space",
    );
  });

  test("checksums of numbers and texts", () => {
    const card: RuleCheck = { family: "checksum", algorithm: "luhn", lengths: [16] };
    expect(offenders(card, [{ s: "4111 1111-1111 1111" }, { s: "4111111111111112" }, { s: "0" }, { s: null }], "s")).toEqual([1, 2]);
    expect(
      offenders({ family: "checksum", algorithm: "luhn", lengths: [] }, ['{"i":79927398713}', '{"i":79927398714}', '{"i":-18}'], "i"),
    ).toEqual([1, 2]);
  });
});

describe("order within partitions", () => {
  const check = (direction: "increasing" | "decreasing", strict: boolean): RuleCheck => ({ family: "monotonic", direction, strict });

  test("each value against the one before it", () => {
    const rows = [{ i: 1 }, { i: 3 }, { i: null }, { i: 2 }, { i: 2 }, { i: "x" }, { i: 5 }];
    expect(offenders(check("increasing", false), rows, "i")).toEqual([3]);
    expect(offenders(check("increasing", true), rows, "i")).toEqual([3, 4]);
    expect(offenders(check("decreasing", false), rows, "i")).toEqual([1, 6]);
    expect(
      offenders(check("increasing", true), ['{"i":9007199254740992}', '{"i":9007199254740993}', '{"i":9007199254740993}'], "i"),
    ).toEqual([2]);
    expect(offenders(check("increasing", false), [{ s: "b" }, { s: "a" }, { s: "é" }], "s")).toEqual([1]);
    expect(message(check("increasing", true), { i: 1 }, "i")).toBeUndefined();
  });

  test("over batches, and each partition by itself", () => {
    const contract = contractOf(check("increasing", false), "i");
    const window = compileValidator(contract).open();
    const decode = jsonCodec.compile(contract);
    const batch = (values: readonly number[], partitions: readonly number[]) => {
      const records = makeRecords(values.map((i) => `{"i":${i}}`));
      const shared = { ...records, partitions: [0, 1].map((partition) => ({ topic: "test", topicId: "t", partition })) };
      partitions.forEach((partition, row) => (shared.partition[row] = partition));
      return decode(shared);
    };
    const found = [batch([5, 1, 6, 0], [0, 1, 0, 1]), batch([5, 1, 7], [0, 1, 0])].map((each) =>
      window.add(each).violations.flatMap(({ rows }) => [...rows]),
    );
    expect(found).toEqual([[3], [0]]);
  });
});

describe("rules made of rules", () => {
  const range = (min: string): RulePart => ({
    check: { family: "range", min, max: null, exclusiveMin: false, exclusiveMax: false, minText: null, maxText: null },
    path: "i",
  });
  const short: RulePart = { check: { family: "length", min: null, max: 1 }, path: "s" };
  const rows = [{ i: 0, s: "ab" }, { i: 0, s: "a" }, { i: 5, s: "ab" }, { i: 5, s: "a" }, { s: "ab" }, { i: 0 }, {}];

  test("all, any, not: a part that says nothing of a row neither passes nor fails it", () => {
    expect(offenders({ family: "allOf", parts: [range("1"), short] }, rows)).toEqual([0, 1, 2, 4, 5]);
    expect(offenders({ family: "anyOf", parts: [range("1"), short] }, rows)).toEqual([0]);
    expect(offenders({ family: "not", part: range("1") }, rows)).toEqual([2, 3]);
    expect(offenders({ family: "not", part: { check: { family: "required" }, path: "i" } }, rows)).toEqual([0, 1, 2, 3, 5]);
  });

  test("if, then, else", () => {
    const when = { op: "gt", path: "i", value: number(1) } as const;
    const check = (otherwise: RulePart | null): RuleCheck => ({ family: "conditional", when, consequent: short, otherwise });
    expect(offenders(check(null), rows)).toEqual([2]);
    expect(offenders(check({ check: { family: "required" }, path: "i" }), rows)).toEqual([2, 4, 6]);
  });

  test("nested, as Kleene's logic of the parts has it", () => {
    const leaf = fc.constantFrom(range("1"), range("3"), short, { check: { family: "required" as const }, path: "s" });
    const { part } = fc.letrec<{ part: RulePart }>((tie) => ({
      part: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        fc
          .tuple(fc.constantFrom("allOf" as const, "anyOf" as const), fc.array(tie("part"), { minLength: 1, maxLength: 3 }))
          .map(([family, parts]): RulePart => ({ check: { family, parts }, path: null })),
        tie("part").map((inner): RulePart => ({ check: { family: "not", part: inner }, path: null })),
      ),
    }));
    type Truth = boolean | null;
    const truth = ({ check }: RulePart, row: { i?: number; s?: string }): Truth => {
      switch (check.family) {
        case "range":
          return row.i === undefined ? null : row.i >= Number(check.min);
        case "length":
          return row.s === undefined ? null : row.s.length <= 1;
        case "required":
          return row.s !== undefined;
        case "not": {
          const inner = truth(check.part, row);
          return inner === null ? null : !inner;
        }
        case "allOf":
        case "anyOf": {
          const decisive = check.family === "anyOf";
          const all = check.parts.map((each) => truth(each, row));
          return all.includes(decisive) ? decisive : all.includes(null) ? null : !decisive;
        }
        default:
          throw new Error(check.family);
      }
    };
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        const whole: RulePart = { check: { family: "allOf", parts }, path: null };
        expect(offenders(whole.check, rows)).toEqual(rows.flatMap((row, at) => (truth(whole, row) === false ? [at] : [])));
      }),
      { numRuns: 200 },
    );
  });

  test("reasons name the parts that fail, and no value of a classified column", () => {
    expect(message({ family: "allOf", parts: [range("1"), short] }, { i: 0, s: "a" })).toBe(
      "i is 0, expected for i at least 1 and for s at most 1 character",
    );
    expect(message({ family: "anyOf", parts: [range("1"), short] }, { i: 0, s: "ab" })).toBe(
      "i is 0; s has 2 characters, expected for i at least 1 or for s at most 1 character",
    );
    expect(message({ family: "not", part: range("1") }, { i: 5 })).toBe("i is 5, expected not (for i at least 1)");
    const masked = { ...fields, i: { type: "long", classification: "secret" } } as const;
    expect(message({ family: "anyOf", parts: [range("1"), short] }, { i: 0, s: "ab" }, null, masked)).toBe(
      "i is <masked>; s has 2 characters, expected for i at least 1 or for s at most 1 character",
    );
  });

  test("rules that judge more than one row are no parts", () => {
    const check: RuleCheck = { family: "not", part: { check: { family: "duplicate", columns: ["i"], keep: "first" }, path: null } };
    expect(() => compileValidator(contractOf(check))).toThrow("duplicate judges more than one row, so it can't be a part of a rule");
  });
});
