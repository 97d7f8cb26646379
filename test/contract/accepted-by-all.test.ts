import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { jsonCodec } from "../../src/codecs/json.ts";
import { checkShape } from "../../src/contract/check-shape.ts";
import { textFormats as contractFormats } from "../../src/contract/compile-patterns.ts";
import { createFindings } from "../../src/contract/findings.ts";
import { lintContract } from "../../src/contract/lint-contract.ts";
import { loadContracts } from "../../src/contract/load-contract.ts";
import { parseYaml } from "../../src/contract/parse-yaml.ts";
import { sluiceRule } from "../../src/contract/rule-shape.ts";
import { datasetSettings } from "../../src/contract/settings-shape.ts";
import type { Shape } from "../../src/contract/shape.ts";
import { DocumentError } from "../../src/core/errors.ts";
import { driftTestNames } from "../../src/core/drift.ts";
import { driftTests } from "../../src/drift/drift-tests.ts";
import { compileValidator } from "../../src/rules/compile-validator.ts";
import { allTextFormats } from "../../src/rules/formats/index.ts";
import { kitchenSink } from "./kitchen-sink.ts";
import { findStandards, readExamples } from "./standards.ts";

test("names that contracts may use are those that the other rooms know", () => {
  expect([...contractFormats].toSorted()).toEqual([...allTextFormats.keys()].toSorted());
  expect([...driftTestNames].toSorted()).toEqual(driftTests.map(({ name }) => name).toSorted());
});

/** A contract that loads must compile everywhere: what others would refuse, loading has to report. */
async function loadsAndCompiles(text: string): Promise<"refused" | "compiled"> {
  let contracts;
  try {
    ({ contracts } = await loadContracts("contract.yaml", () => Promise.resolve(text)));
  } catch (error) {
    if (error instanceof DocumentError) return "refused";
    throw error;
  }
  for (const contract of contracts) {
    compileValidator(contract).open().close();
    jsonCodec.compile(contract);
    lintContract(contract);
  }
  return "compiled";
}

const standards = findStandards();

test.skipIf(standards === null)(
  "every official example loads and compiles (skipped: the standards are not beside the project)",
  { timeout: 300_000 },
  async () => {
    for (const { name, text } of readExamples(standards as string)) expect(await loadsAndCompiles(text), name).toBe("compiled");
  },
);

test("what the standard allows loads, with `unsupported: list`, whatever Sluice makes of it", async () => {
  for (const apiVersion of ["v3.0.2", "v3.1.0", "v3.2.0"] as const) {
    const document = kitchenSink(apiVersion) as { schema: { customProperties: unknown[] }[] };
    const settings = { property: "sluice", value: { unsupported: "list" } };
    const schema = document.schema.map((each) => ({ ...each, customProperties: [...each.customProperties, settings] }));
    expect(await loadsAndCompiles(JSON.stringify({ ...document, schema })), apiVersion).toBe("compiled");
  }
});

const types = "string date timestamp time number integer object array boolean map vector".split(" ");
const physicalTypes = [undefined, "int", "decimal(10,2)", "decimal(5)", "bytes", "json", "timestamp_ntz", "varchar(3)", "float", "odd"];
const scalars = fc.constantFrom<unknown>(null, true, 0, 1, -1.5, 1e30, "", "a", "1", "2020-01-01", "2020-01-01T00:00:00Z", "12:00");
const paths = fc.constantFrom("c0", "c1", "c2", "c3", "c3.inner", "c1[]", "nowhere");
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

const leaf = fc
  .tuple(
    paths,
    fc.constantFrom("equals", "notEquals", "lessThan", "lessOrEqualTo", "greaterThan", "greaterOrEqualTo", "in", "notIn", "isNull"),
    scalars,
  )
  .map(([column, operator, value]) => ({
    column,
    [operator]:
      operator === "isNull" ? true : operator.endsWith("n") && operator !== "lessThan" && operator !== "greaterThan" ? [value] : value,
  }));
const condition = fc.letrec<{ node: object }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("node"), { minLength: 1, maxLength: 2 }).map((and) => ({ and })),
    tie("node").map((not) => ({ not })),
  ),
})).node;

const limits = fc.constantFrom<object>(
  { mustBe: 0 },
  { mustBeLessThan: 5, unit: "percent" },
  { mustBeGreaterThan: 5, unit: "rows" },
  { mustBeBetween: [1, 2], unit: "value" },
  { mustBe: "2020-01-01T00:00:00Z" },
);
const columnMetric = fc.record({
  check: fc.constantFrom(
    "completeness",
    "uniqueness",
    "zeros",
    "negatives",
    "mostCommon",
    "distinctCount",
    "entropy",
    "mean",
    "stdev",
    "sum",
    "min",
    "max",
  ),
  column: paths,
  threshold: limits,
  of: maybe(fc.constantFrom("value", "length")),
});
const ratioPart = fc.oneof(
  fc.record({ check: fc.constantFrom("mean", "sum", "max"), column: paths, where: maybe(condition) }),
  fc.record({ check: fc.constantFrom("rowCount", "entropy", "groups"), column: maybe(paths) }),
);
const partBody = fc.letrec<{ part: object }>((tie) => ({
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ check: fc.constantFrom("required", "empty", "duplicate"), column: paths }),
    fc.record({ check: fc.constant("range"), column: paths, minimum: scalars, severity: maybe(fc.constant("error")) }),
    tie("part").map((rule) => ({ check: "not", rule })),
    fc.array(tie("part"), { maxLength: 2 }).map((rules) => ({ check: "anyOf", rules })),
  ),
})).part;
const newerBody = fc.oneof(
  columnMetric,
  fc.record({ check: fc.constant("quantile"), column: paths, q: fc.constantFrom(0.5, 2), threshold: limits }),
  fc.record({ check: fc.constant("distinctSet"), column: paths, values: fc.array(scalars, { maxLength: 2 }), threshold: maybe(limits) }),
  fc.record({ check: fc.constant("correlation"), left: paths, right: paths, threshold: limits }),
  fc.record({
    check: fc.constant("groups"),
    by: fc.array(paths, { maxLength: 2 }),
    aggregate: maybe(fc.constantFrom("count", "mean")),
    column: maybe(paths),
    threshold: limits,
  }),
  fc.record({ check: fc.constant("ratio"), numerator: ratioPart, denominator: ratioPart, threshold: limits }),
  fc.record({
    check: fc.constantFrom("missingColumns", "typeChanges"),
    columns: maybe(fc.array(paths, { maxLength: 2 })),
    threshold: maybe(limits),
  }),
  fc.record({ check: fc.constantFrom("newColumns", "unknownColumns"), except: maybe(fc.constant(["x"])) }),
  fc.record({ check: fc.constant("empty"), column: paths, whitespace: maybe(fc.constantFrom<unknown>(true, 1)) }),
  fc.record({
    check: fc.constant("checksum"),
    column: paths,
    algorithm: fc.constantFrom("luhn", "crc"),
    lengths: maybe(fc.array(fc.nat(5), { maxLength: 2 })),
  }),
  fc.record({
    check: fc.constant("tuples"),
    columns: fc.array(paths, { maxLength: 3 }),
    allowed: fc.array(fc.array(scalars, { maxLength: 3 }), { maxLength: 2 }),
  }),
  fc.record({
    check: fc.constant("complete"),
    columns: fc.array(paths, { maxLength: 3 }),
    quantity: maybe(fc.constantFrom("any", "none")),
  }),
  fc.record({
    check: fc.constant("arithmetic"),
    equation: fc.constantFrom("c0 + c1 = 2", "c0 +", "c0 * c3.inner < -(c2)", ""),
    within: maybe(fc.constantFrom(0.1, -1)),
  }),
  fc.record({ check: fc.constant("cel"), expression: fc.constantFrom("c0 == null", "c0 ==", "c1 > 2", "has(record.c2)", "") }),
  fc.record({ check: fc.constant("monotonic"), column: paths, direction: maybe(fc.constantFrom("increasing", "up")) }),
  fc.record({ check: fc.constantFrom("allOf", "anyOf"), rules: fc.array(partBody, { maxLength: 2 }) }),
  fc.record({ check: fc.constant("not"), rule: partBody }),
  // oxlint-disable-next-line unicorn/no-thenable -- the key of contracts.
  fc.record({ check: fc.constant("conditional"), if: condition, then: partBody, else: maybe(partBody) }),
);
const ruleBody = fc.oneof(
  { weight: 15, arbitrary: newerBody },
  fc.record({ check: fc.constantFrom("required", "null", "missing"), column: paths }),
  fc.record({ check: fc.constant("range"), column: paths, minimum: scalars }),
  fc.record({ check: fc.constant("multipleOf"), column: paths, multipleOf: fc.constantFrom(1, 0.5, 1e-7) }),
  fc.record({ check: fc.constant("length"), column: paths, maxLength: fc.nat(5) }),
  fc.record({ check: fc.constant("pattern"), column: paths, pattern: fc.constantFrom("a", "^a$", "(?=a)") }),
  fc.record({ check: fc.constant("format"), column: paths, format: fc.constantFrom("email", "uuid", "ipv6") }),
  fc.record({ check: fc.constant("set"), column: paths, allowed: fc.array(scalars, { minLength: 1, maxLength: 3 }) }),
  fc.record({ check: fc.constant("items"), column: paths, minItems: fc.nat(3) }),
  fc.record({ check: fc.constant("duplicate"), columns: fc.uniqueArray(paths, { minLength: 1, maxLength: 2 }) }),
  fc.record({ check: fc.constant("compare"), left: paths, operator: fc.constantFrom("equals", "lessThan"), right: paths }),
  fc.record({ check: fc.constant("condition"), condition }),
  fc.record({ check: fc.constant("rowCount"), threshold: fc.constant({ mustBeGreaterThan: 0 }) }),
);
const sluiceRules = fc
  .record({ body: ruleBody, where: maybe(condition), tolerance: maybe(fc.constant({ rows: 2 })) })
  .map(({ body, where, tolerance }) => ({ type: "custom", engine: "sluice", implementation: { ...body, where, tolerance } }));
const metrics = fc
  .record({
    metric: fc.constantFrom("nullValues", "missingValues", "invalidValues", "duplicateValues"),
    list: fc.array(scalars, { maxLength: 2 }),
    limit: fc.constantFrom(0, 5),
  })
  .map(({ metric, list, limit }) => ({ metric, mustBeLessOrEqualTo: limit, arguments: { validValues: list, missingValues: list } }));

const optionsOf = (type: string, value: unknown): object | undefined => {
  if (type === "vector") return { dimensions: 2, elementType: "binary" };
  if (["integer", "number"].includes(type)) return { multipleOf: 2, minimum: 1, exclusiveMaximum: 5 };
  if (["date", "time", "timestamp"].includes(type)) return { minimum: String(value) };
  if (type === "string") return { maxLength: 4, pattern: "^x", format: ["byte", "uri", "other"][String(value).length % 3] };
  if (type === "array") return { minItems: 1, uniqueItems: true };
  return type === "object" ? { required: ["x"], maxProperties: 3 } : undefined;
};

const property = fc
  .record({
    type: fc.constantFrom(...types, undefined),
    physicalType: fc.constantFrom(...physicalTypes),
    value: scalars,
    flags: fc.record({ required: fc.boolean(), unique: fc.boolean(), primaryKey: fc.boolean() }),
    enumerated: maybe(fc.uniqueArray(scalars, { minLength: 1, maxLength: 3 })),
    quality: fc.array(fc.oneof(metrics, sluiceRules), { maxLength: 1 }),
    nested: fc.boolean(),
  })
  .map(({ type, physicalType, value, flags, enumerated, quality, nested }) => ({
    logicalType: type,
    physicalType,
    ...flags,
    quality,
    enum: enumerated?.map((each) => ({ value: each })),
    logicalTypeOptions: type === undefined ? undefined : optionsOf(type, value),
    ...(type === "map" ? { map: { key: { logicalType: "string" }, value: { logicalType: "integer" } } } : {}),
    ...(type === "object" && nested ? { properties: [{ name: "inner", logicalType: "integer", required: true }] } : {}),
    ...(type === "array" && nested
      ? { items: { logicalType: "object", properties: [{ name: "x", logicalType: "date", unique: true }] } }
      : {}),
  }));

test("random contracts: what loads compiles in every other room", { timeout: 300_000 }, async () => {
  let compiled = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(property, { minLength: 1, maxLength: 3 }),
      fc.array(sluiceRules, { maxLength: 1 }),
      fc.nat(3),
      async (properties, quality, strict) => {
        const document = {
          apiVersion: "v3.2.0",
          kind: "DataContract",
          id: "x",
          version: "1",
          schema: [
            {
              name: "t",
              quality,
              properties: properties.map((each, index) => ({ name: `c${index}`, ...each })),
              customProperties: strict > 0 ? [{ property: "sluice", value: { unsupported: "list" } }] : [],
            },
          ],
        };
        if ((await loadsAndCompiles(JSON.stringify(document))) === "compiled") compiled++;
      },
    ),
    { numRuns: Number(process.env["SLUICE_FUZZ_RUNS"] ?? 2500) },
  );
  expect(compiled).toBeGreaterThan(100);
});

function ownSchema(name: string): (value: unknown) => boolean {
  const text = readFileSync(resolve(import.meta.dirname, `../../schemas/${name}.schema.json`), "utf8");
  return new Ajv2020({ strict: false }).compile(JSON.parse(text) as object) as (value: unknown) => boolean;
}

function shapeAccepts(shape: Shape, value: unknown): boolean {
  const findings = createFindings();
  const node = parseYaml(JSON.stringify(value), "x", findings);
  if (node !== null) checkShape(node, shape, "x", { findings, version: "3.2" });
  return !findings.hasErrors();
}

const odd = fc.oneof(
  scalars,
  fc.constantFrom<unknown>([], {}, ["a"], [1, 2], { rows: 1 }, { rolling: 3 }, { mustBe: 1 }, "32 MiB", "hold", "first", 5),
);
const ruleKeyNames = [
  "check",
  "column",
  "columns",
  "where",
  "tolerance",
  "threshold",
  "severity",
  "pattern",
  "values",
  "allowed",
  "forbidden",
  "schema",
  "file",
  "minimum",
  "and",
  "x",
];

test("the rule schema and the description that contracts are checked with say the same", () => {
  const accepts = ownSchema("sluice-rule");
  const seen = { good: 0, bad: 0 };
  fc.assert(
    fc.property(
      ruleBody,
      maybe(condition),
      fc.dictionary(fc.constantFrom(...ruleKeyNames), odd, { maxKeys: 2 }),
      fc.boolean(),
      (body, where, more, drop) => {
        const rule = JSON.parse(JSON.stringify({ ...body, where, ...(drop ? {} : more) })) as Record<string, unknown>;
        const ours = shapeAccepts(sluiceRule, rule);
        if (ours) seen.good++;
        else seen.bad++;
        expect(accepts(rule), JSON.stringify(rule)).toBe(ours);
      },
    ),
    { numRuns: 3000 },
  );
  expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(200);
});

test("the settings schema and the description that contracts are checked with say the same", () => {
  const accepts = ownSchema("sluice-contract");
  // Mostly right, so that both verdicts come often.
  const or = (...right: unknown[]): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: odd });
  const some = (keys: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> => fc.record(keys, { requiredKeys: [] });
  const segments = fc.oneof(
    or({ by: { column: "a", values: [1, "b"] } }, { by: { column: "a", values: [true], other: false } }),
    or(
      { filters: [{ name: "x", where: { column: "a", equals: 1 } }] },
      { filters: [{ name: "x", where: { and: [{ column: "a", in: [1] }] } }] },
    ),
  );
  const check = some({
    column: or("a"),
    tests: or(["psi"], ["psi", "null-share"]),
    policy: or("observe", "hold"),
    limit: or(0.2),
    segments,
  });
  const settings = some({
    window: some({ rows: or(5), bytes: or(7, "32 MiB", "1B"), seconds: or(0.5) }),
    tombstones: or("skip", "quarantine"),
    undecodable: or("quarantine"),
    oversized: some({ bytes: or(5), action: or("quarantine") }),
    late: or({ column: "a", seconds: 0 }, { column: "a", seconds: 1, action: "skip" }),
    unknownFields: or("ignore", "keep", "reject"),
    key: or("ignore", { column: "k" }),
    drift: fc.oneof(
      some({
        baseline: or({ rolling: 3 }, { pinned: "v1" }),
        tick: or({ rows: 5 }),
        warmupWindows: or(0),
        columns: fc.array(check, { maxLength: 2 }),
        schema: some({ tests: or(["new-fields"]), policy: or("hold"), limit: or(0.2) }),
        model: some({ prediction: or("a"), label: or("b"), task: or("regression"), errorLimit: or(0.2) }),
      }),
      fc.constant({ columns: [{ column: "a" }] }),
    ),
    onBreach: or("hold", "stop"),
    unsupported: or("refuse", "list"),
  });
  const seen = { good: 0, bad: 0 };
  fc.assert(
    fc.property(settings, (value) => {
      const ours = shapeAccepts(datasetSettings, value);
      if (ours) seen.good++;
      else seen.bad++;
      expect(accepts(JSON.parse(JSON.stringify(value))), JSON.stringify(value)).toBe(ours);
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(50);
});
