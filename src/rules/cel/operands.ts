import type { CelExpression, CelNode } from "../../cel/cel-expression.ts";
import { celRecord } from "../../cel/cel-expression.ts";
import type { CelType } from "../../cel/cel-type.ts";
import type { Batch } from "../../core/batch.ts";
import { Cell, type Column } from "../../core/column.ts";
import type { Field } from "../../core/schema.ts";

/**
 * What a part of an expression is in one row: a value, null, an error, or something that only the interpreter can tell (a whole number beyond
 * 2^53, a construct that has no kernel).
 */
export const Operand = { value: 0, null: 1, error: 2, unsure: 3 } as const;

/** Computes one part of an expression for all rows of a batch. */
export type Kernel<T> = (batch: Batch) => T;

/** Numbers a row: doubles, safe integers, or microseconds of times. */
export interface Numbers {
  readonly values: Float64Array;
  /** One `Operand` a row. */
  readonly states: Uint8Array;
}

/** Text a row: spans of bytes. */
export interface Texts {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  /** One `Operand` a row. */
  readonly states: Uint8Array;
}

/** 0 or 1 a row where it is known; else one of these. */
export const Truth = { false: 0, true: 1, error: 2, unsure: 3, null: 4 } as const;

/** What kernels are compiled with. */
export interface KernelContext {
  readonly expression: CelExpression;
  readonly fields: readonly Field[];
}

/** The type of a part. */
export function typeOf({ expression }: KernelContext, node: CelNode): CelType {
  return expression.types.get(node.id) ?? { kind: "dyn" };
}

/** A column that a part names: `fare`, `order.price`, `record.fare`. */
export interface NamedColumn {
  readonly field: Field;
  /** Index at the top, then of each child. */
  readonly steps: readonly number[];
}

/** The column that a part names, or null where it is no plain path. */
export function namedColumn(context: KernelContext, node: CelNode | undefined): NamedColumn | null {
  if (node === undefined) return null;
  const { exprKind } = node;
  if (exprKind.case === "identExpr") return childOf(context.fields, exprKind.value.name, []);
  if (exprKind.case !== "selectExpr" || exprKind.value.testOnly) return null;
  return selected(context, exprKind.value.operand, exprKind.value.field);
}

/** The column of a field of a part that is the record or a struct. */
export function selected(context: KernelContext, operand: CelNode | undefined, name: string): NamedColumn | null {
  if (operand?.exprKind.case === "identExpr" && operand.exprKind.value.name === celRecord && typeOf(context, operand).kind === "record") {
    const own = context.fields.some((field) => field.name === celRecord);
    if (!own) return childOf(context.fields, name, []);
  }
  const of = namedColumn(context, operand);
  if (of === null || of.field.type.kind !== "struct") return null;
  return childOf(of.field.type.fields, name, of.steps);
}

function childOf(fields: readonly Field[], name: string, steps: readonly number[]): NamedColumn | null {
  const index = fields.findIndex((field) => field.name === name);
  return index < 0 ? null : { field: fields[index] as Field, steps: [...steps, index] };
}

/** A column of a batch, and the structs around it, outermost first. */
export function findColumn(batch: Batch, { steps }: NamedColumn): { readonly column: Column; readonly around: readonly Column[] } {
  let column = batch.columns[steps[0] as number] as Column;
  const around: Column[] = [];
  for (const step of steps.slice(1)) {
    around.push(column);
    column = (column as Column & { readonly kind: "struct" }).children[step] as Column;
  }
  return { column, around };
}

/** States of a named column's cells: a field of an absent struct is an error, as CEL has it. */
export function statesOf(batch: Batch, named: NamedColumn): { readonly column: Column; readonly states: Uint8Array } {
  const { column, around } = findColumn(batch, named);
  const states = new Uint8Array(batch.rows);
  const { state } = column;
  for (let row = 0; row < states.length; row++) states[row] = state[row] === Cell.value ? Operand.value : Operand.null;
  for (const outer of around)
    for (let row = 0; row < states.length; row++) if (outer.state[row] !== Cell.value) states[row] = Operand.error;
  return { column, states };
}

/** The state of a pair: an error if either is one, then unsure, then null. */
export function pairState(a: number, b: number): number {
  if (a === Operand.error || b === Operand.error) return Operand.error;
  if (a === Operand.unsure || b === Operand.unsure) return Operand.unsure;
  return a === Operand.null || b === Operand.null ? Operand.null : Operand.value;
}

/** A constant of an expression. */
export function constantOf(node: CelNode | undefined): string | number | boolean | bigint | null | undefined {
  if (node?.exprKind.case !== "constExpr") return undefined;
  const { constantKind } = node.exprKind.value;
  switch (constantKind.case) {
    case "boolValue":
    case "int64Value":
    case "doubleValue":
    case "stringValue":
      return constantKind.value;
    case "nullValue":
      return null;
    default:
      return undefined;
  }
}
