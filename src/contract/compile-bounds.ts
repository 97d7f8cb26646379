import type { SourceLocation } from "../core/errors.ts";
import type { RuleCheck } from "../core/rule.ts";
import type { Field } from "../core/schema.ts";
import { cannotEnforce } from "./compilation.ts";
import type { Compilation } from "./compilation.ts";
import { hasRange, literalWords, timeBound } from "./compile-literals.ts";
import { compareDecimals, plainDecimal } from "./decimal-text.ts";
import { child, placeOf, textAt } from "./node.ts";
import type { Node } from "./node.ts";

interface Bound {
  /** In the column's unit. */
  readonly value: string;
  readonly text: string;
  readonly exclusive: boolean;
}

/** The keys that bound values, as ODCS and Sluice's own range rule name them. */
const boundKeys = {
  minimum: "minimum",
  maximum: "maximum",
  exclusiveMinimum: "exclusiveMinimum",
  exclusiveMaximum: "exclusiveMaximum",
};

type RangeCheck = RuleCheck & { readonly family: "range" };

/** The range that a node's `minimum`, `maximum` and their exclusive forms give (the tighter where both stand), with what the width of an integer adds. */
export function compileBounds(
  compilation: Compilation,
  field: Field,
  options: Node | null,
): { readonly check: RangeCheck; readonly at: SourceLocation } | null {
  if (options === null || !hasRange(field.type)) return null;
  const width = widthBounds(options);
  const min = tighter(1, [
    bound(compilation, field, options, "minimum"),
    bound(compilation, field, options, "exclusiveMinimum"),
    width?.min ?? null,
  ]);
  const max = tighter(-1, [
    bound(compilation, field, options, "maximum"),
    bound(compilation, field, options, "exclusiveMaximum"),
    width?.max ?? null,
  ]);
  if (min === null && max === null) return null;
  const order = min === null || max === null ? -1 : compareDecimals(min.value, max.value);
  const at = placeOf(options, Object.keys(boundKeys).find((key) => child(options, key) !== null) ?? "format");
  if (order !== null && (order > 0 || (order === 0 && (min?.exclusive === true || max?.exclusive === true)))) {
    compilation.findings.warning("range-empty", at, `${field.path}: no value lies in this range, so every row fails`);
  }
  const check: RangeCheck = {
    family: "range",
    min: min?.value ?? null,
    max: max?.value ?? null,
    exclusiveMin: min?.exclusive ?? false,
    exclusiveMax: max?.exclusive ?? false,
    minText: min?.text ?? null,
    maxText: max?.text ?? null,
  };
  return { check, at };
}

function bound(compilation: Compilation, field: Field, options: Node, key: keyof typeof boundKeys): Bound | null {
  const node = child(options, key);
  if (node?.kind !== "scalar" || node.value === null) return null;
  const timed = ["date", "time", "timestamp"].includes(field.type.kind);
  const value = timed
    ? typeof node.value === "string"
      ? timeBound(field, node.value)
      : null
    : typeof node.value === "number"
      ? plainDecimal(node.text)
      : null;
  if (value === null) {
    const message = `${field.path}: the bound "${node.text}" is not ${literalWords(field.type)}`;
    cannotEnforce(
      compilation,
      "bound-malformed",
      node.at,
      message,
      field.format === null ? null : `or in the column's format, ${field.format}`,
    );
    return null;
  }
  return { value, text: node.text, exclusive: key === "exclusiveMinimum" || key === "exclusiveMaximum" };
}

/** `sign` 1 picks the greatest lower bound, -1 the least upper one; of equal ones the exclusive. */
function tighter(sign: 1 | -1, bounds: readonly (Bound | null)[]): Bound | null {
  let best: Bound | null = null;
  for (const each of bounds) {
    if (each === null) continue;
    const order = best === null ? 1 : (compareDecimals(each.value, best.value) ?? 0) * sign;
    if (order > 0 || (order === 0 && each.exclusive)) best = each;
  }
  return best;
}

/** i8 is -128 .. 127 and so on; none for i32, i64, which the column's own type bounds, and for 128 bits, which exceed every type. */
function widthBounds(options: Node): { readonly min: Bound | null; readonly max: Bound | null } | null {
  const match = /^([iu])(8|16|32|64|128)$/.exec(textAt(options, "format") ?? "");
  if (match === null) return null;
  const bits = Number(match[2]);
  const limit = (value: bigint): Bound => ({ value: value.toString(), text: value.toString(), exclusive: false });
  if (match[1] === "i") {
    const half = 1n << BigInt(bits - 1);
    return bits > 64 ? null : { min: limit(-half), max: limit(half - 1n) };
  }
  return { min: limit(0n), max: bits > 64 ? null : limit((1n << BigInt(bits)) - 1n) };
}
