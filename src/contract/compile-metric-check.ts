import type { Condition, MeasuredOf, MetricCheck, MetricPart, Operator, RulePlan, Threshold } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { changeMetric, timeMetric } from "./compile-across-check.ts";
import { compileValues } from "./compile-field-rules.ts";
import { literalWords, timeBound } from "./compile-literals.ts";
import { readThreshold } from "./compile-threshold.ts";
import { columnOf, compileWhere } from "./compile-where.ts";
import { child, items, numberAt, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { operatorNames } from "./odcs-quality.ts";
import { hasNanos, isNumber, isText, judgedColumn, misfit, namedColumns, type RuleSite } from "./rule-site.ts";

type Made = { readonly check: MetricCheck; readonly path: string | null } | null;

const groupsDefault = 10_000;

/** A metric's check; null where it is wrong, which is reported. */
export function metricCheck(site: RuleSite): Made {
  const { node } = site;
  const family = textAt(node, "check") as MetricCheck["family"];
  switch (family) {
    case "correlation":
      return correlation(site);
    case "groups":
      return groups(site);
    case "ratio":
      return ratio(site);
    case "missingColumns": {
      const fields = child(node, "columns") === null ? topFields(site) : namedColumns(site, "columns");
      return fields === null ? null : { check: { family, columns: fields.map(({ path }) => path) }, path: null };
    }
    case "typeChanges": {
      const all = [...site.compilation.fields.values()].filter(({ type }) => type.kind !== "json");
      const fields = child(node, "columns") === null ? all : namedColumns(site, "columns");
      return fields === null ? null : { check: { family, columns: fields.map(({ path }) => path) }, path: null };
    }
    case "volume":
      return { check: { family }, path: null };
    case "freshness":
    case "eventLag":
      return timeMetric(site, family);
    case "change":
      return changeMetric(site, metricPart({ ...site, node: child(node, "metric") as Node }));
    case "newColumns":
      return { check: { family, allowed: textsAt(node, "except") }, path: null };
    default: {
      const field = judgedColumn(site);
      if (field === null) return null;
      if (field.path.includes("[]")) return misfit(site, field, "stands inside a list, so a row has no single value of it");
      const check = columnMetric(site, family, field);
      return check === null ? null : { check, path: field.path };
    }
  }
}

/** Texts of a list. */
export function textsAt(node: Node, key: string): string[] {
  return items(node, key).flatMap((each) => (each.kind === "scalar" ? [String(each.value)] : []));
}

function topFields({ compilation }: RuleSite): Field[] {
  return [...compilation.fields.values()].filter(({ name, path }) => name === path);
}

const countless = ["struct", "list", "map"];

function columnMetric(site: RuleSite, family: MetricCheck["family"], field: Field): MetricCheck | null {
  const { compilation, node } = site;
  switch (family) {
    case "completeness":
      return { family };
    case "uniqueness":
    case "mostCommon":
    case "entropy":
    case "distinctCount":
      return countless.includes(field.type.kind) ? misfit(site, field, "holds other columns, so its values are not counted") : { family };
    case "distinctSet": {
      const values = compileValues(compilation, field, items(node, "values"));
      const relation = (textAt(node, "relation") ?? "equal") as "equal" | "subset" | "superset";
      if (countless.includes(field.type.kind) || field.type.kind === "binary") return misfit(site, field, "has no set of values");
      return values === null ? null : { family, relation, values };
    }
    case "zeros":
    case "negatives":
      return isNumber(field) ? { family } : misfit(site, field, "is no number");
    case "mean":
    case "stdev":
    case "sum":
    case "min":
    case "max": {
      const of = measuredOf(site, field, family === "min" || family === "max");
      return of === null ? null : { family, of };
    }
    case "quantile": {
      const of = measuredOf(site, field, true);
      if (hasNanos(field)) return inexact(site, field, "quantiles", "check");
      const q = numberAt(node, "q") ?? 0;
      if (q > 1) {
        const hint = q <= 100 ? `${q / 100} for ${q}%` : null;
        compilation.findings.error("number-too-large", placeOf(node, "q"), `q is a share, at most 1, not ${q}`, hint);
        return null;
      }
      return of === null ? null : { family, q, of };
    }
    default:
      return null;
  }
}

function measuredOf(site: RuleSite, field: Field, timed: boolean): MeasuredOf | null {
  if (textAt(site.node, "of") === "length")
    return isText(field) || field.type.kind === "json" ? "length" : misfit(site, field, "is no text, so it has no length");
  if (isNumber(field) || (timed && ["date", "time", "timestamp"].includes(field.type.kind))) return "value";
  if (isText(field)) {
    const at = placeOf(site.node, "check");
    site.compilation.findings.error(
      "column-type",
      at,
      `"${field.path}" is of type ${field.type.kind}: it is no number`,
      "of: length measures how long its texts are",
    );
    return null;
  }
  return misfit(site, field, "is no number");
}

/** Reports a metric that is computed of doubles, which do not tell nanoseconds apart. */
function inexact(site: RuleSite, field: Field, what: string, key: string): null {
  const message = `"${field.path}" has nanoseconds, and ${what} are computed of numbers that tell a quarter of a microsecond`;
  const hint = "min and max of a column are exact; or keep the column in microseconds";
  site.compilation.findings.error("timestamp-unit", placeOf(site.node, key), message, hint);
  return null;
}

function correlation(site: RuleSite): Made {
  const left = judgedColumn(site, "left");
  const right = columnOf(site.compilation, site.node, "right");
  if (left === null || right === null) return null;
  for (const [field, key] of [
    [left, "left"],
    [right, "right"],
  ] as const)
    if (!isNumber(field) && !["date", "time", "timestamp"].includes(field.type.kind)) return misfit(site, field, "is no number", key);
  if (left.path === right.path) {
    site.compilation.findings.error("column-repeated", placeOf(site.node, "right"), `"${right.path}" is correlated with itself`);
    return null;
  }
  return { check: { family: "correlation", left: left.path, right: right.path }, path: null };
}

function groups(site: RuleSite): Made {
  const { compilation, node } = site;
  const by = namedColumns(site, "by");
  const aggregate = (textAt(node, "aggregate") ?? "count") as "count" | "sum" | "mean" | "min" | "max";
  if (by === null) return null;
  const nested = by.find(({ type }) => countless.includes(type.kind));
  if (nested !== undefined) return misfit(site, nested, "holds other columns, so it makes no groups", "by");
  const groupsMax = numberAt(node, "groupsMax") ?? groupsDefault;
  const paths = by.map(({ path }) => path);
  if (aggregate === "count") {
    if (child(node, "column") !== null)
      compilation.findings.error("keys-conflict", placeOf(node, "column"), `aggregate "count" counts rows: it has no "column"`);
    return { check: { family: "groups", by: paths, aggregate, column: null, groupsMax }, path: null };
  }
  const field = judgedColumn(site);
  if (field === null) return null;
  const timed = aggregate === "min" || aggregate === "max";
  if (!isNumber(field) && !(timed && ["date", "time", "timestamp"].includes(field.type.kind)))
    return misfit(site, field, "is no number", "column");
  if (hasNanos(field)) return inexact(site, field, `the ${aggregate} of groups`, "column");
  return { check: { family: "groups", by: paths, aggregate, column: field.path, groupsMax }, path: null };
}

function ratio(site: RuleSite): Made {
  const [numerator, denominator] = ["numerator", "denominator"].map((key) => metricPart({ ...site, node: child(site.node, key) as Node }));
  if (numerator === null || denominator === null || numerator === undefined || denominator === undefined) return null;
  return { check: { family: "ratio", numerator, denominator }, path: null };
}

/** A metric inside of another rule; null where it is wrong, which is reported. */
function metricPart(site: RuleSite): MetricPart | null {
  const given = child(site.node, "where");
  const where: Condition | null = given === null ? null : compileWhere(site.compilation, given);
  if (given !== null && where === null) return null;
  if (textAt(site.node, "check") === "rowCount") return { check: { family: "rowCount" }, path: null, where };
  const made = metricCheck(site);
  return made === null ? null : { ...made, where };
}

/** The unit where the contract names none. */
function usualUnit(check: MetricCheck): Threshold["unit"] {
  if (check.family === "change") return check.by === "percent" ? "percent" : "value";
  return shares.has(check.family) ? "percent" : "value";
}

const shares: ReadonlySet<string> = new Set(["completeness", "uniqueness", "zeros", "negatives", "mostCommon", "typeChanges"]);

/** What a metric is compared with; dates and times in the column's unit. Null where a limit is no such value, which is reported. */
export function metricThreshold(site: RuleSite, check: MetricCheck, path: string | null): RulePlan["threshold"] {
  const { compilation, node } = site;
  const given = child(node, "threshold");
  if (given === null) return { operator: "mustBe", values: [0], unit: "value" };
  const unit = (textAt(given, "unit") ?? usualUnit(check)) as Threshold["unit"];
  const operator = operatorNames.find((name) => child(given, name) !== null) as Operator;
  const at = child(given, operator) as Node;
  const limits = at.kind === "list" ? at.items : [at];
  const field = timeColumn(compilation.fields, check, path);
  if (field === null) {
    const read = readThreshold(given, "rows");
    if (read !== null && read !== "not-a-number") return { ...read.threshold, unit };
    compilation.findings.error("value-type", at.at, `${check.family} is compared with ${at.kind === "list" ? "numbers" : "a number"}`);
    return null;
  }
  const values = limits.map((limit) => {
    const bound = limit.kind === "scalar" && typeof limit.value === "string" ? timeBound(field, limit.value) : null;
    if (bound === null) compilation.findings.error("value-type", limit.at, `"${field.path}" is compared with ${literalWords(field.type)}`);
    if (bound === null) return null;
    // Microseconds of far years may be rounded, as sentinels such as 9999-12-31T23:59:59.999999 always were; nanoseconds of today would be.
    if (!hasNanos(field) || String(Number(bound)) === bound) return Number(bound);
    const message = `"${field.path}" is compared with ${limit.kind === "scalar" ? limit.text : "this"}, which is finer than limits of metrics are`;
    compilation.findings.error(
      "timestamp-unit",
      limit.at,
      message,
      "limits of metrics have at most 6 digits of the second (5 from 2116 on and before 1824)",
    );
    return null;
  });
  if (!values.every((each) => each !== null)) return null;
  return { operator, values: values.toSorted((a, b) => a - b), unit };
}

/** The date or time column that a metric is a value of. */
function timeColumn(fields: ReadonlyMap<string, Field>, check: MetricCheck, path: string | null): Field | null {
  const column = check.family === "groups" ? check.column : path;
  const valued =
    check.family === "groups" ||
    ((check.family === "min" || check.family === "max" || check.family === "quantile") && check.of === "value");
  const field = valued && column !== null ? fields.get(column) : undefined;
  return field !== undefined && ["date", "time", "timestamp"].includes(field.type.kind) ? field : null;
}
