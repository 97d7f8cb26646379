import { describe, expect, test } from "vitest";
import type { RuleCheck, Scalar } from "../../src/core/rule.ts";
import { makeContract, type FieldSketch, type RuleSketch } from "../fixtures/contract.ts";
import { validate } from "../fixtures/validate.ts";

const text = (value: string): Scalar => ({ type: "string", value });
const number = (value: string): Scalar => ({ type: "number", text: value, value: Number(value) });

/** Which of these values of one column `x` offend against a check, by index. */
function offending(
  field: FieldSketch,
  check: RuleCheck,
  values: readonly string[],
  more: Partial<RuleSketch> = {},
): readonly (number | string)[] {
  const contract = makeContract({ x: field }, { rules: [{ check, path: "x", id: "rule", ...more }] });
  return (
    validate(
      contract,
      values.map((value) => `{"x":${value}}`),
    ).offenders["rule"] ?? []
  );
}

/** The rule's reason for one value of `x`. */
function reason(field: FieldSketch, check: RuleCheck, value: string): { message: string; observed: string | null; limit: string | null } {
  const contract = makeContract({ x: field }, { rules: [{ check, path: "x", id: "rule" }] });
  const { message, observed, limit } = validate(contract, [`{"x":${value}}`]).reasons(0)[0]!;
  return { message, observed, limit };
}

function range(min: string | null, max: string | null, exclusive = false): RuleCheck {
  return { family: "range", min, max, exclusiveMin: exclusive, exclusiveMax: exclusive, minText: null, maxText: null };
}

describe("range", () => {
  test("whole numbers are exact beyond 2^53 and at the ends of 64 bits", () => {
    const values = ["9007199254740992", "9007199254740993", "9007199254740994", "-9007199254740993", "9223372036854775807"];
    expect(offending({ type: "long" }, range(null, "9007199254740992"), values)).toEqual([1, 2, 4]);
    expect(offending({ type: "long" }, range(null, "9007199254740993"), values)).toEqual([2, 4]);
    expect(offending({ type: "long" }, range("-9007199254740992", null), values)).toEqual([3]);
    expect(offending({ type: "long" }, range(null, "9223372036854775807", true), values)).toEqual([4]);
    expect(offending({ type: "long" }, range(null, "9007199254740991"), values)).toEqual([0, 1, 2, 4]);
    expect(offending({ type: "long" }, range("99999999999999999999", null), values)).toEqual([0, 1, 2, 3, 4]);
    expect(offending({ type: "long" }, range(null, "1e30"), values)).toEqual([]);
  });

  test("bounds with fractions, open and closed", () => {
    const values = ["-2", "-1", "0", "1", "2", "null", '"x"'];
    expect(offending({ type: "int" }, range("-1.5", "1.5"), values)).toEqual([0, 4]);
    expect(offending({ type: "int" }, range("-1", "1"), values)).toEqual([0, 4]);
    expect(offending({ type: "int" }, range("-1", "1", true), values)).toEqual([0, 1, 3, 4]);
    expect(offending({ type: "int" }, range("-1.5", "1.5", true), values)).toEqual([0, 4]);
    expect(offending({ type: "int" }, range(null, null), values)).toEqual([]);
  });

  test("decimals are exact", () => {
    const type = { kind: "decimal", precision: 30, scale: 10 } as const;
    const values = ["0.1", "0.1000000001", "0.0999999999", "12345678901234567890.0000000001", "12345678901234567890", "-0.0000000001"];
    expect(offending({ type }, range(null, "0.1"), values)).toEqual([1, 3, 4]);
    expect(offending({ type }, range("0.1", null, true), values)).toEqual([0, 2, 5]);
    expect(offending({ type }, range(null, "12345678901234567890"), values)).toEqual([3]);
    expect(offending({ type }, range("0", null), values)).toEqual([5]);
    expect(offending({ type }, range("0.10000000005", null), values)).toEqual([0, 2, 5]);
  });

  test("floats: a bound that is written like the value is met", () => {
    expect(offending({ type: "double" }, range("0.1", "0.3"), ["0.1", "0.3", "0.30000000000000004", "0.09999999999999999"])).toEqual([
      2, 3,
    ]);
    expect(offending({ type: "float" }, range("0.1", "0.3"), ["0.1", "0.3", "0.31", "0.09"])).toEqual([2, 3]);
    expect(offending({ type: "float" }, range("0.1", "0.3", true), ["0.1", "0.3", "0.2"])).toEqual([0, 1]);
    expect(offending({ type: "double" }, range("0", null, true), ["-0", "5e-324"])).toEqual([0]);
  });

  test("dates, times and timestamps in their own units", () => {
    expect(offending({ type: "date" }, range("0", "1"), ['"1970-01-01"', '"1970-01-02"', '"1970-01-03"', '"1969-12-31"'])).toEqual([2, 3]);
    expect(offending({ type: "time" }, range(null, "3600000000", true), ['"00:59:59.999999"', '"01:00"'])).toEqual([1]);
    expect(offending({ type: "timestamp" }, range("1000000", null), ['"1970-01-01T00:00:01Z"', '"1970-01-01T01:00:00+01:00"'])).toEqual([
      1,
    ]);
  });

  test("reasons name value and limits", () => {
    expect(reason({ type: "long" }, range("0", "9007199254740992"), "9007199254740993")).toEqual({
      message: "x is 9007199254740993, expected at least 0 and at most 9007199254740992",
      observed: "9007199254740993",
      limit: "at least 0 and at most 9007199254740992",
    });
    const dated: RuleCheck = {
      family: "range",
      min: "19723",
      max: null,
      exclusiveMin: true,
      exclusiveMax: false,
      minText: "2024-01-01",
      maxText: null,
    };
    expect(reason({ type: "date" }, dated, '"2023-12-31"').message).toBe("x is 2023-12-31, expected more than 2024-01-01");
    expect(reason({ type: "decimal" }, range("0", null), "-0.05").observed).toBe("-0.05");
  });
});

test("multipleOf is exact on decimal digits", () => {
  const of = (step: string): RuleCheck => ({ family: "multipleOf", of: step });
  expect(offending({ type: "double" }, of("0.1"), ["0.3", "0.35", "1e15", "-0.7", "0", "1e-7", "1e22"])).toEqual([1, 5]);
  expect(offending({ type: "float" }, of("0.1"), ["0.3", "0.35", "16777216"])).toEqual([1]);
  expect(offending({ type: "long" }, of("3"), ["9007199254740993", "9007199254740992", "-3", "0", "4"])).toEqual([1, 4]);
  expect(offending({ type: "long" }, of("2.5"), ["5", "10", "3"])).toEqual([2]);
  expect(
    offending({ type: { kind: "decimal", precision: 30, scale: 3 } }, of("0.005"), ["1.005", "1.002", "12345678901234567890.001"]),
  ).toEqual([1, 2]);
  expect(reason({ type: "double" }, of("0.1"), "0.35").message).toBe("x is 0.35, expected a multiple of 0.1");
  expect(() => offending({ type: "int" }, of("0"), [])).toThrow(/above zero/);
});

test("length counts code points of text and bytes of binary", () => {
  const length = (min: number | null, max: number | null): RuleCheck => ({ family: "length", min, max });
  const values = ['""', '"a"', '"é"', '"😀"', '"e\\u0301"', '"abc"', '"\\ud83d\\ude00😀😀"'];
  expect(offending({ type: "string" }, length(1, 1), values)).toEqual([0, 4, 5, 6]);
  expect(offending({ type: "string" }, length(3, null), values)).toEqual([0, 1, 2, 3, 4]);
  expect(offending({ type: "string" }, length(null, 2), values)).toEqual([5, 6]);
  expect(offending({ type: "binary" }, length(2, 2), ['"YWI="', '"YWJj"', '""'])).toEqual([1, 2]);
  expect(reason({ type: "string" }, length(2, 3), '"x"').message).toBe("x has 1 character, expected 2 to 3 characters");
  expect(reason({ type: "string" }, length(3, 3), '"abcd"')).toEqual({
    message: "x has 4 characters, expected exactly 3 characters",
    observed: "abcd",
    limit: "exactly 3 characters",
  });
});

describe("pattern", () => {
  const pattern = (source: string): RuleCheck => ({ family: "pattern", pattern: source });

  test("is searched anywhere unless anchored, over Unicode", () => {
    expect(offending({ type: "string" }, pattern("b"), ['"abc"', '"ac"', "null"])).toEqual([1]);
    expect(offending({ type: "string" }, pattern("^[A-Z]{2}$"), ['"AB"', '"ABC"', '"AB\\n"', '"ab"'])).toEqual([1, 2, 3]);
    expect(offending({ type: "string" }, pattern("^\\p{L}.$"), ['"é😀"', '"1x"'])).toEqual([1]);
  });

  test("takes time linear in the text where backtracking engines hang", () => {
    const started = process.cpuUsage();
    expect(offending({ type: "string" }, pattern("^(a+)+$"), [`"${"a".repeat(50_000)}!"`, `"${"a".repeat(40)}!"`, '"aaa"'])).toEqual([
      0, 1,
    ]);
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
  });

  test("answers are remembered by value and never mixed up", () => {
    const values = Array.from({ length: 20_000 }, (_, i) => `"v${(i * 7919) % 9000}"`);
    const expected = values.flatMap((value, i) => (/^v\d*[05]$/.test(JSON.parse(value) as string) ? [] : [i]));
    expect(offending({ type: "string" }, pattern("^v\\d*[05]$"), values)).toEqual(expected);
  });

  test("bad ones are refused with the rule's place", () => {
    expect(() => offending({ type: "string" }, pattern("(?=a)"), [])).toThrow(
      expect.objectContaining({ code: "CONTRACT_INVALID", location: { file: "contract.yaml", line: 1, column: 1 } }),
    );
  });
});

test("formats", () => {
  const cases: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
    email: [
      ["a@b.co", "first.last+tag@sub.example.org", '"quo ted"@example.org', "a@[127.0.0.1]", "x@[IPv6:::1]", "a@b"],
      [
        "",
        "a",
        "@b.co",
        "a@",
        "a b@c.de",
        ".a@b.co",
        "a..b@c.de",
        "a@b..c",
        "a@-b.co",
        "a@b.co.",
        "é@b.co",
        `${"x".repeat(65)}@b.co`,
        'a"b@c.de',
      ],
    ],
    uuid: [
      ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
      ["123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g", "{123e4567-e89b-12d3-a456-426614174000}"],
    ],
    uri: [
      ["http://example.org/a?b=c#d", "urn:isbn:123", "mailto:a@b.co", "http://[::1]:80/", "a+b-c.1:x%20y", "http://u:p@h:1"],
      [
        "",
        "example.org",
        "http://a b",
        "1a:b",
        "http://%zz",
        "a:b#c#d",
        "http://[::1",
        "http://h:8a/",
        "//host/path",
        "a:[b]",
        "http://é.de",
      ],
    ],
    hostname: [
      ["example.org", "a", "xn--bcher-kva.example.", "1.2.3", "a-b"],
      ["", ".", "-a", "a-", "a..b", "a_b", `${"a".repeat(64)}.de`, `${"a.".repeat(127)}ab`],
    ],
    ipv4: [
      ["0.0.0.0", "255.255.255.255", "127.0.0.1"],
      ["256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.", "1.2.3.4 ", "a.b.c.d"],
    ],
    ipv6: [
      ["::", "::1", "1::", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::"],
      [
        "",
        ":",
        ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "::g",
        "1:2:3:4:5:6:7:8::",
        "fe80::1%eth0",
        ":1:2:3:4:5:6:7:8",
      ],
    ],
    byte: [
      ["", "YQ==", "YWI=", "YWJj"],
      ["YQ=", "Y===", "YQ", "Y_==", "=YWJ"],
    ],
    password: [["anything"], []],
    binary: [["anything"], []],
  };
  for (const [format, [good, bad]] of Object.entries(cases)) {
    const values = [...good, ...bad].map((value) => JSON.stringify(value));
    expect([
      format,
      ...offending({ type: "string" }, { family: "format", format }, values).map((i) => JSON.parse(values[i as number]!) as string),
    ]).toEqual([format, ...bad]);
  }
  expect(() => offending({ type: "string" }, { family: "format", format: "emial" }, [])).toThrow(/there is no format emial/);
  expect(reason({ type: "string" }, { family: "format", format: "uuid" }, '"no"').message).toBe("x is no, expected a UUID");
});

test("sets compare by type and exact value", () => {
  const set = (negated: boolean, ...values: Scalar[]): RuleCheck => ({ family: "set", values, negated });
  expect(offending({ type: "string" }, set(false, text("a"), text("é"), number("1")), ['"a"', '"\\u00e9"', '"1"', '""', "null"])).toEqual([
    2, 3,
  ]);
  expect(offending({ type: "string" }, set(true, text("a")), ['"a"', '"b"', "null"])).toEqual([0]);
  expect(
    offending({ type: "long" }, set(false, number("9007199254740993"), number("1.0")), ["9007199254740993", "9007199254740992", "1"]),
  ).toEqual([1]);
  expect(offending({ type: "int" }, set(false, number("1.5"), text("2")), ["1", "2"])).toEqual([0, 1]);
  expect(offending({ type: "decimal" }, set(false, number("0.10"), number("0.105")), ["0.1", "0.11"])).toEqual([1]);
  expect(offending({ type: "float" }, set(false, number("0.1")), ["0.1", "0.2"])).toEqual([1]);
  expect(offending({ type: "double" }, set(false, number("0")), ["-0", "1"])).toEqual([1]);
  expect(offending({ type: "boolean" }, set(false, { type: "boolean", value: true }), ["true", "false"])).toEqual([1]);
  expect(offending({ type: "date" }, set(false, number("0")), ['"1970-01-01"', '"1970-01-02"'])).toEqual([1]);
  expect(offending({ type: "json" }, set(false, text('"a"'), text("1")), ['"a"', "1", "1.0"])).toEqual([2]);
  expect(reason({ type: "date" }, set(false, number("0"), number("1")), '"2000-01-01"').message).toBe(
    "x is 2000-01-01, expected one of 1970-01-01, 1970-01-02",
  );
  const many = Array.from({ length: 500 }, (_, i) => text(`v${i}`));
  expect(offending({ type: "string" }, set(false, ...many), ['"v499"', '"v500"', '"v0"'])).toEqual([1]);
});

test("items: counts and equal elements", () => {
  const list = (element: FieldSketch): FieldSketch => ({ type: "list", of: element });
  const items = (min: number | null, max: number | null, unique = false): RuleCheck => ({ family: "items", min, max, unique });
  expect(offending(list({ type: "int" }), items(1, 2), ["[]", "[1]", "[1,2]", "[1,2,3]", "null"])).toEqual([0, 3]);
  expect(
    offending(list({ type: "string" }), items(null, null, true), ['["a","b"]', '["a","b","\\u0061"]', "[null,null]", '["",null]']),
  ).toEqual([1, 2]);
  expect(offending(list({ type: "double" }), items(null, null, true), ["[0,-0]", "[1,1.0]", "[1,2]"])).toEqual([0, 1]);
  const struct = list({ type: "struct", of: { a: { type: "long" }, b: { type: "list", of: { type: "int" } } } });
  expect(offending(struct, items(null, null, true), ['[{"a":1,"b":[1]},{"b":[1],"a":1}]', '[{"a":1,"b":[1]},{"a":1,"b":[]}]'])).toEqual([
    0,
  ]);
  expect(reason(list({ type: "int" }), items(null, 1), "[1,2]").message).toBe("x has 2 items, expected at most 1 item");
  expect(reason(list({ type: "int" }), items(null, null, true), "[5,6,5]")).toMatchObject({
    message: "x has an item twice, expected no item twice",
    observed: "5",
  });
});

test("properties of structs, maps and json", () => {
  const check = (min: number | null, max: number | null, ...required: string[]): RuleCheck => ({
    family: "properties",
    min,
    max,
    required,
  });
  const struct: FieldSketch = { type: "struct", of: { a: { type: "int" }, b: { type: "int" } } };
  expect(offending(struct, check(1, 1), ["{}", '{"a":1}', '{"a":null,"b":1}', "null"])).toEqual([0, 2]);
  expect(offending(struct, check(null, null, "b"), ['{"a":1}', '{"b":null}'])).toEqual([0]);
  expect(offending({ type: "map", of: { type: "int" } }, check(null, 1, "k"), ['{"k":1}', '{"k":1,"l":2}', '{"l":2}'])).toEqual([1, 2]);
  expect(
    offending({ type: "json" }, check(1, null, "a"), ['{"a":1}', "{}", '{"b":1}', "[1]", '{"\\u0061":1}', '{"__proto__":1,"a":2}']),
  ).toEqual([1, 2, 3]);
  expect(reason(struct, check(null, null, "a", "b"), '{"a":1}').message).toBe("x lacks b, expected the properties a, b");
});

test("missing and null", () => {
  const missing = (...tokens: Scalar[]): RuleCheck => ({ family: "missing", tokens });
  expect(offending({ type: "string" }, missing(text("N/A"), text("")), ['"N/A"', '""', "null", '"x"', "1"])).toEqual([0, 1, 2]);
  expect(reason({ type: "string" }, missing(text("")), '""').message).toBe('x is "", expected a value that is none of ""');
  expect(offending({ type: "int" }, missing(number("-999")), ["-999", "0", "null"])).toEqual([0, 2]);
  expect(offending({ type: "int" }, { family: "null" }, ["0", "null", '"x"'])).toEqual([1]);
  const contract = makeContract({ x: { type: "int" } }, { rules: [{ check: { family: "null" }, path: "x", id: "rule" }] });
  expect(validate(contract, ["{}", '{"x":null}', '{"x":1}']).offenders["rule"]).toEqual([0, 1]);
  expect(reason({ type: "string" }, missing(text("N/A")), '"N/A"').message).toBe('x is N/A, expected a value that is none of "N/A"');
});

describe("type and required", () => {
  test("a wrong type is one reason; no other rule judges the cell", () => {
    const contract = makeContract({ x: { type: "int", required: true } }, { rules: [{ check: range("0", "1"), path: "x" }] });
    const { offenders, reasons } = validate(contract, ['{"x":"5"}', '{"x":7}', '{"x":null}', "{}", '{"x":1.5}', '{"x":3000000000}']);
    expect(offenders).toEqual({ "x.type": [0, 4, 5], "x.required": [2, 3], "x.range": [1] });
    expect([0, 2, 3, 4, 5].map((row) => reasons(row).map(({ message }) => message))).toEqual([
      ['x is "5", expected a whole number of 32 bits'],
      ["x is null, expected a value"],
      ["x is missing, expected a value"],
      ["x is 1.5, expected a whole number of 32 bits; this has a fraction"],
      ["x is 3000000000, expected a whole number of 32 bits; this is out of its range or doesn't exist"],
    ]);
  });

  test("observed values are cut at 256 characters, whole ones", () => {
    const { observed } = validate(makeContract({ x: { type: "int" } }), [`{"x":"${"😀".repeat(400)}"}`]).reasons(0)[0]!;
    expect(Array.from(observed!).length).toBe(256);
    expect(observed!.isWellFormed()).toBe(true);
    expect(observed).not.toContain("\uFFFD");
  });

  test("fields of an absent object are not asked for, those of a present one are", () => {
    const contract = makeContract({
      o: { type: "struct", of: { a: { type: "int", required: true } } },
      l: { type: "list", of: { type: "struct", of: { p: { type: "double", required: true } } } },
    });
    expect(
      validate(contract, ["{}", '{"o":null}', '{"o":{}}', '{"o":{"a":1},"l":[]}', '{"l":[{"p":1},null,{"p":null}]}', '{"o":[]}']).offenders,
    ).toEqual({
      "o.type": [5],
      "o.a.required": [2],
      "l[].p.required": [4],
    });
  });
});

describe("paths into lists", () => {
  const contract = makeContract(
    { items: { type: "list", of: { type: "struct", of: { price: { type: "double" }, tags: { type: "list", of: { type: "string" } } } } } },
    {
      rules: [
        { check: range("0", null), path: "items[].price", id: "price" },
        { check: { family: "length", min: 1, max: null }, path: "items[].tags[]", id: "tag" },
      ],
    },
  );

  test("a row offends once if any element does, and the first one is shown", () => {
    const { offenders, reasons } = validate(contract, [
      '{"items":[{"price":1},{"price":-2,"tags":["a",""]},{"price":-3,"tags":["",""]}]}',
      '{"items":[]}',
      "{}",
      '{"items":[{"tags":["x"]},{"price":0}]}',
      '{"items":[{"price":-7}]}',
      '{"items":[{"price":"x"}]}',
    ]);
    expect(offenders).toEqual({ "items[].price.type": [5], price: [0, 4], tag: [0] });
    expect(reasons(0).map(({ observed }) => observed)).toEqual(["-2", ""]);
    expect(reasons(4).map(({ message }) => message)).toEqual(["items[].price is -7, expected at least 0"]);
    expect(reasons(5)).toMatchObject([{ observed: '"x"', column: "items[].price" }]);
  });
});
