import { describe, expect, test } from "vitest";
import { generateRulesPage, sayings } from "../../scripts/generate/rules-page.ts";
import { ruleExamples } from "../../scripts/generate/rule-examples.ts";
import { lintContract } from "../../src/contract/lint-contract.ts";
import { parseEquation } from "../../src/contract/compile-arithmetic.ts";
import { placeWithin } from "../../src/contract/place-within.ts";
import { ruleChecks } from "../../src/contract/rule-shape.ts";
import type { Arithmetic } from "../../src/core/rule.ts";
import { compileValidator } from "../../src/rules/compile-validator.ts";
import { ruleFamilies } from "../../src/rules/index.ts";
import { diagnosticsOf, documentOf, load } from "./contract-text.ts";

function documentWithRules(rules: readonly string[], settings = "{ unknownFields: keep }"): string {
  return documentOf(`    properties:
      - { name: id, logicalType: integer, required: true, unique: true }
      - { name: net, logicalType: number, physicalType: "decimal(10,2)" }
      - { name: tax, logicalType: number }
      - { name: gross, logicalType: number }
      - { name: s, logicalType: string }
      - { name: secret, logicalType: string, classification: restricted }
      - { name: at, logicalType: timestamp }
      - { name: lat, logicalType: number }
      - { name: o, logicalType: object, properties: [{ name: x, logicalType: integer }] }
      - { name: l, logicalType: array, items: { logicalType: integer } }
    quality:
${rules.map((rule, i) => `      - { id: r${i}, type: custom, engine: sluice, implementation: ${rule} }`).join("\n")}
    customProperties: [{ property: sluice, value: ${settings} }]
`);
}

/** Where the text of the first rule's implementation begins, less one: columns in it are counted from here. */
const firstRule = { line: 21, column: "      - { id: r0, type: custom, engine: sluice, implementation: ".length };

async function faults(rule: string): Promise<readonly (readonly [number, string, string | null])[]> {
  const found = await diagnosticsOf(documentWithRules([rule]));
  return found
    .filter(({ severity }) => severity === "error")
    .map(({ location, message, hint }) => {
      expect(location.line, message).toBe(firstRule.line);
      return [location.column - firstRule.column - 1, message, hint ?? null] as const;
    });
}

async function plansOf(...rules: string[]) {
  const { contract } = await load(documentWithRules(rules));
  return contract.rules.filter(({ id }) => /^r\d+$/.test(id));
}

describe("rules that are written wrong are told where", () => {
  test.each<[string, number, string, string | null]>([
    [`{ check: arithmetic, equation: "net + taxx = gross" }`, 38, 'there is no column "taxx"', 'did you mean "tax"?'],
    [`{ check: arithmetic, equation: "net + = gross" }`, 38, '"=" stands where a column or a number should', 'such as "net + tax = gross"'],
    [
      `{ check: arithmetic, equation: "net + tax" }`,
      41,
      "an equation has =, !=, <, <=, > or >= between two sides",
      'such as "net + tax = gross"',
    ],
    [`{ check: arithmetic, equation: "net + s = gross" }`, 38, '"s" is of type string: it is no number', null],
    [`{ check: arithmetic, equation: "1 = 1" }`, 31, "the equation names no column", null],
    [`{ check: cel, expression: "id > 0 && ss == 'a'" }`, 37, 'there is no column "ss"', 'did you mean "s"?'],
    [
      `{ check: cel, expression: "tax + id > 1.0" }`,
      31,
      "+ does not go between double and int: write double(...) around the whole number, or 1.0 for 1",
      null,
    ],
    [`{ check: cel, expression: "s.beginsWith('a')" }`, 28, 'there is no function "beginsWith"', 'did you mean "endsWith"?'],
    [`{ check: cel, expression: "id + 1" }`, 27, "the expression must be true or false, and is int", null],
    [
      `{ check: mean, column: s, threshold: { mustBe: 1 } }`,
      2,
      '"s" is of type string: it is no number',
      "of: length measures how long its texts are",
    ],
    [`{ check: mean, column: net }`, 0, 'implementation needs "threshold"', "What the metric is compared with."],
    [`{ check: mean, column: nett, threshold: { mustBe: 1 } }`, 23, 'there is no column "nett"', 'did you mean "net"?'],
    [`{ check: max, column: at, threshold: { mustBe: 1 } }`, 47, '"at" is compared with a timestamp such as "2026-01-31T23:59:59Z"', null],
    [`{ check: mean, column: net, threshold: { mustBe: x } }`, 49, "mean is compared with a number", null],
    [`{ check: quantile, column: net, q: 95, threshold: { mustBe: 1 } }`, 32, "q is a share, at most 1, not 95", "0.95 for 95%"],
    [
      `{ check: zeros, column: net, threshold: { mustBe: 1, unit: value } }`,
      59,
      `implementation.threshold.unit can't be "value"`,
      "one of percent, rows",
    ],
    [`{ check: correlation, left: tax, right: tax, threshold: { mustBe: 1 } }`, 33, '"tax" is correlated with itself', null],
    [
      `{ check: groups, by: [o], threshold: { mustBe: 1 } }`,
      17,
      '"o" is of type struct: it holds other columns, so it makes no groups',
      null,
    ],
    [`{ check: tuples, columns: [id, s], allowed: [[1, a, b]] }`, 45, "this has 3 values for 2 columns", null],
    [`{ check: tuples, columns: [id, s], allowed: [[x, a]] }`, 46, '"id" takes a number', null],
    [`{ check: complete, columns: [id, "l[]"] }`, 33, '"l[]" stands inside a list and has no single value in a row', null],
    [
      `{ check: checksum, column: net, algorithm: luhn }`,
      2,
      '"net" is of type decimal: it is neither text nor a whole number, so it has no check digits',
      null,
    ],
    [`{ check: not, rule: { check: monotonic, column: id } }`, 29, `implementation.rule.check can't be "monotonic"`, null],
    [
      `{ check: conditional, if: { column: idd, equals: 1 }, then: { check: required, column: s } }`,
      36,
      'there is no column "idd"',
      'did you mean "id"?',
    ],
    [
      `{ check: ratio, numerator: { check: sum, column: s }, denominator: { check: rowCount }, threshold: { mustBe: 1 } }`,
      29,
      '"s" is of type string: it is no number',
      "of: length measures how long its texts are",
    ],
    [`{ check: meen, column: net, threshold: { mustBe: 1 } }`, 9, `implementation.check can't be "meen"`, 'did you mean "mean"?'],
  ])("%s", async (rule, column, message, hint) => {
    const found = await faults(rule);
    expect(found.map(([at, said]) => [at, said])).toEqual([[column, message]]);
    if (hint !== null) expect(found[0]?.[2]).toBe(hint);
  });

  test.each<[string, number, string, string | null]>([
    [`{ check: range, column: net, minimum: "5" }`, 38, 'net: the bound "5" is not a number', null],
    [`{ check: range, column: at, maximum: "2024-02-30T00:00:00Z" }`, 37, 'at: the bound "2024-02-30T00:00:00Z" is not', null],
    [`{ check: set, column: id, allowed: [1, a] }`, 39, "id: this value can never stand in the column, which takes a number", null],
    [`{ check: missing, column: id, missingValues: [a] }`, 46, "id: this value can never stand in the column", null],
    [`{ check: duplicate, columns: [o] }`, 0, "o: uniqueness of columns of columns is not judged", null],
    [
      `{ check: anyOf, rules: [{ check: range, column: net, minimum: x }, { check: required, column: s }] }`,
      62,
      'net: the bound "x" is not a number',
      null,
    ],
    [
      `{ check: required, column: s, dimension: accuracy }`,
      30,
      'implementation has no "dimension"',
      "it stands beside the implementation, in the quality entry",
    ],
    [`{ check: mean, column: net, threshold: { mustBe: 1 }, mustBe: 1 }`, 54, 'implementation has no "mustBe"', "it stands in threshold"],
  ])(
    "what other contracts lose with a warning is an error here, since nothing else would judge it: %s",
    async (rule, column, message, hint) => {
      const found = await faults(rule);
      expect(found).toHaveLength(1);
      expect([found[0]?.[0], found[0]?.[2]]).toEqual([column, hint]);
      expect(found[0]?.[1]).toContain(message);
    },
  );

  test.each([
    [
      "type: custom, engine: sluice, owner: crew, implementation: { check: required, column: s }",
      "owner",
      "it stands in the implementation",
    ],
    ["type: custom, engine: sluice, where: {}, implementation: { check: required, column: s }", "where", "it stands in the implementation"],
    ["metric: rowCount, mustBe: 1, owner: crew", "owner", "it is a custom property: [{ property: owner, value: ... }]"],
    [
      'type: sql, query: "SELECT 1", mustBe: 1, tolerance: { rows: 1 }',
      "tolerance",
      "rules of type: custom and engine: sluice have it, in their implementation",
    ],
  ])("a key of rules in the entry itself is told where it stands: %s", async (entry, key, hint) => {
    const document = documentWithRules([]).replace("    quality:\n", `    quality:\n      - { id: e, ${entry} }\n`);
    const found = (await diagnosticsOf(document)).filter(({ severity }) => severity === "error");
    expect(found).toMatchObject([{ code: "unknown-key", message: `schema[0].quality[0] has no "${key}"`, hint }]);
    expect(found[0]?.location.column).toBe(document.split("\n")[(found[0]?.location.line as number) - 1]!.indexOf(`${key}:`) + 1);
  });

  test("a metric has no tolerance", async () => {
    expect(await faults("{ check: mean, column: net, tolerance: { rows: 1 }, threshold: { mustBe: 1 } }")).toEqual([
      [28, 'implementation: check "mean" measures the window: it has a threshold, and no tolerance', null],
    ]);
  });

  test("rules on unknown fields need them to be kept, also inside of other rules", async () => {
    const rules = ["{ check: newColumns }", "{ check: not, rule: { check: unknownColumns } }"];
    const found = await diagnosticsOf(documentWithRules(rules, "{ unknownFields: ignore }"));
    expect(found.filter(({ severity }) => severity === "error").map(({ code, message }) => [code, message])).toEqual([
      ["unknown-not-kept", '"r0" judges unknown fields, and the dataset drops them'],
      ["unknown-not-kept", '"r1" judges unknown fields, and the dataset drops them'],
    ]);
  });

  test("places in texts of every style of YAML", () => {
    const at = (document: string, style: Parameters<typeof placeWithin>[2], value: string, offset: number): string => {
      const from = document.indexOf(
        style === "PLAIN"
          ? value[0]!
          : style.startsWith("BLOCK")
            ? style === "BLOCK_LITERAL"
              ? "|"
              : ">"
            : style === "QUOTE_SINGLE"
              ? "'"
              : '"',
      );
      return document.slice(placeWithin(document, from, style, value, offset));
    };
    expect(at("key: abc + xyz\n", "PLAIN", "abc + xyz", 6)).toBe("xyz\n");
    expect(at("- 'it''s + xyz'\n", "QUOTE_SINGLE", "it's + xyz", 7)).toBe("xyz'\n");
    expect(at('- "a\\"b + xyz"\n', "QUOTE_DOUBLE", 'a"b + xyz', 6)).toBe('xyz"\n');
    expect(at("- |\n    abc +\n    xyz\n", "BLOCK_LITERAL", "abc +\nxyz\n", 6)).toBe("xyz\n");
    expect(at("- >-\n    abc +\n    xyz\n", "BLOCK_FOLDED", "abc + xyz", 6)).toBe("xyz\n");
    expect(at("- 'abc'\n", "QUOTE_SINGLE", "abc", 3)).toBe("'\n");
  });
});

describe("rules that are written right", () => {
  test("equations bind as they do on paper", () => {
    const text = (term: Arithmetic): string =>
      term.op === "column"
        ? term.path
        : term.op === "number"
          ? term.text
          : term.op === "negate"
            ? `-${text(term.of)}`
            : `(${text(term.left)} ${term.op} ${text(term.right)})`;
    const parsed = parseEquation('a.b - c - 2 * -(d + "e f") >= 1.50');
    if ("message" in parsed) throw new Error(parsed.message);
    expect([text(parsed.left), parsed.op, text(parsed.right)]).toEqual([
      "((a.b subtract c) subtract (2 multiply -(d add e f)))",
      "ge",
      "1.50",
    ]);
  });

  test("limits of dates are in the column's unit, shares are in percent, and a set must have no difference", async () => {
    const plans = await plansOf(
      `{ check: max, column: at, threshold: { mustBeBetween: ["2024-01-02", "2024-01-01"] } }`,
      "{ check: zeros, column: net, threshold: { mustBeLessThan: 5 } }",
      "{ check: distinctSet, column: s, values: [a, b] }",
      "{ check: mean, column: net, threshold: { mustBeLessThan: 5 }, owner: Ann, severity: warning, where: { column: id, greaterThan: 3 } }",
    );
    expect(plans.map(({ threshold }) => threshold)).toEqual([
      { operator: "mustBeBetween", values: [1_704_067_200_000_000, 1_704_153_600_000_000], unit: "value" },
      { operator: "mustBeLessThan", values: [5], unit: "percent" },
      { operator: "mustBe", values: [0], unit: "value" },
      { operator: "mustBeLessThan", values: [5], unit: "value" },
    ]);
    expect(plans[3]).toMatchObject({ scope: "window", owner: "Ann", severity: "warning", where: { op: "gt", path: "id" } });
  });

  test("a metric that no offender would meet is still of the window", async () => {
    const [plan] = await plansOf("{ check: negatives, column: net, threshold: { mustBe: 0 } }");
    expect(plan).toMatchObject({ scope: "window", threshold: { operator: "mustBe", values: [0] } });
  });

  test("latitudes of numbers are ranges, and of text a format", async () => {
    const plans = await plansOf("{ check: format, column: lat, format: latitude }", "{ check: format, column: s, format: latitude }");
    expect(plans.map(({ check }) => check)).toMatchObject([
      { family: "range", min: "-90", max: "90" },
      { family: "format", format: "latitude" },
    ]);
  });

  test("a property's own format may be any of those that rules know", async () => {
    const text = documentOf(`    properties:
      - { name: account, logicalType: string, logicalTypeOptions: { format: iban } }
      - { name: other, logicalType: string, logicalTypeOptions: { format: ibann } }
`);
    const { contract, diagnostics } = await load(text);
    expect(contract.rules.filter(({ check }) => check.family === "format").map(({ path, check }) => [path, check])).toEqual([
      ["account", { family: "format", format: "iban" }],
    ]);
    expect(diagnostics.filter(({ code }) => code === "format-unknown").map(({ hint }) => hint)).toEqual(['did you mean "iban"?']);
  });

  test("the owner of ODCS's own rules is a custom property", async () => {
    const text = documentOf(`    properties:
      - name: id
        logicalType: integer
        quality:
          - { metric: nullValues, mustBe: 0, customProperties: [{ property: owner, value: Bea }] }
`);
    const { contract } = await load(text);
    expect(contract.rules.find(({ check }) => check.family === "null")?.owner).toBe("Bea");
  });
});

describe("lint", () => {
  const notes = async (...rules: string[]): Promise<readonly string[]> => {
    const { contract } = await load(documentWithRules(rules));
    return lintContract(contract)
      .filter(({ message }) => /"r\d"/.test(message))
      .map(({ severity, code, message }) => `${severity} ${code} ${message}`);
  };

  test("tells what expressions cost", async () => {
    expect(await notes(`{ check: cel, expression: "id > 0 && s.startsWith('a')" }`)).toEqual([
      `info expression-cost "r0" runs over whole columns`,
    ]);
    expect(await notes(`{ check: cel, expression: "id > 0 || l.exists(x, x > 1)" }`)).toEqual([
      `info expression-cost "r0": 1 of its 2 conditions is interpreted row by row, at about 500,000 rows a second`,
    ]);
    expect(await notes(`{ check: not, rule: { check: cel, expression: "l.all(x, x > 1)" } }`)).toEqual([
      `info expression-cost "r0": its condition is interpreted row by row, at about 500,000 rows a second`,
    ]);
    expect(await notes(`{ check: cel, expression: "net > 1.0 && secret == 'x'" }`)).toEqual([
      expect.stringContaining("info expression-cost") as string,
      `info expression-decimal "r0" sees the decimals of net as doubles`,
      `info classified-constant "r0" compares the classified column "secret", and reasons name its expression as their limit`,
    ]);
    expect(await notes(`{ check: cel, expression: "1 > 2" }`)).toContain(
      `warning expression-constant "r0" names no column: it is the same for every row`,
    );
  });

  test("tells where a scope is narrower than it may look, and of thresholds that say nothing", async () => {
    expect(await notes("{ check: uniqueness, column: s, threshold: { mustBe: 100 } }")).toEqual([
      `info rule-in-window "r0": values are unique within each window, not across windows`,
    ]);
    expect(await notes("{ check: groups, by: [id], threshold: { mustBeLessThan: 10 } }")).toEqual([
      `warning groups-of-one "r0": "id.duplicate" makes every row a group of its own, so there are as many groups as rows`,
    ]);
    expect(await notes("{ check: correlation, left: tax, right: net, threshold: { mustBeGreaterThan: 5 } }")).toEqual([
      `warning threshold-out-of-range "r0": a correlation lies between -1 and 1`,
    ]);
    expect(await notes("{ check: stdev, column: net, threshold: { mustBeGreaterOrEqualTo: 0 } }")).toEqual([
      `warning rule-never-fails "r0" can't fail: every window meets its threshold`,
    ]);
    // Means may be below zero.
    expect(await notes("{ check: mean, column: net, threshold: { mustBeGreaterOrEqualTo: 0 } }")).toEqual([]);
  });
});

describe("the reference of rules", () => {
  test("every check has an example there that its own rule speaks of", () => {
    const silent = Object.keys(ruleChecks).filter((check) => !Object.hasOwn(ruleExamples, check));
    expect(silent).toEqual([]);
    for (const [check, example] of Object.entries(ruleExamples)) {
      if (example.records.length > 0) expect(sayings(example), check).not.toEqual([]);
    }
    const page = generateRulesPage();
    for (const check of Object.keys(ruleChecks)) expect(page).toContain(`\n### ${check}\n`);
  });

  test("every family of rules can be written, apart from those that properties imply", () => {
    const implied = new Set(["type", "properties", "sql"]);
    const families = ruleFamilies.map(({ family }) => family).filter((family) => !implied.has(family));
    expect(families.filter((family) => !Object.hasOwn(ruleChecks, family))).toEqual([]);
  });
});

test("what the contract compiler accepts, the rules accept", async () => {
  const { contract } = await load(
    documentWithRules([
      "{ check: entropy, column: s, threshold: { mustBeGreaterThan: 1 } }",
      "{ check: typeChanges, threshold: { mustBeLessThan: 1 } }",
      "{ check: missingColumns }",
    ]),
  );
  expect([...(compileValidator(contract).metrics ?? new Map()).keys()]).toEqual(["r0", "r1", "r2"]);
});
