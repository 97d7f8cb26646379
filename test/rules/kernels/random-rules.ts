import type { Comparison, Condition, RuleCheck, RulePart, Scalar } from "../../../src/core/rule.ts";
import type { Field } from "../../../src/core/schema.ts";
import type { RuleSketch } from "../../fixtures/contract.ts";
import { doubles, longs, texts, unscaled, type Draw } from "./random-batch.ts";

const comparisons: readonly Comparison[] = ["eq", "ne", "lt", "le", "gt", "ge"];
const patterns = [
  "a",
  "^[A-Z]{3}$",
  "^N[0-9][0-9A-Z]{3,4}$",
  "é",
  "^.{2,3}$",
  "(?i)^ABC",
  "\\bab",
  "",
  "^$",
  "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$",
  "^(?:ab|cd)",
  "\\p{L}$",
  "[^a-z]",
  "^\\P{L}*$",
  "x{20}",
  "^[a-z0-9*]{36}$",
  "^.?$",
];
const formats = [
  ..."email uuid uri hostname ipv4 ipv6 byte binary password url ip cidr mac date duration base64url currency country-alpha-3 semver hex-color".split(
    " ",
  ),
  ..."uuid-v4 phone json card date-time".split(" "),
];

const decimalText = (value: bigint, scale: number): string => {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, digits.length - scale)}${scale === 0 ? "" : `.${digits.slice(-scale)}`}`;
};

/** Number texts about the values of a column, some of them between two. */
function numberText({ type }: Field, draw: Draw): string {
  if (draw.nat(11) === 0)
    return draw.pick([
      "1e30",
      "-1e30",
      "0.5",
      "1e-3",
      "9223372036854775808",
      "-9223372036854775809",
      "1e45",
      "-1e45",
      "170141183460469231731687303715884105728",
    ]);
  if (type.kind === "float" || type.kind === "double") return String(draw.pick(doubles.filter(Number.isFinite)));
  if (type.kind === "decimal")
    return decimalText(draw.pick(unscaled) + draw.pick([0n, 0n, 1n, -1n]), type.scale) + draw.pick(["", "", type.scale === 0 ? ".5" : "5"]);
  return String(draw.pick(longs) + draw.pick([0n, 0n, 1n, -1n])) + draw.pick(["", "", "", ".5"]);
}

const numeric = new Set(["int", "long", "float", "double", "decimal", "date", "time", "timestamp"]);
const textual = new Set(["string", "json", "binary"]);

function scalarFor(field: Field, draw: Draw): Scalar {
  const { kind } = field.type;
  if (kind === "boolean") return { type: "boolean", value: draw.nat(1) === 1 };
  if (numeric.has(kind)) {
    const text = numberText(field, draw);
    return { type: "number", text, value: Number(text) };
  }
  return { type: "string", value: draw.pick(texts) };
}

function scalarsFor(field: Field, draw: Draw): Scalar[] {
  const count = draw.pick([0, 1, 2, 5, 9, 20]);
  const any: Scalar[] = [
    { type: "null" },
    { type: "boolean", value: true },
    { type: "string", value: "a" },
    { type: "number", text: "1", value: 1 },
  ];
  return Array.from({ length: count }, () => (draw.nat(9) === 0 ? draw.pick(any) : scalarFor(field, draw)));
}

const hasConstants = (field: Field): boolean =>
  field.type.kind === "boolean" || field.type.kind === "string" || field.type.kind === "json" || numeric.has(field.type.kind);

/** Any condition over columns that have one cell a row. */
export function drawCondition(rowFields: readonly Field[], draw: Draw, depth = 2): Condition {
  const op = depth === 0 ? "leaf" : draw.pick(["and", "or", "not", "leaf", "leaf", "leaf"]);
  if (op === "and" || op === "or") return { op, of: Array.from({ length: draw.nat(3) }, () => drawCondition(rowFields, draw, depth - 1)) };
  if (op === "not") return { op, of: drawCondition(rowFields, draw, depth - 1) };
  const field = draw.pick(rowFields);
  const { path } = field;
  const leaf = draw.pick(["null", "notNull", "in", "compare", "compare", "compare"]);
  if (leaf === "null" || leaf === "notNull" || !hasConstants(field)) return { op: leaf === "null" ? "null" : "notNull", path };
  if (leaf === "in" || field.type.kind === "json") return { op: "in", path, values: scalarsFor(field, draw) };
  return { op: draw.pick(comparisons), path, value: scalarFor(field, draw) };
}

const bound = (draw: Draw): number | null => draw.pick([null, 0, 1, 2, 3, 8, 9, 16, 17, 299, 300]);

/** Any check of single cells that makes sense for a field. */
export function drawCellCheck(field: Field, draw: Draw): RuleCheck {
  const { kind } = field.type;
  const checks: (() => RuleCheck)[] = [
    () => ({ family: "required" }),
    () => ({ family: "null" }),
    () => ({ family: "missing", tokens: scalarsFor(field, draw) }),
  ];
  if (numeric.has(kind)) {
    const text = (): string | null => (draw.nat(4) === 0 ? null : numberText(field, draw));
    const range = (): RuleCheck => ({
      family: "range",
      min: text(),
      max: text(),
      exclusiveMin: draw.nat(1) === 1,
      exclusiveMax: draw.nat(1) === 1,
      minText: null,
      maxText: null,
    });
    checks.push(range, range, range);
    if (kind === "decimal" || kind === "int" || kind === "long")
      checks.push(() => ({
        family: "multipleOf",
        of: draw.pick([
          "1",
          "2",
          "3",
          "5",
          "64",
          "0.5",
          "2.5",
          "1.5",
          "9223372036854775807",
          "9223372036854775808",
          "1e-3",
          "1e20",
          "0.01",
          "0.05",
          "0.5",
          "92233720368547758.08",
          "0.003",
        ]),
      }));
  }
  if (hasConstants(field)) {
    const set = (): RuleCheck => ({ family: "set", values: scalarsFor(field, draw), negated: draw.nat(1) === 1 });
    checks.push(set, set);
  }
  if (textual.has(kind)) {
    checks.push(
      () => ({ family: "length", min: bound(draw), max: bound(draw) }),
      () => ({ family: "pattern", pattern: draw.pick(patterns) }),
      () => ({ family: "format", format: draw.pick(formats) }),
      () => ({ family: "empty", whitespace: draw.nat(1) === 1 }),
    );
  }
  if (kind === "list") checks.push(() => ({ family: "items", min: bound(draw), max: bound(draw), unique: draw.nat(1) === 1 }));
  return draw.pick(checks)();
}

/** What else a rule says: its scope, whom it rejects, which rows it is for. */
export function drawSettings(rowFields: readonly Field[], draw: Draw): Partial<RuleSketch> {
  const window = draw.nat(3) === 0;
  return {
    severity: draw.pick(["error", "warning"]),
    where: draw.nat(2) === 0 ? drawCondition(rowFields, draw) : null,
    ...(window ? { scope: "window", threshold: { operator: "mustBeLessThan", values: [3], unit: "rows" } } : {}),
  };
}

/** A comparison of two columns that may be compared; null where the two drawn may not. */
export function drawCompare(rowFields: readonly Field[], draw: Draw): RuleCheck | null {
  const left = draw.pick(rowFields);
  const right = draw.pick(rowFields);
  const group = (field: Field): string => {
    const { type } = field;
    if (["int", "long", "float", "double", "decimal"].includes(type.kind)) return "number";
    return type.kind === "timestamp" ? `timestamp ${type.zoned}` : type.kind;
  };
  if (group(left) !== group(right) || ["struct", "list", "map", "json"].includes(left.type.kind)) return null;
  return { family: "compare", left: left.path, op: draw.pick(comparisons), right: right.path };
}

/** A rule made of others, of any depth up to three, or one over several columns. */
export function drawComposed(fields: readonly Field[], rowFields: readonly Field[], draw: Draw, depth = 2): RuleCheck {
  const part = (): RulePart => {
    const kind = draw.nat(5);
    if (kind === 0 && depth > 0) return { check: drawComposed(fields, rowFields, draw, depth - 1), path: null };
    if (kind === 1) return { check: { family: "condition", condition: drawCondition(rowFields, draw) }, path: null };
    const compare = kind === 2 ? drawCompare(rowFields, draw) : null;
    if (compare !== null) return { check: compare, path: null };
    const field = draw.pick(fields);
    return { check: drawCellCheck(field, draw), path: field.path };
  };
  const parts = (): RulePart[] => Array.from({ length: 1 + draw.nat(2) }, part);
  switch (draw.nat(4)) {
    case 0:
      return { family: "allOf", parts: parts() };
    case 1:
      return { family: "anyOf", parts: parts() };
    case 2:
      return { family: "not", part: part() };
    case 3:
      return {
        family: "conditional",
        when: drawCondition(rowFields, draw),
        consequent: part(),
        otherwise: draw.nat(1) === 0 ? null : part(),
      };
    default:
      return {
        family: "complete",
        columns: Array.from({ length: 2 + draw.nat(2) }, () => draw.pick(rowFields).path),
        quantity: draw.pick(["all", "any", "exactlyOne", "allOrNone"]),
      };
  }
}
