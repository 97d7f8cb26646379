import type { CelInput } from "@bufbuild/cel";
import { compileCel } from "../../cel/cel-expression.ts";
import type { Batch } from "../../core/batch.ts";
import { Cell, type Column } from "../../core/column.ts";
import { library } from "../../core/library.ts";
import type { Field } from "../../core/schema.ts";
import { cellText } from "../cell-text.ts";
import { resolvePath } from "../column-path.ts";
import { RowList } from "../row-list.ts";
import { invalidRule, type RuleFamily } from "../rule-family.ts";
import { celEnvironment } from "./cel-environment.ts";
import { celErrorWords } from "./error-words.ts";
import { Truth } from "./operands.ts";
import { celValue } from "./row-values.ts";
import { compileTruth } from "./truth-kernels.ts";

/** What an expression says of one row: true, false, or why it says neither. */
type Answer = boolean | { readonly error: string };

/** Evaluates an expression on rows, one by one. */
export interface CelInterpreter {
  evaluate(batch: Batch, row: number): Answer;
}

/** Evaluates by @bufbuild/cel on values made of a row's columns; whole numbers are exact. */
function interpreterOf(evaluate: (context: Record<string, CelInput>) => unknown, columns: readonly number[]): CelInterpreter {
  return {
    evaluate(batch, row) {
      try {
        const context = Object.create(null) as Record<string, CelInput>;
        const record = new Map<string, CelInput>();
        for (const index of columns) {
          const column = batch.columns[index] as Column;
          const value = celValue(column, row);
          context[column.field.name] = value;
          record.set(column.field.name, value);
        }
        if (!("record" in context)) context["record"] = record as CelInput;
        const value = evaluate(context);
        if (typeof value === "boolean") return value;
        return { error: library.cel().isCelError(value) ? celErrorWords(value.message) : "its value is neither true nor false" };
      } catch (fault) {
        if (fault instanceof RangeError || fault instanceof Error) return { error: celErrorWords(fault.message) };
        throw fault;
      }
    },
  };
}

/**
 * A row for which an expression of the Common Expression Language is not true: false, or without a value (an error, as when null is compared by
 * order). Simple parts run over whole columns, the rest by the interpreter; rows with an invalid cell in one of the columns are left to its
 * `type` reason.
 */
export const celFamily: RuleFamily<"cel"> = {
  family: "cel",
  compile(check, { plan: rule, fields }) {
    const expression = compileCel(check.expression, fields);
    if ("length" in expression) throw invalidRule(rule, expression.map(({ message }) => message).join("; "));
    const indexes = fields.flatMap(({ name }, i) => (expression.columns.includes(name) ? [i] : []));
    const { truths } = compileTruth({ expression, fields });
    const interpreter = interpreterOf(
      library.cel().plan(celEnvironment(), expression.syntax) as (context: Record<string, CelInput>) => unknown,
      indexes,
    );
    const paths = expression.columns.map((column) => resolvePath(fields, (fields.find(({ name }) => name === column) as Field).path, rule));
    const masked = paths.some((path) => path.masked || hasMasked(path.field));
    return {
      expected: check.expression,
      open: () => ({
        offenders(batch, applies) {
          const verdicts = truths(batch);
          const states = indexes.map((i) => (batch.columns[i] as Column).state);
          const out = new RowList();
          for (let row = 0; row < verdicts.length; row++) {
            const verdict = verdicts[row] as number;
            if (verdict === Truth.true || applies[row] === 0 || states.some((state) => state[row] === Cell.invalid)) continue;
            if (verdict !== Truth.unsure || interpreter.evaluate(batch, row) !== true) out.push(row);
          }
          return out.rows();
        },
      }),
      explain(batch, row) {
        const seen = indexes.map((i) => {
          const column = batch.columns[i] as Column;
          return `${column.field.path} = ${cellText(column, row, batch) ?? (column.kind === "struct" && column.state[row] === Cell.value ? "{...}" : "null")}`;
        });
        const answer = interpreter.evaluate(batch, row);
        const why = typeof answer === "boolean" ? [] : [`it can't be evaluated, ${answer.error}`];
        return {
          observed: [...(seen.length > 0 ? [seen.join(", ")] : []), ...why].join(": "),
          finding: null,
          expected: check.expression,
          limit: check.expression,
          masked,
        };
      },
    };
  },
};

function hasMasked(field: Field): boolean {
  const { type } = field;
  if (field.classification !== null && field.classification !== "public") return true;
  if (type.kind === "struct") return type.fields.some(hasMasked);
  return type.kind === "list" ? hasMasked(type.element) : type.kind === "map" && hasMasked(type.value);
}
