import { Cell, type Column } from "../core/column.ts";
import { cellRule } from "./cell-rule.ts";
import { unscaledAt } from "./cell-text.ts";
import { resolvePath } from "./column-path.ts";
import { parseExactDecimal, type ExactDecimal } from "./exact-decimal.ts";
import { shortestFloatText } from "./exact-number.ts";
import { invalidRule, type RuleFamily } from "./rule-family.ts";

/** Whether unscaled/10^scale is a whole multiple of a number that is not zero. */
function isMultiple(unscaled: bigint, scale: number, of: ExactDecimal): boolean {
  const common = Math.max(scale, of.scale);
  return (unscaled * 10n ** BigInt(common - scale)) % (of.unscaled * 10n ** BigInt(common - of.scale)) === 0n;
}

type Test = (column: Column, cell: number) => boolean;

function integerTest(of: ExactDecimal): Test {
  const step = of.scale === 0 && of.unscaled <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(of.unscaled) : null;
  return (column, cell) => {
    if (column.kind !== "integer") return false;
    const value = column.values[cell] as number;
    if (step !== null && Number.isSafeInteger(value)) return value % step === 0;
    return isMultiple(column.exact[cell] as bigint, 0, of);
  };
}

/** Of a float its shortest decimal text is judged, so that 0.3 is a multiple of 0.1. */
function floatTest(of: ExactDecimal, single: boolean): Test {
  const step = Number(of.unscaled) / 10 ** of.scale;
  return (column, cell) => {
    if (column.kind !== "float") return false;
    const value = column.values[cell] as number;
    const quotient = value / step;
    // Far from a whole number no decimal text of the value can be a multiple.
    if (!single && Math.abs(quotient) < 1e6 && Math.abs(quotient - Math.round(quotient)) > 1e-6) return false;
    const exact = parseExactDecimal(single ? shortestFloatText(value) : String(value));
    return exact !== null && isMultiple(exact.unscaled, exact.scale, of);
  };
}

/** A number that is no whole multiple of another; exact on decimal digits. */
export const multipleOfFamily: RuleFamily<"multipleOf"> = {
  family: "multipleOf",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    const of = parseExactDecimal(check.of);
    if (of === null || of.unscaled <= 0n) throw invalidRule(plan, `${check.of} is no number above zero`);
    const { type } = path.field;
    const { kind } = type;
    const test: Test | null =
      kind === "int" || kind === "long"
        ? integerTest(of)
        : kind === "decimal"
          ? (column, cell) => column.kind === "decimal" && isMultiple(unscaledAt(column, cell), type.scale, of)
          : kind === "float" || kind === "double"
            ? floatTest(of, kind === "float")
            : null;
    if (test === null) throw invalidRule(plan, `a ${kind} column has no multiples`);
    return cellRule(path, {
      scan(column, from, to, out) {
        const { state } = column;
        for (let i = from; i < to; i++) if (state[i] === Cell.value && !test(column, i)) out.push(i);
      },
      expected: `a multiple of ${check.of}`,
      limit: check.of,
    });
  },
};
