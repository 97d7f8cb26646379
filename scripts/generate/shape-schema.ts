import { datasetSettings } from "../../src/contract/settings-shape.ts";
import { metricThresholds, ratioParts } from "../../src/contract/metric-checks.ts";
import type { CheckShape } from "../../src/contract/row-checks.ts";
import {
  condition,
  exclusives,
  isMetricCheck,
  leafOperators,
  metricPart,
  partChecks,
  ruleChecks,
  rulePart,
  sluiceRule,
  threshold,
} from "../../src/contract/rule-shape.ts";
import type { Key, Keys, ObjectShape, Shape } from "../../src/contract/shape.ts";

type JsonSchema = Record<string, unknown>;

const dialect = "https://json-schema.org/draft/2020-12/schema";

/** `schemas/sluice-contract.schema.json`: Sluice's settings of a dataset, from the same description that contracts are checked with. */
export function datasetSettingsSchema(): string {
  return print({
    $schema: dialect,
    title: "Sluice's settings of a dataset",
    description: "The value of the custom property `sluice` of a schema object in an ODCS contract.",
    ...schemaOf(datasetSettings),
    $defs: { condition: conditionSchema() },
  });
}

/** `schemas/sluice-rule.schema.json`: the `implementation` of a quality entry of `type: custom, engine: sluice`. */
export function sluiceRuleSchema(): string {
  // Metrics have thresholds of their own, so each variant says which is meant.
  const { threshold: usual, ...common } = sluiceRule.keys;
  const withThresholds = Object.fromEntries(
    Object.entries(ruleChecks).map(([check, each]) => [check, { ...each, keys: { threshold: usual as Key, ...each.keys } }]),
  );
  const variants = variantsOf(withThresholds, (check, variant) => {
    if (check === "rowCount") Object.assign(variant, { required: ["check", "threshold"] });
    if (isMetricCheck(check)) Object.assign(variant["properties"] as JsonSchema, { tolerance: false });
  });
  return print({
    $schema: dialect,
    title: "A rule of Sluice",
    description: "The `implementation` of a quality entry of `type: custom`, `engine: sluice` in an ODCS contract.",
    type: "object",
    ...objectBody(common),
    not: { required: ["tolerance", "threshold"] },
    oneOf: variants,
    unevaluatedProperties: false,
    $defs: {
      condition: conditionSchema(),
      part: { type: "object", ...objectBody(rulePart.keys), oneOf: variantsOf(partChecks), unevaluatedProperties: false },
      threshold: objectSchema(threshold),
      ...Object.fromEntries(Object.entries(metricThresholds).map(([name, each]) => [name, objectSchema(each)])),
      metric: { type: "object", ...objectBody(metricPart.keys), oneOf: variantsOf(ratioParts), unevaluatedProperties: false },
    },
  });
}

/** One schema a check; `adjust` changes it further. */
function variantsOf(
  checks: Readonly<Record<string, CheckShape>>,
  adjust: (check: string, variant: JsonSchema) => void = () => {},
): JsonSchema[] {
  return Object.entries(checks).map(([check, { doc, keys, atLeastOne }]) => {
    const body = objectBody({ check: { shape: { type: "string", values: [check] }, required: true, use: "enforced", doc }, ...keys });
    const variant: JsonSchema = { title: check, ...body };
    if (atLeastOne !== undefined) variant["anyOf"] = atLeastOne.map((name) => ({ required: [name] }));
    const one = exclusives[check];
    if (one !== undefined) variant["not"] = { required: one };
    adjust(check, variant);
    return variant;
  });
}

function conditionSchema(): JsonSchema {
  const operators = Object.keys(leafOperators);
  return {
    type: "object",
    ...objectBody(condition.keys),
    additionalProperties: false,
    oneOf: [
      ...["and", "or", "not"].map((name) => ({
        required: [name],
        properties: Object.fromEntries(["column", ...operators].map((each) => [each, false])),
      })),
      { required: ["column"], oneOf: operators.map((name) => ({ required: [name] })) },
    ],
  };
}

function schemaOf(shape: Shape): JsonSchema {
  switch (shape.type) {
    case "string":
      return {
        type: "string",
        ...(shape.values === undefined ? {} : { enum: shape.values }),
        ...(shape.pattern === undefined ? {} : { pattern: shape.pattern.regex.source }),
        ...(shape.nonEmpty === true ? { minLength: 1 } : {}),
      };
    case "number":
    case "integer":
      return {
        type: shape.type,
        ...(shape.min === undefined ? {} : { minimum: shape.min }),
        ...(shape.above === undefined ? {} : { exclusiveMinimum: shape.above }),
        ...(shape.max === undefined ? {} : { maximum: shape.max }),
      };
    case "boolean":
      return { type: "boolean" };
    case "any":
      return {};
    case "anyObject":
      return { type: "object" };
    case "scalar":
      return { type: ["string", "number", "boolean", "null"] };
    case "list":
      return {
        type: "array",
        items: schemaOf(shape.of),
        ...(shape.min === undefined ? {} : { minItems: shape.min }),
        ...(shape.max === undefined ? {} : { maxItems: shape.max }),
        ...(shape.unique === true ? { uniqueItems: true } : {}),
      };
    case "either":
      return { anyOf: shape.of.map(schemaOf) };
    case "named":
      return schemaOf(shape.shape());
    case "byVersion":
      return schemaOf(shape["3.2"]);
    default:
      return referenceTo(shape) ?? objectSchema(shape);
  }
}

/** Shapes that contain themselves, or stand in many places. */
function referenceTo(shape: ObjectShape): JsonSchema | null {
  const names = new Map<ObjectShape, string>([
    [condition, "condition"],
    [rulePart, "part"],
    [metricPart, "metric"],
    [threshold, "threshold"],
    ...Object.entries(metricThresholds).map(([name, each]) => [each, name] as const),
  ]);
  const name = names.get(shape);
  return name === undefined ? null : { $ref: `#/$defs/${name}` };
}

function objectSchema(shape: ObjectShape): JsonSchema {
  return {
    type: "object",
    ...objectBody(shape.keys),
    ...(shape.exactlyOne === undefined ? {} : { oneOf: shape.exactlyOne.map((name) => ({ required: [name] })) }),
    ...(shape.atLeastOne === undefined ? {} : { anyOf: shape.atLeastOne.map((name) => ({ required: [name] })) }),
    additionalProperties: shape.open === true,
  };
}

function objectBody(keys: Keys): JsonSchema {
  const required = Object.entries(keys).filter(([, key]) => key.required === true);
  return {
    properties: Object.fromEntries(
      Object.entries(keys).map(([name, { shape, doc, byDefault }]) => [
        name,
        { description: byDefault === undefined ? doc : `${doc} Default: ${byDefault}.`, ...schemaOf(shape) },
      ]),
    ),
    ...(required.length === 0 ? {} : { required: required.map(([name]) => name) }),
  };
}

/** As the formatter lays JSON out: objects over several lines, lists of plain values on one where they fit. */
function print(schema: JsonSchema): string {
  return `${printValue(schema, "", 0)}\n`;
}

function printValue(value: unknown, indent: string, before: number): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const flat = `[${value.map((each) => JSON.stringify(each)).join(", ")}]`;
    const plain = value.every((each) => each === null || typeof each !== "object");
    if (plain && indent.length + before + flat.length <= 139) return flat;
    return `[\n${value.map((each) => `${inner}${printValue(each, inner, 0)}`).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  const lines = entries.map(([key, each]) => {
    const name = `${JSON.stringify(key)}: `;
    return `${inner}${name}${printValue(each, inner, name.length)}`;
  });
  return `{\n${lines.join(",\n")}\n${indent}}`;
}
