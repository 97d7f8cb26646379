import type { Batch } from "../core/batch.ts";
import { Cell, type Column } from "../core/column.ts";
import type { Comparison, Condition, RulePlan, Scalar } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { unscaledAt } from "./cell-text.ts";
import { locate, resolveRowPath, type ColumnPath } from "./column-path.ts";
import { floorAtScale, parseExactDecimal } from "./exact-decimal.ts";
import type { RuleSite } from "./rule-family.ts";
import { invalidRule } from "./rule-family.ts";
import { compileMembership, constantBytes, scalarText } from "./scalar-set.ts";

/** Fills 1 for rows where a condition is true, else 0. */
export type RowMask = (batch: Batch, out: Uint8Array) => void;

/** Sign of (cell - constant) for a cell that has a value. */
export type Order = (column: Column, cell: number) => number;

/** UTF-8 bytes compare as code points do. */
export function compareBytes(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(aEnd - aStart - (bEnd - bStart));
}

/** Sign of (a - b), infinities included; NaN where one of them is. */
export function compareDoubles(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN;
}

/** Whether a comparison holds for the sign of (left - right). */
export function signHolds(op: Comparison, sign: number): boolean {
  switch (op) {
    case "eq":
      return sign === 0;
    case "ne":
      return sign !== 0;
    case "lt":
      return sign < 0;
    case "le":
      return sign <= 0;
    case "gt":
      return sign > 0;
    default:
      return sign >= 0;
  }
}

function numberOrder(field: Field, text: string): Order | null {
  const parsed = parseExactDecimal(text);
  if (parsed === null) return null;
  const { type } = field;
  if (type.kind === "float" || type.kind === "double") {
    const limit = type.kind === "float" ? Math.fround(Number(text)) : Number(text);
    return (column, cell) => (column.kind === "float" ? compareDoubles(column.values[cell] as number, limit) : 0);
  }
  const { floor, exact } = floorAtScale(parsed, type.kind === "decimal" ? type.scale : 0);
  const against = (value: bigint): number => (value < floor ? -1 : value > floor ? 1 : exact ? 0 : -1);
  if (type.kind === "decimal") return (column, cell) => (column.kind === "decimal" ? against(unscaledAt(column, cell)) : 0);
  const double = Number(floor);
  return (column, cell) => {
    if (column.kind !== "integer") return 0;
    const value = column.values[cell] as number;
    // Different doubles of whole numbers are in the order of the numbers; equal ones must be looked at.
    return value < double ? -1 : value > double ? 1 : against(column.exact[cell] as bigint);
  };
}

/** Compiles the order of a field's cells against a constant; null where they can't be compared. */
function compileOrder(field: Field, value: Scalar): Order | null {
  switch (field.type.kind) {
    case "int":
    case "long":
    case "float":
    case "double":
    case "decimal":
    case "date":
    case "time":
    case "timestamp":
      return value.type === "number" ? numberOrder(field, value.text) : null;
    case "string":
    case "uuid": {
      if (value.type !== "string") return null;
      const text = constantBytes(field, value.value);
      return (column, cell) => {
        if (column.kind !== "bytes") return 0;
        const start = column.starts[cell] as number;
        return compareBytes(column.bytes, start, start + (column.lengths[cell] as number), text, 0, text.length);
      };
    }
    case "boolean": {
      if (value.type !== "boolean") return null;
      const limit = value.value ? 1 : 0;
      return (column, cell) => (column.kind === "boolean" ? (column.values[cell] as number) - limit : 0);
    }
    default:
      return null;
  }
}

function combine(op: "and" | "or", parts: readonly RowMask[]): RowMask {
  return (batch, out) => {
    out.fill(op === "and" ? 1 : 0);
    const part = new Uint8Array(out.length);
    for (const mask of parts) {
      mask(batch, part);
      for (let i = 0; i < out.length; i++)
        out[i] = op === "and" ? (out[i] as number) & (part[i] as number) : (out[i] as number) | (part[i] as number);
    }
  };
}

function cellMask(path: ColumnPath, test: (column: Column, row: number) => boolean): RowMask {
  return (batch, out) => {
    const { column } = locate(batch, path);
    for (let row = 0; row < out.length; row++) out[row] = test(column, row) ? 1 : 0;
  };
}

/** Compiles a condition over row columns. A comparison with a cell that has no value is false, whatever the operator. */
export function compileCondition(condition: Condition, fields: readonly Field[], plan: RuleSite): RowMask {
  switch (condition.op) {
    case "and":
    case "or":
      return combine(
        condition.op,
        condition.of.map((part) => compileCondition(part, fields, plan)),
      );
    case "not": {
      const mask = compileCondition(condition.of, fields, plan);
      return (batch, out) => {
        mask(batch, out);
        for (let i = 0; i < out.length; i++) out[i] = 1 - (out[i] as number);
      };
    }
    case "null":
      return cellMask(
        resolveRowPath(fields, condition.path, plan),
        ({ state }, row) => state[row] === Cell.null || state[row] === Cell.missing,
      );
    case "notNull":
      return cellMask(resolveRowPath(fields, condition.path, plan), ({ state }, row) => state[row] === Cell.value);
    case "in": {
      const path = resolveRowPath(fields, condition.path, plan);
      const contains = compileMembership(path.field, condition.values);
      if (contains === null) throw invalidRule(plan, `${condition.path} can't be compared with constants`);
      return cellMask(path, (column, row) => column.state[row] === Cell.value && contains(column, row));
    }
    default: {
      const path = resolveRowPath(fields, condition.path, plan);
      const order = compileOrder(path.field, condition.value);
      if (order === null) throw invalidRule(plan, `${condition.path} can't be compared with ${scalarText(condition.value, path.field)}`);
      const { op } = condition;
      return cellMask(path, (column, row) => column.state[row] === Cell.value && signHolds(op, order(column, row)));
    }
  }
}

/** The columns that a condition looks at. */
export function conditionPaths(condition: Condition): readonly string[] {
  switch (condition.op) {
    case "and":
    case "or":
      return [...new Set(condition.of.flatMap(conditionPaths))];
    case "not":
      return conditionPaths(condition.of);
    default:
      return [condition.path];
  }
}

const comparisonWords: Readonly<Record<Comparison, string>> = { eq: "=", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" };

/** The sign of a comparison as people write it. */
export function comparisonSign(op: Comparison): string {
  return comparisonWords[op];
}

/** A condition in one line: `dep_delay >= 0 and carrier in ("AA", "UA")`. */
export function conditionText(condition: Condition, fields: readonly Field[], plan: RulePlan): string {
  const text = (part: Condition): string => conditionText(part, fields, plan);
  const fieldOf = (path: string): Field => resolveRowPath(fields, path, plan).field;
  switch (condition.op) {
    case "and":
    case "or":
      return condition.of.map((part) => (part.op === "and" || part.op === "or" ? `(${text(part)})` : text(part))).join(` ${condition.op} `);
    case "not":
      return `not (${text(condition.of)})`;
    case "null":
      return `${condition.path} is null`;
    case "notNull":
      return `${condition.path} is not null`;
    case "in":
      return `${condition.path} in (${condition.values.map((value) => scalarText(value, fieldOf(condition.path))).join(", ")})`;
    default:
      return `${condition.path} ${comparisonWords[condition.op]} ${scalarText(condition.value, fieldOf(condition.path))}`;
  }
}
