import type { Comparison, Condition, Scalar } from "../core/rule.ts";
import type { SourceLocation } from "../core/errors.ts";
import type { Field } from "../core/schema.ts";
import { isDoubtful } from "./compilation.ts";
import type { Compilation } from "./compilation.ts";
import { hasOrder, literalFor, literalWords } from "./compile-literals.ts";
import { suggestion } from "./nearest-name.ts";
import { child, items, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";

/** Comparisons of a `where`, with the operator that each compiles to. */
export const comparisons: Readonly<Record<string, Comparison>> = {
  equals: "eq",
  notEquals: "ne",
  lessThan: "lt",
  lessOrEqualTo: "le",
  greaterThan: "gt",
  greaterOrEqualTo: "ge",
};

/** Compiles a `where` (its structure is already checked); null where a column or constant is wrong, which is reported. */
export function compileWhere(compilation: Compilation, node: Node): Condition | null {
  for (const op of ["and", "or"] as const) {
    if (child(node, op) === null) continue;
    const of = items(node, op).map((each) => compileWhere(compilation, each));
    return of.every((each) => each !== null) ? { op, of } : null;
  }
  const negated = child(node, "not");
  if (negated !== null) {
    const of = compileWhere(compilation, negated);
    return of === null ? null : { op: "not", of };
  }
  const field = columnOf(compilation, node, "column");
  return field === null ? null : compileLeaf(compilation, node, field);
}

function compileLeaf(compilation: Compilation, node: Node, field: Field): Condition | null {
  const path = field.path;
  const isNull = child(node, "isNull");
  if (isNull?.kind === "scalar") return { op: isNull.value === true ? "null" : "notNull", path };
  for (const key of ["in", "notIn"]) {
    if (child(node, key) === null) continue;
    const values = items(node, key).map((each) => constant(compilation, field, each));
    if (!values.every((each) => each !== null)) return null;
    const inside: Condition = { op: "in", path, values };
    if (key === "in") return inside;
    // Like `ne`, a row without a value is not outside the set.
    return {
      op: "and",
      of: [
        { op: "notNull", path },
        { op: "not", of: inside },
      ],
    };
  }
  for (const [key, op] of Object.entries(comparisons)) {
    const value = child(node, key);
    if (value === null) continue;
    if (!isComparable(compilation, field, placeOf(node, key))) return null;
    if (op !== "eq" && op !== "ne" && !hasOrder(field.type)) {
      compilation.findings.error("column-unordered", placeOf(node, key), `"${path}" has no order, so ${key} can't be used with it`);
      return null;
    }
    const literal = constant(compilation, field, value);
    return literal === null ? null : { op, path, value: literal };
  }
  return null;
}

/** A constant that a column is compared with for being equal; reports those that it can't be. */
export function comparableConstant(compilation: Compilation, field: Field, node: Node): Scalar | null {
  return isComparable(compilation, field, node.at) ? constant(compilation, field, node) : null;
}

function isComparable({ findings }: Compilation, { path, type }: Field, at: SourceLocation): boolean {
  if (!["json", "binary", "struct", "list", "map"].includes(type.kind)) return true;
  findings.error("column-type", at, `"${path}" is of type ${type.kind} and can't be compared with a constant`);
  return false;
}

function constant(compilation: Compilation, field: Field, node: Node): Scalar | null {
  const literal = literalFor(field, node);
  if (literal === null || literal.type === "null") {
    const hint = literal === null ? null : "use isNull: true";
    compilation.findings.error("value-type", node.at, `"${field.path}" is compared with ${literalWords(field.type)}`, hint);
    return null;
  }
  return literal;
}

/** The field that a key names by path; reports unknown ones, and those inside lists, which have no single value in a row. */
export function columnOf(compilation: Compilation, node: Node, key: string): Field | null {
  const value = child(node, key);
  const name = textAt(node, key);
  if (value === null || name === null) return null;
  return columnNamed(compilation, name, value);
}

/** The field of a path, as `columnOf`. */
export function columnNamed(compilation: Compilation, name: string, at: Node): Field | null {
  const field = compilation.fields.get(name);
  if (field === undefined) {
    if (isDoubtful(compilation, name)) return null;
    const near = suggestion(name, compilation.fields.keys());
    compilation.findings.error("column-unknown", at.at, `there is no column "${name}"`, near);
    return null;
  }
  if (name.includes("[]")) {
    compilation.findings.error("column-in-list", at.at, `"${name}" stands inside a list and has no single value in a row`);
    return null;
  }
  return field;
}
