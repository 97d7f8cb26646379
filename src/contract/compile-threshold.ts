import type { Operator, Severity, Threshold } from "../core/rule.ts";
import type { Findings } from "./findings.ts";
import { child, items, textAt } from "./node.ts";
import type { Node } from "./node.ts";
import { operatorNames } from "./odcs-quality.ts";

/** The one operator of a node with its numbers; null where there is none. */
export function readThreshold(
  node: Node,
  unit: "rows" | "percent",
): { readonly threshold: Threshold; readonly at: Node } | "not-a-number" | null {
  const operator = operatorNames.find((name) => child(node, name) !== null) as Operator | undefined;
  if (operator === undefined) return null;
  const at = child(node, operator) as Node;
  const values = (at.kind === "list" ? at.items : [at]).map((each) => (each.kind === "scalar" ? each.value : null));
  const between = operator.endsWith("Between");
  if (values.length !== (between ? 2 : 1) || !values.every((each) => typeof each === "number" && Number.isFinite(each)))
    return "not-a-number";
  const numbers = values as number[];
  return { threshold: { operator, values: between ? numbers.toSorted((a, b) => a - b) : numbers, unit }, at };
}

/**
 * Whether a threshold on the number (or share) of offenders is met by no offender and by nothing else. Such a rule says something of
 * every row, so its offenders are quarantined, and what is promoted meets it.
 */
export function allowsOnlyZero(threshold: Threshold): boolean {
  const [low = 0, high = 0] = threshold.values;
  // Counts are whole; shares can be as small as one in a window.
  const next = threshold.unit === "rows" ? 1 : 0;
  switch (threshold.operator) {
    case "mustBe":
      return low === 0;
    case "mustBeLessThan":
      return low > 0 && low <= next;
    case "mustBeLessOrEqualTo":
      return low === 0 || (low > 0 && low < next);
    case "mustBeBetween":
      return low <= 0 && (high === 0 || (high > 0 && high < next));
    default:
      return false;
  }
}

/** Whether any number of offenders (or rows) meets a threshold, or none does; null for an ordinary one. `percent` runs from 0 to 100. */
export function extremeOf(threshold: Threshold): "always" | "never" | null {
  const [low = 0, high = 0] = threshold.values;
  const top = threshold.unit === "percent" ? 100 : Number.POSITIVE_INFINITY;
  const whole = threshold.unit === "rows";
  switch (threshold.operator) {
    case "mustBe":
      return low < 0 || low > top || (whole && !Number.isInteger(low)) ? "never" : null;
    case "mustNotBe":
      return low < 0 || low > top || (whole && !Number.isInteger(low)) ? "always" : null;
    case "mustBeGreaterThan":
      return low < 0 ? "always" : low >= top ? "never" : null;
    case "mustBeGreaterOrEqualTo":
      return low <= 0 ? "always" : low > top ? "never" : null;
    case "mustBeLessThan":
      return low <= 0 ? "never" : low > top ? "always" : null;
    case "mustBeLessOrEqualTo":
      return low < 0 ? "never" : low >= top ? "always" : null;
    case "mustBeBetween":
      return high < 0 || low > top ? "never" : low <= 0 && high >= top ? "always" : null;
    default:
      return high < 0 || low > top ? "always" : low <= 0 && high >= top ? "never" : null;
  }
}

/** `rows` (the default) or `percent`; null with a report for another unit. */
export function readUnit(node: Node): "rows" | "percent" | null {
  const unit = textAt(node, "unit");
  if (unit === null) return "rows";
  const lower = unit.toLowerCase();
  if (lower === "rows" || lower === "row" || lower === "count") return "rows";
  return lower === "percent" || lower === "%" || lower === "percentage" ? "percent" : null;
}

const severities: Readonly<Record<string, Severity>> = {
  error: "error",
  critical: "error",
  blocker: "error",
  fatal: "error",
  major: "error",
  high: "error",
  warning: "warning",
  warn: "warning",
  medium: "warning",
  minor: "warning",
  low: "warning",
  info: "warning",
  information: "warning",
};

/** The severity of a quality entry: `error` where it says nothing, or nothing known (which is reported). */
export function readSeverity(findings: Findings, node: Node): Severity {
  const text = textAt(node, "severity");
  if (text === null) return "error";
  const severity = Object.hasOwn(severities, text.toLowerCase()) ? severities[text.toLowerCase()] : undefined;
  if (severity !== undefined) return severity;
  findings.warning(
    "severity-unknown",
    (child(node, "severity") as Node).at,
    `the severity "${text}" is taken as error`,
    `known: ${Object.keys(severities).join(", ")}`,
  );
  return "error";
}

/** Whom a quality entry's failure concerns: its custom property `owner`, or nobody in particular. */
export function ownerOf(entry: Node): string | null {
  const found = items(entry, "customProperties").find((each) => textAt(each, "property") === "owner");
  return found === undefined ? null : textAt(found, "value");
}
