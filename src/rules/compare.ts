import { BrokenInvariant } from "../core/broken-invariant.ts";
import type { Batch } from "../core/batch.ts";
import { Cell, type Column } from "../core/column.ts";
import type { Field } from "../core/schema.ts";
import { cellText, unscaledAt } from "./cell-text.ts";
import { locate, resolveRowPath } from "./column-path.ts";
import { compareBytes, compareDoubles, comparisonSign, signHolds } from "./condition-mask.ts";
import { RowList } from "./row-list.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";

/** Sign of (left - right) for two cells of one row that have values. */
type PairOrder = (left: Column, right: Column, row: number) => number;

const numeric = new Set(["int", "long", "decimal", "float", "double"]);

/** A number's cell as unscaled/2^twos/10^scale, exactly. */
function exactNumber(column: Column, row: number): { readonly unscaled: bigint; readonly scale: number; readonly twos: number } {
  if (column.kind === "integer") return { unscaled: column.exact[row] as bigint, scale: 0, twos: 0 };
  if (column.kind === "decimal")
    return { unscaled: unscaledAt(column, row), scale: column.field.type.kind === "decimal" ? column.field.type.scale : 0, twos: 0 };
  if (column.kind !== "float") throw new BrokenInvariant("not a number column");
  let value = column.values[row] as number;
  let twos = 0;
  while (!Number.isInteger(value)) {
    value *= 2;
    twos++;
  }
  return { unscaled: BigInt(value), scale: 0, twos };
}

function compareNumbers(left: Column, right: Column, row: number): number {
  if (left.kind === "float" && right.kind === "float") return compareDoubles(left.values[row] as number, right.values[row] as number);
  if (left.kind === "integer" && right.kind === "integer") return compareIntegers(left, right, row);
  // What is not finite has no exact digits, and its place is clear.
  if (left.kind === "float" && !Number.isFinite(left.values[row])) return Math.sign(left.values[row] as number);
  if (right.kind === "float" && !Number.isFinite(right.values[row])) return -Math.sign(right.values[row] as number);
  const a = exactNumber(left, row);
  const b = exactNumber(right, row);
  const x = a.unscaled * 10n ** BigInt(b.scale) * 2n ** BigInt(b.twos);
  const y = b.unscaled * 10n ** BigInt(a.scale) * 2n ** BigInt(a.twos);
  return x < y ? -1 : x > y ? 1 : 0;
}

function compareIntegers(left: Column, right: Column, row: number): number {
  if (left.kind !== "integer" || right.kind !== "integer") throw new BrokenInvariant("not whole-number columns");
  const difference = (left.values[row] as number) - (right.values[row] as number);
  if (difference !== 0) return Math.sign(difference);
  const x = left.exact[row] as bigint;
  const y = right.exact[row] as bigint;
  return x < y ? -1 : x > y ? 1 : 0;
}

function compareTexts(left: Column, right: Column, row: number): number {
  if (left.kind !== "bytes" || right.kind !== "bytes") throw new BrokenInvariant("not text columns");
  const from = left.starts[row] as number;
  const other = right.starts[row] as number;
  return compareBytes(left.bytes, from, from + (left.lengths[row] as number), right.bytes, other, other + (right.lengths[row] as number));
}

function compareBooleans(left: Column, right: Column, row: number): number {
  if (left.kind !== "boolean" || right.kind !== "boolean") throw new BrokenInvariant("not boolean columns");
  return (left.values[row] as number) - (right.values[row] as number);
}

function pairOrder(left: Field, right: Field): PairOrder | null {
  const [a, b] = [left.type, right.type];
  if (numeric.has(a.kind) && numeric.has(b.kind)) return compareNumbers;
  if (a.kind !== b.kind) return null;
  if (a.kind === "timestamp" && b.kind === "timestamp") return a.zoned === b.zoned && a.unit === b.unit ? compareIntegers : null;
  if (a.kind === "date" || a.kind === "time") return compareIntegers;
  if (a.kind === "string" || a.kind === "binary" || a.kind === "uuid") return compareTexts;
  return a.kind === "boolean" ? compareBooleans : null;
}

/** Two columns of a row that don't stand in the demanded order; numbers of different types compare exactly. Judged where both have a value. */
export const compareFamily: RuleFamily<"compare"> = {
  family: "compare",
  compile(check, { plan, fields }) {
    const left = resolveRowPath(fields, check.left, plan);
    const right = resolveRowPath(fields, check.right, plan);
    const order = pairOrder(left.field, right.field);
    if (order === null) throw invalidRule(plan, `${check.left} and ${check.right} can't be compared`);
    const words = `${check.left} ${comparisonSign(check.op)} ${check.right}`;
    return {
      expected: words,
      open: () => ({
        offenders: (batch: Batch) => {
          const a = locate(batch, left).column;
          const b = locate(batch, right).column;
          const out = new RowList();
          for (let row = 0; row < batch.rows; row++)
            if (a.state[row] === Cell.value && b.state[row] === Cell.value && !signHolds(check.op, order(a, b, row))) out.push(row);
          return out.rows();
        },
      }),
      explain: (batch, row) => {
        const [a, b] = [left, right].map((path) => cellText(locate(batch, path).column, row, batch) ?? "null");
        return {
          observed: `${check.left} = ${a}, ${check.right} = ${b}`,
          finding: plan.path === check.left ? `is ${a}, with ${check.right} = ${b}` : null,
          expected: words,
          limit: words,
          masked: left.masked || right.masked,
        };
      },
    };
  },
};
