import { celCost } from "../cel/cel-cost.ts";
import { compileCel } from "../cel/cel-expression.ts";
import type { Contract } from "../core/contract.ts";
import type { RuleCheck, RulePlan } from "../core/rule.ts";
import { isMasked, type Field } from "../core/schema.ts";
import type { Findings } from "./findings.ts";

/** Metrics that are never below zero. */
export const neverNegative: ReadonlySet<RuleCheck["family"]> = new Set([
  "distinctCount",
  "distinctSet",
  "entropy",
  "stdev",
  "missingColumns",
  "newColumns",
]);

/** Metrics of the values that happen to be in a window: a short window has fewer of them. */
const ofTheWindow: Readonly<Partial<Record<RuleCheck["family"], string>>> = {
  uniqueness: "values are unique within each window, not across windows",
  distinctCount: "different values are counted in each window by itself, so short windows have fewer",
  distinctSet: "the set is that of each window by itself, so a short window may lack values",
  monotonic: "the first value of a window has none before it: order is not judged across windows",
};

/** What rules cost, and what their scope may have meant otherwise. */
export function lintRules(findings: Findings, contract: Contract): void {
  for (const rule of contract.rules) {
    lintExpression(findings, rule, contract.fields);
    lintScope(findings, rule);
    lintGroups(findings, rule, contract.rules);
    lintCorrelation(findings, rule);
    lintSequence(findings, rule, contract);
    lintCounts(findings, rule);
  }
}

/** Least and greatest counts between which there is none. */
function lintCounts(findings: Findings, { check, path, location }: RulePlan): void {
  if (check.family !== "length" && check.family !== "items" && check.family !== "properties") return;
  if (check.min === null || check.max === null || check.min <= check.max) return;
  const what = check.family === "length" ? "length" : `number of ${check.family}`;
  const message = `${path ?? "the record"}: no ${what} is at least ${check.min} and at most ${check.max}, so every row with a value fails`;
  findings.warning("range-empty", location, message);
}

function lintExpression(findings: Findings, rule: RulePlan, fields: readonly Field[]): void {
  for (const text of expressionsOf(rule.check)) {
    const expression = compileCel(text, fields);
    if (!("syntax" in expression)) continue;
    const { compiled, interpreted } = celCost(expression, fields);
    const all = compiled + interpreted;
    const message =
      interpreted === 0
        ? `"${rule.id}" runs over whole columns`
        : `"${rule.id}": ${interpreted === all ? (all === 1 ? "its condition is" : "all of its conditions are") : `${interpreted} of its ${all} conditions ${interpreted === 1 ? "is" : "are"}`} interpreted row by row, at about 500,000 rows a second`;
    const hint = interpreted === 0 ? null : "comparisons, arithmetic, in, has, size and string functions with constants run over columns";
    findings.note("expression-cost", rule.location, message, hint);
    if (expression.columns.length === 0)
      findings.warning("expression-constant", rule.location, `"${rule.id}" names no column: it is the same for every row`);
    const decimals = fields.filter(({ name, type }) => type.kind === "decimal" && expression.columns.includes(name));
    if (decimals.length > 0) {
      const names = decimals.map(({ path }) => path).join(", ");
      findings.note(
        "expression-decimal",
        rule.location,
        `"${rule.id}" sees the decimals of ${names} as doubles`,
        "check: arithmetic is exact",
      );
    }
    const classified = fields.find((field) => isMasked(field) && expression.columns.includes(field.name));
    if (classified !== undefined && /["']/.test(text)) {
      const message = `"${rule.id}" compares the classified column "${classified.path}", and reasons name its expression as their limit`;
      findings.note("classified-constant", rule.location, message);
    }
  }
}

/** Expressions of a rule and of its parts. */
function expressionsOf(check: RuleCheck): readonly string[] {
  switch (check.family) {
    case "cel":
      return [check.expression];
    case "allOf":
    case "anyOf":
      return check.parts.flatMap((part) => expressionsOf(part.check));
    case "not":
      return expressionsOf(check.part.check);
    case "conditional":
      return [check.consequent, ...(check.otherwise === null ? [] : [check.otherwise])].flatMap((part) => expressionsOf(part.check));
    default:
      return [];
  }
}

function lintScope(findings: Findings, rule: RulePlan): void {
  const scope = ofTheWindow[rule.check.family];
  if (scope !== undefined) findings.note("rule-in-window", rule.location, `"${rule.id}": ${scope}`);
}

function lintGroups(findings: Findings, rule: RulePlan, rules: readonly RulePlan[]): void {
  if (rule.check.family !== "groups") return;
  const { by } = rule.check;
  const unique = rules.find(({ check }) => check.family === "duplicate" && check.columns.every((column) => by.includes(column)));
  if (unique === undefined) return;
  const message = `"${rule.id}": "${unique.id}" makes every row a group of its own, so there are as many groups as rows`;
  findings.warning("groups-of-one", rule.location, message);
}

function lintCorrelation(findings: Findings, rule: RulePlan): void {
  const { check, threshold } = rule;
  if (check.family !== "correlation" || threshold === null || threshold.values.every((value) => Math.abs(value) <= 1)) return;
  findings.warning("threshold-out-of-range", rule.location, `"${rule.id}": a correlation lies between -1 and 1`);
}

function lintSequence(findings: Findings, rule: RulePlan, contract: Contract): void {
  const { check, id, location } = rule;
  if (check.family !== "sequence") return;
  if (check.scope === "dataset") {
    const message = `"${id}": records of several partitions have no order of their own, so their numbers are judged as windows come and workers commit them`;
    findings.note("sequence-order", location, message, "`scope: partition` is exact where all records of a key come by one partition");
  } else if (check.by.length > 0) lintSequenceKey(findings, rule, contract);
  if (rule.tolerance === null && rule.threshold === null && rule.severity === "error") {
    const message = `"${id}" rejects numbers that came before; a gap is reported, and holds no window`;
    findings.note("sequence-gaps", location, message, "`tolerance: { rows: 0 }` holds windows with a gap");
  }
}

/** A sequence in a partition is right where its key decides the partition: where the record's whole key is among its columns. */
function lintSequenceKey(findings: Findings, { check, id, location }: RulePlan, { policies, record }: Contract): void {
  if (check.family !== "sequence") return;
  const { by } = check;
  const whole = (record?.key?.columns ?? []).filter(({ path }) => path.length === 0).map(({ column }) => column);
  if (policies.key.action === "column") whole.push(policies.key.name);
  if (whole.some((column) => by.includes(column))) return;
  const said = `records with one ${by.join(", ")} must all come by one partition, and nothing here says that the record's key is made of`;
  const hint = "take the key into a column and name it in `by`, or say `scope: dataset`";
  findings.warning("sequence-partition", location, `"${id}": ${said} ${by.length === 1 ? "it" : "them"}`, hint);
}
