import { Cell } from "../../core/column.ts";
import type { Contract } from "../../core/contract.ts";
import type { Condition, RulePart, RulePlan } from "../../core/rule.ts";
import { c32, eqz, gtU, load32, load8U, ltU, or, shl, sub, type Expr } from "../../wasm/expression.ts";
import type { BatchLayout } from "../../wasm/layout.ts";
import { f64x2, i8x16, simd, splat8 } from "../../wasm/simd.ts";
import { resolvePath } from "../column-path.ts";
import { conditionPaths } from "../condition-mask.ts";
import { floorAtScale, parseExactDecimal } from "../exact-decimal.ts";
import { patternDfa } from "../pattern.ts";
import type { CheckOf } from "../rule-family.ts";
import { formatAutomata } from "../text-automata.ts";
import { affordsDfas, automataTest, blankTest, dfaTest } from "./automaton-test.ts";
import { conditionRows, type FindColumn } from "./condition-rows.ts";
import type { KernelModule } from "./kernel-module.ts";
import { locateLayout, type LocatedLayout } from "./located-layout.ts";
import { allOf, anyOf, hasValue, inState, isAbsent, lanesOnly, never, not, rowsOf, testedCells, type Mask } from "./mask.ts";
import {
  compareDecimalColumns,
  compareFloatColumns,
  compareIntegerColumns,
  floatConstant,
  floatMask,
  scaleOf,
  stepOrder,
} from "./number-mask.ts";
import { composedRows } from "./part-rows.ts";
import { notMultiples } from "./multiple-mask.ts";
import { membershipMask } from "./set-mask.ts";
import { compareSpans, lengthTest, signTest, spanAt, testedTexts, type TextTest } from "./text-mask.ts";

/** What a contract's rules are compiled against. */
export interface KernelTarget {
  readonly kernels: KernelModule;
  readonly fields: Contract["fields"];
  readonly layout: BatchLayout;
}

function absentCells({ column, parent }: LocatedLayout): Mask {
  return parent === null ? isAbsent(column) : allOf(isAbsent(column), hasValue(parent));
}

/** Values that are not among the good ones. */
function badValues(located: LocatedLayout, good: Mask | null): Mask | null {
  return good === null ? null : allOf(hasValue(located.column), not(good));
}

function floatRange(located: LocatedLayout, check: CheckOf<"range">): Mask {
  const { min, max, exclusiveMin, exclusiveMax } = check;
  const bounds: Mask[] = [];
  if (min !== null) bounds.push(floatMask(located, exclusiveMin ? f64x2.le : f64x2.lt, floatConstant(located, min)));
  if (max !== null) bounds.push(floatMask(located, exclusiveMax ? f64x2.ge : f64x2.gt, floatConstant(located, max)));
  return anyOf(...bounds);
}

function rangeCells(kernels: KernelModule, located: LocatedLayout, check: CheckOf<"range">): Mask | null {
  const value = hasValue(located.column);
  if (located.column.kind === "float") return allOf(value, floatRange(located, check));
  const order = stepOrder(kernels, located);
  if (order === null) return null;
  const bounds: Mask[] = [];
  for (const [text, isLeast, open] of [
    [check.min, true, check.exclusiveMin],
    [check.max, false, check.exclusiveMax],
  ] as const) {
    if (text === null) continue;
    const number = parseExactDecimal(text);
    if (number === null) return null;
    const { floor, exact } = floorAtScale(number, scaleOf(located));
    bounds.push(isLeast ? order.below(exact && !open ? floor : floor + 1n) : order.above(exact && open ? floor - 1n : floor));
  }
  return allOf(value, anyOf(...bounds));
}

function itemsCells(kernels: KernelModule, located: LocatedLayout, check: CheckOf<"items">): Mask | null {
  if (check.unique) return null;
  const { offsets } = located.column;
  const least = Math.min(Math.max(Math.ceil(check.min ?? 0), 0), 2 ** 31 - 1);
  const most = Math.min(Math.floor(check.max ?? Infinity), 2 ** 31 - 1);
  if (most < 0) return hasValue(located.column);
  return testedCells(kernels, located, (f, cell) => {
    const count = f.local("i32");
    const at = shl(cell, c32(2));
    f.set(count, sub(load32(at, offsets + 4), load32(at, offsets)));
    return or(ltU(count, c32(least)), gtU(count, c32(most)));
  });
}

/** Offending cells of the rules that judge single cells. */
function offendingCells(kernels: KernelModule, { check }: RulePlan, located: LocatedLayout): Mask | null {
  const { column } = located;
  const texts = (test: TextTest): Mask => testedTexts(kernels, located, test);
  const none = (test: TextTest): Mask => texts((f, start, length) => eqz(test(f, start, length)));
  switch (check.family) {
    case "type":
      return inState(column, Cell.invalid);
    case "required":
    case "null":
      return absentCells(located);
    case "range":
      return rangeCells(kernels, located, check);
    case "multipleOf":
      return notMultiples(kernels, located, check.of);
    case "length":
      return texts(lengthTest(kernels, check.min, check.max, column.field.type.kind !== "binary"));
    case "pattern": {
      const dfa = patternDfa(check);
      return dfa === null || !affordsDfas(kernels, [dfa]) ? null : none(dfaTest(kernels, dfa));
    }
    case "format": {
      const automata = formatAutomata(check.format);
      if (automata !== null) {
        const dfas = automata.ways.flatMap((way) => way.dfas);
        return affordsDfas(kernels, dfas) ? none(automataTest(kernels, automata)) : null;
      }
      return check.format === "binary" || check.format === "password" ? never : null;
    }
    case "set": {
      const member = membershipMask(kernels, located, check.values);
      if (member === null || !check.negated) return badValues(located, member);
      return allOf(hasValue(column), member);
    }
    case "missing": {
      const token = membershipMask(kernels, located, check.tokens);
      // Columns whose values equal no constant have no tokens.
      return token === null ? null : anyOf(absentCells(located), allOf(hasValue(column), token));
    }
    case "items":
      return itemsCells(kernels, located, check);
    case "empty":
      return texts(check.whitespace ? blankTest(kernels) : (_f, _start, length) => eqz(length));
    default:
      return null;
  }
}

/** Whether two columns of a row stand as demanded; null where their types differ. */
function orderedRows(kernels: KernelModule, left: LocatedLayout, op: CheckOf<"compare">["op"], right: LocatedLayout): Mask | null {
  const [a, b] = [left.column, right.column];
  if (a.kind !== b.kind) return null;
  switch (a.kind) {
    case "integer":
      return compareIntegerColumns(left, op, right);
    case "float":
      return compareFloatColumns(left, op, right);
    case "decimal":
      return scaleOf(left) === scaleOf(right) ? compareDecimalColumns(kernels, left, op, right) : null;
    case "bytes":
      return testedCells(kernels, left, (f, row) => compareSpans(kernels, f, op, spanAt(a, row), spanAt(b, row)));
    case "boolean":
      return testedCells(kernels, left, (_f, row) => signTest(op, sub(load8U(row, a.values), load8U(row, b.values))));
    default:
      return null;
  }
}

/** Rows in which too few, or too many, of several columns have a value, and none is invalid. */
function incompleteRows(columns: readonly LocatedLayout[], quantity: CheckOf<"complete">["quantity"]): Mask | null {
  const count = columns.length;
  if (count > 100) return null;
  const values = columns.map(({ column }) => hasValue(column));
  const invalid = columns.map(({ column }) => inState(column, Cell.invalid));
  const met = lanesOnly((block) => {
    // A lane of ones is -1.
    const sum = values.map((mask) => mask.lanes(block)).reduce((left, lanes) => i8x16.add(left, lanes));
    const present = (wanted: number, total: Expr): Expr => i8x16.eq(total, splat8(c32(-wanted)));
    if (quantity === "allOrNone") {
      const total = block.f.local("v128");
      block.f.set(total, sum);
      return simd.or(present(0, total), present(count, total));
    }
    if (quantity === "any") return simd.not(present(0, sum));
    return present(quantity === "all" ? count : 1, sum);
  });
  return allOf(not(met), not(anyOf(...invalid)));
}

function conditionOffenders({ kernels }: KernelTarget, condition: Condition, find: FindColumn): Mask | null {
  const holds = conditionRows(kernels, condition, find);
  if (holds === null) return null;
  const invalid = conditionPaths(condition).flatMap((path) => {
    const located = find(path);
    return located === null ? [] : [inState(located.column, Cell.invalid)];
  });
  return allOf(not(holds), not(anyOf(...invalid)));
}

/** The rows that offend against a rule, its `where` apart; null where no kernel can say. */
export function offenderRows(target: KernelTarget, plan: RulePlan): Mask | null {
  const { kernels, fields, layout } = target;
  const locate = (path: string): LocatedLayout => locateLayout(layout, resolvePath(fields, path, plan));
  const find: FindColumn = (path) => {
    const located = locate(path);
    return located.lists.length > 0 ? null : located;
  };
  const { check } = plan;
  switch (check.family) {
    case "rowCount":
      return never;
    case "compare": {
      const [left, right] = [locate(check.left), locate(check.right)];
      const ordered = orderedRows(kernels, left, check.op, right);
      return ordered === null ? null : allOf(hasValue(left.column), hasValue(right.column), not(ordered));
    }
    case "condition":
      return conditionOffenders(target, check.condition, find);
    case "complete":
      return incompleteRows(check.columns.map(locate), check.quantity);
    case "allOf":
    case "anyOf":
    case "not":
    case "conditional": {
      const offenders = (part: RulePart): Mask | null => offenderRows(target, { ...plan, ...part, where: null });
      const condition = (each: Condition): Mask | null => conditionRows(kernels, each, find);
      return composedRows(check, { kernels, locate, offenders, condition })?.fails ?? null;
    }
    default: {
      if (plan.path === null) return null;
      const located = locate(plan.path);
      const cells = offendingCells(kernels, plan, located);
      return cells === null ? null : rowsOf(kernels, located, cells);
    }
  }
}
