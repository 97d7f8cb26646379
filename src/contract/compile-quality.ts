import type { RuleCheck, Severity, Threshold } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { cannotEnforce, leaveUnenforced } from "./compilation.ts";
import type { Compilation, RuleDraft } from "./compilation.ts";
import { canBeUnique, canMatch, compileTokens, compileValues } from "./compile-field-rules.ts";
import { compileSqlRule } from "./compile-sql-rule.ts";
import { checkLostRule, compileSluiceRule } from "./compile-sluice-rule.ts";
import { allowsOnlyZero, ownerOf, readSeverity, readThreshold, readUnit } from "./compile-threshold.ts";
import { columnNamed } from "./compile-where.ts";
import { child, items, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { isLibrary30 } from "./odcs-quality.ts";
import type { MetricName } from "./odcs-quality.ts";
import { suggestion } from "./nearest-name.ts";

/** The rules of one `quality` list; `field` is the property that it stands under, null for the schema object's own. */
export function compileQuality(compilation: Compilation, node: Node, field: Field | null): RuleDraft[] {
  return items(node, "quality").flatMap((entry) => compileEntry(compilation, entry, field));
}

/** Checks what can be checked of the rules of a property whose structure is wrong: those of Sluice's own, apart from what hangs on the column. */
export function checkLostQuality(compilation: Compilation, node: Node): void {
  for (const entry of items(node, "quality")) {
    const rule = child(entry, "implementation");
    if (textAt(entry, "type") === "custom" && textAt(entry, "engine") === "sluice" && rule?.kind === "object") {
      checkLostRule(compilation, rule);
    }
  }
}

function compileEntry(compilation: Compilation, entry: Node, field: Field | null): RuleDraft[] {
  const type = textAt(entry, "type");
  if (child(entry, "schedule") !== null)
    leaveUnenforced(compilation, placeOf(entry, "schedule"), `${label(entry, field)}: its schedule; every window is judged`);
  if (type === "custom") {
    if (textAt(entry, "engine") === "sluice") return compileSluiceRule(compilation, entry, field);
    leaveUnenforced(compilation, entry.at, `${label(entry, field)}: a rule of the engine ${textAt(entry, "engine")}`);
    return [];
  }
  if (type === "sql") {
    return compileSqlRule(compilation, entry, field);
  }
  if (textAt(entry, "metric") !== null || isLibrary30(entry)) return compileMetric(compilation, entry, field);
  leaveUnenforced(compilation, entry.at, `${label(entry, field)}: a rule in words`);
  return [];
}

function label(entry: Node, field: Field | null): string {
  const id = textAt(entry, "id") ?? textAt(entry, "name");
  const place = field === null ? "dataset" : field.path;
  return id === null ? place : `${place} (${id})`;
}

const names30: Readonly<Record<string, MetricName>> = {
  duplicateCount: "duplicateValues",
  validValues: "invalidValues",
  nullCheck: "nullValues",
  nullCount: "nullValues",
  rowCount: "rowCount",
  nullValues: "nullValues",
  missingValues: "missingValues",
  invalidValues: "invalidValues",
  duplicateValues: "duplicateValues",
};

function compileMetric(compilation: Compilation, entry: Node, field: Field | null): RuleDraft[] {
  const old = textAt(entry, "metric") === null;
  const name = textAt(entry, old ? "rule" : "metric") as string;
  const metric = old ? (Object.hasOwn(names30, name) ? names30[name] : undefined) : (name as MetricName);
  if (metric === undefined) {
    compilation.findings.note(
      "metric-unknown",
      placeOf(entry, "rule"),
      `"${name}" is no metric of the library`,
      suggestion(name, Object.keys(names30)),
    );
    leaveUnenforced(compilation, entry.at, `${label(entry, field)}: the rule ${name}`);
    return [];
  }
  const threshold = metricThreshold(compilation, entry, field, metric);
  if (threshold === null) return [];
  const severity = readSeverity(compilation.findings, entry);
  checkArguments(compilation, entry, metric);
  return metricChecks(compilation, entry, field, metric).map((check) => metricRule(entry, field, check, severity, threshold));
}

function metricThreshold(compilation: Compilation, entry: Node, field: Field | null, metric: MetricName): Threshold | null {
  const unit = readUnit(entry);
  if (unit === null || (unit === "percent" && metric === "rowCount")) {
    const what = unit === null ? `the unit "${textAt(entry, "unit")}"` : "percent of the number of rows";
    cannotEnforce(
      compilation,
      "unit-unsupported",
      placeOf(entry, "unit"),
      `${label(entry, field)}: ${what} has no meaning here`,
      "use rows or percent",
    );
    return null;
  }
  const read = readThreshold(entry, unit);
  // 3.0 wrote a list of valid values without any operator: no other value may stand.
  if (read === null) return { operator: "mustBe", values: [0], unit: "rows" };
  if (read !== "not-a-number") return read.threshold;
  cannotEnforce(
    compilation,
    "threshold-not-a-number",
    entry.at,
    `${label(entry, field)}: the number of rows is compared with something that is no number`,
  );
  return null;
}

const argumentNames: Readonly<Record<MetricName, readonly string[]>> = {
  nullValues: [],
  missingValues: ["missingValues"],
  invalidValues: ["validValues", "pattern"],
  duplicateValues: ["properties"],
  rowCount: [],
};

function checkArguments(compilation: Compilation, entry: Node, metric: MetricName): void {
  const given = child(entry, "arguments");
  if (given?.kind !== "object") return;
  for (const [name, { at }] of given.entries) {
    const known = argumentNames[metric];
    if (!known.includes(name))
      compilation.findings.warning(
        "argument-unknown",
        at,
        `${metric} has no argument "${name}": it is not enforced`,
        suggestion(name, known),
      );
  }
}

function metricChecks(compilation: Compilation, entry: Node, field: Field | null, metric: MetricName): RuleCheck[] {
  if (metric === "rowCount") return [{ family: "rowCount" }];
  if (metric === "duplicateValues") return duplicateChecks(compilation, entry, field);
  if (field === null) {
    cannotEnforce(
      compilation,
      "metric-needs-property",
      placeOf(entry, "metric"),
      `${label(entry, field)}: ${metric} is judged at a property`,
      "move it there",
    );
    return [];
  }
  if (metric === "nullValues") return [{ family: "null" }];
  const given = child(entry, "arguments");
  if (metric === "missingValues") {
    const tokens = compileTokens(compilation, field, items(given, "missingValues"));
    return tokens === null ? [] : [{ family: "missing", tokens }];
  }
  return invalidChecks(compilation, entry, field);
}

function invalidChecks(compilation: Compilation, entry: Node, field: Field): RuleCheck[] {
  const given = child(entry, "arguments");
  const listed = [...items(given, "validValues"), ...items(entry, "validValues")];
  const pattern = textAt(given, "pattern");
  const checks: RuleCheck[] = [];
  if (listed.length > 0) {
    const values = compileValues(compilation, field, listed);
    if (values !== null) checks.push({ family: "set", values, negated: false });
  }
  if (pattern !== null) {
    const at = (child(given, "pattern") as Node).at;
    if (canMatch(compilation, field, pattern, at)) checks.push({ family: "pattern", pattern });
  }
  if (listed.length === 0 && pattern === null) {
    const hint = "arguments: { validValues: [...] } or arguments: { pattern: ... }";
    cannotEnforce(
      compilation,
      "argument-missing",
      entry.at,
      `${label(entry, field)}: invalidValues does not say which values are valid`,
      hint,
    );
  }
  return checks;
}

function duplicateChecks(compilation: Compilation, entry: Node, field: Field | null): RuleCheck[] {
  const named = items(child(entry, "arguments"), "properties");
  if (named.length === 0) {
    if (field === null) {
      const message = `${label(entry, field)}: duplicateValues does not say which columns`;
      cannotEnforce(compilation, "argument-missing", entry.at, message, "arguments: { properties: [...] }");
      return [];
    }
    return canBeUnique(compilation, field, entry.at) ? [{ family: "duplicate", columns: [field.path], keep: "first" }] : [];
  }
  const columns = named.map((each) =>
    each.kind === "scalar" && typeof each.value === "string" ? columnNamed(compilation, each.value, each) : null,
  );
  if (!columns.every((each) => each !== null && canBeUnique(compilation, each, entry.at))) return [];
  return [{ family: "duplicate", columns: columns.map((each) => (each as Field).path), keep: "first" }];
}

function metricRule(entry: Node, field: Field | null, check: RuleCheck, severity: Severity, threshold: Threshold): RuleDraft {
  const row = check.family !== "rowCount" && allowsOnlyZero(threshold);
  const single = check.family === "duplicate" && check.columns.length !== 1 ? null : (field?.path ?? null);
  return {
    givenId: textAt(entry, "id") ?? textAt(entry, "name"),
    check,
    path:
      check.family === "rowCount"
        ? null
        : check.family === "duplicate" && check.columns.length === 1
          ? (check.columns[0] as string)
          : single,
    scope: row ? "row" : "window",
    severity,
    tolerance: null,
    threshold: row ? null : threshold,
    where: null,
    dimension: textAt(entry, "dimension"),
    owner: ownerOf(entry),
    description: textAt(entry, "description"),
    location: entry.at,
  };
}
