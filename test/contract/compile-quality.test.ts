import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Operator, Threshold } from "../../src/core/rule.ts";
import { allowsOnlyZero, extremeOf } from "../../src/contract/compile-threshold.ts";
import { documentOf, documentWith, diagnosticsOf, errorsOf, load } from "./contract-text.ts";

async function rulesOf(property: string, quality: string): Promise<unknown[]> {
  const { contract } = await load(documentWith(`name: x\n${property}\nquality:\n  - ${quality}`));
  return contract.rules.slice(1).map(({ id, scope, severity, check, threshold }) => [id, scope, severity, check, threshold]);
}

const operators: Operator[] = [
  "mustBe",
  "mustNotBe",
  "mustBeGreaterThan",
  "mustBeGreaterOrEqualTo",
  "mustBeLessThan",
  "mustBeLessOrEqualTo",
  "mustBeBetween",
  "mustNotBeBetween",
];

function holds({ operator, values: [a = 0, b = 0] }: Threshold, metric: number): boolean {
  switch (operator) {
    case "mustBe":
      return metric === a;
    case "mustNotBe":
      return metric !== a;
    case "mustBeGreaterThan":
      return metric > a;
    case "mustBeGreaterOrEqualTo":
      return metric >= a;
    case "mustBeLessThan":
      return metric < a;
    case "mustBeLessOrEqualTo":
      return metric <= a;
    case "mustBeBetween":
      return metric >= a && metric <= b;
    default:
      return metric < a || metric > b;
  }
}

describe("thresholds", () => {
  const number = fc.oneof(fc.integer({ min: -3, max: 103 }), fc.constantFrom(0.25, 0.5, 1e-9, 99.5));
  const threshold = fc
    .record({ operator: fc.constantFrom(...operators), a: number, b: number, unit: fc.constantFrom("rows" as const, "percent" as const) })
    .map(({ operator, a, b, unit }): Threshold => ({
      operator,
      values: operator.endsWith("Between") ? [Math.min(a, b), Math.max(a, b)] : [a],
      unit,
    }));
  const counts = [...Array(400).keys()];
  const shares = [0, 1e-12, 1e-9, ...Array.from({ length: 400 }, (_, i) => (i + 1) / 4)].toSorted((a, b) => a - b);

  test("a row rule is one that no offender, and nothing else, meets", () => {
    fc.assert(
      fc.property(threshold, (each) => {
        const met = (each.unit === "rows" ? counts : shares).filter((metric) => holds(each, metric));
        expect(allowsOnlyZero(each)).toBe(met.length === 1 && met[0] === 0);
      }),
      { numRuns: 2000 },
    );
  });

  test("a threshold is called extreme only if it is", () => {
    fc.assert(
      fc.property(threshold, (each) => {
        const all = each.unit === "rows" ? counts : shares;
        const met = all.filter((metric) => holds(each, metric)).length;
        const extreme = extremeOf(each);
        if (extreme === "always") expect(met).toBe(all.length);
        if (extreme === "never") expect(met).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("library metrics", () => {
  test.each([
    ["metric: nullValues\n    mustBe: 0", ["x.null", "row", "error", { family: "null" }, null]],
    ["{ metric: nullValues, mustBeLessThan: 1 }", ["x.null", "row", "error", { family: "null" }, null]],
    [
      "{ metric: nullValues, mustBeLessThan: 1, unit: percent, severity: warning }",
      ["x.null", "window", "warning", { family: "null" }, { operator: "mustBeLessThan", values: [1], unit: "percent" }],
    ],
    [
      "{ id: q, metric: missingValues, arguments: { missingValues: [null, '', N/A] }, mustBeLessOrEqualTo: 0 }",
      [
        "q",
        "row",
        "error",
        {
          family: "missing",
          tokens: [
            { type: "string", value: "" },
            { type: "string", value: "N/A" },
          ],
        },
        null,
      ],
    ],
    [
      "{ name: Valid, metric: invalidValues, arguments: { validValues: [a, null] }, mustBe: 0, severity: critical }",
      ["Valid", "row", "error", { family: "set", negated: false, values: [{ type: "string", value: "a" }, { type: "null" }] }, null],
    ],
    [
      "{ metric: invalidValues, arguments: { pattern: ^a }, mustBeBetween: [5, 2] }",
      ["x.pattern", "window", "error", { family: "pattern", pattern: "^a" }, { operator: "mustBeBetween", values: [2, 5], unit: "rows" }],
    ],
    [
      "{ metric: duplicateValues, mustNotBeBetween: [1, 9] }",
      [
        "x.duplicate",
        "window",
        "error",
        { family: "duplicate", columns: ["x"], keep: "first" },
        { operator: "mustNotBeBetween", values: [1, 9], unit: "rows" },
      ],
    ],
  ])("%j", async (quality, rule) => {
    expect(await rulesOf("logicalType: string", quality)).toEqual([rule]);
  });

  test("of the dataset", async () => {
    const { contract } = await load(
      documentOf(`    properties: [{ name: a, logicalType: string }, { name: b, logicalType: string }]
    quality:
      - { metric: rowCount, mustBeGreaterThan: 0, dimension: coverage, description: some }
      - { metric: duplicateValues, arguments: { properties: [a, b] }, mustBe: 0 }
`),
    );
    expect(contract.rules.slice(2)).toMatchObject([
      {
        index: 2,
        id: "dataset.rowCount",
        scope: "window",
        path: null,
        dimension: "coverage",
        description: "some",
        location: { line: 11, column: 9 },
      },
      { index: 3, id: "dataset.duplicate", scope: "row", path: null, check: { columns: ["a", "b"] } },
    ]);
  });

  test("3.0's form", async () => {
    const quality = (text: string): string => documentWith(`name: x\nlogicalType: string\nquality:\n  - ${text}`, "v3.0.2");
    expect((await load(quality("{ rule: duplicateCount, mustBeLessThan: 10, unit: rows }"))).contract.rules[1]).toMatchObject({
      scope: "window",
      check: { family: "duplicate" },
    });
    expect((await load(quality("{ type: library, rule: validValues, validValues: [a] }"))).contract.rules[1]).toMatchObject({
      scope: "row",
      check: { family: "set", values: [{ value: "a" }] },
    });
    expect((await load(quality("{ rule: somethingElse, mustBe: 1 }"))).contract.unenforced).toEqual(["x: the rule somethingElse"]);
  });

  test("what means nothing is an error", async () => {
    const at = async (quality: string): Promise<readonly string[]> =>
      (await diagnosticsOf(documentWith(`name: x\nlogicalType: string\nquality:\n  - ${quality}`))).map(({ code }) => code);
    expect(await at("{ metric: invalidValues, mustBe: 0 }")).toEqual(["argument-missing"]);
    expect(await at("{ metric: nullValues, mustBe: none }")).toEqual(["threshold-not-a-number"]);
    expect(await at("{ metric: nullValues, mustBe: 0, unit: furlongs }")).toEqual(["unit-unsupported"]);
    expect(await at("{ metric: invalidValues, arguments: { validValues: [1] }, mustBe: 0 }")).toEqual(["value-type"]);
    expect(await errorsOf(documentOf("    quality: [{ metric: nullValues, mustBe: 0 }]\n"))).toEqual(["9:17 metric-needs-property"]);
  });
});

describe("Sluice's own rules", () => {
  const properties = `    properties:
      - { name: s, logicalType: string }
      - { name: i, logicalType: integer }
      - { name: n, logicalType: number, physicalType: "decimal(10, 2)" }
      - { name: d, logicalType: date }
      - { name: t, logicalType: timestamp }
      - { name: l, logicalType: array, items: { logicalType: string } }
      - { name: o, logicalType: object, properties: [{ name: b, logicalType: boolean }] }
`;
  const withRule = (implementation: string, more = ""): string =>
    documentOf(`${properties}    quality:\n      - { type: custom, engine: sluice, ${more}implementation: ${implementation} }\n`);
  const ruleOf = async (implementation: string, more = ""): Promise<unknown> =>
    (await load(withRule(implementation, more))).contract.rules.at(-1);
  const faults = async (implementation: string): Promise<string[]> =>
    (await diagnosticsOf(withRule(implementation))).map(({ code, hint }) => (hint === null ? code : `${code}: ${hint}`));

  test("every check compiles", async () => {
    const checks: [string, object][] = [
      ["{ check: required, column: s }", { family: "required" }],
      ["{ check: 'null', column: s }", { family: "null" }],
      ["{ check: missing, column: i, missingValues: [-1] }", { family: "missing", tokens: [{ type: "number", text: "-1", value: -1 }] }],
      ["{ check: range, column: d, minimum: 1970-01-02 }", { family: "range", min: "1", max: null }],
      ["{ check: multipleOf, column: n, multipleOf: 0.25 }", { family: "multipleOf", of: "0.25" }],
      ["{ check: length, column: s, maxLength: 2 }", { family: "length", min: null, max: 2 }],
      ["{ check: pattern, column: s, pattern: ^a$ }", { family: "pattern", pattern: "^a$" }],
      ["{ check: format, column: s, format: uuid }", { family: "format", format: "uuid" }],
      ["{ check: set, column: s, forbidden: [x] }", { family: "set", negated: true, values: [{ type: "string", value: "x" }] }],
      ["{ check: items, column: l, minItems: 1 }", { family: "items", min: 1, max: null, unique: false }],
      ["{ check: duplicate, columns: [s, i], keep: none }", { family: "duplicate", columns: ["s", "i"], keep: "none" }],
      ["{ check: compare, left: i, operator: lessOrEqualTo, right: n }", { family: "compare", left: "i", op: "le", right: "n" }],
      [
        "{ check: condition, condition: { column: o.b, equals: true } }",
        { family: "condition", condition: { op: "eq", path: "o.b", value: { type: "boolean", value: true } } },
      ],
      ["{ check: jsonSchema, schema: { required: [s] } }", { family: "jsonSchema", draft: "2020-12", schema: { required: ["s"] } }],
      ["{ check: rowCount, threshold: { mustBeGreaterThan: 1 } }", { family: "rowCount" }],
    ];
    for (const [implementation, check] of checks) expect(await ruleOf(implementation), implementation).toMatchObject({ check });
  });

  test("where, tolerance, threshold, severity", async () => {
    expect(
      await ruleOf(
        "{ check: required, column: s, severity: warning, tolerance: { percent: 2.5 }, where: { or: [{ column: t, lessThan: '1970-01-01T00:00:01Z' }, { not: { column: i, in: [1, 2] } }, { and: [{ column: s, notIn: [a] }, { column: o.b, isNull: false }] }] } }",
        "id: mine, dimension: accuracy, severity: error, ",
      ),
    ).toMatchObject({
      id: "mine",
      scope: "row",
      severity: "warning",
      tolerance: { percent: 2.5 },
      dimension: "accuracy",
      where: {
        op: "or",
        of: [
          { op: "lt", path: "t", value: { type: "number", text: "1000000", value: 1_000_000 } },
          { op: "not", of: { op: "in", path: "i", values: [{ text: "1" }, { text: "2" }] } },
          {
            op: "and",
            of: [
              {
                op: "and",
                of: [
                  { op: "notNull", path: "s" },
                  { op: "not", of: { op: "in" } },
                ],
              },
              { op: "notNull", path: "o.b" },
            ],
          },
        ],
      },
    });
    expect(await ruleOf("{ check: required, column: s, threshold: { mustBeLessThan: 5, unit: percent } }")).toMatchObject({
      scope: "window",
      threshold: { operator: "mustBeLessThan", values: [5], unit: "percent" },
    });
    expect(await ruleOf("{ check: required, column: s, threshold: { mustBe: 0 } }")).toMatchObject({ scope: "row", threshold: null });
  });

  test("mistakes are named", async () => {
    expect(await faults("{ check: patern, column: s }")).toEqual(['unknown-value: did you mean "pattern"?']);
    expect(await faults("{ check: pattern, colum: s, pattern: a }")).toEqual(['unknown-key: did you mean "column"?']);
    expect(await faults("{ check: pattern, column: i, pattern: a }")).toEqual(["column-type"]);
    expect(await faults("{ check: range, column: i }")).toEqual(["keys-conflict"]);
    expect(await faults("{ check: range, column: ii, minimum: 1 }")).toEqual(['column-unknown: did you mean "i"?']);
    expect(await faults("{ check: required }")).toEqual(["column-missing"]);
    expect(await faults("{ check: required, column: s, where: { column: si, equals: a } }")).toEqual(['column-unknown: did you mean "s"?']);
    expect(await faults("{ check: required, column: s, where: { column: i, equals: a } }")).toEqual(["value-type"]);
    expect(await faults("{ check: required, column: s, where: { column: 'l[]', equals: a } }")).toEqual(["column-in-list"]);
    expect(await faults("{ check: required, column: s, where: { column: i } }")).toHaveLength(1);
    expect(await faults("{ check: required, column: s, where: { column: i, equals: 1, lessThan: 2 } }")).toEqual(["keys-conflict"]);
    expect(await faults("{ check: required, column: s, tolerance: { rows: 1 }, threshold: { mustBe: 1 } }")).toEqual(["keys-conflict"]);
    expect(await faults("{ check: compare, left: s, operator: equals, right: i }")).toEqual(["column-type"]);
    expect(await faults("{ check: rowCount }")).toEqual(["keys-conflict"]);
    expect(await faults("text")).toHaveLength(1);
  });
});

describe("JSON Schemas", () => {
  const withSchema = (schema: string): string =>
    documentOf(`    quality:\n      - { type: custom, engine: sluice, implementation: { check: jsonSchema, schema: ${schema} } }\n`);

  test("drafts are told apart, and a file is read", async () => {
    const text = documentOf(`    authoritativeDefinitions: [{ id: shape, type: jsonSchema, url: s.json }]\n`);
    const files = {
      "c/s.json":
        '{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/definitions/a"}}}',
    };
    expect((await load(text, files)).contract.rules).toMatchObject([
      { id: "shape", scope: "row", check: { family: "jsonSchema", draft: "draft-07" } },
    ]);
    expect((await load(text.replace("s.json", "https://example.com/s.json"))).contract.unenforced).toHaveLength(1);
    expect(await errorsOf(text, { "c/s.json": "{" })).toHaveLength(1);
  });

  test.each([
    ["{ requird: [a] }", "requird"],
    ["{ properties: { a: { maximum: { $data: /b } } } }", "$data"],
    ["{ $ref: 'https://example.com/x.json' }", "references inside"],
    ["{ $ref: '#/$defs/nowhere' }", "nowhere"],
    ["{ properties: { a: { pattern: '(?=x)' } } }", "pattern"],
    ["{ patternProperties: { '(a)\\1': {} } }", "pattern"],
    ["{ type: strin }", "must be"],
    ["{ dependencies: { a: [b] } }", "belongs to draft-07"],
    ["{ $schema: 'http://json-schema.org/draft-07/schema#', prefixItems: [{ type: string }] }", "belongs to 2020-12"],
    ["{ properties: { a: 1 } }", "must be a schema"],
    ["{ $schema: 'http://json-schema.org/draft-04/schema#' }", "draft"],
  ])("%s is refused", async (schema, words) => {
    const errors = await diagnosticsOf(withSchema(schema));
    expect(errors.map(({ code }) => code)).toContain("json-schema");
    expect(errors.map(({ message }) => message).join("\n")).toContain(words);
  });

  test("formats that are not checked are listed", async () => {
    expect((await load(withSchema("{ properties: { a: { format: regex } } }"))).contract.unenforced).toEqual([
      'JSON Schema format "regex"',
    ]);
  });
});

test("rule ids are unique: given ones first, then by path, then by number", async () => {
  const { contract, diagnostics } = await load(
    documentOf(`    properties:
      - name: a
        logicalType: string
        quality:
          - { id: q, metric: nullValues, mustBe: 0 }
          - { name: a.null, metric: duplicateValues, mustBe: 0 }
          - { metric: nullValues, mustBeLessThan: 9 }
      - name: b
        logicalType: string
        quality: [{ id: q, metric: nullValues, mustBe: 0 }]
`),
  );
  expect(contract.rules.map(({ id }) => id)).toEqual(["a.type", "b.type", "q", "a.null", "a.null-2", "b.q"]);
  expect(contract.rules.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(diagnostics).toMatchObject([{ code: "rule-id-repeated", location: { line: 18 } }]);
});
