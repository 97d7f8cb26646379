import { Cell } from "../core/column.ts";
import { cellRule } from "./cell-rule.ts";
import { cellText } from "./cell-text.ts";
import { resolvePath } from "./column-path.ts";
import { describeAbsent } from "./required.ts";
import type { RuleFamily } from "./rule-family.ts";
import { compileMembership, scalarsText } from "./scalar-set.ts";

/** A value that counts as missing: null, absent, or one of the contract's tokens such as "N/A" (ODCS `missingValues`). */
export const missingFamily: RuleFamily<"missing"> = {
  family: "missing",
  compile(check, { plan, fields }) {
    const path = resolvePath(fields, plan.path, plan);
    const isToken = compileMembership(path.field, check.tokens);
    const tokens = check.tokens.filter((token) => token.type !== "null");
    const words = tokens.length === 0 ? "a value" : `a value that is none of ${scalarsText(tokens, path.field)}`;
    return cellRule(path, {
      scan(column, from, to, out, parent) {
        const { state } = column;
        for (let i = from; i < to; i++) {
          const cell = state[i];
          if (cell === Cell.value) {
            if (isToken !== null && isToken(column, i)) out.push(i);
          } else if (cell !== Cell.invalid && (parent === null || parent.state[i] === Cell.value)) out.push(i);
        }
      },
      describe: (column, cell, batch) =>
        column.state[cell] === Cell.value ? { observed: cellText(column, cell, batch), finding: null } : describeAbsent(column, cell),
      expected: words,
      limit: words,
    });
  },
};
