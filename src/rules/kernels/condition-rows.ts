import type { Comparison, Condition, Scalar } from "../../core/rule.ts";
import { c32, load8U, sub } from "../../wasm/expression.ts";
import { constantBytes } from "../scalar-set.ts";
import { parseExactDecimal } from "../exact-decimal.ts";
import type { KernelModule } from "./kernel-module.ts";
import type { LocatedLayout } from "./located-layout.ts";
import { allOf, anyOf, hasValue, isAbsent, not, testedCells, type Mask } from "./mask.ts";
import { compareFloats, compareSteps, floatConstant, scaleOf, stepOrder } from "./number-mask.ts";
import { membershipMask } from "./set-mask.ts";
import { compareSpans, constantSpan, signTest, spanAt } from "./text-mask.ts";

/** Finds a column that has one cell a row; null where the path is none. */
export type FindColumn = (path: string) => LocatedLayout | null;

function numberMask(kernels: KernelModule, located: LocatedLayout, op: Comparison, text: string): Mask | null {
  const number = parseExactDecimal(text);
  if (number === null) return null;
  if (located.column.kind === "float") return compareFloats(located, op, floatConstant(located, text));
  const order = stepOrder(kernels, located);
  return order === null ? null : compareSteps(order, op, number, scaleOf(located));
}

/** Cells that stand so to a constant; cells without a value may be anything. Null where no kernel can say. */
function comparisonMask(kernels: KernelModule, located: LocatedLayout, op: Comparison, value: Scalar): Mask | null {
  const { column } = located;
  if (value.type === "number") return numberMask(kernels, located, op, value.text);
  if (value.type === "string" && (column.field.type.kind === "string" || column.field.type.kind === "uuid")) {
    const constant = constantSpan(kernels, constantBytes(column.field, value.value));
    return testedCells(kernels, located, (f, cell) => compareSpans(kernels, f, op, spanAt(column, cell), constant));
  }
  if (value.type === "boolean" && column.kind === "boolean") {
    const limit = value.value ? 1 : 0;
    return testedCells(kernels, located, (_f, cell) => signTest(op, sub(load8U(cell, column.values), c32(limit))));
  }
  return null;
}

type Leaf = Exclude<Condition, { readonly op: "and" | "or" | "not" }>;

function leafRows(kernels: KernelModule, located: LocatedLayout, leaf: Leaf): Mask | null {
  const value = hasValue(located.column);
  const among = (mask: Mask | null): Mask | null => (mask === null ? null : allOf(value, mask));
  switch (leaf.op) {
    case "null":
      return isAbsent(located.column);
    case "notNull":
      return value;
    case "in":
      return among(membershipMask(kernels, located, leaf.values));
    default:
      return among(comparisonMask(kernels, located, leaf.op, leaf.value));
  }
}

/** The rows for which a condition is true, as `compileCondition` has it; null where no kernel can say. */
export function conditionRows(kernels: KernelModule, condition: Condition, find: FindColumn): Mask | null {
  switch (condition.op) {
    case "and":
    case "or": {
      const parts = condition.of.map((part) => conditionRows(kernels, part, find));
      if (parts.includes(null)) return null;
      return condition.op === "and" ? allOf(...(parts as Mask[])) : anyOf(...(parts as Mask[]));
    }
    case "not": {
      const part = conditionRows(kernels, condition.of, find);
      return part === null ? null : not(part);
    }
    default: {
      const located = find(condition.path);
      return located === null ? null : leafRows(kernels, located, condition);
    }
  }
}
