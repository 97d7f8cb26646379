import { BrokenInvariant } from "../core/broken-invariant.ts";
import { Cell, type Column, type DecimalColumn, type IntegerColumn } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import { cellRule } from "./cell-rule.ts";
import { unscaledAt } from "./cell-text.ts";
import { resolvePath } from "./column-path.ts";
import { floorAtScale, parseExactDecimal, type ExactDecimal } from "./exact-decimal.ts";
import type { RowList } from "./row-list.ts";
import { invalidRule, type CheckOf, type RuleFamily } from "./rule-family.ts";

type RangeCheck = CheckOf<"range">;
type Scan = (column: Column, from: number, to: number, out: RowList) => void;

/** Inclusive bounds as whole numbers of a column's smallest step. */
interface StepBounds {
  readonly low: bigint | null;
  readonly high: bigint | null;
}

function stepBounds(min: ExactDecimal | null, max: ExactDecimal | null, check: RangeCheck, scale: number): StepBounds {
  let low: bigint | null = null;
  let high: bigint | null = null;
  if (min !== null) {
    const { floor, exact } = floorAtScale(min, scale);
    low = exact && !check.exclusiveMin ? floor : floor + 1n;
  }
  if (max !== null) {
    const { floor, exact } = floorAtScale(max, scale);
    high = exact && check.exclusiveMax ? floor - 1n : floor;
  }
  return { low, high };
}

const safe = BigInt(Number.MAX_SAFE_INTEGER);

/** Whole numbers. A bound that a double holds exactly needs doubles only: rounding a value to the nearest double can't carry it across. */
function integerScan({ low, high }: StepBounds): Scan {
  const small = (bound: bigint | null): boolean => bound === null || (bound >= -safe && bound <= safe);
  if (small(low) && small(high)) {
    const least = low === null ? -Infinity : Number(low);
    const most = high === null ? Infinity : Number(high);
    return (column, from, to, out) => {
      const { state, values } = column as IntegerColumn;
      for (let i = from; i < to; i++) {
        if (state[i] !== Cell.value) continue;
        const value = values[i] as number;
        if (value < least || value > most) out.push(i);
      }
    };
  }
  return (column, from, to, out) => {
    const { state, exact } = column as IntegerColumn;
    for (let i = from; i < to; i++) {
      if (state[i] !== Cell.value) continue;
      const value = exact[i] as bigint;
      if ((low !== null && value < low) || (high !== null && value > high)) out.push(i);
    }
  };
}

/** Decimals: the double decides where it is clearly on one side, the unscaled value where it is near a bound. */
function decimalScan({ low, high }: StepBounds, scale: number): Scan {
  const unit = 10 ** scale;
  const near = (bound: bigint | null): { value: number; slack: number } | null =>
    bound === null ? null : { value: Number(bound) / unit, slack: (Math.abs(Number(bound)) / unit) * 1e-12 };
  const least = near(low);
  const most = near(high);
  return (column, from, to, out) => {
    const decimals = column as DecimalColumn;
    const { state, values } = decimals;
    for (let i = from; i < to; i++) {
      if (state[i] !== Cell.value) continue;
      const value = values[i] as number;
      if (least !== null && value <= least.value + least.slack) {
        if (value < least.value - least.slack || unscaledAt(decimals, i) < (low as bigint)) {
          out.push(i);
          continue;
        }
      }
      if (most !== null && value >= most.value - most.slack) {
        if (value > most.value + most.slack || unscaledAt(decimals, i) > (high as bigint)) out.push(i);
      }
    }
  };
}

/** Floating point: bounds are rounded as the values were (twice for 32 bits), so that 0.1 is at most 0.1 in a float column too. */
function floatScan(check: RangeCheck, single: boolean): Scan {
  const bound = (text: string | null, otherwise: number): number =>
    text === null ? otherwise : single ? Math.fround(Number(text)) : Number(text);
  const least = bound(check.min, -Infinity);
  const most = bound(check.max, Infinity);
  const aboveLeast = check.exclusiveMin && check.min !== null;
  const belowMost = check.exclusiveMax && check.max !== null;
  return (column, from, to, out) => {
    if (column.kind !== "float") throw new BrokenInvariant("not a float column");
    const { state, values } = column;
    for (let i = from; i < to; i++) {
      if (state[i] !== Cell.value) continue;
      const value = values[i] as number;
      if (value < least || value > most || (aboveLeast && value === least) || (belowMost && value === most)) out.push(i);
    }
  };
}

function scanOf(field: Field, check: RangeCheck, min: ExactDecimal | null, max: ExactDecimal | null): Scan | null {
  switch (field.type.kind) {
    case "int":
    case "long":
    case "date":
    case "time":
    case "timestamp":
      return integerScan(stepBounds(min, max, check, 0));
    case "decimal":
      return decimalScan(stepBounds(min, max, check, field.type.scale), field.type.scale);
    case "float":
    case "double":
      return floatScan(check, field.type.kind === "float");
    default:
      return null;
  }
}

/** Words for the limits: `at least 0 and less than 10`. */
function rangeWords(check: RangeCheck): string {
  const least = check.minText ?? check.min;
  const most = check.maxText ?? check.max;
  const words = [
    ...(least === null ? [] : [`${check.exclusiveMin ? "more than" : "at least"} ${least}`]),
    ...(most === null ? [] : [`${check.exclusiveMax ? "less than" : "at most"} ${most}`]),
  ];
  return words.join(" and ");
}

/** A number, date, time or timestamp outside its bounds; exact beyond 2^53 and for decimals. */
export const rangeFamily: RuleFamily<"range"> = {
  family: "range",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    const parse = (text: string | null): ExactDecimal | null => {
      const parsed = text === null ? null : parseExactDecimal(text);
      if (parsed === null && text !== null) throw invalidRule(plan, `the bound ${text} is no number`);
      return parsed;
    };
    const scan = scanOf(path.field, check, parse(check.min), parse(check.max));
    if (scan === null) throw invalidRule(plan, `a ${path.field.type.kind} column has no range`);
    const words = rangeWords(check);
    return cellRule(path, { scan, expected: words, limit: words });
  },
};
