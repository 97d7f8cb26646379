import type { Operator, RulePlan, Threshold } from "../core/rule.ts";
import { operatorHolds } from "./metrics/measure.ts";

const operatorWords: Readonly<Record<Operator, string>> = {
  mustBe: "must be",
  mustNotBe: "must not be",
  mustBeGreaterThan: "must be more than",
  mustBeGreaterOrEqualTo: "must be at least",
  mustBeLessThan: "must be less than",
  mustBeLessOrEqualTo: "must be at most",
  mustBeBetween: "must be between",
  mustNotBeBetween: "must not be between",
};

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 20 });

/** `1,234` */
function countText(count: number): string {
  return grouped.format(count);
}

function rowsText(count: number): string {
  return `${countText(count)} ${count === 1 ? "row" : "rows"}`;
}

/** A share in percent, with as many digits as it takes to tell it from the limits it is compared with. */
function percentText(part: number, whole: number, limits: readonly number[]): string {
  const percent = (part / whole) * 100;
  for (let digits = 2; digits < 15; digits++) {
    const rounded = Number(percent.toPrecision(digits));
    if (limits.every((limit) => Math.sign(rounded - limit) === Math.sign(percent - limit))) return `${grouped.format(rounded)}%`;
  }
  return `${grouped.format(percent)}%`;
}

/** Sign of part/whole*100 - percent, exactly: the limit is taken as the decimal number it is written as. */
function compareShare(part: number, whole: number, percent: number): number {
  const text = percent.toFixed(Math.min(20, decimals(percent)));
  const [digits, scale] = [text.replace(".", ""), text.includes(".") ? text.length - text.indexOf(".") - 1 : 0];
  const left = BigInt(part) * 100n * 10n ** BigInt(scale);
  const right = BigInt(digits) * BigInt(whole);
  return left < right ? -1 : left > right ? 1 : 0;
}

function decimals(value: number): number {
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  const point = mantissa.indexOf(".");
  return Math.max(0, (point < 0 ? 0 : mantissa.length - point - 1) - Number(exponent));
}

/** What failed beyond single rows because more rows offend than the rule tolerates, in words; null where nothing did. */
export function toleranceBreach(plan: RulePlan, checked: number, failed: number): string | null {
  const { tolerance } = plan;
  if (tolerance === null) return null;
  if ("rows" in tolerance)
    return failed <= tolerance.rows ? null : `${plan.id}: ${rowsText(failed)} failed, ${countText(tolerance.rows)} allowed`;
  if (checked === 0 || compareShare(failed, checked, tolerance.percent) <= 0) return null;
  return `${plan.id}: ${percentText(failed, checked, [tolerance.percent])} of ${rowsText(checked)} failed, ${grouped.format(tolerance.percent)}% allowed`;
}

/** `must be between 1 and 2%` */
export function thresholdWords(threshold: Threshold, words: (value: number) => string = (value) => grouped.format(value)): string {
  const unit = threshold.unit === "percent" ? "%" : "";
  return `${operatorWords[threshold.operator]} ${threshold.values.map((value) => words(value) + unit).join(" and ")}`;
}

/**
 * Why a window fails a window-scope rule, in words; null where it holds. `counted` is the number of offenders, or of rows for `rowCount`.
 * A percentage of no rows is undefined: nothing fails by it.
 */
export function thresholdBreach(plan: RulePlan, checked: number, counted: number): string | null {
  const { threshold } = plan;
  if (threshold === null) return null;
  const noun = plan.check.family === "rowCount" ? "in the window" : "failed";
  if (threshold.unit === "rows") {
    if (operatorHolds(threshold.operator, (limit) => Math.sign(counted - limit), threshold.values)) return null;
    return `${plan.id}: ${rowsText(counted)} ${noun}, ${thresholdWords(threshold)}`;
  }
  if (checked === 0 || operatorHolds(threshold.operator, (limit) => compareShare(counted, checked, limit), threshold.values)) return null;
  return `${plan.id}: ${percentText(counted, checked, threshold.values)} of ${rowsText(checked)} ${noun}, ${thresholdWords(threshold)}`;
}
