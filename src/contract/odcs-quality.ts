import { child, textAt } from "./node.ts";
import type { ObjectNode } from "./node.ts";
import { authoritativeDefinitions, customProperties, stableId, tags } from "./odcs-element.ts";
import { any, listOf, oneOf, string } from "./shape.ts";
import type { Keys, Shape } from "./shape.ts";

const number: Shape = { type: "number" };
const pair = listOf(number, { min: 2, max: 2, unique: true });

/** The eight comparison operators of ODCS; a rule has exactly one. */
export const operatorKeys: Keys = {
  mustBe: { shape: any, use: "enforced", doc: "The metric equals this number." },
  mustNotBe: { shape: any, use: "enforced", doc: "The metric differs from this number." },
  mustBeGreaterThan: { shape: number, use: "enforced", doc: "The metric is above this number." },
  mustBeGreaterOrEqualTo: { shape: number, use: "enforced", doc: "The metric is at least this number." },
  mustBeLessThan: { shape: number, use: "enforced", doc: "The metric is below this number." },
  mustBeLessOrEqualTo: { shape: number, use: "enforced", doc: "The metric is at most this number." },
  mustBeBetween: { shape: pair, use: "enforced", doc: "The metric lies between these two numbers, both included." },
  mustNotBeBetween: { shape: pair, use: "enforced", doc: "The metric lies outside these two numbers, both excluded from what is allowed." },
};

export const operatorNames = Object.keys(operatorKeys);

/** The metrics of ODCS's library. */
export const metricNames = ["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"] as const;
export type MetricName = (typeof metricNames)[number];

const baseKeys: Keys = {
  id: { shape: stableId, use: "enforced", doc: "The rule's id in reasons, metrics and decisions." },
  name: { shape: string, use: "enforced", doc: "The rule's id where it has no `id`." },
  type: {
    shape: oneOf(["text", "library", "sql", "custom"]),
    use: "enforced",
    doc: "`library` and `sql` are enforced, `custom` with `engine: sluice` too; `text` and other engines are listed as not enforced.",
    byDefault: "library, where there is a `metric`",
  },
  description: { shape: string, use: "described", doc: "What is checked and why." },
  dimension: {
    shape: oneOf(["accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"]),
    use: "described",
    doc: "The quality dimension; carried to decisions, metrics and lineage.",
  },
  severity: {
    shape: string,
    use: "enforced",
    doc: "`error` (also critical, blocker, major, high) rejects or holds; `warning` (also warn, info, minor, low) only counts.",
    byDefault: "error",
  },
  unit: { shape: string, use: "enforced", doc: "`rows` or `percent`, what the operator's number counts.", byDefault: "rows" },
  businessImpact: { shape: string, use: "ignored", doc: "What a failure means." },
  method: { shape: string, use: "ignored", doc: "How it is checked elsewhere." },
  schedule: { shape: string, use: "ignored", doc: "When it runs elsewhere; Sluice judges every window." },
  scheduler: { shape: string, use: "ignored", doc: "What runs it elsewhere." },
  tags: { shape: tags, use: "ignored", doc: "Labels." },
  authoritativeDefinitions: { shape: authoritativeDefinitions, use: "ignored", doc: "Links to definitions." },
  customProperties: {
    shape: customProperties,
    use: "described",
    doc: "`owner`: whom a failure concerns, carried to decisions (rules of `engine: sluice` have it in `implementation` too). Others are other tools'.",
  },
};

const inImplementation = ["check", "column", "columns", "owner", "tolerance", "threshold", "where"] as const;

/** Where the keys of Sluice's own rules stand, for people who write them into the entry itself. */
function elsewhere(node: ObjectNode): Readonly<Record<string, string>> {
  const own = textAt(node, "type") === "custom";
  const only = "rules of type: custom and engine: sluice have it, in their implementation";
  const places = inImplementation.map((name) => [name, own ? "it stands in the implementation" : only]);
  return Object.fromEntries(own ? places : [...places, ["owner", "it is a custom property: [{ property: owner, value: ... }]"]]);
}

const libraryKeys: Keys = {
  metric: { shape: oneOf(metricNames), required: true, use: "enforced", doc: "What is counted." },
  rule: { shape: string, use: "ignored", doc: "The metric's name in 3.0." },
  arguments: {
    shape: { type: "anyObject" },
    use: "enforced",
    doc: "`missingValues`, `validValues` (lists), `pattern` (RE2), `properties` (names of the columns that are unique together).",
  },
  ...operatorKeys,
};

const sqlKeys: Keys = {
  query: {
    shape: string,
    required: true,
    use: "enforced",
    doc: "One SELECT of DuckDB's SQL that answers one number, over the rows of the window that passed: `{object}` stands for their table, `{property}` for the property that the rule stands under. It reaches no files, network or settings.",
  },
  ...operatorKeys,
};

const customKeys: Keys = {
  engine: {
    shape: string,
    required: true,
    use: "enforced",
    doc: "`sluice` for Sluice's own rules; other engines' rules are listed as not enforced.",
  },
  implementation: {
    shape: { type: "either", of: [string, { type: "anyObject" }] },
    required: true,
    use: "enforced",
    doc: "For `engine: sluice` an object: see Sluice's own rules.",
  },
};

/** ODCS 3.0 named its library rules by `rule`, left `metric` out and put the valid values beside it. */
const library30Keys: Keys = {
  rule: {
    shape: string,
    required: true,
    use: "enforced",
    doc: "3.0's name of the metric: duplicateCount, validValues, nullCheck, rowCount.",
  },
  validValues: { shape: listOf(any), use: "enforced", doc: "3.0's place for the valid values." },
  ...operatorKeys,
};

/** A check of 3.0's form: `rule` without `metric`. The schemas of 3.1 and later refuse it; documents of 3.0 may have it. */
export function isLibrary30(node: Parameters<typeof textAt>[0]): boolean {
  const type = child(node, "type");
  const mayBeLibrary = type === null || textAt(node, "type") === "library";
  return mayBeLibrary && child(node, "metric") === null && textAt(node, "rule") !== null;
}

/** Keys of a check that say nothing of what it checks. */
const sideKeys = new Set(Object.keys(baseKeys).filter((name) => name !== "type" && name !== "unit"));

/** The quality checks of a schema object or a property. */
export const qualityChecks: Shape = listOf({
  type: "object",
  keys: baseKeys,
  soundWithout: (lost, node) =>
    textAt(node, "type") === "custom"
      ? !["type", "engine", "implementation"].some((name) => lost.includes(name))
      : lost.every((name) => sideKeys.has(name)),
  more: (node, version) => {
    if (version === "3.0" && isLibrary30(node)) {
      return child(node, "validValues") === null ? { keys: library30Keys, exactlyOne: operatorNames } : { keys: library30Keys };
    }
    const type = textAt(node, "type");
    const library = type === "library" || textAt(node, "metric") !== null;
    let keys: Keys = {};
    if (type === "custom") keys = { ...keys, ...customKeys };
    if (type === "sql") keys = { ...keys, ...sqlKeys };
    if (library) keys = { ...keys, ...libraryKeys };
    return { keys, elsewhere: elsewhere(node), ...(library || type === "sql" ? { exactlyOne: operatorNames } : {}) };
  },
});

export { baseKeys as qualityBaseKeys, libraryKeys as qualityLibraryKeys, customKeys as qualityCustomKeys };
