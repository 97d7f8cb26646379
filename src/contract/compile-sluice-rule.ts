import type { Condition, MetricCheck, RuleCheck, RulePlan } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { checkShape } from "./check-shape.ts";
import type { Compilation, RuleDraft } from "./compilation.ts";
import { duplicateHorizon, filterIsStored, foreignKeyCheck, referenceCheck, sequenceCheck } from "./compile-across-check.ts";
import { compileBounds } from "./compile-bounds.ts";
import { canBeUnique, compileTokens, compileValues } from "./compile-field-rules.ts";
import { inlineSchemaCheck } from "./compile-json-schema.ts";
import { hasOrder, hasRange } from "./compile-literals.ts";
import { metricCheck, metricThreshold, textsAt } from "./compile-metric-check.ts";
import { patternProblem } from "./compile-patterns.ts";
import {
  arithmeticCheck,
  celCheck,
  checksumCheck,
  completeCheck,
  composedCheck,
  formatCheck,
  monotonicCheck,
  tuplesCheck,
} from "./compile-row-check.ts";
import { allowsOnlyZero, ownerOf, readSeverity, readThreshold } from "./compile-threshold.ts";
import { columnNamed, columnOf, comparisons, compileWhere } from "./compile-where.ts";
import { createFindings } from "./findings.ts";
import { booleanAt, child, items, numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { plainDecimal } from "./decimal-text.ts";
import { condition as conditionShape, isMetricCheck, sluiceRule } from "./rule-shape.ts";
import { isNumber, isText, judgedColumn, misfit, type MadeCheck, type RuleSite } from "./rule-site.ts";

interface Site extends RuleSite {
  /** The quality entry. */
  readonly entry: Node;
}

/** The rule of one quality entry of `engine: sluice`; none where it is wrong, which is reported. */
export function compileSluiceRule(dataset: Compilation, entry: Node, owner: Field | null): RuleDraft[] {
  const compilation: Compilation = { ...dataset, unsupported: "fault" };
  const given = child(entry, "implementation");
  if (given === null) return [];
  const before = errors(compilation);
  const node = checkRuleShape(compilation, given);
  const sound = errors(compilation) === before;
  if (node === null) {
    checkColumns(compilation, given);
    return [];
  }
  const site: Site = { compilation, entry, node, owner };
  const made = makeCheck(site);
  const threshold = made === null ? null : thresholdOf(site, made);
  const where = child(node, "where");
  const condition = where === null ? null : compileWhere(compilation, where);
  if (made !== null && condition !== null) filterIsStored(site, made.check, condition);
  if (made === null || !sound || errors(compilation) !== before) return [];
  return [draft(site, made.check, made.path, condition, threshold)];
}

/** Checks a rule of a property that is in doubt: its structure, and the columns that it names. */
export function checkLostRule(compilation: Compilation, node: Node): void {
  checkRuleShape(compilation, node);
  checkColumns(compilation, node);
}

function checkRuleShape(compilation: Compilation, node: Node): Node | null {
  return checkShape(node, sluiceRule, "implementation", { findings: compilation.findings, version: "3.2" });
}

/** Checks the columns that a rule names where what it checks is in doubt. */
function checkColumns(compilation: Compilation, node: Node): void {
  for (const key of ["column", "left", "right"]) {
    const name = textAt(node, key) ?? "";
    if (name !== "" && !compilation.fields.has(name)) columnOf(compilation, node, key);
  }
  for (const key of ["where", "condition"]) {
    const given = child(node, key);
    // Its structure is reported already, with the rule's.
    const sound = given === null ? null : checkShape(given, conditionShape, key, { findings: createFindings(), version: "3.2" });
    if (sound !== null) compileWhere(compilation, sound);
  }
}

function errors(compilation: Compilation): number {
  return compilation.findings.list.filter((each) => each.severity === "error").length;
}

/** What the window is compared with: a metric's value, or the number of offenders. */
function thresholdOf(site: Site, { check, path }: NonNullable<MadeCheck>): RulePlan["threshold"] {
  return isMetric(check) ? metricThreshold(site, check, path) : windowThreshold(site.node);
}

function isMetric(check: RuleCheck): check is MetricCheck {
  return isMetricCheck(check.family);
}

function draft(site: Site, check: RuleCheck, path: string | null, where: Condition | null, judged: RulePlan["threshold"]): RuleDraft {
  const { entry, node } = site;
  const severity = textAt(node, "severity");
  const window = judged !== null && (check.family === "rowCount" || isMetric(check) || !allowsOnlyZero(judged));
  return {
    givenId: textAt(entry, "id") ?? textAt(entry, "name"),
    check,
    path,
    scope: window ? "window" : "row",
    severity: severity === "error" || severity === "warning" ? severity : readSeverity(site.compilation.findings, entry),
    tolerance: tolerance(child(node, "tolerance")),
    threshold: window ? judged : null,
    where,
    dimension: textAt(entry, "dimension"),
    owner: textAt(node, "owner") ?? ownerOf(entry),
    description: textAt(entry, "description"),
    location: entry.at,
  };
}

function windowThreshold(node: Node): RulePlan["threshold"] {
  const threshold = child(node, "threshold");
  const read = threshold === null ? null : readThreshold(threshold, textAt(threshold, "unit") === "percent" ? "percent" : "rows");
  return read === null || read === "not-a-number" ? null : read.threshold;
}

function tolerance(node: Node | null): RulePlan["tolerance"] {
  const rows = numberAt(node, "rows");
  if (rows !== null) return { rows };
  const percent = numberAt(node, "percent");
  return percent === null ? null : { percent };
}

/** The check of a rule, or of a part of one. */
function makeCheck(site: RuleSite): MadeCheck {
  const { compilation, node } = site;
  const name = textAt(node, "check") ?? "";
  if (isMetricCheck(name)) return metricCheck(site);
  switch (name) {
    case "allOf":
    case "anyOf":
    case "not":
    case "conditional":
      return composedCheck(site, makeCheck);
    case "cel":
      return celCheck(site);
    case "arithmetic":
      return arithmeticCheck(site);
    case "tuples":
      return tuplesCheck(site);
    case "complete":
      return completeCheck(site);
    case "unknownColumns":
      return { check: { family: "unknownColumns", allowed: textsAt(node, "except") }, path: null };
    case "rowCount":
      return { check: { family: "rowCount" }, path: null };
    case "condition": {
      const condition = compileWhere(compilation, child(node, "condition") as Node);
      return condition === null ? null : { check: { family: "condition", condition }, path: null };
    }
    case "compare":
      return makeCompare(site);
    case "duplicate":
      return makeDuplicate(site);
    case "foreignKey": {
      const field = judgedColumn(site);
      return field === null ? null : foreignKeyCheck(site, field);
    }
    case "sequence": {
      const field = judgedColumn(site);
      return field === null ? null : sequenceCheck(site, field);
    }
    case "jsonSchema": {
      const check = inlineSchemaCheck(compilation, node);
      return check === null ? null : { check, path: null };
    }
    default: {
      const field = judgedColumn(site);
      const check = field === null ? null : makeColumnCheck(site, field);
      return check === null || field === null ? null : { check, path: field.path };
    }
  }
}

function makeColumnCheck(site: RuleSite, field: Field): RuleCheck | null {
  const { compilation, node } = site;
  switch (textAt(node, "check")) {
    case "required":
      return { family: "required" };
    case "null":
      return { family: "null" };
    case "missing": {
      const tokens = compileTokens(compilation, field, items(node, "missingValues"));
      return tokens === null ? null : { family: "missing", tokens };
    }
    case "range":
      return hasRange(field.type)
        ? (compileBounds(compilation, field, node)?.check ?? null)
        : misfit(site, field, "has no order, so it has no range");
    case "multipleOf": {
      const of = child(node, "multipleOf");
      if (!isNumber(field)) return misfit(site, field, "is no number");
      return of?.kind === "scalar" ? { family: "multipleOf", of: plainDecimal(of.text) ?? of.text } : null;
    }
    case "length":
      if (!isText(field)) return misfit(site, field, "is no text, so it has no length");
      return { family: "length", min: numberAt(node, "minLength"), max: numberAt(node, "maxLength") };
    case "pattern":
      return makePattern(site, field);
    case "format":
      return formatCheck(site, field);
    case "empty":
      return isText(field) || field.type.kind === "json"
        ? { family: "empty", whitespace: booleanAt(node, "whitespace") !== false }
        : misfit(site, field, "is no text");
    case "checksum":
      return checksumCheck(site, field);
    case "monotonic":
      return monotonicCheck(site, field);
    case "reference":
      return referenceCheck(site, field);
    case "set": {
      const negated = child(node, "forbidden") !== null;
      const values = compileValues(compilation, field, items(node, negated ? "forbidden" : "allowed"));
      return values === null ? null : { family: "set", values, negated };
    }
    case "items":
      if (field.type.kind !== "list") return misfit(site, field, "is no list");
      return {
        family: "items",
        min: numberAt(node, "minItems"),
        max: numberAt(node, "maxItems"),
        unique: booleanAt(node, "uniqueItems") === true,
      };
    default:
      return null;
  }
}

function makePattern(site: RuleSite, field: Field): RuleCheck | null {
  if (field.type.kind !== "string") return misfit(site, field, "is no text");
  const pattern = textAt(site.node, "pattern") as string;
  const problem = patternProblem(pattern);
  if (problem === null) return { family: "pattern", pattern };
  site.compilation.findings.error(
    "pattern-unsupported",
    (child(site.node, "pattern") as Node).at,
    `${field.path}: ${problem.message}`,
    problem.hint,
  );
  return null;
}

function makeCompare(site: RuleSite): MadeCheck {
  const left = judgedColumn(site, "left");
  const right = columnOf(site.compilation, site.node, "right");
  if (left === null || right === null) return null;
  const op = comparisons[textAt(site.node, "operator") as string];
  if (op === undefined) return null;
  if (left.type.kind === "timestamp" && right.type.kind === "timestamp" && left.type.unit !== right.type.unit) {
    const message = `"${left.path}" has ${left.type.unit} and "${right.path}" has ${right.type.unit}: timestamps are compared in one unit`;
    const hint = "give both the same physicalType, or compare them in an expression (check: cel)";
    site.compilation.findings.error("timestamp-unit", placeOf(site.node, "operator"), message, hint);
    return null;
  }
  if (!comparable(left, right) || (op !== "eq" && op !== "ne" && !hasOrder(left.type))) {
    const message = `"${left.path}" (${left.type.kind}) and "${right.path}" (${right.type.kind}) can't be compared like this`;
    site.compilation.findings.error("column-type", placeOf(site.node, "operator"), message);
    return null;
  }
  return { check: { family: "compare", left: left.path, op, right: right.path }, path: left.path };
}

function comparable(left: Field, right: Field): boolean {
  if (["struct", "list", "map", "json", "binary"].includes(left.type.kind)) return false;
  if (left.type.kind === "timestamp" && right.type.kind === "timestamp") return left.type.zoned === right.type.zoned;
  return isNumber(left) ? isNumber(right) : left.type.kind === right.type.kind;
}

function makeDuplicate(site: RuleSite): MadeCheck {
  const { compilation, node, owner } = site;
  const named = items(node, "columns");
  const keep = textAt(node, "keep") === "none" ? "none" : "first";
  if (named.length === 0 && owner === null) {
    compilation.findings.error("column-missing", node.at, `a rule of the dataset must say which "columns" it judges`);
    return null;
  }
  const fields =
    named.length === 0
      ? [owner]
      : named.map((each) => (each.kind === "scalar" ? columnNamed(compilation, String(each.value), each) : null));
  if (!fields.every((each) => each !== null && canBeUnique(compilation, each, node.at))) return null;
  const horizon = duplicateHorizon(site, fields as Field[], keep);
  if (horizon === undefined) return null;
  const columns = fields.map((each) => (each as Field).path);
  return { check: { family: "duplicate", columns, keep, horizon }, path: columns.length === 1 ? (columns[0] as string) : null };
}
