import type { Batch } from "../core/batch.ts";
import { Cell, type Column } from "../core/column.ts";
import type { Arithmetic, Comparison } from "../core/rule.ts";
import { cellText } from "./cell-text.ts";
import { locate, resolveRowPath, type ColumnPath } from "./column-path.ts";
import { signHolds } from "./condition-mask.ts";
import type { ExactDecimal } from "./exact-decimal.ts";
import { absoluteDecimal, addDecimals, compareDecimals, decimalAt, decimalOf, decimalText, multiplyDecimals } from "./exact-number.ts";
import { RowList } from "./row-list.ts";
import { invalidRule, type RuleFamily, type RuleTarget } from "./rule-family.ts";

const numeric = new Set(["int", "long", "decimal", "float", "double"]);

/** Doubles and what they may be off by, a row each. */
interface Bounded {
  readonly values: Float64Array;
  readonly errors: Float64Array;
}

/** A term at work: quick bounds for a batch, and the exact number of one row (null where a cell is NaN or infinite). */
interface Term {
  bounds(batch: Batch): Bounded;
  exact(batch: Batch, row: number): ExactDecimal | null;
}

/** Half of the distance from 1 to the next double: what one rounding costs, as a share. */
const roundingMax = 2 ** -53;
/** Absolute room for results below the smallest normal double. */
const tiny = 2 ** -1070;

function columnTerm(path: ColumnPath): Term {
  return {
    bounds: (batch) => {
      const { column } = locate(batch, path);
      const values = "values" in column ? (column.values as Float64Array) : new Float64Array(batch.rows);
      const errors = new Float64Array(batch.rows);
      // A 32-bit float's shortest text may be off by half of its last bit.
      const share = column.field.type.kind === "float" ? 2 ** -23 : roundingMax * 4;
      for (let row = 0; row < errors.length; row++) errors[row] = Math.abs(values[row] as number) * share + tiny;
      return { values, errors };
    },
    exact: (batch, row) => decimalAt(locate(batch, path).column, row),
  };
}

function numberTerm(text: string): Term {
  const exact = decimalOf(text);
  const value = Number(text);
  return {
    bounds: (batch) => ({
      values: new Float64Array(batch.rows).fill(value),
      errors: new Float64Array(batch.rows).fill(Math.abs(value) * roundingMax + tiny),
    }),
    exact: () => exact,
  };
}

function pairTerm(op: "add" | "subtract" | "multiply", left: Term, right: Term): Term {
  const sign = op === "subtract" ? -1 : 1;
  return {
    bounds: (batch) => {
      const [a, b] = [left.bounds(batch), right.bounds(batch)];
      const values = new Float64Array(batch.rows);
      const errors = new Float64Array(batch.rows);
      for (let row = 0; row < values.length; row++) {
        const [x, y] = [a.values[row] as number, b.values[row] as number];
        const [dx, dy] = [a.errors[row] as number, b.errors[row] as number];
        const value = op === "multiply" ? x * y : x + y * sign;
        values[row] = value;
        errors[row] =
          (op === "multiply" ? Math.abs(x) * dy + Math.abs(y) * dx + dx * dy : dx + dy) * (1 + 1e-9) +
          Math.abs(value) * roundingMax * 4 +
          tiny;
      }
      return { values, errors };
    },
    exact: (batch, row) => {
      const [x, y] = [left.exact(batch, row), right.exact(batch, row)];
      if (x === null || y === null) return null;
      return op === "multiply" ? multiplyDecimals(x, y) : addDecimals(x, y, op === "subtract" ? -1n : 1n);
    },
  };
}

function compileTerm(term: Arithmetic, target: RuleTarget, paths: ColumnPath[]): Term {
  switch (term.op) {
    case "column": {
      const path = resolveRowPath(target.fields, term.path, target.plan);
      if (!numeric.has(path.field.type.kind)) throw invalidRule(target.plan, `${term.path} is no number`);
      if (!paths.some(({ field }) => field.path === path.field.path)) paths.push(path);
      return columnTerm(path);
    }
    case "number":
      return numberTerm(term.text);
    case "negate":
      return pairTerm("subtract", numberTerm("0"), compileTerm(term.of, target, paths));
    default:
      return pairTerm(term.op, compileTerm(term.left, target, paths), compileTerm(term.right, target, paths));
  }
}

/** Sign of (left - right), 0 where they are no further apart than `within`; NaN where a cell is no finite number. */
function exactOrder(left: Term, right: Term, within: ExactDecimal, batch: Batch, row: number): number {
  const [x, y] = [left.exact(batch, row), right.exact(batch, row)];
  if (x === null || y === null) return NaN;
  const difference = addDecimals(x, y, -1n);
  return compareDecimals(absoluteDecimal(difference), within) <= 0 ? 0 : difference.unscaled < 0n ? -1 : 1;
}

function holdsAt(op: Comparison, order: number): boolean {
  return !Number.isNaN(order) && signHolds(op, order);
}

/**
 * Two sums and products over columns of a row that don't compare as demanded; exact on decimal digits, so that 0.1 + 0.2 is 0.3. Numbers no
 * further apart than `within` are equal. Judged where all columns have a value.
 */
export const arithmeticFamily: RuleFamily<"arithmetic"> = {
  family: "arithmetic",
  compile(check, target) {
    const paths: ColumnPath[] = [];
    const left = compileTerm(check.left, target, paths);
    const right = compileTerm(check.right, target, paths);
    if (paths.length === 0) throw invalidRule(target.plan, "it names no column");
    const within = decimalOf(check.within ?? "0");
    const margin = Number(check.within ?? "0");
    const words = check.within === null ? check.text : `${check.text} (within ${check.within})`;
    const { op } = check;
    return {
      expected: words,
      open: () => ({
        offenders(batch) {
          const columns: readonly Column[] = paths.map((path) => locate(batch, path).column);
          const [a, b] = [left.bounds(batch), right.bounds(batch)];
          const out = new RowList();
          for (let row = 0; row < batch.rows; row++) {
            if (columns.some((column) => column.state[row] !== Cell.value)) continue;
            const difference = (a.values[row] as number) - (b.values[row] as number);
            const error =
              (a.errors[row] as number) + (b.errors[row] as number) + margin * roundingMax * 4 + Math.abs(difference) * roundingMax * 4;
            const apart = Math.abs(difference);
            // Doubles decide where their error leaves no doubt.
            const order =
              apart > margin + error ? Math.sign(difference) : apart < margin - error ? 0 : exactOrder(left, right, within, batch, row);
            if (!holdsAt(op, order)) out.push(row);
          }
          return out.rows();
        },
      }),
      explain(batch, row) {
        const seen = paths.map((path) => `${path.field.path} = ${cellText(locate(batch, path).column, row, batch) ?? "null"}`);
        const [x, y] = [left.exact(batch, row), right.exact(batch, row)];
        const sides = x === null || y === null ? "" : `: ${decimalText(x)} against ${decimalText(y)}`;
        const observed = `${seen.join(", ")}${sides}`;
        return { observed, finding: null, expected: words, limit: words, masked: paths.some((path) => path.masked) };
      },
    };
  },
};
