import { compileCel } from "../cel/cel-expression.ts";
import type { ChecksumName, RuleCheck, Scalar } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { parseEquation } from "./compile-arithmetic.ts";
import { literalFor, literalWords } from "./compile-literals.ts";
import { columnNamed, compileWhere } from "./compile-where.ts";
import { plainDecimal } from "./decimal-text.ts";
import { suggestion } from "./nearest-name.ts";
import { booleanAt, child, items, placeOf, textAt } from "./node.ts";
import type { Node, ScalarNode } from "./node.ts";
import { isNumber, misfit, namedColumns, type MadeCheck, type RuleSite } from "./rule-site.ts";

/** The number of a `checksum`: which columns it goes with, and how long it may be. */
export function checksumCheck(site: RuleSite, field: Field): RuleCheck | null {
  if (!["string", "int", "long"].includes(field.type.kind))
    return misfit(site, field, "is neither text nor a whole number, so it has no check digits");
  const lengths = items(site.node, "lengths").flatMap((each) => (each.kind === "scalar" ? [Number(each.value)] : []));
  return { family: "checksum", algorithm: textAt(site.node, "algorithm") as ChecksumName, lengths };
}

/** Text of a named format; latitudes and longitudes of number columns are ranges. */
export function formatCheck(site: RuleSite, field: Field): RuleCheck | null {
  const format = textAt(site.node, "format") as string;
  if (field.type.kind === "string") return { family: "format", format };
  if (field.type.kind === "uuid") {
    const { compilation, node } = site;
    const message = `"${field.path}" is of type uuid, which is that of any version: its text has no other format`;
    compilation.findings.error("column-type", placeOf(node, "format"), message, versionHint(field.name));
    return null;
  }
  const limit = format === "latitude" ? "90" : format === "longitude" ? "180" : null;
  if (limit === null || !isNumber(field)) return misfit(site, field, "is no text");
  return { family: "range", min: `-${limit}`, max: limit, exclusiveMin: false, exclusiveMax: false, minText: `-${limit}`, maxText: limit };
}

/** How to demand a version of UUIDs. */
export function versionHint(name: string): string {
  return `an expression sees its text (check: cel, ${name}.matches("^.{14}4") for version 4), or keep it as text: format: uuid-v4 without physicalType`;
}

/** Combinations of values of several columns. */
export function tuplesCheck(site: RuleSite): MadeCheck {
  const { compilation, node } = site;
  const fields = namedColumns(site, "columns");
  if (fields === null) return null;
  const negated = child(node, "forbidden") !== null;
  const tuples = items(node, negated ? "forbidden" : "allowed").map((tuple) => compileTuple(site, fields, tuple));
  if (!tuples.every((each) => each !== null)) return null;
  const unfit = fields.find((field) => ["struct", "list", "map", "binary"].includes(field.type.kind));
  if (unfit !== undefined) {
    compilation.findings.error(
      "column-type",
      (child(node, "columns") as Node).at,
      `"${unfit.path}" is of type ${unfit.type.kind} and has no constants`,
    );
    return null;
  }
  return { check: { family: "tuples", columns: fields.map(({ path }) => path), tuples, negated }, path: null };
}

function compileTuple({ compilation }: RuleSite, fields: readonly Field[], tuple: Node): Scalar[] | null {
  const values = tuple.kind === "list" ? tuple.items : [];
  if (values.length !== fields.length) {
    compilation.findings.error("tuple-length", tuple.at, `this has ${values.length} values for ${fields.length} columns`);
    return null;
  }
  const made = values.map((value, i) => {
    const field = fields[i] as Field;
    const literal = literalFor(field, value);
    if (literal !== null && literal.type !== "null") return literal;
    compilation.findings.error("value-type", value.at, `"${field.path}" takes ${literalWords(field.type)}`);
    return null;
  });
  return made.every((each) => each !== null) ? made : null;
}

/** How many of several columns have a value. */
export function completeCheck(site: RuleSite): MadeCheck {
  const fields = namedColumns(site, "columns");
  if (fields === null) return null;
  const quantity = (textAt(site.node, "quantity") ?? "all") as "all" | "any" | "exactlyOne" | "allOrNone";
  return { check: { family: "complete", columns: fields.map(({ path }) => path), quantity }, path: null };
}

/** Two sides of an equation; faults are reported where they stand in its text. */
export function arithmeticCheck(site: RuleSite): MadeCheck {
  const { compilation, node } = site;
  const given = child(node, "equation") as ScalarNode;
  const text = String(given.value);
  const parsed = parseEquation(text);
  if ("message" in parsed) {
    compilation.findings.error("equation-syntax", placeInside(given, parsed.offset), parsed.message, `such as "net + tax = gross"`);
    return null;
  }
  let sound = true;
  for (const { name, offset } of parsed.columns) {
    const at = { ...given, at: placeInside(given, offset) };
    const field = columnNamed(compilation, name, at);
    if (field === null) sound = false;
    else if (!isNumber(field)) {
      compilation.findings.error("column-type", at.at, `"${name}" is of type ${field.type.kind}: it is no number`);
      sound = false;
    }
  }
  if (parsed.columns.length === 0) {
    compilation.findings.error("column-missing", given.at, "the equation names no column");
    sound = false;
  }
  if (!sound) return null;
  const within = child(node, "within");
  const margin = within?.kind === "scalar" ? (plainDecimal(within.text) ?? within.text) : null;
  const { left, op, right } = parsed;
  return { check: { family: "arithmetic", left, op, right, within: margin, text: text.trim() }, path: null };
}

/** An expression in CEL, type-checked against the columns; every fault is reported where it stands in the text. */
export function celCheck(site: RuleSite): MadeCheck {
  const { compilation, node } = site;
  const given = child(node, "expression") as ScalarNode;
  const text = String(given.value);
  // Where properties are in doubt, so is what an expression may name.
  if (compilation.lost.length > 0) return null;
  const compiled = compileCel(
    text,
    [...compilation.fields.values()].filter(({ path, name }) => path === name),
  );
  if ("syntax" in compiled) return { check: { family: "cel", expression: text }, path: null };
  for (const { message, offset, name, candidates } of compiled) {
    const hint = name === undefined || candidates === undefined ? null : suggestion(name, candidates);
    compilation.findings.error("cel-expression", placeInside(given, offset), message, hint);
  }
  return null;
}

/** Values in the order of their partition's offsets. */
export function monotonicCheck(site: RuleSite, field: Field): RuleCheck | null {
  if (!["int", "long", "float", "double", "decimal", "date", "time", "timestamp", "string", "uuid"].includes(field.type.kind))
    return misfit(site, field, "has no order");
  if (field.path.includes("[]")) return misfit(site, field, "stands inside a list, so a row has no single value of it");
  const direction = textAt(site.node, "direction") === "decreasing" ? "decreasing" : "increasing";
  return { family: "monotonic", direction, strict: booleanAt(site.node, "strict") === true };
}

/** Rules made of others; `compilePart` makes the check of a part. */
export function composedCheck(site: RuleSite, compilePart: (site: RuleSite) => MadeCheck): MadeCheck {
  const { compilation, node } = site;
  const part = (each: Node | null): MadeCheck => (each === null ? null : compilePart({ ...site, node: each }));
  const family = textAt(node, "check");
  if (family === "allOf" || family === "anyOf") {
    const parts = items(node, "rules").map(part);
    return parts.every((each) => each !== null) ? { check: { family, parts }, path: null } : null;
  }
  if (family === "not") {
    const made = part(child(node, "rule"));
    return made === null ? null : { check: { family, part: made }, path: null };
  }
  const when = compileWhere(compilation, child(node, "if") as Node);
  const then = part(child(node, "then"));
  const given = child(node, "else");
  const otherwise = part(given);
  if (when === null || then === null || (given !== null && otherwise === null)) return null;
  return { check: { family: "conditional", when, consequent: then, otherwise }, path: null };
}

/** The place of a character of a text. */
function placeInside(node: ScalarNode, offset: number): ScalarNode["at"] {
  return node.within?.(offset) ?? node.at;
}

/** Whether a rule, or a part of it, needs unknown fields to be kept. */
export function needsUnknownFields(check: RuleCheck): boolean {
  switch (check.family) {
    case "unknownColumns":
    case "newColumns":
      return true;
    case "allOf":
    case "anyOf":
      return check.parts.some((each) => needsUnknownFields(each.check));
    case "not":
      return needsUnknownFields(check.part.check);
    case "conditional":
      return needsUnknownFields(check.consequent.check) || (check.otherwise !== null && needsUnknownFields(check.otherwise.check));
    default:
      return false;
  }
}
