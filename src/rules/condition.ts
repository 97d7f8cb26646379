import type { Batch } from "../core/batch.ts";
import { Cell } from "../core/column.ts";
import { cellText } from "./cell-text.ts";
import { locate, resolveRowPath } from "./column-path.ts";
import { compileCondition, conditionPaths, conditionText } from "./condition-mask.ts";
import { RowList } from "./row-list.ts";
import type { RuleFamily } from "./rule-family.ts";

/**
 * A row for which a condition over its columns is not true. A cell without a value makes its comparison false, so the row offends unless the
 * condition allows for null; a row in which one of the columns is invalid is left to that column's `type` reason.
 */
export const conditionFamily: RuleFamily<"condition"> = {
  family: "condition",
  compile(check, { plan, fields }) {
    const mask = compileCondition(check.condition, fields, plan);
    const paths = conditionPaths(check.condition).map((path) => resolveRowPath(fields, path, plan));
    const text = conditionText(check.condition, fields, plan);
    return {
      expected: text,
      open: () => ({
        offenders: (batch: Batch) => {
          const holds = new Uint8Array(batch.rows);
          mask(batch, holds);
          const states = paths.map((path) => locate(batch, path).column.state);
          const out = new RowList();
          for (let row = 0; row < batch.rows; row++)
            if (holds[row] === 0 && !states.some((state) => state[row] === Cell.invalid)) out.push(row);
          return out.rows();
        },
      }),
      explain: (batch, row) => {
        const seen = paths.map((path) => `${path.field.path} = ${cellText(locate(batch, path).column, row, batch) ?? "null"}`);
        return { observed: seen.join(", "), finding: null, expected: text, limit: text, masked: paths.some((path) => path.masked) };
      },
    };
  },
};
