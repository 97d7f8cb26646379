import { cellText } from "./cell-text.ts";
import { locate, resolveRowPath } from "./column-path.ts";
import type { RuleFamily } from "./rule-family.ts";

/** A value that the promoted column of another dataset does not hold. It is judged when the window closes, against the dataset's newest version then. */
export const foreignKeyFamily: RuleFamily<"foreignKey"> = {
  family: "foreignKey",
  compile(check, { plan, fields }) {
    const path = resolveRowPath(fields, plan.path, plan);
    const other = `${check.dataset}.${check.column}`;
    return {
      open: () => ({ offenders: () => new Uint32Array(0) }),
      explain: (batch, row) => ({
        observed: cellText(locate(batch, path).column, row, batch),
        finding: null,
        expected: `a value of ${other}`,
        limit: other,
        masked: path.masked,
      }),
    };
  },
};
