import { describe, expect, test } from "vitest";
import type { Comparison, Condition, RuleCheck, RulePlan, Scalar } from "../../src/core/rule.ts";
import { compileValidator } from "../../src/rules/compile-validator.ts";
import { makeContract, type RuleSketch } from "../fixtures/contract.ts";
import { validate } from "../fixtures/validate.ts";

const text = (value: string): Scalar => ({ type: "string", value });
const number = (value: string): Scalar => ({ type: "number", text: value, value: Number(value) });
const positive: RuleCheck = {
  family: "range",
  min: "0",
  max: null,
  exclusiveMin: false,
  exclusiveMax: false,
  minText: null,
  maxText: null,
};

describe("duplicate", () => {
  const contract = (keep: "first" | "none", more: Partial<RulePlan> = {}) =>
    makeContract(
      { a: { type: "string" }, b: { type: "long" } },
      { rules: [{ check: { family: "duplicate", columns: ["a", "b"], keep }, id: "rule", ...more }] },
    );
  const row = (a: string, b: string): string => `{"a":${a},"b":${b}}`;

  test("later rows of the window offend, over its batches", () => {
    const { offenders, validations, outcomes, reasons } = validate(
      contract("first"),
      [row('"x"', "1"), row('"x"', "2"), row('"\\u0078"', "1.0")],
      [row('"x"', "2"), row('"y"', "2")],
      [row('"y"', "2"), row('"x"', "9007199254740993"), row('"x"', "9007199254740992")],
    );
    expect(offenders).toEqual({ rule: ["0:2", "1:0", "2:0"] });
    expect(validations.map(({ rejected }) => Array.from(rejected))).toEqual([
      [0, 0, 1],
      [1, 0],
      [1, 0, 0],
    ]);
    expect(outcomes.at(-1)).toMatchObject({ rule: "rule", checked: 8, failed: 3, status: "fail" });
    expect(reasons(0, 1)[0]).toMatchObject({
      message: "a, b was in an earlier row of the window, expected each a, b once",
      observed: "x, 2",
      limit: "unique",
    });
  });

  test("keep none: the first of them offends too, late where it is in an earlier batch, and once", () => {
    const { offenders, late, outcomes } = validate(
      contract("none"),
      [row('"x"', "1"), row('"y"', "1"), row('"z"', "1")],
      [row('"x"', "1"), row('"w"', "1"), row('"w"', "1")],
      [row('"x"', "1"), row('"z"', "1")],
    );
    expect(offenders).toEqual({ rule: ["1:0", "1:1", "1:2", "2:0", "2:1", "0:0", "0:2"] });
    expect(late.map(({ batch, rows }) => [batch, Array.from(rows)])).toEqual([[0, [0, 2]]]);
    expect(outcomes.at(-1)).toMatchObject({ failed: 7 });
  });

  test("null equals nothing, and rows that do not apply are not seen", () => {
    expect(
      validate(contract("none"), [row("null", "1"), row("null", "1"), row("1", "1"), row("1", "1")]).offenders["rule"],
    ).toBeUndefined();
    const where: Condition = { op: "gt", path: "b", value: number("0") };
    expect(
      validate(contract("none", { where }), [row('"x"', "0"), row('"x"', "0"), row('"x"', "1"), "{"]).offenders["rule"],
    ).toBeUndefined();
  });

  test("keys are told apart at their borders", () => {
    const two = makeContract(
      { a: { type: "string" }, c: { type: "string" } },
      { rules: [{ check: { family: "duplicate", columns: ["a", "c"], keep: "none" }, id: "rule" }] },
    );
    expect(validate(two, ['{"a":"ab","c":"c"}', '{"a":"a","c":"bc"}', '{"a":"","c":"abc"}', '{"a":"abc","c":""}']).offenders).toEqual({});
  });

  test("a hundred thousand keys", () => {
    const values = Array.from({ length: 100_000 }, (_, i) => row(`"k${i % 99_990}"`, "1"));
    const { offenders } = validate(contract("first"), values.slice(0, 60_000), values.slice(60_000));
    expect(offenders["rule"]).toEqual(Array.from({ length: 10 }, (_, i) => `1:${39_990 + i}`));
  });
});

describe("compare and conditions", () => {
  const fields = {
    i: { type: "long" },
    d: { type: { kind: "decimal", precision: 20, scale: 2 } },
    f: { type: "double" },
    s: { type: "string" },
    t: { type: "string" },
    on: { type: "date" },
    yes: { type: "boolean" },
    o: { type: "struct", of: { n: { type: "int" } } },
  } as const;
  const offenders = (check: RuleCheck, ...values: string[]): readonly unknown[] =>
    validate(makeContract(fields, { rules: [{ check, id: "rule" }] }), values).offenders["rule"] ?? [];
  const compare = (left: string, op: Comparison, right: string): RuleCheck => ({ family: "compare", left, op, right });

  test("numbers of different types compare exactly", () => {
    expect(
      offenders(
        compare("i", "le", "d"),
        '{"i":1,"d":1.00}',
        '{"i":2,"d":1.99}',
        '{"i":9007199254740993,"d":9007199254740992.99}',
        '{"i":5}',
        '{"i":null,"d":1}',
      ),
    ).toEqual([1, 2]);
    expect(offenders(compare("d", "eq", "f"), '{"d":0.5,"f":0.5}', '{"d":0.1,"f":0.1}', '{"d":-3,"f":-3}')).toEqual([1]);
    expect(
      offenders(compare("i", "lt", "f"), '{"i":9007199254740993,"f":9007199254740992}', '{"i":1,"f":1.5}', '{"i":1,"f":1e300}'),
    ).toEqual([0]);
    expect(offenders(compare("i", "ge", "o.n"), '{"i":1,"o":{"n":1}}', '{"i":1,"o":{"n":2}}', '{"i":1,"o":{}}', '{"i":1}')).toEqual([1]);
  });

  test("texts compare by code point", () => {
    expect(
      offenders(
        compare("s", "lt", "t"),
        '{"s":"a","t":"b"}',
        '{"s":"b","t":"a"}',
        '{"s":"\uffff","t":"😀"}',
        '{"s":"a","t":"aa"}',
        '{"s":"","t":""}',
      ),
    ).toEqual([1, 4]);
    expect(() => offenders(compare("s", "lt", "i"))).toThrow(/can't be compared/);
  });

  test("a condition that is not true, with what was seen", () => {
    const condition: Condition = {
      op: "or",
      of: [
        { op: "null", path: "f" },
        {
          op: "and",
          of: [
            { op: "ge", path: "f", value: number("0.1") },
            { op: "in", path: "s", values: [text("a"), text("b")] },
          ],
        },
      ],
    };
    const contract = makeContract(fields, { rules: [{ check: { family: "condition", condition }, id: "rule" }] });
    const values = ["{}", '{"f":0.1,"s":"a"}', '{"f":0.05,"s":"a"}', '{"f":1}', '{"f":1,"s":"c"}', '{"f":"x","s":"a"}', '{"f":null}'];
    const { offenders: found, reasons } = validate(contract, values);
    expect(found).toEqual({ "f.type": [5], rule: [2, 3, 4] });
    expect(reasons(4)[0]).toEqual({
      rule: "rule",
      family: "condition",
      column: null,
      severity: "error",
      message: 'f = 1, s = c, expected f is null or (f >= 0.1 and s in ("a", "b"))',
      observed: "f = 1, s = c",
      limit: 'f is null or (f >= 0.1 and s in ("a", "b"))',
    });
  });

  test("comparisons with constants, exact, and false where there is no value", () => {
    const holds = (condition: Condition, ...values: string[]): readonly unknown[] => {
      const out = offenders({ family: "condition", condition }, ...values);
      return values.flatMap((_, i) => (out.includes(i) ? [] : [i]));
    };
    const longs = ['{"i":9007199254740992}', '{"i":9007199254740993}', '{"i":9007199254740994}', '{"i":null}', "{}"];
    const big = number("9007199254740993");
    const compared = (["eq", "ne", "lt", "le", "gt", "ge"] as const).map((op) => holds({ op, path: "i", value: big }, ...longs));
    expect(compared).toEqual([[1], [0, 2], [0], [0, 1], [2], [1, 2]]);
    expect(holds({ op: "gt", path: "i", value: number("1.5") }, '{"i":1}', '{"i":2}')).toEqual([1]);
    expect(holds({ op: "lt", path: "i", value: number("-1.5") }, '{"i":-1}', '{"i":-2}')).toEqual([1]);
    expect(holds({ op: "le", path: "d", value: number("0.105") }, '{"d":0.10}', '{"d":0.11}')).toEqual([0]);
    expect(holds({ op: "eq", path: "s", value: text("é") }, '{"s":"\\u00e9"}', '{"s":"e"}')).toEqual([0]);
    expect(holds({ op: "lt", path: "on", value: number("1") }, '{"on":"1970-01-01"}', '{"on":"1970-01-02"}')).toEqual([0]);
    expect(holds({ op: "eq", path: "yes", value: { type: "boolean", value: false } }, '{"yes":true}', '{"yes":false}')).toEqual([1]);
    expect(holds({ op: "not", of: { op: "eq", path: "o.n", value: number("1") } }, '{"o":{"n":1}}', '{"o":{}}', "{}")).toEqual([1, 2]);
    expect(holds({ op: "notNull", path: "i" }, ...longs)).toEqual([0, 1, 2]);
    expect(() => holds({ op: "eq", path: "nope", value: number("1") })).toThrow(/no column nope/);
    expect(() => holds({ op: "eq", path: "i", value: text("1") })).toThrow(/can't be compared with "1"/);
  });
});

describe("where, severity, scope", () => {
  const contract = (rule: Partial<RuleSketch>) =>
    makeContract({ x: { type: "int" }, s: { type: "string" } }, { rules: [{ check: positive, path: "x", id: "rule", ...rule }] });
  const where: Condition = { op: "eq", path: "s", value: text("a") };
  const values = ['{"x":-1,"s":"a"}', '{"x":-1,"s":"b"}', '{"x":-1}', '{"x":1,"s":"a"}', "{"];

  test("a filter restricts both offenders and the rows that are counted", () => {
    const { offenders, validations, outcomes } = validate(contract({ where }), values);
    expect(offenders).toEqual({ rule: [0] });
    expect(validations[0]!.checked.at(-1)).toBe(2);
    expect(outcomes.at(-1)).toMatchObject({ checked: 2, failed: 1 });
  });

  test("warnings count and give reasons but reject nothing", () => {
    const { offenders, validations, reasons } = validate(contract({ severity: "warning" }), values);
    expect(offenders).toEqual({ rule: [0, 1, 2] });
    expect(Array.from(validations[0]!.rejected)).toEqual([0, 0, 0, 0, 1]);
    expect(reasons(0)).toMatchObject([{ severity: "warning" }]);
  });

  test("window rules reject no row", () => {
    const threshold = { operator: "mustBeLessThan", values: [50], unit: "percent" } as const;
    const { offenders, validations, outcomes } = validate(contract({ scope: "window", threshold }), values);
    expect(offenders).toEqual({});
    expect(Array.from(validations[0]!.rejected)).toEqual([0, 0, 0, 0, 1]);
    expect(outcomes.at(-1)).toMatchObject({
      status: "fail",
      failed: 3,
      checked: 4,
      breach: "rule: 75% of 4 rows failed, must be less than 50%",
    });
  });
});

describe("tolerances and thresholds", () => {
  const outcome = (rule: Partial<RuleSketch>, bad: number, good: number) =>
    validate(makeContract({ x: { type: "int" } }, { rules: [{ check: positive, path: "x", id: "dep_delay.range", ...rule }] }), [
      ...Array.from({ length: bad }, () => '{"x":-1}'),
      ...Array.from({ length: good }, () => '{"x":1}'),
    ]).outcomes.at(-1)!;

  test("beyond a tolerance, in words", () => {
    expect(outcome({ tolerance: { percent: 5 } }, 3600, 46_400).breach).toBe("dep_delay.range: 7.2% of 50,000 rows failed, 5% allowed");
    expect(outcome({ tolerance: { percent: 5 } }, 50, 950).breach).toBeNull();
    expect(outcome({ tolerance: { percent: 5 } }, 51, 950).breach).toBe("dep_delay.range: 5.1% of 1,001 rows failed, 5% allowed");
    expect(outcome({ tolerance: { percent: 5 } }, 1001, 19_000).breach).toBe("dep_delay.range: 5.005% of 20,001 rows failed, 5% allowed");
    expect(outcome({ tolerance: { percent: 0 } }, 1, 999).breach).toBe("dep_delay.range: 0.1% of 1,000 rows failed, 0% allowed");
    expect(outcome({ tolerance: { percent: 100 } }, 10, 0).breach).toBeNull();
    expect(outcome({ tolerance: { rows: 1 } }, 1, 1).breach).toBeNull();
    expect(outcome({ tolerance: { rows: 1 } }, 2, 1).breach).toBe("dep_delay.range: 2 rows failed, 1 allowed");
    expect(outcome({ tolerance: null }, 10, 0)).toMatchObject({ breach: null, status: "fail" });
  });

  test("shares are compared as the decimal numbers they are written as", () => {
    expect(outcome({ tolerance: { percent: 0.1 } }, 1, 999).breach).toBeNull();
    expect(outcome({ tolerance: { percent: 0.7 } }, 7, 993).breach).toBeNull();
    expect(outcome({ tolerance: { percent: 33.3 } }, 333, 667).breach).toBeNull();
    expect(outcome({ tolerance: { percent: 33.3 } }, 1, 2).breach).toBe("dep_delay.range: 33.33% of 3 rows failed, 33.3% allowed");
  });

  test("every operator, rows and percent, both ends of between inclusive", () => {
    const passes = (
      operator: NonNullable<RulePlan["threshold"]>["operator"],
      values: readonly number[],
      unit: "rows" | "percent",
    ): number[] =>
      [0, 1, 2, 3, 4].filter((bad) => outcome({ scope: "window", threshold: { operator, values, unit } }, bad, 4 - bad).status === "pass");
    expect(passes("mustBe", [2], "rows")).toEqual([2]);
    expect(passes("mustNotBe", [2], "rows")).toEqual([0, 1, 3, 4]);
    expect(passes("mustBeGreaterThan", [2], "rows")).toEqual([3, 4]);
    expect(passes("mustBeGreaterOrEqualTo", [50], "percent")).toEqual([2, 3, 4]);
    expect(passes("mustBeLessThan", [50], "percent")).toEqual([0, 1]);
    expect(passes("mustBeLessOrEqualTo", [50], "percent")).toEqual([0, 1, 2]);
    expect(passes("mustBeBetween", [1, 3], "rows")).toEqual([1, 2, 3]);
    expect(passes("mustNotBeBetween", [25, 75], "percent")).toEqual([0, 4]);
  });

  test("row counts judge the window, the empty one too", () => {
    const count = (rows: number): unknown => {
      const rule: RuleSketch = {
        check: { family: "rowCount" },
        scope: "window",
        id: "count",
        threshold: { operator: "mustBeBetween", values: [1, 2], unit: "rows" },
      };
      const { status, breach, failed } = validate(
        makeContract({ x: { type: "int" } }, { rules: [rule] }),
        Array.from({ length: rows }, () => "{}"),
      ).outcomes.at(-1)!;
      return [status, breach, failed];
    };
    expect([0, 1, 2, 1003].map(count)).toEqual([
      ["fail", "count: 0 rows in the window, must be between 1 and 2", 0],
      ["pass", null, 0],
      ["pass", null, 0],
      ["fail", "count: 1,003 rows in the window, must be between 1 and 2", 0],
    ]);
  });

  test("nothing to judge is skipped", () => {
    expect(outcome({}, 0, 0)).toMatchObject({ status: "skipped", checked: 0, breach: null });
    expect(outcome({ scope: "window", threshold: { operator: "mustBe", values: [100], unit: "percent" } }, 0, 0)).toMatchObject({
      status: "skipped",
    });
  });
});

describe("reasons", () => {
  test("a row has all its reasons, and classified columns and what is inside them show nothing", () => {
    const secret = "topsecret";
    const contract = makeContract(
      {
        s: { type: "string", classification: "confidential" },
        n: { type: "int", classification: "restricted" },
        o: { type: "struct", classification: "pii", of: { x: { type: "string" } } },
        p: { type: "string", classification: "public" },
        l: { type: "list", classification: "pii", of: { type: "string" } },
      },
      {
        rules: [
          { check: { family: "length", min: null, max: 3 }, path: "s" },
          { check: { family: "pattern", pattern: "^x" }, path: "s" },
          { check: { family: "format", format: "uuid" }, path: "o.x" },
          { check: { family: "set", values: [text("q")], negated: false }, path: "p" },
          { check: { family: "items", min: null, max: null, unique: true }, path: "l" },
          { check: { family: "duplicate", columns: ["s"], keep: "none" }, path: "s" },
          { check: { family: "compare", left: "s", op: "eq", right: "p" }, path: "s" },
          { check: { family: "condition", condition: { op: "eq", path: "s", value: text("other") } } },
          {
            check: {
              family: "jsonSchema",
              draft: "2020-12",
              schema: { properties: { s: { maxLength: 2 }, o: { properties: { x: { const: 1 } } } } },
            },
          },
        ],
      },
    );
    const value = `{"s":"${secret}","n":"${secret}","o":{"x":"${secret}"},"p":"open","l":["${secret}","${secret}"]}`;
    const { reasons } = validate(contract, [value, value]);
    const found = reasons(0);
    expect(found.map(({ rule }) => rule)).toEqual([
      "n.type",
      "s.length",
      "s.pattern",
      "o.x.format",
      "p.set",
      "l.items",
      "s.duplicate",
      "s.compare",
      "record.condition",
      "record.jsonSchema",
    ]);
    expect(JSON.stringify(found)).not.toContain(secret);
    expect(found.find(({ rule }) => rule === "p.set")!.observed).toBe("open");
    expect(found.filter(({ rule }) => rule !== "p.set").map(({ observed }) => observed)).toEqual(
      Array.from({ length: 9 }, () => "<masked>"),
    );
  });

  test("a decode fault is a row's only reason", () => {
    const { reasons } = validate(makeContract({ x: { type: "int", required: true } }), ["{", '{"x":1}', "", null]);
    expect([0, 2, 3].map((row) => reasons(row).map(({ rule, family }) => [rule, family]))).toEqual([
      [["json.truncated", "decode"]],
      [["json.empty", "decode"]],
      [["record.tombstone", "decode"]],
    ]);
    expect(reasons(1)).toEqual([]);
  });
});

describe("JSON Schema", () => {
  const validated = (schema: unknown, values: readonly string[], draft: "draft-07" | "2020-12" = "2020-12") =>
    validate(
      makeContract(
        { a: { type: "json" }, b: { type: "string" } },
        { rules: [{ check: { family: "jsonSchema", draft, schema }, id: "rule" }] },
      ),
      values,
    );
  const offenders = (schema: unknown, values: readonly string[], draft?: "draft-07" | "2020-12"): readonly unknown[] =>
    validated(schema, values, draft).offenders["rule"] ?? [];

  test("both drafts", () => {
    const tuple = { properties: { a: { prefixItems: [{ type: "integer" }], items: false } } };
    expect(offenders(tuple, ['{"a":[1]}', '{"a":[1,2]}', '{"a":["x"]}', '{"a":1}'])).toEqual([1, 2]);
    const old = { properties: { a: { items: [{ type: "integer" }], additionalItems: false } } };
    expect(offenders(old, ['{"a":[1]}', '{"a":[1,2]}', '{"a":["x"]}'], "draft-07")).toEqual([1, 2]);
  });

  test("whole numbers beyond 2^53 are judged by their text", () => {
    const values = ['{"a":9007199254740992}', '{"a":9007199254740993}', '{"a":9007199254740991}', '{"a":9.007199254740993e15}'];
    expect(offenders({ properties: { a: { maximum: 9007199254740992 } } }, values)).toEqual([1, 3]);
    expect(offenders({ properties: { a: { exclusiveMinimum: 9007199254740992 } } }, values)).toEqual([0, 2]);
    expect(offenders({ properties: { a: { multipleOf: 2 } } }, values)).toEqual([1, 2, 3]);
    const items = [
      '{"a":[9007199254740992,9007199254740993]}',
      '{"a":[9007199254740993,9007199254740993.0]}',
      '{"a":[[1],{"b":2},[1]]}',
      '{"a":[1,"1"]}',
    ];
    expect(offenders({ properties: { a: { uniqueItems: true } } }, items)).toEqual([1, 2]);
    expect(
      offenders({ properties: { a: { type: "integer", minimum: 1 } } }, ['{"a":12345678901234567890}', '{"a":-12345678901234567890}']),
    ).toEqual([1]);
  });

  test("patterns run in linear time, and two of them are never mixed up", () => {
    const schema = { properties: { a: { pattern: "^(a+)+$" }, b: { pattern: "^b+$" } }, patternProperties: { "^c": { pattern: "^c+$" } } };
    const started = process.cpuUsage();
    expect(
      offenders(schema, [`{"a":"${"a".repeat(30_000)}!"}`, '{"a":"aa","b":"bb","c1":"cc"}', '{"b":"aa"}', '{"a":"bb"}', '{"c1":"b"}']),
    ).toEqual([0, 2, 3, 4]);
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
  });

  test("every fault of a record is named", () => {
    const schema = {
      required: ["z"],
      properties: { a: { type: "integer", minimum: 5 }, b: { format: "uuid" } },
      additionalProperties: false,
    };
    const { reasons } = validated(schema, ['{"a":"x","b":"no","q":1}', '{"a":1,"b":"no"}']);
    expect(reasons(0)[0]!.message).toBe(
      "does not fit the JSON Schema: the record must have required property 'z'; the record must NOT have additional properties (q); " +
        '/a must be integer; /b must match format "uuid", expected a record that fits the JSON Schema (2020-12)',
    );
    expect(reasons(1)[0]).toMatchObject({ column: null, observed: null });
    expect(validated({ properties: { a: { maximum: 1 } } }, ['{"a":[1],"b":"x"}', '{"a":7}']).reasons(1)[0]).toMatchObject({
      observed: "7",
      limit: "#/properties/a/maximum",
    });
  });

  test("a schema that can't be compiled is the contract's fault", () => {
    expect(() => validated({ type: "nonsense" }, [])).toThrow(expect.objectContaining({ code: "CONTRACT_INVALID" }));
    expect(() => validated({ properties: { a: { pattern: "(?<=x)" } } }, [])).toThrow(/can't be compiled/);
  });
});

test("a rule that crashes is an error of its own: the window knows, other rules go on, and no row is lost", () => {
  const contract = makeContract(
    { x: { type: "int" } },
    {
      rules: [
        // A schema that refers to itself without end makes ajv's function overflow the stack.
        { check: { family: "jsonSchema", draft: "draft-07", schema: { allOf: [{ $ref: "#" }] } }, id: "crash" },
        { check: positive, path: "x", id: "rule" },
      ],
    },
  );
  const { outcomes, offenders, validations } = validate(contract, ['{"x":-1}', '{"x":1}'], ['{"x":-1}']);
  expect(outcomes.find(({ rule }) => rule === "crash")).toMatchObject({
    status: "error",
    failed: 0,
    breach: expect.stringMatching(/stack/),
  });
  expect(offenders).toEqual({ rule: ["0:0", "1:0"] });
  expect(validations.map(({ rejected }) => Array.from(rejected))).toEqual([[1, 0], [1]]);
});

test("a contract whose fields lack their type rules is a bug, not a promise", () => {
  const contract = makeContract({ x: { type: "int" } });
  expect(() => compileValidator({ ...contract, rules: [] })).toThrow(/no type rule for x/);
});
