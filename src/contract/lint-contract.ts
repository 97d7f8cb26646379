import { RE2JS } from "re2js";
import { compileDfa } from "../regex/compile-dfa.ts";
import type { Contract } from "../core/contract.ts";
import type { Diagnostic, SourceLocation } from "../core/errors.ts";
import type { RulePlan, Scalar } from "../core/rule.ts";
import { isMasked } from "../core/schema.ts";
import type { Field } from "../core/schema.ts";
import { fieldsByPath } from "./compile-contract.ts";
import { extremeOf } from "./compile-threshold.ts";
import { lintDriftTests } from "./lint-drift-tests.ts";
import { lintRules, neverNegative } from "./lint-rules.ts";
import { lintDriftPlan } from "./lint-drift-plan.ts";
import { createFindings, sortDiagnostics } from "./findings.ts";
import type { Findings } from "./findings.ts";

/**
 * What a good contract might still get wrong: rules that never or always fail, unanchored patterns, uniqueness that reaches no further than the
 * window, personal data without classification, names that differ only in case. Warnings and notes only; errors are `loadContract`'s to throw.
 */
export function lintContract(contract: Contract): readonly Diagnostic[] {
  const findings = createFindings();
  const fields = fieldsByPath(contract.fields);
  for (const rule of contract.rules) {
    lintExtremes(findings, rule);
    lintPattern(findings, rule);
    lintPatternCost(findings, rule);
    lintUniqueness(findings, rule);
    lintMasking(findings, rule, fields);
    lintNumberRange(findings, rule, fields);
  }
  lintRules(findings, contract);
  lintRepeats(findings, contract.rules);
  lintColumns(findings, contract, fields);
  lintDriftPlan(findings, contract, fields);
  lintLate(findings, contract, fields);
  lintDriftTests(findings, contract, fields);
  lintDeletes(findings, contract);
  lintPartitions(findings, contract);
  return sortDiagnostics(findings.list);
}

function lintExtremes(findings: Findings, rule: RulePlan): void {
  if (rule.threshold !== null && (rule.threshold.unit !== "value" || neverNegative.has(rule.check.family))) {
    const extreme = extremeOf(rule.threshold);
    if (extreme === "always")
      findings.warning("rule-never-fails", rule.location, `"${rule.id}" can't fail: every window meets its threshold`);
    if (extreme === "never")
      findings.warning("rule-always-fails", rule.location, `"${rule.id}" always fails: no window can meet its threshold`);
  }
  if (rule.tolerance !== null && "percent" in rule.tolerance && rule.tolerance.percent >= 100) {
    findings.warning(
      "tolerance-never-exceeded",
      rule.location,
      `"${rule.id}" holds no window: its tolerance is all rows`,
      "leave the tolerance out",
    );
  }
  if (rule.tolerance !== null && rule.severity === "warning") {
    const hint = "leave it out, or make the severity error";
    findings.warning("tolerance-without-effect", rule.location, `"${rule.id}" only counts, so its tolerance holds no window`, hint);
  }
}

function lintPattern(findings: Findings, rule: RulePlan): void {
  if (rule.check.family !== "pattern") return;
  const { pattern } = rule.check;
  const start = /^(\(\?[a-z]+\))?(\^|\\A)/.test(pattern);
  const end = /(\$|\\z)$/.test(pattern);
  if (!start && !end && RE2JS.compile(pattern).matcher("").find()) {
    findings.warning(
      "rule-never-fails",
      rule.location,
      `"${rule.id}" can't fail: every text contains a match of "${pattern}"`,
      "anchor it: ^...$",
    );
  } else if (!start || !end) {
    const where = start ? "at the start of" : end ? "at the end of" : "anywhere in";
    findings.note(
      "pattern-unanchored",
      rule.location,
      `"${rule.id}" looks for its pattern ${where} the text`,
      "^...$ means the whole text",
    );
  }
}

/** How many times slower the engine for patterns without an automaton was measured to be, over short texts of several kinds. */
const slowerTimes = "5 to 40";

function lintPatternCost(findings: Findings, rule: RulePlan): void {
  if (rule.check.family !== "pattern") return;
  const dfa = compileDfa(rule.check.pattern);
  const said =
    "reason" in dfa
      ? `takes the general engine (re2js), ${slowerTimes} times slower than an automaton, because ${dfa.reason}`
      : `is an automaton of ${dfa.stateCount} states: one look-up a byte`;
  findings.note("pattern-cost", rule.location, `"${rule.id}": its pattern ${said}`);
}

function lintUniqueness(findings: Findings, rule: RulePlan): void {
  if (rule.check.family !== "duplicate" || (rule.check.horizon ?? null) !== null) return;
  const columns = rule.check.columns.join(", ");
  const message = `"${rule.id}": ${columns} ${rule.check.columns.length > 1 ? "are" : "is"} judged unique within each window, not across windows`;
  findings.note("unique-in-window", rule.location, message, "`scope: dataset` in a rule of `engine: sluice` reaches over all windows");
}

function lintMasking(findings: Findings, rule: RulePlan, fields: ReadonlyMap<string, Field>): void {
  const constants = constantsOf(rule);
  for (const [path, values] of constants) {
    const field = fields.get(path);
    if (field === undefined || !isMasked(field) || !values.some((value) => value.type === "string" || value.type === "number")) continue;
    const message = `"${rule.id}" writes values of the classified column "${path}" into the contract, and reasons name them as its limit`;
    findings.note("classified-constant", rule.location, message);
  }
}

/** Constants that a rule compares columns with, by path. */
function constantsOf(rule: RulePlan): Map<string, readonly Scalar[]> {
  const found = new Map<string, readonly Scalar[]>();
  const { check } = rule;
  if ((check.family === "set" || check.family === "distinctSet") && rule.path !== null) found.set(rule.path, check.values);
  if (check.family === "tuples")
    check.columns.forEach((column, i) =>
      found.set(
        column,
        check.tuples.flatMap((tuple) => tuple[i] ?? []),
      ),
    );
  const visit = (condition: RulePlan["where"]): void => {
    if (condition === null) return;
    if (condition.op === "and" || condition.op === "or") condition.of.forEach(visit);
    else if (condition.op === "not") visit(condition.of);
    else if (condition.op === "in") found.set(condition.path, condition.values);
    else if ("value" in condition) found.set(condition.path, [condition.value]);
  };
  if (rule.check.family === "condition") visit(rule.check.condition);
  visit(rule.where);
  return found;
}

const widths: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int: [-(1n << 31n), (1n << 31n) - 1n],
  long: [-(1n << 63n), (1n << 63n) - 1n],
};

function lintNumberRange(findings: Findings, rule: RulePlan, fields: ReadonlyMap<string, Field>): void {
  if (rule.check.family !== "range" || rule.path === null) return;
  const width = widths[fields.get(rule.path)?.type.kind ?? ""];
  if (width === undefined) return;
  const { min, max } = rule.check;
  const whole = (text: string | null): bigint | null => (text === null || !/^-?[0-9]+$/.test(text) ? null : BigInt(text));
  const low = whole(min);
  const high = whole(max);
  const lowOpen = min === null || (low !== null && low <= width[0]);
  const highOpen = max === null || (high !== null && high >= width[1]);
  if (lowOpen && highOpen)
    findings.warning("rule-never-fails", rule.location, `"${rule.id}" can't fail: the column's type holds no value outside its range`);
}

function lintRepeats(findings: Findings, rules: readonly RulePlan[]): void {
  const seen = new Map<string, string>();
  for (const { id, check, path, where, threshold, location } of rules) {
    const text = JSON.stringify([check, path, where, threshold]);
    const other = seen.get(text);
    if (other !== undefined) findings.warning("rule-repeated", location, `"${id}" checks the same as "${other}"`, "remove one of them");
    else seen.set(text, id);
  }
  // What is required has no nulls, so a rule against nulls only counts every offender twice.
  const required = new Map(
    rules
      .filter((rule) => rule.check.family === "required" && rule.where === null && rule.scope === "row")
      .map((rule) => [rule.path, rule.id]),
  );
  for (const rule of rules) {
    const other = required.get(rule.path);
    if (rule.check.family === "null" && rule.scope === "row" && other !== undefined) {
      findings.note("rule-repeated", rule.location, `"${rule.id}" checks the same as "${other}"`, "remove one of them");
    }
  }
}

const personal =
  /(^|_)(e?mail|ssn|social_security|passport|iban|credit_card|card_number|phone|mobile|birth(day|date)?|first_?name|last_?name|password|address)(_|$)/;

function lintColumns(findings: Findings, contract: Contract, fields: ReadonlyMap<string, Field>): void {
  const places = new Map<string, SourceLocation>();
  for (const rule of contract.rules) if (rule.path !== null && !places.has(rule.path)) places.set(rule.path, rule.location);
  const start: SourceLocation = { file: contract.file, line: 1, column: 1 };
  const lower = new Map<string, string>();
  for (const [path, field] of fields) {
    const at = places.get(path) ?? start;
    const other = lower.get(path.toLowerCase());
    if (other !== undefined) {
      findings.warning("name-case", at, `"${path}" and "${other}" differ only in case: many readers of Iceberg can't tell them apart`);
    }
    lower.set(path.toLowerCase(), path);
    const snake = field.name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
    if (field.classification === null && field.type.kind === "string" && personal.test(snake)) {
      const hint = "classification: public says that it may be seen";
      findings.note(
        "classification-missing",
        at,
        `"${path}" looks like personal data and has no classification, so its values show in reasons and logs`,
        hint,
      );
    }
  }
}

function lintDeletes(findings: Findings, { record, file }: Contract): void {
  const envelope = record?.envelope ?? null;
  if (envelope?.kind !== "debezium" || envelope.deletes !== "before" || envelope.columns.some(({ path }) => path.join(".") === "op"))
    return;
  findings.warning(
    "deletes-unmarked",
    { file, line: 1, column: 1 },
    "deletes become rows, and no column tells them from what is there still",
    "take the envelope's `op` into a column, or leave `deletes` out",
  );
}

/** A partition for each value of a column that has as many values as rows is a file for each row. */
function lintPartitions(findings: Findings, { table, rules }: Contract): void {
  const unique = new Set(
    rules.flatMap(({ check }) => (check.family === "duplicate" && check.columns.length === 1 ? [check.columns[0] as string] : [])),
  );
  for (const { column, transform, location } of table?.partitionBy ?? []) {
    if (transform !== "identity" || !unique.has(column)) continue;
    const message = `"${column}" is unique, so each row is a partition of its own: all but 99 rows of a window share one file instead`;
    findings.warning("partition-per-row", location, message, "transform: bucket(16), or a column with fewer values");
  }
}

function lintLate(findings: Findings, contract: Contract, fields: ReadonlyMap<string, Field>): void {
  const start: SourceLocation = { file: contract.file, line: 1, column: 1 };
  const { late } = contract.policies;
  if (late !== null && fields.get(late.column)?.required === false) {
    findings.note(
      "late-optional",
      start,
      `"${late.column}" decides what is late and may be null: such records are never late`,
      "make it required",
    );
  }
}
